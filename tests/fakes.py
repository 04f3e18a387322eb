"""Stand-ins that keep the promises of the real interfaces, for tests that need no real model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.models.encoder import RgbImage
from store.records import Embeddings, EmbeddingSpace

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (220, 30, 30),
    "green": (30, 170, 50),
    "blue": (30, 60, 220),
    "yellow": (240, 220, 40),
    "orange": (245, 140, 20),
    "purple": (130, 40, 170),
    "pink": (250, 150, 190),
    "brown": (120, 75, 35),
    "white": (250, 250, 250),
    "grey": (128, 128, 128),
    "black": (5, 5, 5),
}
"""The words that `FakeEncoder` understands, and the RGB that each of them means."""

_N_OTHER_WORDS = 5


class FakeEncoder:
    """An encoder that knows colours: a picture is how much of each it shows, a text is which it names.

    Words that are no colour point into a few dimensions that no picture uses.

    Args:
        name: names the embedding space, so that two fakes can differ.
    """

    def __init__(self, name: str = "fake") -> None:
        dim = len(COLOURS) + _N_OTHER_WORDS
        self._space = EmbeddingSpace(
            name, hashlib.md5(name.encode(), usedforsecurity=False).hexdigest(), dim, "{}", name
        )
        self._palette = np.array(list(COLOURS.values()), np.float32)

    @property
    def space(self) -> EmbeddingSpace:
        """The space that every vector of this encoder lives in."""
        return self._space

    @property
    def image_size_px(self) -> int:
        """Side of the picture that is looked at."""
        return 16

    def encode_images(self, images: Sequence[RgbImage]) -> Embeddings:
        """How much of each colour every picture shows."""
        return self._stack([self._look(image) for image in images])

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Which colours every text names."""
        return self._stack([self._read(text) for text in texts])

    def _look(self, image: RgbImage) -> NDArray[np.float32]:
        step = max(1, min(image.shape[:2]) // self.image_size_px)
        pixels = image[::step, ::step].reshape(-1, 1, 3).astype(np.float32)
        nearest = np.argmin(((pixels - self._palette) ** 2).sum(axis=2), axis=1)
        row = np.zeros(self._space.dim, np.float32)
        row[: len(COLOURS)] = np.bincount(nearest, minlength=len(COLOURS))
        return row

    def _read(self, text: str) -> NDArray[np.float32]:
        row = np.full(self._space.dim, 1e-3, np.float32)  # so that a text without words has a direction too
        for word in text.lower().split():
            if word in COLOURS:
                row[list(COLOURS).index(word)] += 1
            else:
                row[
                    len(COLOURS) + hashlib.md5(word.encode(), usedforsecurity=False).digest()[0] % _N_OTHER_WORDS
                ] += 0.3
        return row

    def _stack(self, rows: Sequence[NDArray[np.float32]]) -> Embeddings:
        matrix = np.array(rows, np.float32).reshape(len(rows), self._space.dim)
        unit: Embeddings = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
        return unit


def make_picture(colour: str, height_px: int = 36, width_px: int = 64) -> RgbImage:
    """A picture of one of `COLOURS`."""
    return np.full((height_px, width_px, 3), COLOURS[colour], np.uint8)


class FakeTextModel:
    """Writes the prompt's words again and again, up to the limit."""

    name = "fake"
    revision = ""
    weights_hash = ""
    most_prompt_words = 500

    def write(self, prompt: str, max_words: int) -> str:
        """The words of the prompt, as often as they fit."""
        words = prompt.split()
        return " ".join((words * max_words)[:max_words]) + "."
