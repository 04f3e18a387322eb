"""Detections of one class, followed over the pictures of a shot.

The IOU tracker (Bochinski et al. 2017, "High-Speed Tracking-by-Detection Without Using Image Information"): a
detection goes on the track whose last box it overlaps most, the most overlapping pairs first. Pictures that lie
seconds apart break tracks, so the number of tracks is no count: the most that are seen at once is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from store.row_checks import Box

_SAME_FROM: Final = 0.3
"""Overlap (IoU) from which two boxes are of one object."""
_MOST_MISSED: Final = 1
"""Pictures in a row in which an object may be overlooked."""


@dataclass(frozen=True, slots=True)
class SeenObject:
    """An object as one picture shows it.

    Args:
        score: how sure the model is, 0 to 1.
        box: left, top, width, height as shares of the picture.
    """

    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class TrackedPicture:
    """The objects of one class in one picture.

    Args:
        time: when it is shown, in exact seconds.
        objects: in the order given.
        tracks: the number of each one's track, from 0.
    """

    time: Fraction
    objects: tuple[SeenObject, ...]
    tracks: tuple[int, ...]


def track_objects(pictures: Sequence[tuple[Fraction, Sequence[SeenObject]]]) -> tuple[TrackedPicture, ...]:
    """A track for each object in each picture.

    Args:
        pictures: time and objects, in order of time; also those without any.
    """
    last_seen: list[tuple[int, Box]] = []
    tracked = []
    for at, (time, objects) in enumerate(pictures):
        pairs = sorted(
            (
                (overlap, -track, -number)
                for track, (seen, box) in enumerate(last_seen)
                if at - seen <= _MOST_MISSED + 1
                for number, one in enumerate(objects)
                if (overlap := intersection_over_union(box, one.box)) >= _SAME_FROM
            ),
            reverse=True,
        )
        tracks: dict[int, int] = {}
        for _, track, number in pairs:
            if -number not in tracks and -track not in tracks.values():
                tracks[-number] = -track
        for number, one in enumerate(objects):
            if number not in tracks:
                tracks[number] = len(last_seen)
                last_seen.append((at, one.box))
            last_seen[tracks[number]] = (at, one.box)
        numbers = tuple(tracks[number] for number in range(len(objects)))
        tracked.append(TrackedPicture(time, tuple(objects), numbers))
    return tuple(tracked)


def intersection_over_union(one: Box, other: Box) -> float:
    """Share of the area of both boxes together that lies in both, 0 to 1."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (one[2] * one[3] + other[2] * other[3] - both)
