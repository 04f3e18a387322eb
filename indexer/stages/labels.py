"""Labels: what shots show, by a classifier of pictures or, without the video, by the archive's own encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from indexer.models.labeler import load_labeler
from indexer.models.zero_shot import NULL_LABEL, ZeroShot, everyday_labels, read_prompts, templates_for
from indexer.stages.label_choice import choose_labels
from indexer.stages.label_settings import CLASSIFIER, ZERO_SHOT, LabelSettings
from indexer.stages.label_timeline import (
    Interval,
    LabelledCell,
    cells_of_shots,
    label_intervals,
    label_shares,
)
from indexer.stages.stage import StretchResult
from store.records import TextRow
from store.stages import VISUAL, Run
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from indexer.models.encoder import Encoder
    from indexer.models.labeler import Labeler
    from indexer.stages.makers import StageServices
    from indexer.stages.stage import AnyStage, KnownVideo, ShownStretch, Stretch

STAGE: Final = "label"
LANGUAGE: Final = "en"
_VERSION: Final = 1
"""To be counted up when the same parameters would give other labels."""
_ALREADY_SURE: Final = 0.5
_BLANK_BELOW: Final = 3.0
"""Standard deviation of all numbers of an 8-bit picture; a compressed black or white one stays below 1."""


def make_label_stage(label: LabelSettings, services: StageServices) -> AnyStage:
    """The stage of labels that the settings ask for.

    Raises:
        ModelError: its model is not to be had.
        ConfigError: its file of prompts cannot be read, or holds no label.
    """
    if label.method == CLASSIFIER:
        labeler = load_labeler(label.model, device=services.device, batch_size=label.batch_size)
        return ClassifierLabels(labeler, label)
    prompts = read_prompts(Path(label.prompts_file).expanduser()) if label.prompts_file else everyday_labels()
    return ZeroShotLabels(services.encoder, prompts, is_multi=label.several, n_labels=label.n_labels)


class ClassifierLabels:
    """Labels of several pictures of each shot; a `PictureStage`.

    Args:
        labeler: tells what pictures show.
        settings: how many pictures and labels.
    """

    def __init__(self, labeler: Labeler, settings: LabelSettings) -> None:
        self._labeler = labeler
        self._settings = settings

    @property
    def run(self) -> Run:
        """The labeler, its words, and the settings."""
        settings = self._settings
        parameters = {
            "version": _VERSION,
            "method": CLASSIFIER,
            "n_frames": settings.n_frames,
            "n_labels": settings.n_labels,
            "lowest_score": settings.lowest_score,
            "words": self._labeler.vocabulary.version,
        }
        labeler = self._labeler
        return Run.of(
            STAGE, labeler.name, parameters, revision=labeler.revision, weights_hash=labeler.weights_hash
        )

    @property
    def size_px(self) -> int | None:
        """Shorter side of the pictures that the labeler wants."""
        return self._labeler.size_px

    @property
    def batch_size(self) -> int:
        """Stretches whose pictures make one batch of the labeler."""
        return max(1, self._labeler.batch_size // self._settings.n_frames)

    def times(self, stretch: Stretch) -> Sequence[Fraction]:
        """Times that part the stretch equally: of three pictures the quarters."""
        parts = self._settings.n_frames + 1
        return [stretch.span.start + stretch.span.duration * Fraction(i, parts) for i in range(1, parts)]

    def read(self, shown: Sequence[ShownStretch]) -> Sequence[StretchResult]:
        """Labels of each stretch, best first, as rows over all of it.

        Blank pictures, such as black ones, are not asked about: a labeler always answers.

        Raises:
            ModelError: the labeler fails.
        """
        kept = [[picture for picture in one.pictures if picture.std() >= _BLANK_BELOW] for one in shown]
        seen = self._labeler.probabilities([picture for pictures in kept for picture in pictures])
        results = []
        first = 0
        for one, pictures in zip(shown, kept, strict=True):
            mine = seen[first : first + len(pictures)]
            first += len(pictures)
            if one.pictures and not pictures:
                results.append(StretchResult(reason="the pictures are blank"))
            else:
                results.append(StretchResult(self._rows(one.stretch.span, mine) if pictures else ()))
        return results

    def _rows(self, span: TimeSpan, seen: np.ndarray) -> tuple[TextRow, ...]:
        settings = self._settings
        chosen = choose_labels(seen, self._labeler.vocabulary, settings.n_labels, settings.lowest_score)
        return tuple(
            TextRow(span, label.word, label.score, LANGUAGE, payload={"origin": label.origin}) for label in chosen
        )


@dataclass(frozen=True, slots=True)
class VideoLabels:
    """Zero-shot labels of one video.

    Args:
        whole: from its first frame to the end of its last.
        cells: the labels of each sampled frame, over the time that it stands for.
    """

    whole: TimeSpan
    cells: tuple[LabelledCell, ...]

    def intervals(self, length: Fraction) -> list[Interval]:
        """The most common label of each interval, in order of time."""
        return label_intervals(self.cells, self.whole, length, NULL_LABEL)

    def shares(self) -> list[tuple[str, Fraction]]:
        """The share of the video in which each label holds, largest first."""
        return label_shares(self.cells, self.whole, NULL_LABEL)


class ZeroShotLabels:
    """Labels by comparing prompts with the vectors that an archive holds; an `ArchiveStage`.

    Args:
        encoder: gives the archive's own encoder; loaded with the first video.
        prompts: the labels, as `clean_prompts` gives them.
        is_multi: whether a frame may have several labels.
        n_labels: labels of a shot at most.
        interval: rows for intervals of so many exact seconds, the most common label of each; None for shots.
    """

    def __init__(
        self,
        encoder: Callable[[], Encoder],
        prompts: Sequence[str],
        *,
        is_multi: bool = False,
        n_labels: int = 5,
        interval: Fraction | None = None,
    ) -> None:
        self._load = encoder
        self._prompts = tuple(prompts)
        self._is_multi = is_multi
        self._n_labels = n_labels
        self._interval = interval
        self._ready: ZeroShot | None = None

    @property
    def run(self) -> Run:
        """The encoder, the prompts, and how they are asked."""
        space = self._load().space
        parameters = {
            "version": _VERSION,
            "method": ZERO_SHOT,
            "prompts": list(self._prompts),
            "templates": list(templates_for(len(self._prompts))),
            "several": self._is_multi,
            "n_labels": self._n_labels,
            "interval": str(self._interval or ""),
            "space": space.space_id,
        }
        return Run.of(STAGE, space.name, parameters, weights_hash=space.weights_hash)

    @property
    def reads(self) -> Sequence[str]:
        """The shots and their vectors."""
        return (VISUAL,)

    def derive(self, video: KnownVideo) -> StretchResult:
        """Labels of a video: rows for its shots, or for intervals.

        Rows of `something else` are left out: no search asks for it.
        """
        found = self.label(video)
        if self._interval is not None:
            return StretchResult(_interval_rows(found.intervals(self._interval), self._interval))
        rows: list[TextRow] = []
        for shot in video.shots:
            inside = [cell for cell in found.cells if cell.span.overlaps(shot.shot.span)]
            rows += _shot_rows(shot.shot.span, inside, self._n_labels)
        return StretchResult(tuple(rows))

    def label(self, video: KnownVideo) -> VideoLabels:
        """Labels of every sampled frame of a video, over the time that it stands for.

        Raises:
            ModelError: the encoder cannot be loaded.
            ArchiveDamagedError: vectors of the video are missing.
        """
        asked = self._ready or ZeroShot.of(self._prompts, self._load(), is_multi=self._is_multi)
        self._ready = asked
        frames = [frame for shot in video.shots for frame in video.frames.get(shot.shot_id, ())]
        vectors = video.snapshot.frame_vectors(np.array([frame.frame_id for frame in frames], np.int64))
        likely = asked.probabilities(vectors, asked.spread_of(video.snapshot.background()))
        cells = tuple(
            LabelledCell(cell.span, _labels_of(likely[cell.frame], asked))
            for cell in cells_of_shots(video.shots, frames)
        )
        return VideoLabels(TimeSpan(video.shots[0].shot.span.start, video.shots[-1].shot.span.end), cells)


def _labels_of(likely: np.ndarray, asked: ZeroShot) -> tuple[tuple[str, float], ...]:
    """The labels of a frame, best first: the likeliest one, or of several all that are likelier than not."""
    each = likely[:-1]
    if not asked.is_multi:
        best = int(each.argmax())
        return ((asked.prompts[best], round(float(each[best]), 4)),) if each[best] >= likely[-1] else ()
    sure = [int(i) for i in np.argsort(-each, kind="stable") if each[i] >= _ALREADY_SURE]
    return tuple((asked.prompts[i], round(float(each[i]), 4)) for i in sure)


def _shot_rows(span: TimeSpan, cells: Sequence[LabelledCell], n_labels: int) -> list[TextRow]:
    """The labels that hold longest in a shot; the score is the mean over all of its time."""
    weighed: dict[str, float] = {}
    for cell in cells:
        for label, score in cell.labels:
            weighed[label] = weighed.get(label, 0.0) + float(cell.span.duration) * score
    best = sorted(weighed.items(), key=lambda one: -one[1])[:n_labels]
    return [
        TextRow(span, label, min(1.0, round(held / span.duration_seconds, 4)), LANGUAGE) for label, held in best
    ]


def _interval_rows(intervals: Sequence[Interval], length: Fraction) -> tuple[TextRow, ...]:
    rows = []
    for one in intervals:
        if one.label not in (None, NULL_LABEL):
            held = {label: round(float(seconds), 6) for label, seconds in one.seconds}
            payload = {"interval_seconds": float(length), "seconds": held}
            rows.append(TextRow(one.span, str(one.label), round(one.score, 4), LANGUAGE, payload=payload))
    return tuple(rows)
