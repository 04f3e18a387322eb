"""Placing frames on one line that only goes forward."""

from fractions import Fraction

import pytest

from indexer.media.clock import MAX_JUMPS, FrameClock, clock_expression
from store.records import ClockJump

BASE = Fraction(1, 90_000)
FRAME = 3600


def _clock(may_jump: bool = True) -> FrameClock:
    return FrameClock(Fraction(0), BASE, may_jump, Fraction(1, 25))


def _place(clock: FrameClock, ticks: list[int]) -> list[Fraction | None]:
    placed = [clock.place(tick, FRAME) for tick in ticks]
    return [None if one is None else one.time / (FRAME * BASE) for one in placed]


def test_a_clock_that_starts_again_goes_on_a_frame_later() -> None:
    """In ticks that are whole, whatever the new clock says."""
    clock = _clock()
    ticks = [n * FRAME for n in range(4)] + [-500_000 + n * FRAME for n in range(4)]
    assert [*range(8)] == _place(clock, ticks)
    assert [ClockJump(4 * FRAME * BASE, -500_000, 4)] == clock.jumps


def test_a_clock_that_may_not_jump_leaves_frames_out() -> None:
    """Of Matroska and MP4, what runs backwards is damage."""
    clock = _clock(may_jump=False)
    ticks = [10 * FRAME, 11 * FRAME, 0, FRAME, 12 * FRAME]
    assert [10, 11, None, None, 12] == _place(clock, ticks)
    assert (2, []) == (clock.n_backward, clock.jumps)


def test_a_frame_out_of_place_is_no_new_clock() -> None:
    """Two frames swapped in a transport stream cost one of them, not the time line."""
    assert [0, 2, None, 3] == _place(_clock(), [0, 2 * FRAME, FRAME, 3 * FRAME])


def test_one_wrong_stamp_far_ahead_costs_nothing() -> None:
    """There and back again: the line has no gap."""
    ticks = [0, FRAME, 10**9, 3 * FRAME, 4 * FRAME]
    assert [0, 1, 2, 3, 4] == _place(_clock(), ticks)


def test_sound_decides_whether_a_hole_is_a_jump() -> None:
    """With sound in half of it or more the clock is right."""
    silent, sounding = _clock(), _clock()
    hole = 750 * FRAME
    for clock in (silent, sounding):
        _place(clock, [0, FRAME])
    for second in range(31):
        sounding.hear(second)
    assert [Fraction(2)] == _place(silent, [hole])
    assert [Fraction(750)] == _place(sounding, [hole])


def test_jumps_without_end_are_bounded() -> None:
    """A forged stream does not fill the archive with jumps."""
    clock = _clock()
    _place(clock, [(n % 2) * 10**8 for n in range(3 * MAX_JUMPS)])
    assert MAX_JUMPS == len(clock.jumps)


@pytest.mark.parametrize(
    ("distances", "rate"),
    [
        ([33, 33, 34] * 20, 30),
        ([4, 4, 4, 4, 5] * 20, Fraction(5000, 21)),
        ([40] * 50 + [80] * 3 + [40_000], 25),
        ([1, 2] * 3 + [500, 900, 1300] * 4, 2),  # by the middle one, if none is usual
        ([], None),
    ],
)
def test_the_usual_rate(distances: list[int], rate: Fraction | None) -> None:
    """The mean of the distances around the middle one, else that itself; none of a single frame."""
    clock = FrameClock(Fraction(0), Fraction(1, 1000), False, Fraction(1, 25))
    tick = 0
    for distance in [0, *distances]:
        tick += distance
        clock.place(tick, 0)
    assert rate == clock.usual_rate


def test_without_jumps_the_expression_changes_nothing() -> None:
    """Files with one clock are cut as ever."""
    assert "PTS" == clock_expression((), Fraction(0), BASE)
