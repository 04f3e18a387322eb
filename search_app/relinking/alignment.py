"""Where the pictures of one video lie in another: by look, among the shifts that times and timecodes propose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

_NEARLY = 1.15
_NOISE = 0.01
_FLAT_SECONDS = Fraction(1, 2)
_LARGEST_GAIN = 1.6
_LARGEST_OFFSET = 0.2
_LEAST_DEVIATION = 0.05

TIMECODE, SAME_TIME, SAME_END = "timecode", "same time", "same end"


@dataclass(frozen=True, slots=True)
class Anchors:
    """Pictures of the old video near the ends of a clip.

    Args:
        times: exact times in the old video, ascending.
        pictures: one for each.
    """

    times: tuple[Fraction, ...]
    pictures: SmallPictures


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
    """How much each of some pictures differs from one, 0 to 1; a change of brightness and contrast costs little.

    Args:
        picture: (height, width, 3).
        others: (n, height, width, 3).

    Returns:
        float32, (n,).
    """
    plain = _worst(np.abs(others - picture))
    deviation, of_others = picture.std(), others.std(axis=(1, 2, 3))
    textured = (of_others >= _LEAST_DEVIATION) & (deviation >= _LEAST_DEVIATION)
    gain = deviation / np.maximum(of_others, 1e-6)
    offset = picture.mean() - gain * others.mean(axis=(1, 2, 3))
    graded = textured & (gain <= _LARGEST_GAIN) & (gain >= 1 / _LARGEST_GAIN) & (np.abs(offset) <= _LARGEST_OFFSET)
    fitted = others * gain[:, None, None, None] + offset[:, None, None, None]
    return np.where(graded, np.minimum(plain, _worst(np.abs(fitted - picture))), plain).astype(np.float32)


def _worst(cells: SmallPictures) -> NDArray[np.float32]:
    """Mean of the cells that differ most."""
    flat = cells.mean(axis=3).reshape(len(cells), -1)
    n_worst = max(1, round(WORST_SHARE * flat.shape[1]))
    worst = np.partition(flat, flat.shape[1] - n_worst, axis=1)[:, -n_worst:]
    return np.asarray(worst.mean(axis=1), dtype=np.float32)


def propose_shifts(old: VideoFacts, new: VideoFacts) -> dict[str, Fraction]:
    """Shifts that times and timecodes of two videos propose, the most telling first."""
    from search_app.timelines.timecode import parse_timecode

    proposed: dict[str, Fraction] = {}
    starts = []
    for facts in (old, new):
        rate = facts.frame_rate
        try:
            starts.append(
                parse_timecode(facts.start_timecode, rate) / rate if facts.start_timecode and rate else None
            )
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

    Of shifts at which they are nearly as much alike, a proposed one is taken, in the order of the proposals.

    Args:
        anchors: of the old video.
        frames: of the new video.
        proposed: shifts by name.
        frame_seconds: the new video's distance of frames.
    """
    if not anchors.times or not frames.times:
        return None
    of_anchor = np.stack([differences(picture, frames.pictures) for picture in anchors.pictures])
    scorer = _Scorer(anchors.times, frames.times, of_anchor, frame_seconds)
    searched = [time - anchors.times[0] for time in frames.times]
    found = np.array([scorer.difference(shift) for shift in searched])
    of_proposed = {name: scorer.difference(shift) for name, shift in proposed.items()}
    best = min(float(found.min()), *of_proposed.values())
    if not np.isfinite(best):
        return None
    most = best * _NEARLY + _NOISE
    by = next((name for name, difference in of_proposed.items() if difference <= most), "")
    shift = proposed[by] if by else searched[int(found.argmin())]
    elsewhere = any(
        difference <= most and abs(other - shift) > _FLAT_SECONDS
        for other, difference in zip(searched, found.tolist(), strict=True)
    )
    is_same_length = abs(proposed.get(SAME_END, Fraction(1))) < frame_seconds / 2
    agrees = by == TIMECODE or (by == SAME_TIME and is_same_length)
    return Alignment(shift, of_proposed[by] if by else float(found.min()), by, not elsewhere or agrees)


class _Scorer:
    """How much a shift makes the anchors differ from the frames shown then."""

    def __init__(
        self,
        anchors: Sequence[Fraction],
        frames: Sequence[Fraction],
        of_anchor: NDArray[np.float32],
        frame_seconds: Fraction,
    ) -> None:
        self._anchors = anchors
        self._frames = np.array([float(time) for time in frames])
        self._of_anchor = of_anchor
        self._reach = float(frame_seconds)

    def difference(self, shift: Fraction) -> float:
        """Of the anchor that is least alike; infinite if one of them lies outside the frames."""
        worst = 0.0
        for row, anchor in enumerate(self._anchors):
            time = float(anchor + shift)
            nearest = int(np.abs(self._frames - time).argmin())
            if abs(self._frames[nearest] - time) > self._reach:
                return float("inf")
            worst = max(worst, float(self._of_anchor[row, nearest]))
        return worst
