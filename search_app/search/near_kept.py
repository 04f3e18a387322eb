"""Shots near what people kept, and not nearer to what they rejected.

Method: the nearest neighbour rule of Cover and Hart, "Nearest Neighbor Pattern Classification", 1967: a shot is
like the nearest shot that was decided about. By the nearest and not by the middle of what was kept, so that
several different tastes stay apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from store.records import Embeddings

SAME_PICTURE: Final = 0.03
"""1 - cosine of two shots that show the same picture at most: what is a copy of a kept shot is no news."""


@dataclass(frozen=True, slots=True)
class NearKept:
    """An item that is like what was kept.

    Args:
        item: its position.
        kept: position of the kept item that is nearest to it.
        similarity: their cosine.
    """

    item: int
    kept: int
    similarity: float


def rank_near_kept(items: Embeddings, kept: Embeddings, rejected: Embeddings) -> list[NearKept]:
    """The items that are nearer to a kept item than to any rejected one, nearest first; copies are left out.

    Args:
        items: float32, (n, dim), unit rows.
        kept: float32, (n_kept, dim), likewise.
        rejected: float32, (n_rejected, dim), likewise; may be empty.
    """
    if not len(items) or not len(kept):
        return []
    alike = items @ kept.T
    nearest = alike.argmax(axis=1)
    best = alike[np.arange(len(items)), nearest]
    worst = (items @ rejected.T).max(axis=1) if len(rejected) else np.full(len(items), -np.inf)
    wanted = np.flatnonzero((best > worst) & (1 - best > SAME_PICTURE))
    order = wanted[np.argsort(-best[wanted], kind="stable")]
    return [NearKept(int(item), int(nearest[item]), float(best[item])) for item in order]
