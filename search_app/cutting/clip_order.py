"""Orders in which clips can be joined.

Every order is given as places: which clip comes first, second and so on, each exactly once. What is equal keeps
the order that it had.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from indexer.models.encoder import RgbImage
    from search_app.cutting.cut_list import Clip
    from store.records import Embeddings

_MOST_IMPROVED = 1_000
"""A longer chain is left as the nearest neighbours give it: 2-opt takes 0.2 s here, 12 s for 3,000 clips."""

_LEAST_GAIN = 1e-6
_LUMA = (0.2126, 0.7152, 0.0722)


def by_relevance(clips: Sequence[Clip]) -> list[int]:
    """Best ranked first; the steps of one answer stay together."""
    return sorted(range(len(clips)), key=lambda place: min(hit.rank for hit in clips[place].hits))


def by_source(clips: Sequence[Clip]) -> list[int]:
    """By path of the file, then by time in it."""
    return sorted(range(len(clips)), key=lambda place: (clips[place].paths[0], clips[place].span))


def by_date(clips: Sequence[Clip], dates: Mapping[str, str]) -> list[int]:
    """By day of recording, then as `by_source`; what has no date comes last.

    Args:
        clips: the clips.
        dates: days such as `2021-05-03`, by video id.
    """
    days = [dates.get(clip.video_id, "") for clip in clips]
    return sorted(by_source(clips), key=lambda place: (not days[place], days[place]))


def by_brightness(lumas: Sequence[float | None]) -> list[int]:
    """From dark to bright; what is not known comes last."""
    return sorted(range(len(lumas)), key=lambda place: (lumas[place] is None, lumas[place] or 0.0))


def by_chance(n_clips: int, seed: int) -> list[int]:
    """The same order for the same seed."""
    places = list(range(n_clips))
    random.Random(seed).shuffle(places)  # noqa: S311 - a film's order is no secret
    return places


def by_look(vectors: Embeddings) -> list[int]:
    """A chain from the first clip on in which neighbours look alike.

    The nearest neighbour is taken in turn, then pieces of the chain are turned round as long as that shortens it
    (2-opt: Croes, "A method for solving traveling-salesman problems", Operations Research 6, 1958). The sum of
    distances (1 - cosine) between neighbours is never larger than in the order given.

    Args:
        vectors: float32, (n_clips, dim), unit rows.
    """
    given, nearest = list(range(len(vectors))), _nearest_chain(vectors)
    if len(vectors) <= _MOST_IMPROVED:
        nearest = _untangle(1 - vectors @ vectors.T, nearest)
    return min(nearest, given, key=lambda chain: chain_length(vectors, chain))


def chain_length(vectors: Embeddings, places: Sequence[int]) -> float:
    """Sum of the distances (1 - cosine) between neighbours in an order."""
    ordered = vectors[list(places)].astype(np.float64)
    return float((1 - (ordered[:-1] * ordered[1:]).sum(axis=1)).sum())


def mean_luma(picture: RgbImage) -> float:
    """Mean luma of a picture by BT.709, 0 for black to 255 for white."""
    return float(picture.reshape(-1, 3).mean(axis=0) @ np.array(_LUMA))


def _nearest_chain(vectors: Embeddings) -> list[int]:
    if not len(vectors):
        return []
    chain = [0]
    waiting = np.ones(len(vectors), dtype=bool)
    waiting[0] = False
    while len(chain) < len(vectors):
        alike = np.where(waiting, vectors @ vectors[chain[-1]], -np.inf)
        chain.append(int(np.argmax(alike)))
        waiting[chain[-1]] = False
    return chain


def _untangle(distances: NDArray[np.float32], given: Sequence[int]) -> list[int]:
    """The chain after 2-opt; its first place stays."""
    chain = np.array(given, dtype=np.int64)
    is_shorter = True
    while is_shorter:
        is_shorter = False
        for start in range(1, len(chain) - 1):
            gains = _gains_of_turning(distances, chain, start)
            end = start + int(np.argmax(gains))
            if gains[end - start] > _LEAST_GAIN:
                chain[start : end + 1] = chain[start : end + 1][::-1].copy()
                is_shorter = True
    return [int(place) for place in chain]


def _gains_of_turning(distances: NDArray[np.float32], chain: NDArray[np.int64], start: int) -> NDArray[np.float32]:
    """Reduction of the chain's length when the part from `start` to each later position is reversed."""
    before, first, later = chain[start - 1], chain[start], chain[start:]
    gains: NDArray[np.float32] = distances[before, first] - distances[before, later]
    gains[:-1] += distances[later[:-1], later[1:]] - distances[first, later[1:]]
    return gains
