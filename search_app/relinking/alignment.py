"""Alignment of the pictures of two videos: by look, among the shifts that times and timecodes propose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from store.records import VideoFacts

SmallPictures = NDArray[np.float32]
"""float32, (n, height, width, 3), 0 to 1, all of one small size."""

ALIKE = 0.12
"""Difference of two pictures of the same moment at most."""

WORST_SHARE = 0.05
"""The cells that differ most count: a small object on the same background is another picture."""

_OUTSIDE = 0.1
"""Mean difference of an anchor that lies outside the frames, and the most that one counts."""
_NEARLY = 0.1
_NOISE = 0.002
_FLAT_SECONDS = Fraction(1, 2)
_LARGEST_GAIN = 1.6
_LARGEST_OFFSET = 0.2
_LEAST_DEVIATION = 0.05

TIMECODE, SAME_TIME, SAME_END = "timecode", "same time", "same end"


@dataclass(frozen=True, slots=True)
class Anchors:
    """Pictures of the old video around a clip.

    Args:
        times: exact times in the old video.
        pictures: one for each.
        n_ends: the first so many are those nearest to the clip's ends, which must be found again; the others only
            tell where, among moments at which these look the same.
    """

    times: tuple[Fraction, ...]
    pictures: SmallPictures
    n_ends: int


@dataclass(frozen=True, slots=True)
class Frames:
    """Pictures of the new video.

    Args:
        times: exact times in the new video, ascending.
        pictures: one for each.
    """

    times: tuple[Fraction, ...]
    pictures: SmallPictures


@dataclass(frozen=True, slots=True)
class Alignment:
    """The shift at which the pictures are most alike.

    Args:
        shift: seconds to add to a time of the old video, exact.
        difference: of the least alike anchor, 0 to 1.
        by: which proposal it follows; empty for none but the look.
        is_certain: whether the look, or what it agrees with, leaves no other shift.
    """

    shift: Fraction
    difference: float
    by: str
    is_certain: bool

    @property
    def is_alike(self) -> bool:
        """Whether the pictures are the same moments."""
        return self.difference <= ALIKE


def differences(picture: NDArray[np.float32], others: SmallPictures) -> NDArray[np.float32]:
    """Difference of each of some pictures from one, 0 to 1; a change of brightness and contrast costs little.

    Args:
        picture: (height, width, 3).
        others: (n, height, width, 3).

    Returns:
        float32, (2, n): of the cells that differ most, and of all cells.
    """
    plain = _measure(np.abs(others - picture))
    deviation, of_others = picture.std(), others.std(axis=(1, 2, 3))
    textured = (of_others >= _LEAST_DEVIATION) & (deviation >= _LEAST_DEVIATION)
    gain = deviation / np.maximum(of_others, 1e-6)
    offset = picture.mean() - gain * others.mean(axis=(1, 2, 3))
    graded = textured & (gain <= _LARGEST_GAIN) & (gain >= 1 / _LARGEST_GAIN) & (np.abs(offset) <= _LARGEST_OFFSET)
    fitted = others * gain[:, None, None, None] + offset[:, None, None, None]
    return np.where(graded, np.minimum(plain, _measure(np.abs(fitted - picture))), plain).astype(np.float32)


def _measure(cells: SmallPictures) -> NDArray[np.float32]:
    flat = cells.mean(axis=3).reshape(len(cells), -1)
    n_worst = max(1, round(WORST_SHARE * flat.shape[1]))
    worst = np.partition(flat, flat.shape[1] - n_worst, axis=1)[:, -n_worst:]
    return np.stack([worst.mean(axis=1), flat.mean(axis=1)]).astype(np.float32)


def propose_shifts(old: VideoFacts, new: VideoFacts) -> dict[str, Fraction]:
    """Shifts that times and timecodes of two videos propose, the most telling first."""
    from search_app.frame_rates import source_rate
    from search_app.timelines.timecode import as_counted, parse_timecode

    proposed: dict[str, Fraction] = {}
    starts = []
    for facts in (old, new):
        rate, timecode = source_rate(facts), facts.start_timecode
        try:
            starts.append(parse_timecode(as_counted(timecode, rate), rate) / rate if timecode else None)
        except ValueError:
            starts.append(None)
    old_start, new_start = starts
    if old_start is not None and new_start is not None and (old_start or new_start):  # at midnight it says nothing
        proposed[TIMECODE] = new.span.start - old.span.start + old_start - new_start
    proposed[SAME_TIME] = Fraction(0)
    proposed[SAME_END] = new.span.end - old.span.end
    return proposed


def align(
    anchors: Anchors, frames: Frames, proposed: Mapping[str, Fraction], frame_seconds: Fraction
) -> Alignment | None:
    """The shift at which frames of the new video are most like the anchors; None without pictures.

    Only shifts count at which the ends of the clip are alike. Of those that are nearly as good, a proposed one is
    taken, in the order of the proposals.

    Args:
        anchors: of the old video.
        frames: of the new video.
        proposed: shifts by name.
        frame_seconds: the new video's distance of frames.
    """
    if not anchors.n_ends or not frames.times:
        return None
    scorer = _Scorer(anchors, frames, frame_seconds)
    searched = [Shift(time - anchors.times[0], "") for time in frames.times]
    shifts = [*(Shift(shift, name) for name, shift in proposed.items()), *searched]
    worst, total, found = np.array([scorer.score(one.seconds) for one in shifts]).T
    is_alike = worst <= ALIKE
    if not is_alike.any():
        return Alignment(Fraction(0), float(worst.min()), "", False)
    best = min(np.flatnonzero(is_alike), key=lambda number: float(total[number]))
    most = total[best] + _NEARLY * found[best] + _NOISE
    good = [number for number in np.flatnonzero(is_alike) if total[number] <= most]
    chosen = good[0] if shifts[good[0]].by else best
    shift = shifts[chosen]
    elsewhere = any(abs(shifts[number].seconds - shift.seconds) > _FLAT_SECONDS for number in good)
    is_same_length = abs(proposed.get(SAME_END, Fraction(1))) < frame_seconds / 2
    agrees = shift.by == TIMECODE or (shift.by == SAME_TIME and is_same_length)
    if elsewhere and not agrees and TIMECODE in proposed and worst[0] == 1:
        # The pictures that were kept are cut off there, so nothing speaks against the timecode.
        return Alignment(proposed[TIMECODE], float(worst[chosen]), TIMECODE, False)
    return Alignment(shift.seconds, float(worst[chosen]), shift.by, not elsewhere or agrees)


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift that is looked at.

    Args:
        seconds: to add to a time of the old video, exact.
        by: which proposal it is; empty for none.
    """

    seconds: Fraction
    by: str


