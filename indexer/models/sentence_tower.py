"""A BERT of sentences in numpy: one question without the seconds that torch takes to load.

The same vectors as `sentence_encoder` to 1e-5, which a test proves with the real weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from safetensors import SafetensorError, safe_open
from tokenizers import Tokenizer

from indexer.errors import ModelError
from indexer.models.sentence_encoder import MOST_TOKENS, find_sentence_files, space_of
from indexer.models.text_tower import erf

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from indexer.models.transformers_files import CheckpointFiles
    from store.records import Embeddings, EmbeddingSpace

    Floats = NDArray[np.float32]

_EMBEDDINGS: Final = ("word_embeddings", "position_embeddings", "token_type_embeddings")


class SentenceTower:
    """Places texts in the space of the encoder of sentences; safe to share between threads.

    Args:
        files: a BERT in the format of transformers; None for the one of the extra `offline`.

    Raises:
        ModelError: its package or a file is missing or damaged, or it is another network.
    """

    def __init__(self, files: CheckpointFiles | None = None) -> None:
        files = files or find_sentence_files()
        config = files.config
        self._space = space_of(files)
        self._n_layers, self._n_heads = int(config["num_hidden_layers"]), int(config["num_attention_heads"])
        self._epsilon = np.float32(config.get("layer_norm_eps", 1e-12))
        if config.get("hidden_act", "gelu") != "gelu" or self._space.dim % self._n_heads:
            raise ModelError(f"{files.folder} holds another network than the encoder of sentences")
        try:
            # The stub of the library knows no context manager.
            with cast("Any", safe_open(files.folder / "model.safetensors", framework="np")) as file:
                names = [name for name in file.keys() if not name.endswith("position_ids")]  # noqa: SIM118
                self._weights = {name: np.asarray(file.get_tensor(name), np.float32) for name in names}
            self._tokenizer = cast("Any", Tokenizer.from_file(str(files.folder / "tokenizer.json")))
        except Exception as error:  # the tokenizer's library raises nothing narrower
            if not isinstance(error, SafetensorError | OSError) and type(error) is not Exception:
                raise
            raise ModelError(f"cannot read the encoder of sentences in {files.folder}: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MOST_TOKENS)

    @property
    def space(self) -> EmbeddingSpace:
        """The space that every vector of this encoder lives in."""
        return self._space

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Place texts in the space, in the order given, as `TextEncoder` promises."""
        if not texts:
            return np.empty((0, self._space.dim), np.float32)
        return np.stack([self._encode_one(one.ids) for one in self._tokenizer.encode_batch(list(texts))])

    def _encode_one(self, word_ids: Sequence[int]) -> Floats:
        x = self._embed(word_ids)
        for layer in range(self._n_layers):
            x = self._block(f"encoder.layer.{layer}.", x)
        mean = x.mean(axis=0)
        unit: Floats = (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)
        return unit

    def _embed(self, word_ids: Sequence[int]) -> Floats:
        words, positions, kinds = (self._weights[f"embeddings.{name}.weight"] for name in _EMBEDDINGS)
        rows: Floats = words[list(word_ids)] + positions[: len(word_ids)] + kinds[0]
        return self._normalize("embeddings.LayerNorm", rows)

    def _block(self, name: str, x: Floats) -> Floats:
        attended = self._linear(f"{name}attention.output.dense", self._attend(f"{name}attention.self.", x))
        x = self._normalize(f"{name}attention.output.LayerNorm", x + attended)
        inner = self._linear(f"{name}intermediate.dense", x)
        inner = (inner * 0.5 * (1 + erf(inner * math.sqrt(0.5)))).astype(np.float32)
        return self._normalize(f"{name}output.LayerNorm", x + self._linear(f"{name}output.dense", inner))

    def _attend(self, name: str, x: Floats) -> Floats:
        n_words, per_head = len(x), self._space.dim // self._n_heads
        query, key, value = (
            self._linear(f"{name}{part}", x).reshape(n_words, self._n_heads, per_head).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) * np.float32(1 / math.sqrt(per_head))
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        heads: Floats = (weights @ value).transpose(1, 0, 2).reshape(n_words, self._space.dim)
        return heads

    def _linear(self, name: str, x: Floats) -> Floats:
        rows: Floats = x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return rows

    def _normalize(self, name: str, x: Floats) -> Floats:
        centred = x - x.mean(axis=-1, keepdims=True)
        scaled: Floats = centred / np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + self._epsilon)
        return scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
