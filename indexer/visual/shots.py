"""Finds where shots begin, online: frames go in one at a time, decided boundaries come out a little later.

Three detectors look at every frame at 32 x 18 pixels of luma and of both chroma planes.

- Cut: the change to the frame before stands out from the changes around it (the adaptive threshold of
  PySceneDetect's AdaptiveDetector), and the pictures on both sides stay different (else it was a flash).
- Fade: the picture becomes, or stops being, a plain black or white one.
- Dissolve: over a window, every picture between the ends is a mixture of the two ends, in growing shares, and the
  ends do not look alike. A pan, a zoom or a moving object is no mixture; a change of light leaves the ends alike.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from indexer.media.pictures import AnalysisPicture
from store.records import Boundary

Small = NDArray[np.float32]

_WIDTH_PX, _HEIGHT_PX = 32, 18
_N_PIXELS = _WIDTH_PX * _HEIGHT_PX
_AREAS = np.array([1 / 64, 1 / 16, 1 / 16], np.float32).reshape(3, 1, 1)
_CELL = Fraction(8, 25)
_NEIGHBOURS = 3
"""Frames on each side that a change is compared with."""
_CLEAR_CHANGE, _CLEAR_RATIO, _CLEAR_PEAK = 20.0, 2.0, 1.35
_FAINT_CHANGE, _FAINT_RATIO, _FAINT_PEAK = 14.0, 5.0, 2.0
"""Grey levels of mean change that can be a cut; how often the mean, and the largest, of the changes around it."""
_FLASH_SHARE = 0.4
"""Pictures on both sides of a change that differ by less than this share of it are one shot with a flash."""

_BLANK_SPREAD = 5.0
_BLACK, _WHITE = 32.0, 232.0
_LONG_BLANK = Fraction(1)
"""A blank stretch longer than this is a shot of its own; a shorter one belongs to the next shot."""

_WINDOWS = (Fraction(2, 5), Fraction(4, 5), Fraction(8, 5))
_FILLED = tuple(window * Fraction(4, 5) for window in _WINDOWS)
"""Seconds that the frames in a window must span."""
_MIXTURE_CHANGE = 12.0
_MIXTURE_ALIKE = 0.4
_MIXTURE_RESIDUAL = 0.05
_MIXTURE_STEP = 0.08
"""From one picture to the next the share of the last one grows by more than this."""
_MEMORY = Fraction(5, 2)
"""Seconds that are looked back on; nothing earlier can become a boundary any more."""
_MAX_MEMORY_FRAMES = 320
_MIN_MEMORY_FRAMES = 2 * _NEIGHBOURS + 2


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


@dataclass(slots=True)
class _Look:
    """Memory of a frame; `number` counts the frames of the video."""

    number: int
    time: Fraction
    small: Small
    change: float
    blank: bool
    opens: bool


class ShotDetector:
    """Decides boundaries with a bounded look-ahead of `_MEMORY` seconds."""

    def __init__(self) -> None:
        self._looks: deque[_Look] = deque()
        self._window_starts = [0] * len(_WINDOWS)  # number of the first frame in each window
        self._last_cut = -1  # number of the latest frame that a cut leads to
        self._cell_start: Fraction | None = None
        self._waiting: list[DecidedBoundary] = []
        self._decided: list[DecidedBoundary] = []
        self._mixture: tuple[float, Fraction, Fraction] | None = None  # residual, start, end
        self._blank_since: Fraction | None = None
        self._blank_counts = False
        self._seen_picture = False

    def push(self, time: Fraction, picture: AnalysisPicture, after_pause: bool = False) -> bool:
        """Take the next frame; whether it opens a cell (every boundary is the first frame of a cell).

        Args:
            time: when it is shown.
            picture: what it shows.
            after_pause: whether a pause lies before it, which always ends a shot.
        """
        return self.push_small(time, _shrink(picture), after_pause)

    def push_small(self, time: Fraction, small: Small, after_pause: bool = False) -> bool:
        """Take the next frame as its three planes, float32, (3, 18, 32)."""
        before = self._looks[-1] if self._looks else None
        change = 0.0 if before is None else _difference(small, before.small)
        blank = _is_blank(small)
        turns = before is not None and before.blank != blank
        opens = self._cell_start is None or time - self._cell_start >= _CELL or change >= _FAINT_CHANGE or turns
        if opens:
            self._cell_start = time
        self._looks.append(_Look(0 if before is None else before.number + 1, time, small, change, blank, opens))
        if after_pause:
            self._take_cut(self._looks[-1])
        self._find_cut(len(self._looks) - 1 - _NEIGHBOURS)
        self._find_fade()
        self._find_dissolve()
        self._forget(time - _MEMORY)
        return opens

    def take_decided(self) -> list[DecidedBoundary]:
        """Boundaries decided since the last call, in order."""
        decided, self._decided = self._decided, []
        return decided

    @property
    def settled_until(self) -> Fraction:
        """All boundaries before this time have been decided."""
        return self._looks[0].time

    def finish(self) -> None:
        """Decide what is left; no frame follows."""
        for place in range(max(1, len(self._looks) - _NEIGHBOURS), len(self._looks)):
            self._find_cut(place)
        self._end_mixture()
        self._settle(None)

    def _forget(self, until: Fraction) -> None:
        looks = self._looks
        # Of a time lapse, 2.5 seconds are too few frames to compare a change with its neighbours.
        while len(looks) > _MIN_MEMORY_FRAMES and (looks[0].time < until or len(looks) > _MAX_MEMORY_FRAMES):
            looks.popleft()
        self._settle(looks[0].time)

    def _settle(self, until: Fraction | None) -> None:
        """Hand over what can no longer be contradicted: of two in one place, the cut counts."""
        if not self._waiting:
            return
        self._waiting.sort(key=lambda boundary: boundary.time)
        cuts = [boundary for boundary in self._waiting if boundary.kind is Boundary.CUT]
        kept = []
        for boundary in self._waiting:
            doubled = boundary.kind is not Boundary.CUT and any(
                boundary.start <= cut.time <= boundary.end for cut in cuts
            )
            if doubled or (self._decided and self._decided[-1].time >= boundary.time):
                continue
            if until is None or boundary.time < until:
                self._decided.append(boundary)
            else:
                kept.append(boundary)
        self._waiting = kept

    # -- cuts -----------------------------------------------------------------------------------------------------

    def _find_cut(self, place: int) -> None:
        if place < 1:
            return
        look = self._looks[place]
        if look.change < _FAINT_CHANGE:
            return
        looks = list(self._looks)[max(0, place - _NEIGHBOURS - 1) : place + _NEIGHBOURS + 1]
        middle = min(place, _NEIGHBOURS + 1)
        around = [other.change for i, other in enumerate(looks) if i not in (0, middle)]
        if not _stands_out(look.change, around):
            return
        earlier = [other.small for other in looks[:middle]]
        later = [other.small for other in looks[middle:]]
        if min(_difference(a, b) for a in earlier for b in later) < _FLASH_SHARE * look.change:
            return
        self._take_cut(look)

    def _take_cut(self, look: _Look) -> None:
        self._last_cut = max(self._last_cut, look.number)
        self._waiting.append(DecidedBoundary(look.time, Boundary.CUT, look.time, look.time))

    # -- fades ----------------------------------------------------------------------------------------------------

    def _find_fade(self) -> None:
        look = self._looks[-1]
        if look.blank:
            if self._blank_since is None:
                self._blank_since = look.time
                if self._seen_picture:  # black at the very beginning belongs to the first shot
                    self._waiting.append(self._fade(look.time))
                    self._blank_counts = True
        else:
            if (
                self._blank_since is not None
                and self._blank_counts
                and look.time - self._blank_since >= _LONG_BLANK
            ):
                self._waiting.append(self._fade(look.time))
            self._blank_since, self._blank_counts = None, False
            self._seen_picture = True

    @staticmethod
    def _fade(time: Fraction) -> DecidedBoundary:
        return DecidedBoundary(time, Boundary.FADE, time - _CELL, time + _CELL)

    # -- dissolves ------------------------------------------------------------------------------------------------

    def _find_dissolve(self) -> None:
        looks = self._looks
        now = looks[-1].time
        found = False
        for place, (window, filled) in enumerate(zip(_WINDOWS, _FILLED, strict=True)):
            first = self._first_within(place, now - window)
            start, n_steps = looks[first], len(looks) - 1 - first
            if n_steps < 4 or self._last_cut > start.number or now - start.time < filled:
                continue
            if start.blank or looks[-1].blank:
                continue
            residual = _mixture_residual([looks[first + part * n_steps // 4].small for part in range(5)])
            if residual < _MIXTURE_RESIDUAL:
                found = True
                if self._mixture is None or residual < self._mixture[0]:
                    self._mixture = residual, start.time, now
        if not found and self._mixture is not None and now > self._mixture[2] + _CELL:
            self._end_mixture()

    def _first_within(self, place: int, since: Fraction) -> int:
        """Index of the first frame of a window, which only ever moves forward."""
        looks = self._looks
        first = max(self._window_starts[place] - looks[0].number, 0)
        while looks[first].time < since:
            first += 1
        self._window_starts[place] = looks[first].number
        return first

    def _end_mixture(self) -> None:
        if self._mixture is None:
            return
        _, start, end = self._mixture
        self._mixture = None
        middle = (start + end) / 2
        cells = [look.time for look in self._looks if look.opens]
        if cells:
            time = min(cells, key=lambda cell: abs(cell - middle))
            self._waiting.append(DecidedBoundary(time, Boundary.DISSOLVE, min(start, time), max(end, time)))


def _shrink(picture: AnalysisPicture) -> Small:
    """Luma and both chroma planes at 32 x 18 pixels."""
    # Rows first: whole rows are added at once, which leaves little for the slower sums along a row.
    luma = picture.luma.reshape(_HEIGHT_PX, 8, -1).sum(axis=1, dtype=np.uint16)
    chroma = picture.chroma.reshape(2 * _HEIGHT_PX, 4, -1).sum(axis=1, dtype=np.uint16)
    small = np.empty((3, _HEIGHT_PX, _WIDTH_PX), np.float32)
    luma.reshape(_HEIGHT_PX, _WIDTH_PX, 8).sum(axis=2, out=small[0])
    chroma.reshape(2, _HEIGHT_PX, _WIDTH_PX, 4).sum(axis=3, out=small[1:])
    small *= _AREAS
    return small


def _difference(one: Small, other: Small) -> float:
    """Mean change of luma in grey levels, and of both chroma planes."""
    return float(np.abs(one - other).sum()) / _N_PIXELS


def _stands_out(change: float, around: list[float]) -> bool:
    mean, peak = sum(around) / max(1, len(around)) + 0.5, max(around, default=0.0) + 0.5
    clear = change >= _CLEAR_CHANGE and change >= _CLEAR_RATIO * mean and change >= _CLEAR_PEAK * peak
    faint = change >= _FAINT_CHANGE and change >= _FAINT_RATIO * mean and change >= _FAINT_PEAK * peak
    return clear or faint


def _is_blank(small: Small) -> bool:
    luma = small[0]
    level = float(luma.sum()) / _N_PIXELS
    return (level < _BLACK or level > _WHITE) and float(luma.std()) < _BLANK_SPREAD


def _mixture_residual(pictures: list[Small]) -> float:
    """Distance of pictures from mixtures of the first and the last of them; 1 if there is no dissolve."""
    first, last = pictures[0], pictures[-1]
    if _difference(first, last) < _MIXTURE_CHANGE:
        return 1.0
    way = last - first
    length = float((way * way).sum())
    share_before, worst = 0.0, 0.0
    for picture in pictures[1:-1]:
        step = picture - first
        share = float((step * way).sum()) / length
        rest = step - share * way
        worst = max(worst, float((rest * rest).sum()) / length)
        # Nearly every window that is no dissolve shows it at its first picture.
        if worst >= _MIXTURE_RESIDUAL or share - share_before <= _MIXTURE_STEP:
            return 1.0
        share_before = share
    grows_to_the_end = 1.0 - share_before > _MIXTURE_STEP
    return worst if grows_to_the_end and _likeness(first[0], last[0]) <= _MIXTURE_ALIKE else 1.0


def _likeness(one: Small, other: Small) -> float:
    """Correlation of two planes, -1 to 1; 1 for plain ones, which look like anything."""
    a, b = one - one.mean(), other - other.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > 1e3 else 1.0
