"""The sampled frames of some shots, and how each shot scores by its best one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from copy import copy
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fractions import Fraction

    from numpy.typing import NDArray

    from search_app.confidence.belief import Belief
    from search_app.search.encoding import Aspect
    from store.records import Embeddings, FrameRow
    from store.snapshot import Snapshot


class ShotFrames:
    """All frames of some shots, fetched once.

    Args:
        snapshot: the generation.
        shot_ids: the shots; those without frames are left out.
        wanted: what the best frame is chosen by; None: by sharpness.
    """

    def __init__(self, snapshot: Snapshot, shot_ids: Collection[str], wanted: Aspect | None) -> None:
        self._asked_for = frozenset(shot_ids)
        self.rows: list[FrameRow] = snapshot.frames_of_shots(list(shot_ids))
        self.vectors: Embeddings = snapshot.frame_vectors(
            np.array([row.frame_id for row in self.rows], dtype=np.int64)
        )
        self._of_shot: dict[str, list[int]] = {}
        for position, row in enumerate(self.rows):
            self._of_shot.setdefault(row.shot_id, []).append(position)
        by: NDArray[np.float32] = np.array([row.sharpness for row in self.rows], dtype=np.float32)
        self._scores = by if wanted is None else self.vectors @ wanted.vector
        self._best = {
            shot_id: max(positions, key=self._scores.__getitem__) for shot_id, positions in self._of_shot.items()
        }
        self._is_asked = wanted is not None

    def has_all(self, shot_ids: Iterable[str]) -> bool:
        """Whether frames of all these shots are here."""
        return self._asked_for.issuperset(shot_ids)

    def best(self, shot_id: str) -> FrameRow:
        """The best frame of a shot."""
        return self.rows[self._best[shot_id]]

    def score(self, shot_id: str) -> float:
        """Cosine of the best frame with what is wanted; 0 if nothing is."""
        return float(self._scores[self._best[shot_id]]) if self._is_asked else 0.0

    def best_vectors(self, shot_ids: Iterable[str]) -> Embeddings:
        """Vectors of the best frames: float32, (n_shots, dim)."""
        return self.vectors[[self._best[shot_id] for shot_id in shot_ids]]

    def confidence(self, belief: Belief) -> dict[str, float]:
        """For each shot, how surely any of its frames shows something, between 0 and 1."""
        sure = belief.of_frames(self.vectors)
        return {shot_id: float(sure[positions].max()) for shot_id, positions in self._of_shot.items()}

    def at(self, time: Fraction) -> ShotFrames:
        """The same with only the frames of that time."""
        chosen = copy(self)
        chosen._of_shot = {
            shot_id: [position for position in positions if self.rows[position].time == time]
            for shot_id, positions in self._of_shot.items()
        }
        return chosen

    def surest(self, shot_id: str, belief: Belief) -> Embeddings:
        """Vector of the frame of a shot that shows something most surely, (dim,)."""
        vectors = self.vectors[self._of_shot[shot_id]]
        surest: Embeddings = vectors[int(np.argmax(belief.of_frames(vectors)))]
        return surest
