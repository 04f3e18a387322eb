"""Choosing shots that are good and unlike each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.records import Embeddings


def order_with_variety(
    relevance: Sequence[float], vectors: Embeddings, variety: float, mean_similarity: float = 0.0
) -> list[int]:
    """Positions of the items in the order of maximal marginal relevance.

    The next item is always the one with the highest
    (1 - variety) * relevance - variety * (largest similarity to what was taken before),
    where relevance is scaled to [0, 1] over the items and similarity from the archive's mean cosine (0) to the
    same picture (1). Carbonell and Goldstein, "The Use of MMR", SIGIR 1998, with lambda = 1 - variety.

    Args:
        relevance: higher is better, best first; equal values keep their order.
        vectors: float32, (n, dim), unit rows, one for each item.
        variety: 0 keeps the order as it is, 1 looks only for what is unlike.
        mean_similarity: mean cosine between frames of the archive, below 1.

    Raises:
        ValueError: variety is not between 0 and 1.
    """
    if not 0 <= variety <= 1:
        raise ValueError(f"variety must lie between 0 and 1, got {variety}")
    n = len(relevance)
    if variety == 0 or n < 2:
        return list(range(n))
    scores = np.asarray(relevance, dtype=np.float64)
    scores = (scores - scores.min()) / max(float(np.ptp(scores)), 1e-12)
    nearest = np.full(n, -np.inf)
    waiting = np.ones(n, dtype=bool)
    order: list[int] = []
    for _ in range(n):
        crowding = np.zeros(n) if not order else np.clip(nearest, 0.0, 1.0)
        gain = np.where(waiting, (1 - variety) * scores - variety * crowding, -np.inf)
        chosen = int(np.argmax(gain))  # the first of equals: the better ranked one
        order.append(chosen)
        waiting[chosen] = False
        similarity = (vectors @ vectors[chosen] - mean_similarity) / (1 - mean_similarity)
        nearest = np.maximum(nearest, similarity)
    return order
