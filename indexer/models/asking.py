"""The encoder of questions: sentences by the text side alone, pictures by the whole model, loaded when one comes.

Loading torch and a whole model for one sentence takes seconds of processor time and a gigabyte. The text side in
numpy (`text_tower`) gives the same vectors to 1e-5: for the demo encoder a test proves it, for any other model the
model itself, when it is loaded for a question the first time on this machine. Where it does not, or the files are
others than they were, or another device than the processor is asked for, the whole model is used.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from indexer.errors import ModelError
from indexer.models.deferred import DeferredEncoder
from indexer.models.open_clip_encoder import load_encoder_of, make_space
from indexer.models.sentence_encoder import SENTENCE_MODEL, load_text_encoder_of, require_same_space
from indexer.models.starter_encoder import STARTER_MODEL, StarterTexts
from indexer.models.text_record import TextRecord
from indexer.models.text_tokens import Tokenize, make_tokenizer
from indexer.models.text_tower import TextTower, UnknownTowerError
from indexer.models.weights import DEMO_MODEL, ModelFiles, find_model, hash_weights

if TYPE_CHECKING:
    from indexer.models.encoder import Encoder, RgbImage, TextEncoder
    from store.records import Embeddings, EmbeddingSpace

TOLERANCE: Final = 1e-5
"""Largest difference of a vector's number from that of the whole model."""
KEPT_FROM: Final = 50
"""Lists of so many texts are no question but the standing ones of every search; their vectors are kept."""
PROBES: Final = (
    "", "a red boat", "Zwei Hunde, ein Café - naïve!", "δύο σκύλοι στην ακτή", "浜辺の犬", "dog 🐕 & <cat>",
    "#7 &amp; 8", "  TWO  Dogs\nat_night ", "I'll say: don't! 1,234.5", "zxqv",
    "a long sentence about boats in a harbour " * 12,
)  # fmt: skip
"""Texts on which both sides are compared: empty, over-long, in other scripts and with all kinds of signs."""


def load_asking_encoder(space: EmbeddingSpace, *, device: str = "auto") -> Encoder:
    """The encoder that an archive was indexed with, for questions; nothing of it is loaded yet.

    Args:
        space: as the archive records it.
        device: as for `load_encoder`; any but `auto` and `cpu` needs the whole model.
    """
    whole = DeferredEncoder(space, lambda: load_encoder_of(space, device=device))
    return AskingEncoder(whole) if device in ("auto", "cpu") else whole


def load_asking_text_encoder(space: EmbeddingSpace, *, device: str = "auto") -> TextEncoder:
    """The encoder that an archive's texts were embedded with, for questions.

    Args:
        space: of texts, as the archive records it.
        device: as for `load_encoder`.

    Raises:
        ModelError: its package is missing.
        SpaceMismatchError: what was found under its name would place texts elsewhere.
    """
    if space.name != SENTENCE_MODEL:
        return load_asking_encoder(space, device=device)
    if device not in ("auto", "cpu"):
        return load_text_encoder_of(space, device=device)
    from indexer.models.sentence_tower import SentenceTower

    tower = SentenceTower()
    require_same_space(tower.space, space)
    return _KeptTexts(tower)


class _KeptTexts:
    """An encoder of texts that keeps the vectors of standing lists in the user's cache."""

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._record = TextRecord(encoder.space)

    @property
    def space(self) -> EmbeddingSpace:
        """The space that every vector of this encoder lives in."""
        return self._encoder.space

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Place texts in the space, as `TextEncoder` promises."""
        known = self._record.read_vectors(texts) if len(texts) >= KEPT_FROM else None
        if known is not None:
            return known
        vectors = self._encoder.encode_texts(texts)
        if len(texts) >= KEPT_FROM:
            self._record.write_vectors(texts, vectors)
        return vectors


class AskingEncoder:
    """Encodes questions as the whole model would; safe to share between threads.

    Args:
        whole: the whole model, which is loaded when it is used.
    """

    def __init__(self, whole: DeferredEncoder) -> None:
        self._whole = whole
        self._record = TextRecord(whole.space)
        self._lock = threading.Lock()

    @property
    def space(self) -> EmbeddingSpace:
        """The space that every vector of this encoder lives in."""
        return self._whole.space

    @property
    def image_size_px(self) -> int:
        """Side of the square picture that the network sees; larger pictures only cost time."""
        return self._whole.image_size_px

    def encode_images(self, images: Sequence[RgbImage]) -> Embeddings:
        """Place pictures in the embedding space, as `Encoder` promises.

        Raises:
            ModelError: the model cannot be loaded.
            SpaceMismatchError: what was found under its name would place things elsewhere.
        """
        return self._whole.encode_images(images)

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Place sentences in the embedding space; errors as for `encode_images`."""
        with self._lock:
            side = self._lean or self._whole
            is_kept = len(texts) >= KEPT_FROM and (self._lean is not None or self._record.read() is not None)
            known = self._record.read_vectors(texts) if is_kept else None
            if known is not None:
                return known
            vectors = side.encode_texts(texts)
            if is_kept:
                self._record.write_vectors(texts, vectors)
            return vectors

    @cached_property
    def _lean(self) -> _LeanTexts | StarterTexts | None:
        """The text side alone, if it is known to give the same vectors."""
        space = self._whole.space
        try:
            if space.name == STARTER_MODEL:
                return _lean_starter(space)
            if space.name == DEMO_MODEL:
                files = find_model(DEMO_MODEL, None)
                return _LeanTexts(files, space.dim) if _is_same_space(files, space) else None
            known = self._record.read()
            if known is None:
                self._prove()
                return None
            return _LeanTexts(known[0], space.dim) if known[1] else None
        except (UnknownTowerError, ModelError):
            return None

    def _prove(self) -> None:
        """Compare the text side with the whole model, which was to be loaded anyway, and note what came of it."""
        expected = self._whole.encode_texts(PROBES)  # seen to be the model of the space before anything is noted
        files = find_model(self._whole.space.name, None)
        try:
            found = _LeanTexts(files, self._whole.space.dim).encode_texts(PROBES)
            is_equal = bool(np.abs(found - expected).max() <= TOLERANCE)
        except UnknownTowerError:
            is_equal = False
        self._record.write(files, is_equal)


class _LeanTexts:
    """Sentences to vectors by the text side alone.

    Raises:
        UnknownTowerError: it is none that is known.
    """

    def __init__(self, files: ModelFiles, dim: int) -> None:
        try:
            self._tokenize: Tokenize = make_tokenizer(files.model_cfg["text_cfg"], files.tokenizer)
            self._tower = TextTower(files.model_cfg, files.weights)
        except (KeyError, TypeError, ValueError, AttributeError) as error:  # a foreign description
            raise UnknownTowerError(str(error)) from error
        self._dim = dim

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Unit vectors, in the order given."""
        if not texts:
            return np.empty((0, self._dim), np.float32)
        vectors = self._tower.encode(self._tokenize(list(texts)))
        if vectors.shape[1] != self._dim or not np.isfinite(vectors).all():
            raise UnknownTowerError("vectors of another shape, or not finite")
        return np.ascontiguousarray(vectors)


def _lean_starter(space: EmbeddingSpace) -> StarterTexts | None:
    from indexer.models.sentence_tower import SentenceTower

    lean = StarterTexts(SentenceTower())
    return lean if lean.space == space else None


def _is_same_space(files: ModelFiles, space: EmbeddingSpace) -> bool:
    """Whether the files are those of the archive's space, by the hash of the weights and the space's own name."""
    found = make_space(space.name, hash_weights(files.weights), space.dim, json.loads(space.preprocessing))
    return found == space
