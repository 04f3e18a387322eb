"""The text tower of an open_clip model in numpy: one sentence without the seconds that torch takes to load.

Only the common tower is known: open_clip's own transformer with its default blocks. A description that asks for
anything else is refused with `UnknownTowerError`, and the model is loaded the usual way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from safetensors import SafetensorError, safe_open

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from store.records import Embeddings

    Floats = NDArray[np.float32]

_KNOWN: Final = {
    "context_length", "vocab_size", "hf_tokenizer_name", "tokenizer_kwargs", "width", "heads", "layers",
    "mlp_ratio", "pad_id", "eos_id", "no_causal_mask", "pool_type", "proj_bias", "proj_type", "act_kwargs",
    "norm_kwargs",
}  # fmt: skip
_POOLS: Final = ("argmax", "eos", "first", "last")
_FROM_QUICK = 1.702
_FLOATS: Final = ("F32", "F16")


class UnknownTowerError(Exception):
    """The model has another text side than this module knows; never shown to people."""


class TextTower:
    """Word ids to unit vectors, as open_clip's text tower gives them in 32 bits.

    Args:
        model_cfg: open_clip's description of the model.
        weights: its safetensors file; only what the sentence needs of it is read.

    Raises:
        UnknownTowerError: it is another tower, or the file holds other weights than its description says.
    """

    def __init__(self, model_cfg: Mapping[str, Any], weights: Path) -> None:
        text = {name: value for name, value in model_cfg["text_cfg"].items() if value is not None}
        if set(text) - _KNOWN or "multimodal_cfg" in model_cfg:
            raise UnknownTowerError(f"settings {sorted(set(text) - _KNOWN)}")
        self._width = int(text.get("width", 512))
        self._n_heads = int(text.get("heads", 8))
        self._n_layers = int(text.get("layers", 12))
        self._pool = str(text.get("pool_type", "argmax"))
        self._eos_id = int(text.get("eos_id", 2))
        self._is_causal = not text.get("no_causal_mask", False)
        self._has_projection = text.get("proj_type", "linear") != "none"
        self._has_projection_bias = bool(text.get("proj_bias", False))
        self._epsilon = _only(text.get("norm_kwargs"), "eps", 1e-5)
        self._activate = _quick_gelu if model_cfg.get("quick_gelu") else _gelu
        if (approximate := _only(text.get("act_kwargs"), "approximate", "none")) != "none":
            if model_cfg.get("quick_gelu") or approximate != "tanh":
                raise UnknownTowerError(f"act_kwargs {text['act_kwargs']}")
            self._activate = _tanh_gelu
        if self._pool not in _POOLS or self._width % self._n_heads:
            raise UnknownTowerError(f"pool_type {self._pool}, heads {self._n_heads}")
        self._prefix = "text." if model_cfg.get("custom_text") else ""
        self.context_length = int(text.get("context_length", 77))
        self._read(
            weights,
            int(text.get("vocab_size", 49408)),
            int(model_cfg["embed_dim"]),
            float(text.get("mlp_ratio", 4.0)),
        )

    def _read(self, weights: Path, vocab_size: int, dim: int, mlp_ratio: float) -> None:
        """Read all weights but those of words, and see that every one has the shape that is due."""
        width, inner = self._width, int(self._width * mlp_ratio)
        due: dict[str, tuple[int, ...]] = {"positional_embedding": (self.context_length, width)}
        due |= {f"ln_final.{part}": (width,) for part in ("weight", "bias")}
        for layer in range(self._n_layers):
            block = f"transformer.resblocks.{layer}."
            due |= {f"{block}{norm}.{part}": (width,) for norm in ("ln_1", "ln_2") for part in ("weight", "bias")}
            due |= {f"{block}attn.in_proj_weight": (3 * width, width), f"{block}attn.in_proj_bias": (3 * width,)}
            due |= {f"{block}attn.out_proj.weight": (width, width), f"{block}attn.out_proj.bias": (width,)}
            due |= {f"{block}mlp.c_fc.weight": (inner, width), f"{block}mlp.c_fc.bias": (inner,)}
            due |= {f"{block}mlp.c_proj.weight": (width, inner), f"{block}mlp.c_proj.bias": (width,)}
        if self._has_projection and self._has_projection_bias:
            due |= {"text_projection.weight": (dim, width), "text_projection.bias": (dim,)}
        elif self._has_projection:
            due["text_projection"] = (width, dim)
        try:
            self._file = cast("Any", safe_open(weights, framework="np"))  # mapped, not read
            self._words = self._file.get_slice(f"{self._prefix}token_embedding.weight")
            one_more = f"{self._prefix}transformer.resblocks.{self._n_layers}.ln_1.weight"
            shape, kind = self._words.get_shape(), self._words.get_dtype()
            if one_more in self._file.keys() or shape != [vocab_size, width] or kind not in _FLOATS:  # noqa: SIM118
                raise UnknownTowerError("other layers or words than described")
            self._weights = {name: _tensor(self._file, self._prefix + name, shape) for name, shape in due.items()}
        except (SafetensorError, OSError) as error:
            raise UnknownTowerError(str(error)) from error

    def encode(self, word_ids: NDArray[np.int64]) -> Embeddings:
        """Unit vectors of sentences.

        Args:
            word_ids: (n_sentences, context_length).

        Returns:
            float32, (n_sentences, dim).
        """
        return np.stack([self._encode_one(row) for row in word_ids])

    def _encode_one(self, word_ids: NDArray[np.int64]) -> Floats:
        at = self._pooled_at(word_ids)
        if self._is_causal:  # words behind the one whose vector is taken change nothing
            word_ids = word_ids[: at + 1]
        x = self._embed(word_ids)
        for layer in range(self._n_layers):
            x = self._block(f"transformer.resblocks.{layer}.", x)
        pooled = self._normalize("ln_final", x[at])
        if self._has_projection and self._has_projection_bias:
            pooled = self._linear("text_projection", pooled)
        elif self._has_projection:
            pooled = pooled @ self._weights["text_projection"]
        unit: Floats = (pooled / max(float(np.linalg.norm(pooled)), 1e-12)).astype(np.float32)
        return unit

    def _pooled_at(self, word_ids: NDArray[np.int64]) -> int:
        if self._pool == "argmax":
            return int(word_ids.argmax())
        if self._pool == "eos":
            return int((word_ids == self._eos_id).argmax())
        return 0 if self._pool == "first" else len(word_ids) - 1

    def _embed(self, word_ids: NDArray[np.int64]) -> Floats:
        """The rows of these words, read from the file: all of them may be most of a model."""
        known = {word: self._words[word : word + 1][0] for word in set(word_ids.tolist())}
        rows = np.stack([known[word] for word in word_ids.tolist()]).astype(np.float32)
        return rows + self._weights["positional_embedding"][: len(word_ids)]

    def _block(self, name: str, x: Floats) -> Floats:
        x = x + self._attend(f"{name}attn.", self._normalize(f"{name}ln_1", x))
        hidden = self._activate(self._linear(f"{name}mlp.c_fc", self._normalize(f"{name}ln_2", x)))
        return x + self._linear(f"{name}mlp.c_proj", hidden)

    def _attend(self, name: str, x: Floats) -> Floats:
        n_words, per_head = len(x), self._width // self._n_heads
        both = x @ self._weights[f"{name}in_proj_weight"].T + self._weights[f"{name}in_proj_bias"]
        query, key, value = both.reshape(n_words, 3, self._n_heads, per_head).transpose(1, 2, 0, 3)
        scores = query @ key.transpose(0, 2, 1) * np.float32(1 / math.sqrt(per_head))
        if self._is_causal:
            scores = np.where(np.tri(n_words, dtype=bool), scores, np.float32(-np.inf))
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        heads = (weights @ value).transpose(1, 0, 2).reshape(n_words, self._width)
        return self._linear(f"{name}out_proj", heads)

    def _linear(self, name: str, x: Floats) -> Floats:
        rows: Floats = x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return rows

    def _normalize(self, name: str, x: Floats) -> Floats:
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        scaled: Floats = centred / np.sqrt(variance + np.float32(self._epsilon))
        return scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def _only(settings: Mapping[str, Any] | None, name: str, usual: Any) -> Any:
    """The one setting that is known of some; others are refused."""
    if settings and set(settings) != {name}:
        raise UnknownTowerError(f"settings {sorted(settings)}")
    return settings[name] if settings else usual


def _tensor(file: Any, name: str, shape: Sequence[int]) -> Floats:
    part = file.get_slice(name)
    if tuple(part.get_shape()) != tuple(shape) or part.get_dtype() not in _FLOATS:
        raise UnknownTowerError(f"{name} is {part.get_dtype()} {part.get_shape()}")
    return np.asarray(file.get_tensor(name), np.float32)


def _quick_gelu(x: Floats) -> Floats:
    steep: Floats = np.float32(_FROM_QUICK) * x
    activated: Floats = x / (1 + np.exp(-steep))
    return activated


def _tanh_gelu(x: Floats) -> Floats:
    inner: Floats = np.float32(math.sqrt(2 / math.pi)) * (x + np.float32(0.044715) * x * x * x)
    activated: Floats = np.float32(0.5) * x * (1 + np.tanh(inner))
    return activated


def _gelu(x: Floats) -> Floats:
    return (x * 0.5 * (1 + erf(x * math.sqrt(0.5)))).astype(np.float32)


def erf(x: Floats) -> NDArray[np.float64]:
    """The error function within 1.2e-7: the Chebyshev fit of erfc in Numerical Recipes, section 6.2."""
    size = np.abs(x.astype(np.float64))
    t = 1 / (1 + 0.5 * size)
    exponent = np.polynomial.polynomial.polyval(t, _ERFC)
    rest = t * np.exp(-size * size + exponent)
    return np.where(x >= 0, 1 - rest, rest - 1)


_ERFC: Final = (
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
    0.17087277,
)  # fmt: skip
