"""Labels on the exact clock of a video: which holds when, per interval, and for what share of the video."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from store.timespan import TimeSpan

if TYPE_CHECKING:
    from store.records import FrameRow, ShotRow


@dataclass(frozen=True, slots=True)
class Cell:
    """A stretch of a shot that one sampled frame stands for.

    Args:
        span: between the middles to the frames before and after it, or the ends of the shot; exact.
        frame: number of the frame, in the order given.
    """

    span: TimeSpan
    frame: int


@dataclass(frozen=True, slots=True)
class LabelledCell:
    """A cell with its labels, best first; none where the null class won.

    Args:
        span: the stretch.
        labels: each with its probability.
    """

    span: TimeSpan
    labels: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Interval:
    """The labels of an interval of a video.

    Args:
        span: the interval: exact, inside the video.
        seconds: how long each label holds in it, longest first; exact seconds, as the file's own clock counts.
        score: mean probability of the first label over its time; 0 where there is none.
    """

    span: TimeSpan
    seconds: tuple[tuple[str, Fraction], ...]
    score: float

    @property
    def label(self) -> str | None:
        """The label that holds longest; None where the null class holds longer, or nothing is known."""
        return self.seconds[0][0] if self.seconds else None


def cells_of_shots(shots: Sequence[ShotRow], frames: Sequence[FrameRow]) -> list[Cell]:
    """What each sampled frame stands for: together exactly the shots that have frames.

    Args:
        shots: of one video, in order of time.
        frames: their sampled frames, in any order.
    """
    numbers: dict[str, list[int]] = {}
    for number in sorted(range(len(frames)), key=lambda one: frames[one].time):
        numbers.setdefault(frames[number].shot_id, []).append(number)
    cells = []
    for shot in shots:
        span, inside = shot.shot.span, numbers.get(shot.shot_id, [])
        middles = [(frames[a].time + frames[b].time) / 2 for a, b in pairwise(inside)]
        edges = [span.start, *(min(max(one, span.start), span.end) for one in middles), span.end]
        for number, (start, end) in zip(inside, pairwise(edges), strict=True) if inside else ():
            if start < end:
                cells.append(Cell(TimeSpan(start, end), number))
    return cells


def label_intervals(
    cells: Sequence[LabelledCell], whole: TimeSpan, length: Fraction, null_label: str
) -> list[Interval]:
    """The labels of each interval, in order of time, without gaps.

    Borders are the multiples of the length on the file's own clock, which may not begin at 0: the first and the
    last interval may be shorter. What a frame stands for counts exactly as long as it is, at any frame rate.

    Args:
        cells: of one video, in order of time.
        whole: from the first frame of the video to the end of its last.
        length: of an interval, in exact seconds; more than 0.
        null_label: what a cell without labels counts as; it is an interval's label where it holds longest.
    """
    intervals = []
    start = whole.start
    first = 0
    while start < whole.end:
        end = min((start // length + 1) * length, whole.end)
        span = TimeSpan(start, end)
        while first < len(cells) and cells[first].span.end <= start:
            first += 1
        inside = [cell for cell in cells[first : _end_of(cells, first, end)] if cell.span.end > start]
        intervals.append(_interval_of(span, inside, null_label))
        start = end
    return intervals


def _end_of(cells: Sequence[LabelledCell], first: int, end: Fraction) -> int:
    while first < len(cells) and cells[first].span.start < end:
        first += 1
    return first


def _interval_of(span: TimeSpan, cells: Sequence[LabelledCell], null_label: str) -> Interval:
    seconds: dict[str, Fraction] = {}
    weighted: dict[str, float] = {}
    for cell in cells:
        held = min(cell.span.end, span.end) - max(cell.span.start, span.start)
        for label, score in cell.labels or ((null_label, 0.0),):
            seconds[label] = seconds.get(label, Fraction(0)) + held
            weighted[label] = weighted.get(label, 0.0) + float(held) * score
    ordered = sorted(seconds.items(), key=lambda one: -one[1])  # of equals the one that came first
    score = weighted[ordered[0][0]] / float(ordered[0][1]) if ordered else 0.0
    return Interval(span, tuple(ordered), score)


def label_shares(cells: Iterable[LabelledCell], whole: TimeSpan, null_label: str) -> list[tuple[str, Fraction]]:
    """For each label the share of the video in which it holds, 0 to 1, largest first; exact.

    Of single labels all shares together are 1 where shots cover the whole video.
    """
    seconds: dict[str, Fraction] = {}
    for cell in cells:
        for label, _ in cell.labels or ((null_label, 0.0),):
            seconds[label] = seconds.get(label, Fraction(0)) + cell.span.duration
    length = whole.end - whole.start
    return sorted(((label, held / length) for label, held in seconds.items()), key=lambda one: -one[1])
