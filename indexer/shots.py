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
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from indexer.media.pictures import AnalysisPicture
from store.records import Boundary

Small = NDArray[np.float32]

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
_MIXTURE_CHANGE = 12.0
_MIXTURE_ALIKE = 0.4
_MIXTURE_RESIDUAL = 0.05
_MEMORY = Fraction(5, 2)
"""Seconds that are looked back on; nothing earlier can become a boundary any more."""
_MAX_MEMORY_FRAMES = 320


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
    """What is remembered of a frame."""

    time: Fraction
    small: Small
    change: float
    blank: bool
    opens: bool
    cut: bool = False


class ShotDetector:
    """Decides boundaries with a bounded look-ahead of `_MEMORY` seconds."""

    def __init__(self) -> None:
        self._looks: deque[_Look] = deque()
        self._cell_start: Fraction | None = None
        self._waiting: list[DecidedBoundary] = []
        self._decided: list[DecidedBoundary] = []
        self._mixture: tuple[float, Fraction, Fraction] | None = None  # residual, start, end
        self._blank_since: Fraction | None = None
        self._blank_counts = False
        self._seen_picture = False

    def push(self, time: Fraction, picture: AnalysisPicture) -> bool:
        """Take the next frame; whether it opens a cell (every boundary is the first frame of a cell)."""
        return self.push_small(time, _shrink(picture))

    def push_small(self, time: Fraction, small: Small) -> bool:
        """Take the next frame as its three planes, float32, (3, 18, 32)."""
        before = self._looks[-1] if self._looks else None
        change = 0.0 if before is None else _difference(small, before.small)
        blank = _is_blank(small)
        turns = before is not None and before.blank != blank
        opens = self._cell_start is None or time - self._cell_start >= _CELL or change >= _FAINT_CHANGE or turns
        if opens:
            self._cell_start = time
        self._looks.append(_Look(time, small, change, blank, opens))
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
        while len(looks) > 1 and (looks[0].time < until or len(looks) > _MAX_MEMORY_FRAMES):
            looks.popleft()
        self._settle(looks[0].time)

    def _settle(self, until: Fraction | None) -> None:
        """Hand over what can no longer be contradicted: of two in one place, the cut counts."""
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
        looks = list(self._looks)[max(0, place - _NEIGHBOURS - 1) : place + _NEIGHBOURS + 1]
        middle = min(place, _NEIGHBOURS + 1)
        look = looks[middle]
        around = [other.change for i, other in enumerate(looks) if i not in (0, middle)]
        if not _stands_out(look.change, around):
            return
        earlier = [other.small for other in looks[:middle]]
        later = [other.small for other in looks[middle:]]
        if min(_difference(a, b) for a in earlier for b in later) < _FLASH_SHARE * look.change:
            return
        look.cut = True
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
        now = self._looks[-1].time
        found = False
        for window in _WINDOWS:
            between = [look for look in self._looks if look.time >= now - window]
            if len(between) < 5 or between[0].time - self._looks[0].time < 0 or any(o.cut for o in between[1:]):
                continue
            if now - between[0].time < window * 4 / 5 or between[0].blank or between[-1].blank:
                continue
            residual = _mixture_residual([look.small for look in between])
            if residual < _MIXTURE_RESIDUAL:
                found = True
                if self._mixture is None or residual < self._mixture[0]:
                    self._mixture = residual, between[0].time, now
        if not found and self._mixture is not None and now > self._mixture[2] + _CELL:
            self._end_mixture()

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
    luma = picture.luma.reshape(18, 8, 32, 8).mean(axis=(1, 3), dtype=np.float32)
    chroma = picture.chroma.reshape(2, 18, 4, 32, 4).mean(axis=(2, 4), dtype=np.float32)
    return np.concatenate((luma[None], chroma))


def _difference(one: Small, other: Small) -> float:
    """Mean change of luma in grey levels, and twice that of chroma."""
    change = np.abs(one - other).mean(axis=(1, 2))
    return float(change[0] + change[1] + change[2])


def _stands_out(change: float, around: list[float]) -> bool:
    mean, peak = sum(around) / max(1, len(around)) + 0.5, max(around, default=0.0) + 0.5
    clear = change >= _CLEAR_CHANGE and change >= _CLEAR_RATIO * mean and change >= _CLEAR_PEAK * peak
    faint = change >= _FAINT_CHANGE and change >= _FAINT_RATIO * mean and change >= _FAINT_PEAK * peak
    return clear or faint


def _is_blank(small: Small) -> bool:
    luma = small[0]
    level = float(luma.mean())
    return (level < _BLACK or level > _WHITE) and float(luma.std()) < _BLANK_SPREAD


def _mixture_residual(pictures: list[Small]) -> float:
    """How far pictures are from mixtures of the first and the last of them; 1 if there is no dissolve."""
    first, last = pictures[0], pictures[-1]
    if _difference(first, last) < _MIXTURE_CHANGE or _likeness(first[0], last[0]) > _MIXTURE_ALIKE:
        return 1.0
    way = last - first
    length = float((way * way).sum())
    shares, worst = [0.0], 0.0
    for part in (1, 2, 3):
        picture = pictures[part * (len(pictures) - 1) // 4]
        step = picture - first
        share = float((step * way).sum()) / length
        rest = step - share * way
        worst = max(worst, float((rest * rest).sum()) / length)
        shares.append(share)
    shares.append(1.0)
    grows = all(later - earlier > 0.08 for earlier, later in pairwise(shares))
    return worst if grows else 1.0


def _likeness(one: Small, other: Small) -> float:
    """Correlation of two planes, -1 to 1; 1 for plain ones, which look like anything."""
    a, b = one - one.mean(), other - other.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > 1e3 else 1.0
