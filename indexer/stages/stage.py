"""Stages as the conductor knows them: of pictures, of sound, and of what the archive already holds.

A stage asks for what it needs and gives rows with exact spans. It neither decodes, writes, nor publishes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from store.records import FrameRow, ShotRow, TextRow, VideoRow
from store.shot_outcomes import ShotState
from store.stages import Run
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from indexer.media.audio import AudioBlock
    from store.snapshot import Snapshot

RgbPicture: TypeAlias = NDArray[np.uint8]
"""RGB, uint8, (height, width, 3), upright, square pixels."""


@dataclass(frozen=True, slots=True)
class KnownVideo:
    """A video as the archive knows it when a stage begins.

    Args:
        video: path, facts and metadata.
        shots: in order of time.
        frames: the sampled frames of each shot, by its id, in order of time.
        snapshot: everything else: vectors, and rows of other stages. Not to be closed.
    """

    video: VideoRow
    shots: tuple[ShotRow, ...]
    frames: Mapping[str, tuple[FrameRow, ...]]
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Stretch:
    """A shot, or one of the equal pieces of a shot that is longer than a minute.

    Args:
        shot: the shot.
        span: the stretch, inside the shot.
        frames: the sampled frames in it, in order of time; of a short piece perhaps none.
    """

    shot: ShotRow
    span: TimeSpan
    frames: tuple[FrameRow, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownStretch:
    """A stretch with the pictures that a stage asked for.

    Args:
        stretch: the stretch.
        times: when each picture is shown, in exact seconds, in order of time.
        pictures: as many as times.
    """

    stretch: Stretch
    times: tuple[Fraction, ...]
    pictures: tuple[RgbPicture, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class StretchResult:
    """What a stage found in a stretch.

    Args:
        rows: texts inside the stretch.
        state: how it ended; `NOTHING` where there are no rows and nothing went wrong.
        reason: one line for people, where there is something to say.
    """

    rows: tuple[TextRow, ...] = ()
    state: ShotState = ShotState.DONE
    reason: str = ""

    def __post_init__(self) -> None:
        """Call a result without rows by its name."""
        if self.state is ShotState.DONE and not self.rows:
            object.__setattr__(self, "state", ShotState.NOTHING)


@runtime_checkable
class PictureStage(Protocol):
    """A stage that looks at pictures of each shot."""

    @property
    def run(self) -> Run:
        """Stage, model, revision, weights and parameters: all that decides the result."""
        ...

    @property
    def size_px(self) -> int | None:
        """Shorter side of the pictures that it wants; None for the size at which players show them."""
        ...

    @property
    def batch_size(self) -> int:
        """Stretches that it takes at once; a hint, since they have different numbers of pictures."""
        ...

    def times(self, stretch: Stretch) -> Sequence[Fraction]:
        """The times of the pictures that it wants of a stretch, in order; at most 64. None for no picture."""
        ...

    def read(self, shown: Sequence[ShownStretch]) -> Sequence[StretchResult]:
        """One result for each stretch, in the order given.

        Whatever the size of the batch, a stretch gets the same result. A stretch with which the model fails gets
        the state `ERROR`; the others keep theirs.

        Raises:
            ModelError: the model is at fault with all of them.
        """
        ...


@dataclass(frozen=True, slots=True)
class HeardStretch:
    """What a stage heard, complete up to the end of the stretch.

    Args:
        span: from the end of the last one, or the beginning.
        result: rows inside it, for at most a second on either side.
    """

    span: TimeSpan
    result: StretchResult


class Listener(Protocol):
    """Hears the sound of one video, block after block."""

    @property
    def wants_sound(self) -> bool:
        """Whether any sound is needed; False where the texts are known otherwise, such as from subtitles."""
        ...

    def take(self, block: AudioBlock) -> Sequence[HeardStretch]:
        """Hear a second of sound; what is complete now, often nothing.

        Raises:
            ModelError: the model fails.
        """
        ...

    def end(self, end: Fraction) -> Sequence[HeardStretch]:
        """Hear the end of the sound, or that there is none; the rest of the stretches, up to `end`.

        Args:
            end: end of the video, in exact seconds.
        """
        ...


@runtime_checkable
class SoundStage(Protocol):
    """A stage that listens."""

    @property
    def run(self) -> Run:
        """Stage, model, revision, weights and parameters: all that decides the result."""
        ...

    @property
    def rate_hz(self) -> int:
        """Samples per second that it wants."""
        ...

    @property
    def is_mono(self) -> bool:
        """Whether it wants all channels mixed into one."""
        ...

    def listen(self, video: KnownVideo, start: Fraction) -> Listener:
        """A listener for one video.

        Args:
            video: the video.
            start: when the sound begins that it will hear: 0, or where a run was interrupted.
        """
        ...


@runtime_checkable
class ArchiveStage(Protocol):
    """A stage that needs no media: it reads what the archive holds of a video."""

    @property
    def run(self) -> Run:
        """Stage, model, revision, weights and parameters: all that decides the result."""
        ...

    @property
    def reads(self) -> Sequence[str]:
        """Names of the stages whose texts it reads: another run of one of them makes another run of this."""
        ...

    def derive(self, video: KnownVideo) -> StretchResult:
        """All rows of a video at once.

        Raises:
            ModelError: the model fails with this video; the next run tries again.
        """
        ...


AnyStage: TypeAlias = PictureStage | SoundStage | ArchiveStage
