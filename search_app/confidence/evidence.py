"""Evidence of frames for and against each part of a question, in deviations of the archive's background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from search_app.confidence.contrasts import Aspect, Contrast, contrasts_of
from search_app.confidence.neutral import CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from search_app.confidence.background import Background
    from store.records import Embeddings

_SHARPNESS: Final = 4.0  # rivals this close, one over so many standard deviations, count together
_NO_RIVAL: Final = -3.0
_SAME_MEANING: Final = 0.85
_KNOWN_CLASS: Final = 0.6
_SAME_TEXT: Final = 0.97


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a question, and what it is compared with.

    Args:
        words: the part as it was asked.
        aspect: what it speaks about.
        vector: float32, (dim,): what a frame that shows it scores high for.
        rivals: float32, (n_rivals, dim): what a frame may show instead.
    """

    words: str
    aspect: Aspect
    vector: Embeddings
    rivals: Embeddings


@dataclass(frozen=True, slots=True)
class Evidence:
    """A question in words, ready to be compared with frames.

    Args:
        background: of the archive.
        vector: the question, (dim,).
        rivals: everyday texts that mean something else, (n, dim).
        parts: its parts.
    """

    background: Background
    vector: Embeddings
    rivals: Embeddings
    parts: tuple[Part, ...]

    def measure_whole(self, frames: Embeddings) -> Embeddings:
        """Scores of frames, (n_frames, dim), for the question, and its leads over all rivals: (n_frames, 3).

        The first lead is over the best rival, the second over the second best: a shot mostly shows one or two
        things, so what comes third is hardly there.
        """
        return self._measure(frames, self.vector, self.rivals)

    def measure_parts(self, frames: Embeddings) -> list[Embeddings]:
        """The same for each part and its own rivals."""
        return [self._measure(frames, part.vector, part.rivals) for part in self.parts]

    def _measure(self, frames: Embeddings, vector: Embeddings, rivals: Embeddings) -> Embeddings:
        score = self.background.standard_text_cosine(frames @ vector)
        others = self.background.standard_text_cosine(frames @ rivals.T)
        second = np.partition(others, -2, axis=1)[:, -2] if len(rivals) > 1 else _NO_RIVAL
        return np.stack([score, score - _best_of(others), score - second], axis=1).astype(np.float32)


def gather_evidence(
    text: str,
    vector: Embeddings,
    telling: Sequence[str],
    encode: Callable[[Sequence[str]], Embeddings],
    background: Background,
    neutral: Embeddings,
    nonsense: Embeddings,
) -> Evidence:
    """The evidence of a question; all further texts are encoded in one call.

    Args:
        text: the question.
        vector: what frames are compared with for the whole of it.
        telling: its words that are no stop words.
        encode: encodes texts.
        background: of the archive.
        neutral: vectors of `NEUTRAL_TEXTS`.
        nonsense: vector of `NONSENSE`.
    """
    contrasts = contrasts_of(text, telling)
    texts = list(dict.fromkeys(one for contrast in contrasts for one in (contrast.text, *contrast.rivals)))
    rows = dict(zip(texts, encode(texts), strict=True)) if texts else {}
    is_rival = (neutral @ nonsense < _SAME_TEXT) & _first_of_meaning(neutral)
    parts = tuple(_part_of(contrast, rows, neutral, is_rival) for contrast in contrasts)
    return Evidence(background, vector, neutral[is_rival & (neutral @ vector < _SAME_MEANING)], parts)


def _first_of_meaning(neutral: Embeddings) -> NDArray[np.bool_]:
    """Texts that are not said before in other words: a boat and a ship are one rival."""
    earlier = np.tril(neutral @ neutral.T >= _SAME_MEANING, -1)
    return ~np.asarray(earlier.any(axis=1), dtype=np.bool_)


def _part_of(
    contrast: Contrast, rows: Mapping[str, Embeddings], neutral: Embeddings, among: NDArray[np.bool_]
) -> Part:
    """A part with its rivals: those it names, or the everyday texts of the class that its nearest one is of."""
    vector = rows[contrast.text]
    if contrast.aspect is not None:
        return Part(contrast.words, contrast.aspect, vector, np.stack([rows[text] for text in contrast.rivals]))
    alike = neutral @ vector
    nearest = max(CLASSES, key=lambda name: float(alike[CLASSES[name]].max()))
    if float(alike[CLASSES[nearest]].max()) < _KNOWN_CLASS:
        nearest = Aspect.SUBJECT.value
    is_rival = among & (alike < _SAME_MEANING)
    return Part(contrast.words, Aspect(nearest), vector, neutral[CLASSES[nearest]][is_rival[CLASSES[nearest]]])


def _best_of(scores: Embeddings) -> NDArray[np.float32]:
    """The best of each row, a little more where several are near it; far below all where there is none."""
    if not scores.shape[1]:
        return np.full(len(scores), _NO_RIVAL, np.float32)
    top = scores.max(axis=1)
    more: NDArray[np.float32] = np.log(np.exp(_SHARPNESS * (scores - top[:, None])).sum(axis=1)) / _SHARPNESS
    best: NDArray[np.float32] = top + more
    return best
