"""An encoder that is loaded when the first picture or sentence comes: indexing an unchanged library needs none."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence

import numpy as np

from indexer.models.encoder import Encoder, RgbImage, TextEncoder
from store.records import Embeddings, EmbeddingSpace


class DeferredEncoder:
    """Stands for the encoder of an archive's space until it is needed; safe to share between threads.

    Args:
        space: as the archive records it.
        load: gives the encoder of exactly that space; called once.
    """

    def __init__(self, space: EmbeddingSpace, load: Callable[[], Encoder]) -> None:
        self._space = space
        self._load = load
        self._loaded: Encoder | None = None
        self._lock = threading.Lock()

    @property
    def space(self) -> EmbeddingSpace:
        """The space that every vector of this encoder lives in."""
        return self._space

    @property
    def image_size_px(self) -> int:
        """Side of the square picture that the network sees; larger pictures only cost time."""
        return int(np.max(json.loads(self._space.preprocessing)["size"]))

    def encode_images(self, images: Sequence[RgbImage]) -> Embeddings:
        """Place pictures in the embedding space, as `Encoder` promises.

        Raises:
            ModelError: the encoder cannot be loaded.
            SpaceMismatchError: what was found under its name would place things elsewhere.
        """
        return self._encoder().encode_images(images)

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Place sentences in the embedding space; errors as for `encode_images`."""
        return self._encoder().encode_texts(texts)

    def _encoder(self) -> Encoder:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded


class DeferredTextEncoder:
    """Stands for an encoder of texts until the first text comes; safe to share between threads.

    Args:
        space: as the archive records it.
        load: gives the encoder of exactly that space; called once.
    """

    def __init__(self, space: EmbeddingSpace, load: Callable[[], TextEncoder]) -> None:
        self._space = space
        self._load = load
        self._loaded: TextEncoder | None = None
        self._lock = threading.Lock()

    @property
    def space(self) -> EmbeddingSpace:
        """The space that every vector of this encoder lives in."""
        return self._space

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Place texts in the space, as `TextEncoder` promises.

        Raises:
            ModelError: the encoder cannot be loaded.
            SpaceMismatchError: what was found under its name would place texts elsewhere.
        """
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
        return self._loaded.encode_texts(texts)
