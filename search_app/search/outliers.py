"""Shots unlike the others: the mean distance to the nearest neighbours, in the archive's own space.

Method: the weight of Angiulli and Pizzuti, "Fast Outlier Detection in High Dimensional Spaces", PKDD 2002: the sum
of the distances to the k nearest neighbours, here their mean, after Ramaswamy, Rastogi and Shim, SIGMOD 2000. With
k above 1 a shot and its copy do not hide each other. What stands out is told by the modified z-score with its
usual bound of 3.5 (Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993), since a mean would move with
the outliers themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from search_app.search.encoding import unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.records import Embeddings, FrameRow, ShotRow
    from store.snapshot import Snapshot

STANDS_OUT: Final = 3.5
NEIGHBOURS: Final = 5
MOST_COMPARED: Final = 20_000
"""Shots that each shot is compared with, at most: a sample with a fixed seed beyond."""

_SEED = 11
_AT_ONCE = 500
_MAD_TO_SIGMA = 0.6745
_VIDEOS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ShotVectors:
    """Shots with one vector each.

    Args:
        shots: by path and position.
        frames: the sharpest sampled frame of each.
        vectors: the middle of its sampled frames: float32, (n_shots, dim), unit rows.
    """

    shots: Sequence[ShotRow]
    frames: Sequence[FrameRow]
    vectors: Embeddings


def read_shot_vectors(snapshot: Snapshot, video_id: str | None = None) -> ShotVectors:
    """The shots of a video, or of all, with a vector each."""
    shots = snapshot.shots(video_id)
    ids = list(dict.fromkeys(shot.video_id for shot in shots))
    sharpest: dict[str, FrameRow] = {}
    middle: dict[str, Embeddings] = {}
    for first in range(0, len(ids), _VIDEOS_AT_ONCE):
        frames = snapshot.frames_of_videos(ids[first : first + _VIDEOS_AT_ONCE])
        vectors = snapshot.frame_vectors(np.array([frame.frame_id for frame in frames], np.int64))
        of_shot: dict[str, list[int]] = {}
        for position, frame in enumerate(frames):
            of_shot.setdefault(frame.shot_id, []).append(position)
        for shot_id, positions in of_shot.items():
            sharpest[shot_id] = max((frames[position] for position in positions), key=lambda one: one.sharpness)
            middle[shot_id] = unit(vectors[positions].mean(axis=0))
    known = [shot for shot in shots if shot.shot_id in middle]
    dim = snapshot.space.dim if snapshot.space else 0
    rows = np.array([middle[shot.shot_id] for shot in known], np.float32).reshape(len(known), dim)
    return ShotVectors(known, [sharpest[shot.shot_id] for shot in known], rows)


def neighbour_distances(vectors: Embeddings, n_neighbours: int = NEIGHBOURS) -> NDArray[np.float64]:
    """Mean distance (1 - cosine) of each item to its nearest others: float64, (n,); 0 for one that is alone.

    Args:
        vectors: float32, (n, dim), unit rows.
        n_neighbours: how many neighbours; all others where there are fewer.

    Raises:
        ValueError: not even one neighbour is asked for.
    """
    if n_neighbours < 1:
        raise ValueError("an item needs at least one neighbour to be compared with")
    n = len(vectors)
    chosen = np.arange(n)
    if n > MOST_COMPARED:
        chosen = np.sort(np.random.default_rng(_SEED).choice(n, MOST_COMPARED, replace=False))
    k = min(n_neighbours, len(chosen) - 1)
    means = np.zeros(n)
    if k < 1:
        return means
    others = vectors[chosen]
    for first in range(0, n, _AT_ONCE):
        alike = vectors[first : first + _AT_ONCE] @ others.T
        own = chosen[None, :] == np.arange(first, first + len(alike))[:, None]
        alike[own] = -np.inf
        nearest = -np.partition(-alike, k - 1, axis=1)[:, :k]
        means[first : first + len(alike)] = np.maximum(0.0, 1.0 - nearest.astype(np.float64)).mean(axis=1)
    return means


def modified_z_scores(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each value stands out of the others, in robust standard deviations: float64, (n,).

    Where more than half of the values are equal, the mean absolute deviation takes the place of the median one, as
    Iglewicz and Hoaglin say; where all are equal, none stands out.
    """
    if not len(values):
        return values
    apart = values - np.median(values)
    spread = float(np.median(np.abs(apart)))
    scale = spread / _MAD_TO_SIGMA if spread > 0 else 1.253314 * float(np.abs(apart).mean())
    return apart / scale if scale > 0 else np.zeros_like(values)
