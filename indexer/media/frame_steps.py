"""Distances between frames: the rate that most frames of a video have, whatever its mean says.

A mean is no rate: one long frame, dropped frames or a demuxer's ticks move it away from the rate that every
frame but a few has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import pairwise

_STRAY = Fraction(2, 5)
_AGREEMENT = Fraction(1, 200)
_COARSEST = Fraction(1, 3)


def usual_rate_of(distances: Mapping[int, int], time_base: Fraction) -> Fraction | None:
    """Frames per second by the median of the distances between frames; None without any.

    Where the distances stray around it, their mean is taken: a clock of coarse ticks rounds 33.3 ms to 33 and 34,
    and a phone's does not beat evenly. Distances of frames that were left out are not among them.

    Args:
        distances: how many there are of each, in ticks; none below 1.
        time_base: seconds per tick.
    """
    if not distances:
        return None
    median = _median(distances)
    tick = min(Fraction(1), median * _COARSEST)
    around = _mean_near(distances, median, median * _STRAY)
    if abs(around - median) <= max(median * _AGREEMENT, tick):
        return 1 / (around * time_base)
    # Frames of several lengths: only those of most count.
    step = _mean_near(distances, median, tick) if tick > median * _AGREEMENT else Fraction(median)
    return 1 / (step * time_base)


def rate_of_ticks(ticks: Iterable[int], time_base: Fraction) -> Fraction | None:
    """The rate that most distances between time stamps have, in whatever order they come."""
    return usual_rate_of(Counter(later - earlier for earlier, later in pairwise(sorted(set(ticks)))), time_base)


def _median(distances: Mapping[int, int]) -> int:
    left = (sum(distances.values()) + 1) // 2
    for distance in sorted(distances):
        left -= distances[distance]
        if left <= 0:
            break
    return distance


def _mean_near(distances: Mapping[int, int], middle: int, slack: Fraction) -> Fraction:
    near = {distance: n for distance, n in distances.items() if abs(distance - middle) <= slack}
    return Fraction(sum(distance * n for distance, n in near.items()), sum(near.values()))