class _Scorer:
    """Difference between the anchors and the frames shown at their times after a shift."""

    def __init__(self, anchors: Anchors, frames: Frames, frame_seconds: Fraction) -> None:
        self._anchors = np.array([float(time) for time in anchors.times])
        self._n_ends = anchors.n_ends
        self._frames = np.array([float(time) for time in frames.times])
        self._differences = np.stack([differences(picture, frames.pictures) for picture in anchors.pictures])
        self._reach = float(frame_seconds)
        self._rows = np.arange(len(self._anchors))

    def score(self, shift: Fraction) -> tuple[float, float, float]:
        """Of the clip's ends the larger difference, 1 outside; of all anchors the sum; of those found the sum."""
        times = self._anchors + float(shift)
        after = np.searchsorted(self._frames, times).clip(1, max(1, len(self._frames) - 1))
        before = after - 1
        after = after.clip(max=len(self._frames) - 1)
        nearer = np.abs(self._frames[after] - times) < np.abs(self._frames[before] - times)
        nearest = np.where(nearer, after, before)
        is_inside = np.abs(self._frames[nearest] - times) <= self._reach
        worst, mean = self._differences[self._rows, :, nearest].T
        worst = np.where(is_inside, worst, 1.0)
        mean = np.where(is_inside, np.minimum(mean, _OUTSIDE), _OUTSIDE)
        return float(worst[: self._n_ends].max()), float(mean.sum()), float(mean[mean < _OUTSIDE].sum())
