"""What the page says about files, times and numbers."""

from fractions import Fraction

import pytest

from search_app.ui.wording import counts_text, length_text, name_of, span_text
from store.records import Counts
from store.timespan import TimeSpan
from store.wording import clock, n_of, printable


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00.0"), (59.96, "1:00.0"), (123.4, "2:03.4"), (3723.4, "1:02:03.4")]
)
def test_clock_carries_rounding_into_minutes(seconds: float, text: str) -> None:
    """A time is rounded once, so that no clock ever shows sixty seconds."""
    assert text == clock(seconds)


@pytest.mark.parametrize(("seconds", "text"), [(Fraction(16, 5), "3.2 s"), (75, "1:15.0")])
def test_lengths_are_seconds_up_to_a_minute(seconds: Fraction | float, text: str) -> None:
    """Short lengths are read as seconds, long ones as a clock."""
    assert text == length_text(seconds)


def test_long_names_keep_beginning_and_end() -> None:
    """A long name is shortened in its middle to the length asked for."""
    name = name_of("/media/a really long take name of a long day v003 final.mp4", 20)
    assert (20, "a really ", " final.mp4") == (len(name), name[:9], name[-10:])


def test_control_characters_become_escapes() -> None:
    """Line ends, direction marks and broken bytes of a name cannot change the page."""
    assert r"a\nb\u202ec\udcff" == printable("a\nb\u202ec\udcff")


def test_a_span_is_two_clocks() -> None:
    """A shot's place is shown as its first and last instant."""
    assert "0:01.5 \N{EN DASH} 1:02.0" == span_text(TimeSpan(Fraction(3, 2), Fraction(62)))


def test_numbers_agree_with_their_nouns() -> None:
    """One thing is singular, any other number plural."""
    assert ["1 shot", "0 shots", "1,200 shots"] == [n_of(n, "shot") for n in (1, 0, 1200)]


def test_counts_name_what_is_wrong() -> None:
    """Partial, missing and failed files are said, and only if there are any."""
    assert "2 videos · 9 shots · 36.0 s" == counts_text(Counts(2, 9, 30, 0.01, 0, 0, 0))
    assert (
        "1 video · 9 shots · 2.5 hours · 1 video in part only · 2 videos missing · 1 file failed"
        == counts_text(Counts(1, 9, 30, 2.5, 1, 2, 1))
    )
