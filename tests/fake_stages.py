"""Stages that say what they see, hear and read, for tests of the conductor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from indexer.errors import ModelError
from indexer.media.audio import AudioBlock
from indexer.stages.stage import HeardStretch, KnownVideo, ShownStretch, Stretch, StretchResult
from store.records import TextRow
from store.shot_outcomes import ShotState
from store.stages import Run
from store.timespan import TimeSpan
from tests.fakes import COLOURS


def nearest_colour(picture: np.ndarray[Any, Any]) -> str:
    """The word for what a picture shows most."""
    mean = picture.reshape(-1, 3).mean(axis=0)
    return min(COLOURS, key=lambda name: float(np.square(mean - COLOURS[name]).sum()))


@dataclass
class ColourStage:
    """Names the colour of each shot.

    Args:
        model: name of its model.
        batch: stretches at once.
        fails_on: colours with which it fails alone.
        fails_together: whether it fails with more than one stretch at once, as a model without memory does.
        n_pictures: pictures wanted of each stretch.
        stage: name of the stage.
        seen: what it was asked to look at, as it came.
    """

    model: str = "colours"
    batch: int = 4
    fails_on: frozenset[str] = frozenset()
    fails_together: bool = False
    n_pictures: int = 2
    stage: str = "caption"
    size_px: int | None = 16
    seen: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def run(self) -> Run:
        """A run of the model."""
        return Run.of(self.stage, self.model, {"pictures": self.n_pictures})

    @property
    def batch_size(self) -> int:
        """Stretches at once."""
        return self.batch

    def times(self, stretch: Stretch) -> Sequence[Fraction]:
        """Evenly over the stretch."""
        span, n = stretch.span, self.n_pictures
        return [span.start + span.duration * (2 * i + 1) / (2 * n) for i in range(n)]

    def read(self, shown: Sequence[ShownStretch]) -> Sequence[StretchResult]:
        """The colour of each stretch."""
        self.seen.append(tuple(nearest_colour(one.pictures[0]) for one in shown))
        if self.fails_together and len(shown) > 1:
            raise ModelError("too much at once")
        return [self._result(one) for one in shown]

    def _result(self, shown: ShownStretch) -> StretchResult:
        colours = {nearest_colour(picture) for picture in shown.pictures}
        colour = "+".join(sorted(colours))
        if colours & self.fails_on:
            return StretchResult(state=ShotState.ERROR, reason=f"cannot say {colour}")
        if colour == "black":
            return StretchResult(state=ShotState.BLOCKED, reason="does not speak of black")
        return StretchResult((TextRow(shown.stretch.span, f"all {colour}"),))


@dataclass
class LoudnessStage:
    """Says how loud each second is.

    Args:
        fails_at: second at which it fails; None for never.
        heard: times of the blocks it took.
    """

    fails_at: int | None = None
    rate_hz: int = 8000
    is_mono: bool = True
    heard: list[Fraction] = field(default_factory=list)

    @property
    def run(self) -> Run:
        """A run without parameters."""
        return Run.of("transcript", "loudness", {})

    def listen(self, video: KnownVideo, start: Fraction) -> _Loudness:  # noqa: ARG002 the interface's
        """A listener from a time on."""
        return _Loudness(self, start)


@dataclass
class _Loudness:
    stage: LoudnessStage
    reached: Fraction
    wants_sound: bool = True

    def take(self, block: AudioBlock) -> Sequence[HeardStretch]:
        """One row for each second."""
        self.stage.heard.append(block.time)
        if self.stage.fails_at is not None and block.time >= self.stage.fails_at:
            raise ModelError("ears hurt")
        end = block.time + Fraction(block.samples.shape[1], block.rate_hz)
        span, self.reached = TimeSpan(self.reached, end), end
        level = float(np.abs(block.samples).mean())
        return [HeardStretch(span, StretchResult((TextRow(span, "loud" if level > 0.01 else "quiet"),)))]

    def end(self, end: Fraction) -> Sequence[HeardStretch]:
        """The silence that is left."""
        if self.reached >= end:
            return []
        return [HeardStretch(TimeSpan(self.reached, end), StretchResult())]


@dataclass
class CountStage:
    """Says how many captions a video has."""

    n_derived: int = 0

    @property
    def run(self) -> Run:
        """A run without parameters."""
        return Run.of("summary", "count", {})

    @property
    def reads(self) -> Sequence[str]:
        """What it counts."""
        return ("caption",)

    def derive(self, video: KnownVideo) -> StretchResult:
        """One row for the whole video."""
        self.n_derived += 1
        n = len(video.snapshot.stage_rows(video.video.video_id, "caption"))
        return StretchResult((TextRow(video.video.facts.span, f"{n} captions"),))
