"""The few words that say best what a labeler saw in the pictures of a shot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from indexer.models.labeler import Probabilities, Vocabulary

_MANY_CLASSES: Final = 100
_ALREADY_SAID: Final = 0.3
"""The share of a class's weight that is left once a word was chosen that covers it."""


@dataclass(frozen=True, slots=True)
class Label:
    """A word for what pictures show.

    Args:
        word: the word.
        score: how likely it is, 0 to 1: the sum over its classes, mean over the pictures.
        origin: as in `Vocabulary`.
    """

    word: str
    score: float
    origin: str


def choose_labels(seen: Probabilities, vocabulary: Vocabulary, n_labels: int, lowest: float) -> list[Label]:
    """The words that tell most, best first.

    A word is worth its probability times what it tells: log2 of all classes over its own, so that `spaniel` goes
    before `animal` where both are as likely. What a chosen word covers counts for less in the next ones, so that
    five words are not five names of one thing. Networks that were trained with smoothed labels give every class a
    little; of many classes the middle one's share is therefore taken off all.

    Args:
        seen: distributions of one or more pictures, (n_pictures, n_classes).
        vocabulary: words for the classes.
        n_labels: how many words at most.
        lowest: words that are less likely are left out.
    """
    likely = seen.astype(np.float64)
    if vocabulary.n_classes >= _MANY_CLASSES:
        likely = np.maximum(likely - np.median(likely, axis=1, keepdims=True), 0)
        likely /= np.maximum(likely.sum(axis=1, keepdims=True), 1e-12)
    mean = likely.mean(axis=0)
    members = vocabulary.members.astype(np.float64)
    scores = np.minimum(mean @ members, 1.0)
    tells = np.log2(max(vocabulary.n_classes, 2) / members.sum(axis=0)) if len(vocabulary.words) else scores
    chosen: list[int] = []
    left = mean.copy()
    for _ in range(min(n_labels, len(vocabulary.words))):
        worth = np.where(scores >= lowest, (left @ members) * np.maximum(tells, 1e-6), -1.0)
        worth[chosen] = -1.0
        best = int(np.argmax(worth))
        if worth[best] <= 0:
            break
        chosen.append(best)
        left = np.where(members[:, best] > 0, left * _ALREADY_SAID, left)
    return [Label(vocabulary.words[i], round(float(scores[i]), 4), vocabulary.origins[i]) for i in chosen]
