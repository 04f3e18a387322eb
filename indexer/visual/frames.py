"""Chooses the frames that stand for a shot: sharp, still, away from its boundaries, and never too few.

Works online. Frames come in short runs that we call cells; a shot is always a whole number of cells, and the
best frame of each cell is shrunk and kept until the shots around it are decided. So every shot, even one of a
single frame, has a picture, and memory is bounded by the detector's look-ahead, not by the video.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

Picture = TypeVar("Picture")

_EDGE_WEIGHT = 0.25
_TRANSITION_WEIGHT = 0.02


@dataclass(frozen=True, slots=True)
class Candidate(Generic[Picture]):
    """The best frame of one cell.

    Args:
        start: time of the cell's first frame.
        time: time of the frame itself.
        sharpness: variance of the Laplacian of its luma.
        worth: how well it would stand for its surroundings, higher is better.
        picture: whatever the caller needs to show or encode it.
    """

    start: Fraction
    time: Fraction
    sharpness: float
    worth: float
    picture: Picture


class FrameSampler(Generic[Picture]):
    """Picks samples among candidates as soon as the shots they lie in are decided.

    Args:
        longest_stretch: seconds that one sample may stand for.
    """

    def __init__(self, longest_stretch: Fraction) -> None:
        # A stretch is closed at two thirds, so that a rest of up to one third can lean on it.
        self._full = longest_stretch * 2 / 3
        self._rest = longest_stretch / 3
        self._waiting: list[Candidate[Picture]] = []
        self._boundaries: list[tuple[Fraction, Fraction, Fraction]] = []
        self._stretch_start: Fraction | None = None
        self._best: Candidate[Picture] | None = None
        self._best_worth = 0.0
        self._shot_has_sample = False
        self._at_shot_start = True
        self._transition_end: Fraction | None = None

    def add(self, candidate: Candidate[Picture]) -> None:
        """Take the best frame of the next cell."""
        self._waiting.append(candidate)

    def add_boundary(self, time: Fraction, transition: tuple[Fraction, Fraction]) -> None:
        """Take a decided boundary, which must be the start of a cell, and the transition around it."""
        self._boundaries.append((time, *transition))

    def settle(self, until: Fraction | None, next_start: Fraction | None = None) -> Iterator[Candidate[Picture]]:
        """Samples that no later decision can change.

        Args:
            until: all boundaries before this time are known; None at the end of the video.
            next_start: start of the cell that is still open, if any.
        """
        while self._waiting:
            following = self._waiting[1].start if len(self._waiting) > 1 else next_start
            if until is not None and (following is None or following >= until):
                return
            yield from self._take(self._waiting.pop(0), following)
        if until is None:
            yield from self._close_shot(None)

    def _take(self, cell: Candidate[Picture], following: Fraction | None) -> Iterator[Candidate[Picture]]:
        if self._boundaries and self._boundaries[0][0] <= cell.start:
            yield from self._close_shot(cell.start)
            self._transition_end = self._boundaries.pop(0)[2]
            self._at_shot_start = True
        if self._stretch_start is None:
            self._stretch_start = cell.start
        ends_shot = following is None or any(time == following for time, _, _ in self._boundaries)
        worth = cell.worth * self._place_weight(cell, ends_shot)
        self._at_shot_start = False
        if self._best is None or worth > self._best_worth:
            self._best, self._best_worth = cell, worth
        if following is not None and not ends_shot and following - self._stretch_start >= self._full:
            yield from self._emit()
            self._stretch_start = following

    def _place_weight(self, cell: Candidate[Picture], ends_shot: bool) -> float:
        after = self._transition_end is not None and cell.time < self._transition_end
        if after or any(start <= cell.time < end for _, start, end in self._boundaries):
            return _TRANSITION_WEIGHT
        return _EDGE_WEIGHT if ends_shot or self._at_shot_start else 1.0

    def _close_shot(self, end: Fraction | None) -> Iterator[Candidate[Picture]]:
        if self._best is not None and self._stretch_start is not None:
            rest = (end if end is not None else self._best.time) - self._stretch_start
            if not self._shot_has_sample or rest > self._rest:
                yield from self._emit()
        self._best, self._stretch_start, self._shot_has_sample = None, None, False

    def _emit(self) -> Iterator[Candidate[Picture]]:
        if self._best is not None:
            yield self._best
            self._shot_has_sample = True
        self._best = None
