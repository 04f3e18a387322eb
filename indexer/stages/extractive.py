"""Sentences and words that stand for a text, chosen without a model.

Sentences: LexRank (Erkan and Radev, "LexRank: Graph-based Lexical Centrality as Salience in Text Summarization",
JAIR 22, 2004), in its continuous form, with damping 0.85; a sentence like one that is chosen adds nothing and is
passed over, as there. Words of a kind of meeting or lecture raise a sentence, by the cue method of Edmundson, "New
Methods in Automatic Extracting", JACM 16, 1969. Words: tf-idf (Spaerck Jones 1972) of a part among its parts.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Telling: TypeAlias = Callable[[str], Sequence[str]]
"""Gives the words of a text that are no stop words, as written."""

_END: Final = re.compile(r"[.!?…][\"'”’)\]]*(?=\s|$)|[。！？][”’」』]*|\n+")  # noqa: RUF001 - as they are written
_DAMPING: Final = 0.85
_ALIKE: Final = 0.5
_MOST_SENTENCES: Final = 1_500
_N_STEPS: Final = 60
_CUE_BONUS: Final = 1.0


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, as written; a text without ends of sentences is one."""
    ends = [0, *(found.end() for found in _END.finditer(text)), len(text)]
    parts = (text[start:end] for start, end in itertools.pairwise(ends))
    return [one for part in parts if (one := " ".join(part.split()))]


def tf_idf(texts: Sequence[str], telling: Telling) -> tuple[NDArray[np.float64], list[str]]:
    """Weights of each text's words: float64, (n_texts, n_words), rows of length 1 or 0; and these words."""
    counted = [Counter(word.casefold() for word in telling(text)) for text in texts]
    words = sorted({word for counts in counted for word in counts})
    place = {word: n for n, word in enumerate(words)}
    weights = np.zeros((len(texts), len(words)))
    for row, counts in enumerate(counted):
        for word, n in counts.items():
            weights[row, place[word]] = n
    n_holding = (weights > 0).sum(axis=0)
    weights *= np.log((1 + len(texts)) / (1 + n_holding)) + 1
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)
    return weights / np.where(lengths > 0, lengths, 1.0), words


def rank_sentences(
    sentences: Sequence[str], telling: Telling, cues: Collection[str] = ()
) -> tuple[list[int], NDArray[np.float64]]:
    """Positions of sentences, the most central first, and how alike any two are: float64, (n, n).

    Args:
        sentences: at most 1,500 are told apart; of more, every so many-th is ranked and the others come last.
        telling: gives the words that count.
        cues: words that raise a sentence.
    """
    weights, words = tf_idf(sentences, telling)
    alike = weights @ weights.T
    graph = alike.copy()
    np.fill_diagonal(graph, 0.0)
    sums = graph.sum(axis=1, keepdims=True)
    n = len(sentences)
    spread = np.where(sums > 0, graph / np.where(sums > 0, sums, 1.0), 1.0 / max(1, n))
    scores = np.full(n, 1.0 / max(1, n))
    for _ in range(_N_STEPS):
        scores = (1 - _DAMPING) / n + _DAMPING * (scores @ spread)
    is_cue = np.array([word in cues for word in words], bool)
    raised = (weights[:, is_cue] > 0).any(axis=1) if is_cue.any() else np.zeros(n, bool)
    empty = weights.sum(axis=1) == 0
    scores = np.where(empty, -1.0, scores / scores.max(initial=1e-12) + _CUE_BONUS * raised)
    return np.argsort(-scores, kind="stable").tolist(), alike


def choose_sentences(
    sentences: Sequence[str], telling: Telling, max_words: int, cues: Collection[str] = ()
) -> list[int]:
    """Positions of the sentences that stand for all within a number of words, in the order given.

    The most central first, as long as they fit; those like one that is chosen are passed over. Where not even one
    fits, the most central one alone is given, to be cut by the caller.
    """
    if not sentences:
        return []
    step = -(-len(sentences) // _MOST_SENTENCES)
    looked_at = list(range(0, len(sentences), step))
    order, alike = rank_sentences([sentences[n] for n in looked_at], telling, cues)
    chosen: list[int] = []
    room = max_words
    for n in order:
        n_words = len(sentences[looked_at[n]].split())
        if n_words <= room and all(alike[n, other] <= _ALIKE for other in chosen):
            chosen.append(n)
            room -= n_words
    return sorted(looked_at[n] for n in chosen or order[:1])


def telling_words_of_parts(parts: Sequence[str], telling: Telling, n_words: int) -> list[list[str]]:
    """For each part its most telling words among all parts, as first written, the weightiest first."""
    weights, words = tf_idf(parts, telling)
    found = []
    for part, row in zip(parts, weights, strict=True):
        written: dict[str, str] = {}
        for word in telling(part):
            written.setdefault(word.casefold(), word)
        best = [n for n in np.argsort(-row, kind="stable").tolist() if row[n] > 0]
        found.append([written[words[n]] for n in best if not words[n].isdecimal()][:n_words])
    return found
