"""Objects in the sampled frames: one row for each class and stretch, with their number and every box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from indexer.stages.detection import find_in_stretches, sampled_times
from indexer.stages.object_tracks import SeenObject, TrackedPicture, track_objects
from indexer.stages.stage import ShownStretch, Stretch, StretchResult
from store.records import TextRow, TextStage
from store.stages import Run

if TYPE_CHECKING:
    from indexer.models.detector import Detection, Detector

_ALGORITHM: Final = 1
"""Goes up whenever the same detections give other rows."""
_MOST_BOXES: Final = 40
"""Boxes of one class in one picture that are kept; the count is of all."""


@dataclass(frozen=True, slots=True)
class ObjectSettings:
    """Detection of objects.

    Args:
        model: ORG/NAME of the hub, or a folder; empty for the usual model: of a closed set where nothing is asked
            for, of an open vocabulary where there are prompts.
        prompts: names of things to look for; for a closed set the classes that are wanted, all if empty.
        picture_px: shorter side of the pictures, never enlarged.
        lowest_score: objects that the model is less sure of are left out, 0 to 1.
        batch_size: pictures taken at once.
    """

    model: str = ""
    prompts: tuple[str, ...] = ()
    picture_px: int = 720
    lowest_score: float = 0.5
    batch_size: int = 8

    def __post_init__(self) -> None:
        """Refuse values that cannot work."""
        if not 32 <= self.picture_px <= 4096 or self.batch_size < 1 or not 0 <= self.lowest_score <= 1:
            raise ValueError("picture_px must be 32 to 4096, batch_size 1 or more, lowest_score 0 to 1")
        if any(not prompt.strip() for prompt in self.prompts):
            raise ValueError("a prompt is empty: name a thing")
        if len(self.prompts) > 1000:
            raise ValueError("more than 1,000 prompts: a detector reads each of them with every picture")


class ObjectStage:
    """Detects objects in the sampled frames.

    A row is a class in a stretch. Its count is the largest number seen at once; its box the one that the model is
    surest of. The payload has every box of every picture, with the number of its track.

    Args:
        detector: finds objects.
        settings: how it is used.
    """

    def __init__(self, detector: Detector, settings: ObjectSettings) -> None:
        self._detector = detector
        self._settings = settings
        self._run = Run.of(
            TextStage.OBJECT,
            detector.name,
            {
                "algorithm": _ALGORITHM,
                "prompts": list(settings.prompts),
                "picture_px": settings.picture_px,
                "lowest_score": settings.lowest_score,
            },
            revision=detector.revision,
            weights_hash=detector.weights_hash,
        )

    @property
    def run(self) -> Run:
        """Model, weights and parameters."""
        return self._run

    @property
    def size_px(self) -> int | None:
        """Shorter side of the pictures."""
        return self._settings.picture_px

    @property
    def batch_size(self) -> int:
        """Stretches at once; most have one or two pictures."""
        return self._settings.batch_size

    def times(self, stretch: Stretch) -> Sequence[Fraction]:
        """The sampled frames."""
        return sampled_times(stretch)

    def read(self, shown: Sequence[ShownStretch]) -> Sequence[StretchResult]:
        """One result for each stretch, in the order given.

        Raises:
            ModelError: the model cannot be loaded, or fails with every stretch.
        """
        return find_in_stretches(self._detector.detect, shown, _result)


def _result(shown: ShownStretch, found: Sequence[Sequence[Detection]]) -> StretchResult:
    labels = dict.fromkeys(one.label for picture in found for one in picture)
    rows = []
    for label in labels:
        pictures = [
            (time, [SeenObject(one.score, one.box) for one in picture if one.label == label])
            for time, picture in zip(shown.times, found, strict=True)
        ]
        rows.append(_row(label, shown, track_objects(pictures)))
    return StretchResult(tuple(sorted(rows, key=lambda row: -(row.score or 0))))


def _row(label: str, shown: ShownStretch, tracked: Sequence[TrackedPicture]) -> TextRow:
    best = max((one for picture in tracked for one in picture.objects), key=lambda one: one.score)
    payload = {
        "tracks": len({track for picture in tracked for track in picture.tracks}),
        "pictures": [_boxes_of(picture) for picture in tracked if picture.objects],
        "looked_at": len(tracked),
    }
    most = max(len(picture.objects) for picture in tracked)
    return TextRow(shown.stretch.span, label, best.score, box=best.box, count=most, payload=payload)


def _boxes_of(picture: TrackedPicture) -> Mapping[str, Any]:
    order = sorted(range(len(picture.objects)), key=lambda at: -picture.objects[at].score)[:_MOST_BOXES]
    return {
        "time": round(float(picture.time), 4),
        "boxes": [[round(side, 4) for side in picture.objects[at].box] for at in order],
        "scores": [round(picture.objects[at].score, 3) for at in order],
        "tracks": [picture.tracks[at] for at in order],
    }


def make_objects(settings: ObjectSettings, device: str) -> ObjectStage:
    """The stage that detects objects.

    Raises:
        ModelError: the model cannot be found, is no detector, or lacks prompts or knows none of them.
    """
    from indexer.models.detector import CLOSED_SET_MODEL, OPEN_MODEL, DetectorOptions, load_detector

    model = settings.model or (OPEN_MODEL if settings.prompts else CLOSED_SET_MODEL)
    options = DetectorOptions(settings.lowest_score, settings.prompts, settings.batch_size, device)
    return ObjectStage(load_detector(model, options), settings)
