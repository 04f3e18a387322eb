"""The nearest vectors of all shards, and by which way each shard is searched.

Exhaustively where that is fast, or where every vector counts: small shards, few wanted vectors, long answers. By
inverted file otherwise: it gives candidates, which are scored exactly, so scores never depend on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from store.records import Embeddings
from store.vectors.inverted_file import InvertedFile
from store.vectors.shard import FrameIds, Positions, Shard, best_of

NARROW_ROWS = 50_000
"""Up to so many wanted vectors are gathered from where they are mapped, and compared exactly: 15 ms."""


@dataclass(frozen=True, slots=True)
class Depth:
    """Effort of searching an inverted file for an answer of some length.

    Args:
        n_hits: longest such answer.
        n_candidates: vectors scored exactly. All answers of one depth have the same ones, so that a longer answer
            goes on where a shorter one ends.
        share: share of the codes that are read, of vectors that may be found.
        least_codes: but no fewer than this: in a small shard, or behind a filter, the nearest are further off.
    """

    n_hits: int
    n_candidates: int
    share: float
    least_codes: int


DEPTHS = (
    Depth(20, 400, 1 / 12, 30_000),
    Depth(200, 1_000, 1 / 8, 40_000),
    Depth(2_000, 8_000, 1 / 4, 80_000),
)
"""Longer answers are exhaustive. Of a million vectors each depth finds 0.985 or more of the true ones (README)."""


class LiveShard:
    """A shard as one generation knows it; safe to search from several threads.

    Args:
        shard: the shard.
        removed: ids in it that are no longer live.
        inverted: its inverted file, if it has one.
    """

    def __init__(self, shard: Shard, removed: FrameIds | None, inverted: InvertedFile | None) -> None:
        self.shard = shard
        self._removed = removed if removed is not None and len(removed) else None
        self._inverted = inverted

    @cached_property
    def _live(self) -> NDArray[np.bool_] | None:
        """Whether the vector at each position is live; None if all are."""
        if self._removed is None:
            return None
        live = np.ones(self.shard.file.n_vectors, np.bool_)
        live[self.shard.positions(self._removed)[1]] = False
        return live

    def search(self, vector: Embeddings, n: int, among: FrameIds | None = None) -> tuple[Embeddings, FrameIds]:
        """Scores and ids of the nearest live vectors, of all or among some, best first.

        Args:
            vector: float32, (1, dim), of length 1.
            n: how many at most.
            among: ids to choose from.
        """
        if among is None:
            found = self._search_lists(vector, n, self._live)
            return self.shard.search(vector, n, self._removed) if found is None else found
        positions = self._wanted(among)
        found = None
        if len(positions) > NARROW_ROWS:
            allowed = np.zeros(self.shard.file.n_vectors, np.bool_)
            allowed[positions] = True
            found = self._search_lists(vector, n, allowed)
        return self.shard.search_at(positions, vector, n) if found is None else found

    def _wanted(self, among: FrameIds) -> Positions:
        """Positions of the live ones of these ids, ascending."""
        positions = self.shard.positions(among)[1]
        if self._live is not None:
            positions = positions[self._live[positions]]
        return np.sort(positions)

    def _search_lists(
        self, vector: Embeddings, n: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[Embeddings, FrameIds] | None:
        """The same by inverted file; None if there is none, or the answer is too long for it."""
        depth = next((depth for depth in DEPTHS if n <= depth.n_hits), None)
        if self._inverted is None or depth is None:
            return None
        n_allowed = self.shard.file.n_vectors if allowed is None else int(allowed.sum())
        share = min(1.0, max(depth.share, depth.least_codes / max(n_allowed, 1)))
        found = self._inverted.candidates(vector, depth.n_candidates, share, allowed)
        return self.shard.search_at(found, vector, n)


def search_shards(
    shards: Sequence[LiveShard], vector: Embeddings, n: int, among: FrameIds | None = None
) -> tuple[Embeddings, FrameIds]:
    """Scores and ids of the nearest live vectors of all shards, best first; ties by id, for a stable order."""
    scores, ids = [np.empty(0, np.float32)], [np.empty(0, np.int64)]
    for live in shards:
        wanted = min(n, live.shard.file.n_vectors)
        if wanted:
            found = live.search(vector, wanted, among)
            scores.append(found[0])
            ids.append(found[1])
    return best_of(scores, ids, n)
