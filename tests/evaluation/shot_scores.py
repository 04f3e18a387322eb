"""Scores detected shot boundaries against a hand-made list, as the manifest of the real clips asks.

A cut counts as found within two frame intervals; a gradual change anywhere inside its transition. Boundaries at a
filler (an empty black stretch) may be found or not: they count neither as right nor as wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any


@dataclass(frozen=True, slots=True)
class TrueBoundary:
    """A boundary that is really there.

    Args:
        start_seconds: earliest time that is right.
        end_seconds: latest time that is right.
        optional: whether finding it, or not, is neither right nor wrong.
    """

    start_seconds: float
    end_seconds: float
    optional: bool


@dataclass(frozen=True, slots=True)
class BoundaryScore:
    """How many boundaries were found, invented and missed."""

    n_right: int = 0
    n_wrong: int = 0
    n_missed: int = 0

    def __add__(self, other: BoundaryScore) -> BoundaryScore:
        return BoundaryScore(
            self.n_right + other.n_right, self.n_wrong + other.n_wrong, self.n_missed + other.n_missed
        )

    @property
    def precision(self) -> float:
        """Share of the found ones that are right."""
        return self.n_right / max(1, self.n_right + self.n_wrong)

    @property
    def recall(self) -> float:
        """Share of the real ones that were found."""
        return self.n_right / max(1, self.n_right + self.n_missed)

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        return 2 * self.n_right / max(1, 2 * self.n_right + self.n_wrong + self.n_missed)


def true_boundaries(clip: Mapping[str, Any]) -> list[TrueBoundary]:
    """The boundaries of one clip of the manifest."""
    tolerance = 2.1 * clip["frame_interval_ms"][1] / 1000  # a tenth for times rounded to milliseconds
    shots = clip["shots"]
    boundaries = []
    for before, shot in pairwise(shots):
        start, end = shot.get("transition_s") or (shot["start_s"], shot["start_s"])
        optional = bool(before.get("filler") or shot.get("filler"))
        boundaries.append(TrueBoundary(start - tolerance, end + tolerance, optional))
    return boundaries


def score_boundaries(found: Sequence[float], truth: Sequence[TrueBoundary]) -> BoundaryScore:
    """Match each real boundary with at most one found time, nearest first come."""
    waiting = sorted(found)
    n_right = n_missed = 0
    for boundary in sorted(truth, key=lambda item: (item.optional, item.start_seconds)):
        inside = [time for time in waiting if boundary.start_seconds <= time <= boundary.end_seconds]
        if boundary.optional:
            waiting = [time for time in waiting if time not in inside]
        elif inside:
            middle = (boundary.start_seconds + boundary.end_seconds) / 2
            waiting.remove(min(inside, key=lambda time: abs(time - middle)))
            n_right += 1
        else:
            n_missed += 1
    return BoundaryScore(n_right, len(waiting), n_missed)
