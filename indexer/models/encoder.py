"""The one interface between pictures, sentences and vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from store.records import Embeddings, EmbeddingSpace

RgbImage = NDArray[np.uint8]
"""RGB, uint8, (height, width, 3)."""


class TextEncoder(Protocol):
    """Places texts in an embedding space, of their own or of pictures, too."""

    @property
    def space(self) -> EmbeddingSpace:
        """The space that every vector of this encoder lives in."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Place texts in the embedding space, in the order given.

        Unknown words and over-long texts are no error: the first are taken as unknown, the second cut.

        Returns:
            float32, (n_texts, dim), C-contiguous, rows of length 1. An empty input gives (0, dim).
        """
        ...


class Encoder(Protocol):
    """Places pictures and sentences in one embedding space; a `TextEncoder`, too."""

    @property
    def space(self) -> EmbeddingSpace:
        """The space that every vector of this encoder lives in."""
        ...

    @property
    def image_size_px(self) -> int:
        """Side of the square picture that the network sees; larger pictures only cost time."""
        ...

    def encode_images(self, images: Sequence[RgbImage]) -> Embeddings:
        """Place pictures in the embedding space, in the order given.

        Every row has length 1, so the inner product of two rows is their cosine similarity.

        Args:
            images: RGB, uint8, each (height, width, 3); sizes may differ; left unchanged.

        Returns:
            float32, (n_images, dim), C-contiguous. An empty input gives (0, dim).

        Raises:
            ModelError: not even one picture fits the device's memory.
        """
        ...

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Place sentences in the embedding space, in the order given.

        Unknown words and over-long sentences are no error: the first are taken as unknown, the second cut.

        Returns:
            float32, (n_texts, dim), C-contiguous, rows of length 1. An empty input gives (0, dim).
        """
        ...
