"""Faces in the sampled frames: one row for each face and stretch, with a vector by which faces can be compared.

Off unless a detector and an embedder are named. The vectors stay in the payload of their rows: they are compared
with each other alone, they are few, and they go when the video is forgotten or the run is dropped, without a
second place that holds them.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from indexer.errors import ModelError
from indexer.models.crops import cut_out, pad_box
from indexer.stages.detection import find_in_stretches, sampled_times
from indexer.stages.object_tracks import SeenObject, track_objects
from indexer.stages.stage import RgbPicture, ShownStretch, Stretch, StretchResult
from store.records import Embeddings, TextRow
from store.stages import Run

if TYPE_CHECKING:
    from indexer.models.detector import Detection, Detector
    from indexer.models.picture_features import PictureFeatures

STAGE: Final = "face"
_ALGORITHM: Final = 1
"""Goes up whenever the same detections give other rows."""
_PADDING: Final = 0.15


@dataclass(frozen=True, slots=True)
class FaceSettings:
    """Detection of faces.

    Args:
        detector: ORG/NAME of the hub, or a folder: a detector of objects that knows faces; empty for none.
        embedder: ORG/NAME of the hub, or a folder: a model of picture features trained on faces; empty for none.
        label: what the detector calls a face; the prompt of an open vocabulary.
        picture_px: shorter side of the pictures, never enlarged.
        lowest_score: faces that the detector is less sure of are left out, 0 to 1.
        smallest: lowest height of a face, as a share of the picture.
        same_person: cosine of two vectors from which faces are taken to be of one person; depends on the embedder.
        batch_size: pictures taken at once.
    """

    detector: str = ""
    embedder: str = ""
    label: str = "face"
    picture_px: int = 720
    lowest_score: float = 0.6
    smallest: float = 0.05
    same_person: float = 0.6
    batch_size: int = 8

    def __post_init__(self) -> None:
        """Refuse values that cannot work."""
        if not 32 <= self.picture_px <= 4096 or self.batch_size < 1:
            raise ValueError("picture_px must be 32 to 4096, batch_size 1 or more")
        if not all(0 <= share <= 1 for share in (self.lowest_score, self.smallest)):
            raise ValueError("lowest_score and smallest must be 0 to 1")
        if not -1 <= self.same_person <= 1 or not self.label.strip():
            raise ValueError("same_person must be -1 to 1, and label must name a face")


@dataclass(frozen=True, slots=True)
class _Face:
    score: float
    box: tuple[float, float, float, float]
    vector: Embeddings


class FaceStage:
    """Detects faces in the sampled frames, and describes each by a vector.

    A row is a face in a stretch, followed by its place (`track_objects`). Its text is `face`, its number in the
    stretch, and four digits of the run, so that a name given to it means no face of another run. Its payload has
    the vector, the mean over its pictures, as float16 in base64.

    Args:
        detector: finds faces.
        embedder: describes them.
        settings: how they are used.
    """

    def __init__(self, detector: Detector, embedder: PictureFeatures, settings: FaceSettings) -> None:
        self._detector = detector
        self._embedder = embedder
        self._settings = settings
        self._run = Run.of(
            STAGE,
            detector.name,
            {
                "algorithm": _ALGORITHM,
                "embedder": embedder.name,
                "embedder_revision": embedder.revision,
                "embedder_weights_hash": embedder.weights_hash,
                "label": settings.label,
                "picture_px": settings.picture_px,
                "lowest_score": settings.lowest_score,
                "smallest": settings.smallest,
                "same_person": settings.same_person,
            },
            revision=detector.revision,
            weights_hash=detector.weights_hash,
        )

    @property
    def run(self) -> Run:
        """Models, weights and parameters."""
        return self._run

    @property
    def size_px(self) -> int | None:
        """Shorter side of the pictures."""
        return self._settings.picture_px

    @property
    def batch_size(self) -> int:
        """Stretches at once."""
        return self._settings.batch_size

    def times(self, stretch: Stretch) -> Sequence[Fraction]:
        """The sampled frames."""
        return sampled_times(stretch)

    def read(self, shown: Sequence[ShownStretch]) -> Sequence[StretchResult]:
        """One result for each stretch, in the order given.

        Raises:
            ModelError: a model cannot be loaded, or fails with every stretch.
        """
        return find_in_stretches(self._find, shown, self._result)

    def _find(self, pictures: Sequence[RgbPicture]) -> list[tuple[_Face, ...]]:
        found = [self._faces_in(detections) for detections in self._detector.detect(pictures)]
        crops, kept = [], []
        for picture, detections in zip(pictures, found, strict=True):
            pieces = [(one, cut_out(picture, pad_box(one.box, _PADDING))) for one in detections]
            kept.append([one for one, piece in pieces if piece is not None])
            crops += [np.ascontiguousarray(piece) for _, piece in pieces if piece is not None]
        vectors = iter(self._embedder.features(crops))
        return [tuple(_Face(one.score, one.box, next(vectors)) for one in detections) for detections in kept]

    def _faces_in(self, detections: Sequence[Detection]) -> list[Detection]:
        label = self._settings.label
        return [one for one in detections if one.label == label and one.box[3] >= self._settings.smallest]

    def _result(self, shown: ShownStretch, found: Sequence[tuple[_Face, ...]]) -> StretchResult:
        tracked = track_objects(
            [
                (time, [SeenObject(face.score, face.box) for face in faces])
                for time, faces in zip(shown.times, found, strict=True)
            ]
        )
        faces: dict[int, list[tuple[Fraction, _Face]]] = {}
        for picture, here in zip(tracked, found, strict=True):
            for track, face in zip(picture.tracks, here, strict=True):
                faces.setdefault(track, []).append((picture.time, face))
        return StretchResult(tuple(self._row(track, seen, shown) for track, seen in sorted(faces.items())))

    def _row(self, track: int, seen: Sequence[tuple[Fraction, _Face]], shown: ShownStretch) -> TextRow:
        _, best = max(seen, key=lambda one: one[1].score)
        payload: Mapping[str, Any] = {
            "vector": pack_vector(np.mean([face.vector for _, face in seen], axis=0)),
            "pictures": [
                {
                    "time": round(float(time), 4),
                    "box": [round(side, 4) for side in face.box],
                    "score": round(face.score, 3),
                }
                for time, face in seen
            ],
        }
        text = f"face {track + 1} {_digits(self._run.key)}"
        return TextRow(shown.stretch.span, text, best.score, box=best.box, payload=payload)


def pack_vector(vector: Embeddings) -> str:
    """A vector made one of length 1, as base64 of its float16 numbers, little endian."""
    length = float(np.linalg.norm(vector))
    return base64.b64encode((vector / (length or 1)).astype("<f2").tobytes()).decode("ascii")


def _digits(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=2).hexdigest()


def make_faces(settings: FaceSettings, device: str) -> FaceStage:
    """The stage that detects faces.

    Raises:
        ModelError: no detector or no embedder is named, or one of them cannot be found or is something else.
    """
    from indexer.models.detector import DetectorOptions, load_detector
    from indexer.models.picture_features import load_features

    if not settings.detector or not settings.embedder:
        raise ModelError(
            "faces are off: name a detector and an embedder in the table [stages.faces] of a settings file, each "
            "ORG/NAME of the hub or a folder"
        )
    options = DetectorOptions(settings.lowest_score, (settings.label,), settings.batch_size, device)
    detector = load_detector(settings.detector, options)
    return FaceStage(detector, load_features(settings.embedder, settings.batch_size, device), settings)
