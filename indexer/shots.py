"""Finds where shots begin, online: frames go in one at a time, decided boundaries come out a little later."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from indexer.media.pictures import AnalysisPicture
from store.records import Boundary

_CELL = Fraction(8, 25)
_LOOKAHEAD_FRAMES = 3
_ADAPTIVE_RATIO = 3.0
_MIN_CHANGE = 12.0


@dataclass(frozen=True, slots=True)
class DecidedBoundary:
    """A boundary between two shots.

    Args:
        time: first frame of the shot that begins here.
        kind: cut, fade or dissolve.
        start: first instant of the transition.
        end: first instant after the transition; equal to `start` for a cut.
    """

    time: Fraction
    kind: Boundary
    start: Fraction
    end: Fraction


class ShotDetector:
    """Decides boundaries with a bounded look-ahead."""

    def __init__(self) -> None:
        self._previous: NDArray[np.float32] | None = None
        self._window: deque[tuple[Fraction, float]] = deque(maxlen=2 * _LOOKAHEAD_FRAMES + 1)
        self._decided: list[DecidedBoundary] = []
        self._cell_start: Fraction | None = None

    def push(self, time: Fraction, picture: AnalysisPicture) -> bool:
        """Take the next frame; whether it opens a cell (every boundary is the first frame of a cell)."""
        small = picture.luma.reshape(36, 4, 64, 4).mean(axis=(1, 3), dtype=np.float32)
        change = 0.0 if self._previous is None else float(np.abs(small - self._previous).mean())
        self._previous = small
        self._window.append((time, change))
        self._decide()
        opens = self._cell_start is None or time - self._cell_start >= _CELL or change >= _MIN_CHANGE
        if opens:
            self._cell_start = time
        return opens

    def take_decided(self) -> list[DecidedBoundary]:
        """Boundaries decided since the last call, in order."""
        decided, self._decided = self._decided, []
        return decided

    @property
    def settled_until(self) -> Fraction:
        """All boundaries before this time have been decided."""
        return self._window[min(_LOOKAHEAD_FRAMES, len(self._window) - 1)][0]

    def finish(self) -> None:
        """Decide what is left; no frame follows."""
        for _ in range(_LOOKAHEAD_FRAMES):
            self._window.append((self._window[-1][0], 0.0))
            self._decide()

    def _decide(self) -> None:
        if len(self._window) < self._window.maxlen:  # type: ignore[operator]
            return
        changes = [change for _, change in self._window]
        middle = changes.pop(_LOOKAHEAD_FRAMES)
        if middle >= _MIN_CHANGE and middle >= _ADAPTIVE_RATIO * (sum(changes) / len(changes)):
            time = self._window[_LOOKAHEAD_FRAMES][0]
            self._decided.append(DecidedBoundary(time, Boundary.CUT, time, time))
