"""Cells, intervals and shares on an exact clock, by laws that hold for any frames and any interval."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from indexer.stages.label_timeline import LabelledCell, cells_of_shots, label_intervals, label_shares
from store.records import Boundary, FrameRow, Shot, ShotRow
from store.timespan import TimeSpan

NULL = "something else"


def shot_row(number: int, start: Fraction, end: Fraction) -> ShotRow:
    return ShotRow(f"{number:016x}", "v", "/v.mp4", Shot(number, TimeSpan(start, end), Boundary.CUT), "")


def frame_row(shot: ShotRow, time: Fraction, number: int) -> FrameRow:
    return FrameRow(number, shot.shot_id, "v", time, 1.0, "")


def test_a_frame_stands_for_the_time_nearest_to_it() -> None:
    """Borders lie in the middle between frames, and at the ends of the shot."""
    shots = [shot_row(0, Fraction(1), Fraction(9)), shot_row(1, Fraction(9), Fraction(10))]
    frames = [frame_row(shots[0], Fraction(time), time) for time in (8, 2, 3)]
    frames.append(frame_row(shots[1], Fraction(19, 2), 9))
    cells = cells_of_shots(shots, frames)
    assert [(1, Fraction(5, 2), 1), (Fraction(5, 2), Fraction(11, 2), 2), (Fraction(11, 2), 9, 0), (9, 10, 3)] == [
        (cell.span.start, cell.span.end, cell.frame) for cell in cells
    ]


def test_an_interval_has_the_label_that_holds_longest() -> None:
    """Not the one of most cells; borders are multiples of the length on the file's own clock."""
    cells = [
        LabelledCell(TimeSpan(Fraction(3, 2), Fraction(4)), (("long", 0.5),)),
        *(LabelledCell(TimeSpan(Fraction(4 + i, 1), Fraction(5 + i, 1)), (("short", 1.0),)) for i in range(2)),
        LabelledCell(TimeSpan(Fraction(6), Fraction(7)), ()),
    ]
    found = label_intervals(cells, TimeSpan(Fraction(3, 2), Fraction(7)), Fraction(5), NULL)
    assert [(Fraction(3, 2), Fraction(5)), (Fraction(5), Fraction(7))] == [
        (i.span.start, i.span.end) for i in found
    ]
    assert [("long", 0.5), ("short", 1.0)] == [(one.label, one.score) for one in found]
    assert (("short", Fraction(1)), (NULL, Fraction(1))) == found[1].seconds


TIMES = st.fractions(min_value=0, max_value=50, max_denominator=1001)


@given(
    st.lists(TIMES, min_size=2, max_size=12, unique=True),
    st.lists(st.sampled_from(["a", "b", ""]), min_size=11, max_size=11),
    st.fractions(min_value=Fraction(1, 10), max_value=20, max_denominator=30),
)
def test_no_second_is_lost_or_counted_twice(times: list[Fraction], labels: list[str], length: Fraction) -> None:
    """Intervals cover the video without gaps, and their seconds and the shares add up to all of it, exactly."""
    edges = sorted(times)
    cells = [
        LabelledCell(TimeSpan(a, b), ((label, 1.0),) if label else ())
        for a, b, label in zip(edges, edges[1:], labels, strict=False)
    ]
    whole = TimeSpan(edges[0], edges[-1])
    found = label_intervals(cells, whole, length, NULL)
    assert whole == TimeSpan(found[0].span.start, found[-1].span.end)
    assert all(a.span.end == b.span.start for a, b in pairwise(found))
    assert all(one.span.end % length == 0 for one in found[:-1])
    assert all(one.span.duration == sum(held for _, held in one.seconds) for one in found)
    shares = dict(label_shares(cells, whole, NULL))
    assert 1 == sum(shares.values())
    for label, share in shares.items():
        held = sum(dict(one.seconds).get(label, Fraction(0)) for one in found)
        assert share * whole.duration == held
