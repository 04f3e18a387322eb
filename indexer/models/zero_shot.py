"""Labels that nobody trained for: prompts against frames, both by an archive's own encoder.

Prompt ensembling as in A. Radford et al.: Learning transferable visual models (CLIP), ICML 2021, section 3.1.4:
the vector of a label is the mean of those of its sentences. How high a cosine is says little by itself, so each
frame is asked about everyday things, too: what fits it no better than nearly all of those is `something else`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from store.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.models.encoder import TextEncoder
    from store.records import Embeddings

NULL_LABEL: Final = "something else"
TEMPLATES: Final = ("{}", "a photo of {}", "a video of {}", "a frame of a film that shows {}")
MOST_PROMPTS: Final = 20_000
MOST_CHARACTERS: Final = 300
_MANY_PROMPTS: Final = 500
_EVERYDAY_FILE: Final = "everyday_labels.txt"
_NULL_SHARE: Final = 0.95
_STEEPNESS: Final = 2.0
_TINY: Final = 1e-6
_BLOCK_NUMBERS: Final = 4_000_000


@cache
def everyday_labels() -> tuple[str, ...]:
    """The labels that are asked for where nobody names any: configs/labels.txt."""
    return clean_prompts((files("indexer.models") / _EVERYDAY_FILE).read_text(encoding="utf-8").splitlines())


def read_prompts(path: Path) -> tuple[str, ...]:
    """Labels of a file: one a line, `#` begins a remark.

    Raises:
        ConfigError: the file cannot be read, or holds no label.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the labels {path}: {error}") from error
    try:
        return clean_prompts(text.splitlines())
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def clean_prompts(given: Sequence[str]) -> tuple[str, ...]:
    """Labels, each once whatever its case, in their order; remarks and `something else` are left out.

    Raises:
        ConfigError: there is none, they are too many, or one is too long.
    """
    lines = (" ".join(line.partition("#")[0].split()) for line in given)
    unique: dict[str, str] = {}
    for line in lines:
        if line and line.casefold() != NULL_LABEL:
            unique.setdefault(line.casefold(), line)
    if not unique:
        raise ConfigError("no label is named: write some, parted by commas, or one a line in a file")
    if len(unique) > MOST_PROMPTS:
        raise ConfigError(f"{len(unique):,} labels are more than the {MOST_PROMPTS:,} that can be told apart")
    if too_long := next((line for line in unique.values() if len(line) > MOST_CHARACTERS), None):
        raise ConfigError(f"a label has at most {MOST_CHARACTERS} characters: {too_long[:60]!r} ... has more")
    return tuple(unique.values())


def templates_for(n_prompts: int) -> tuple[str, ...]:
    """Sentences that a label is put into; of very many labels only themselves, since each costs a sentence."""
    return TEMPLATES if n_prompts <= _MANY_PROMPTS else TEMPLATES[:1]


@dataclass(frozen=True)
class ZeroShot:
    """Labels as vectors, ready to be compared with frames.

    Args:
        prompts: the labels.
        vectors: float32, (n_prompts, dim), of length 1.
        everyday: float32, (n, dim), of length 1: what else a frame may show.
        is_multi: whether a frame may have several labels.
    """

    prompts: tuple[str, ...]
    vectors: Embeddings = field(repr=False)
    everyday: Embeddings = field(repr=False)
    is_multi: bool = False

    @classmethod
    def of(cls, prompts: Sequence[str], encoder: TextEncoder, *, is_multi: bool = False) -> ZeroShot:
        """Labels, encoded.

        Args:
            prompts: as `clean_prompts` gives them.
            encoder: of the space of the frames.
            is_multi: whether a frame may have several labels.
        """
        templates = templates_for(len(prompts))
        everyday = _encode(everyday_labels(), templates, encoder)
        return cls(tuple(prompts), _encode(prompts, templates, encoder), everyday, is_multi)

    def probabilities(self, frames: Embeddings, spread: float) -> NDArray[np.float32]:
        """How likely each frame shows each label, and in the last column anything else.

        Of single labels each row sums to 1. Of several, each is for itself: a half where it fits the frame as well
        as all but one in twenty of the everyday things; the last column is what the best of them leaves.

        Args:
            frames: float32, (n_frames, dim), of length 1.
            spread: standard deviation of cosines of everyday texts with frames (`spread_of`).

        Returns:
            float32, (n_frames, n_prompts + 1).
        """
        likely = np.empty((len(frames), len(self.prompts) + 1), np.float32)
        rows = max(1, _BLOCK_NUMBERS // (len(self.prompts) + len(self.everyday)))
        for first in range(0, len(frames), rows):
            block = frames[first : first + rows]
            usual = np.quantile(block @ self.everyday.T, _NULL_SHARE, axis=1, keepdims=True)
            ahead = _STEEPNESS * (block @ self.vectors.T - usual) / max(spread, _TINY)
            likely[first : first + rows] = self._weigh(ahead)
        return likely

    def _weigh(self, ahead: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.is_multi:
            each = 1 / (1 + np.exp(-np.clip(ahead, -30, 30)))
            return np.concatenate([each, 1 - each.max(axis=1, keepdims=True)], axis=1)
        odds = np.concatenate([ahead, np.zeros((len(ahead), 1), ahead.dtype)], axis=1)
        shares = np.exp(odds - odds.max(axis=1, keepdims=True))
        weighed: NDArray[np.float32] = shares / shares.sum(axis=1, keepdims=True)
        return weighed

    def spread_of(self, frames: Embeddings) -> float:
        """Standard deviation of the cosines of everyday things with frames, (n_frames, dim)."""
        return float((frames @ self.everyday.T).std()) if len(frames) else 1.0


def _encode(prompts: Sequence[str], templates: Sequence[str], encoder: TextEncoder) -> Embeddings:
    """Mean vector of each label's sentences, of length 1: (n_prompts, dim)."""
    total = np.zeros((len(prompts), encoder.space.dim), np.float32)
    for template in templates:
        total += encoder.encode_texts([template.format(prompt) for prompt in prompts])
    lengths = np.linalg.norm(total, axis=1, keepdims=True)
    scaled: Embeddings = (total / np.maximum(lengths, _TINY)).astype(np.float32)
    return scaled
