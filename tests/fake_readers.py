"""Stand-ins for models that look at pictures, which say what they see by arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from indexer.errors import ModelError
from indexer.models.detector import Detection
from indexer.models.encoder import RgbImage
from indexer.models.text_reader import LineReading, TextPlace
from store.records import Embeddings
from tests.fakes import COLOURS

BROKEN = (1, 2, 3)
"""A picture of this colour breaks every model here."""


class FakeTextReader:
    """Reads the colours of pictures as texts: those in `says`, by red, green and blue of the upper left pixel.

    Args:
        says: lines of text by colour, one below the other; other pictures have none.
    """

    def __init__(self, says: Mapping[tuple[int, int, int], Sequence[str]]) -> None:
        self._says = says
        self.sides: list[int] = []

    @property
    def name(self) -> str:
        """Name of the model."""
        return "fake-reader"

    @property
    def weights_hash(self) -> str:
        """Hex digest of its weights."""
        return "00"

    def load(self) -> None:
        """Nothing is to be loaded."""

    def find_lines(self, picture: RgbImage, side_px: int) -> Sequence[TextPlace]:
        """One place for each line, one below the other."""
        self.sides.append(side_px)
        places = []
        for number in range(len(self._lines(picture))):
            top = 0.1 + 0.2 * number
            corners = ((0.1, top), (0.9, top), (0.9, top + 0.1), (0.1, top + 0.1))
            places.append(TextPlace(corners, 0.9))
        return places

    def read_lines(self, picture: RgbImage, places: Sequence[TextPlace]) -> Sequence[LineReading]:
        """The lines at their places."""
        lines = self._lines(picture)
        numbers = [min(len(lines) - 1, round((place.corners[0][1] - 0.1) / 0.2)) for place in places]
        return [LineReading(lines[number], 0.99) for number in numbers]

    def _lines(self, picture: RgbImage) -> Sequence[str]:
        red, green, blue = (int(value) for value in picture[0, 0])
        if (red, green, blue) == BROKEN:
            raise ModelError("fake-reader broke")
        return self._says.get((red, green, blue), ())


class FakeDetector:
    """Finds upright blocks of the colours of `COLOURS`; a block is a detection labelled by its colour.

    A block is the box around all pixels of a colour, apart where columns without the colour lie between.
    """

    @property
    def name(self) -> str:
        """Name of the model."""
        return "fake-detector"

    @property
    def revision(self) -> str:
        """No commit."""
        return ""

    @property
    def weights_hash(self) -> str:
        """Hex digest of its weights."""
        return "00"

    def detect(self, pictures: Sequence[RgbImage]) -> Sequence[tuple[Detection, ...]]:
        """The blocks of each picture, the largest first."""
        return [self._look(picture) for picture in pictures]

    def _look(self, picture: RgbImage) -> tuple[Detection, ...]:
        if tuple(picture[0, 0].tolist()) == BROKEN:
            raise ModelError("fake-detector broke")
        height, width = picture.shape[:2]
        found = []
        for name, colour in COLOURS.items():
            if name in ("black", "white", "grey"):
                continue
            mask = (np.abs(picture.astype(np.int16) - colour) < 40).all(axis=2)
            columns = mask.any(axis=0)
            edges = np.flatnonzero(np.diff(np.concatenate([[False], columns, [False]]).astype(np.int8)))
            for left, right in edges.reshape(-1, 2).tolist():
                rows = np.flatnonzero(mask[:, left:right].any(axis=1))
                top, bottom = int(rows[0]), int(rows[-1]) + 1
                if (right - left) * (bottom - top) < 64:
                    continue
                box = (left / width, top / height, (right - left) / width, (bottom - top) / height)
                found.append(Detection(name, 0.5 + box[2] * box[3] / 2, box))
        return tuple(sorted(found, key=lambda one: -one.score))


class FakeFeatures:
    """Describes pictures by their mean colour."""

    name = "fake-features"
    revision = ""
    weights_hash = "00"

    def features(self, pictures: Sequence[RgbImage]) -> Embeddings:
        """Mean red, green and blue, of length 1."""
        if not pictures:
            return np.empty((0, 0), np.float32)
        rows = np.stack([picture.reshape(-1, 3).mean(axis=0) for picture in pictures]).astype(np.float32) + 1e-3
        scaled: Embeddings = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return scaled
