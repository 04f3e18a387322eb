"""The rate that most frames of a video have, by the distances between them."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import accumulate

import pytest

from indexer.media.frame_steps import rate_of_ticks

MILLISECOND, NINETY = Fraction(1, 1000), Fraction(1, 90_000)


@pytest.mark.parametrize("rate", [Fraction(1), Fraction(25), Fraction(30_000, 1001), Fraction(60), Fraction(240)])
@pytest.mark.parametrize(("base", "exactness"), [(NINETY, 1e-5), (MILLISECOND, 1e-3)])
def test_a_constant_rate_is_found(rate: Fraction, base: Fraction, exactness: float) -> None:
    """Also by a clock of whole milliseconds, which no frame divides."""
    assert rate == pytest.approx(rate_of_ticks([round(n / rate / base) for n in range(300)], base), rel=exactness)


def test_long_frames_do_not_count() -> None:
    """One frame of ten seconds, or every tenth frame left out: the others tell."""
    ticks = [3000 * n for n in range(100)]
    assert 30 == rate_of_ticks([*ticks[:50], *(tick + 900_000 for tick in ticks[50:])], NINETY)
    assert 30 == rate_of_ticks([tick for n, tick in enumerate(ticks) if n % 10 != 5], NINETY)


def test_a_clock_that_strays_has_its_mean() -> None:
    """3002 and 2991 ticks of 90,000, as a phone wrote them, are 30 frames a second, not 29.98."""
    steps = [3002 if n % 11 < 7 else 2991 for n in range(89)]
    assert 30.02 == pytest.approx(rate_of_ticks(accumulate(steps, initial=0), NINETY), abs=0.01)


def test_most_frames_decide_where_there_are_several_lengths() -> None:
    """Sixty frames at 30 and forty at 25 a second, or a phone that lags in the dark, are 30, no mean of 27.8."""
    for long in (3600, 6000, 3210):
        steps = [3000, long, 3000, 3000, long] * 20
        assert 30 == rate_of_ticks(accumulate(steps, initial=0), NINETY)
    coarse = [33, 33, 34, 41, 42] * 20
    assert 30 == pytest.approx(rate_of_ticks(accumulate(coarse, initial=0), MILLISECOND), rel=1e-3)


def test_a_clock_that_does_not_beat_evenly_has_the_rate_of_its_whole() -> None:
    """Frames up to a third of their length early or late are as many a second as if they were not."""
    times = [n * 3000 + round(900 * math.sin(n)) for n in range(300)]
    assert 30 == pytest.approx(rate_of_ticks(times, NINETY), rel=1e-3)


def test_time_stamps_come_in_any_order() -> None:
    """Packets lie in the order of decoding, some twice, and a tick may be a whole frame."""
    assert 25 == rate_of_ticks([0, 3, 1, 2, 2, 6, 4, 5], Fraction(1, 25))
    assert rate_of_ticks([7], NINETY) is None
    assert rate_of_ticks([], NINETY) is None
