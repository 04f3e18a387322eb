"""Boxes of objects in the pictures that were looked at: how many are where, and for how long that stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from store.records import TextRow
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search_app.rules.rule import Condition
    from store.row_checks import Box


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """Objects of one name in one picture.

    Args:
        span: the stretch that the picture stands for.
        objects: score and box of each.
    """

    span: TimeSpan
    objects: tuple[tuple[float, Box], ...]


def pictures_of(row: TextRow) -> list[SeenPicture]:
    """The pictures in which an object was seen, as the stage of objects writes them; none where there are none.

    Of a stretch that was looked at n times, each picture stands for an n-th of it, around its time.
    """
    payload = row.payload or {}
    pictures, n = payload.get("pictures"), payload.get("looked_at")
    if not isinstance(pictures, list) or type(n) is not int or n < 1:
        return []
    found = []
    for picture in pictures:
        objects = _objects_of(picture)
        if objects:
            found.append(SeenPicture(_share(row.span, picture["time"], n), objects))
    return found


def _objects_of(picture: Any) -> tuple[tuple[float, Box], ...]:
    """Score and box of each object of a picture; a payload may be a stranger's."""
    if not isinstance(picture, Mapping) or not isinstance(picture.get("time"), int | float):
        return ()
    boxes, scores = picture.get("boxes"), picture.get("scores")
    if not isinstance(boxes, list) or not isinstance(scores, list) or len(boxes) != len(scores):
        return ()
    return tuple(
        (float(score), (float(box[0]), float(box[1]), float(box[2]), float(box[3])))
        for score, box in zip(scores, boxes, strict=True)
        if isinstance(score, int | float) and _is_box(box)
    )


def _is_box(box: Any) -> bool:
    return isinstance(box, list) and len(box) == 4 and all(isinstance(side, int | float) for side in box)


def _share(span: TimeSpan, time: float, n: int) -> TimeSpan:
    """An n-th of a stretch around a time, inside the stretch."""
    length = span.duration / n
    start = min(max(Fraction(str(time)) - length / 2, span.start), span.end - length)
    return TimeSpan(start, start + length)


def spans_in_pictures(condition: Condition, row: TextRow) -> Sequence[TimeSpan]:
    """The stretches of the pictures in which as many are there as a condition asks for, sure enough and inside."""
    return [
        picture.span
        for picture in pictures_of(row)
        if condition.min_count
        <= sum(score >= condition.min_score and is_inside(condition, box) for score, box in picture.objects)
    ]


def is_inside(condition: Condition, box: Box | None) -> bool:
    """Whether the middle of a box lies in the part of the picture that a condition names; without one anywhere."""
    if not condition.inside:
        return True
    if box is None:
        return False
    left, top, width, height = condition.inside
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return left <= x <= left + width and top <= y <= top + height
