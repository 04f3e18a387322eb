"""The timecode of the first frame, from what a file says."""

from fractions import Fraction

import pytest

from indexer.media.tags import read_sound_timecode, read_start_timecode

HOUR = 3600 * 48_000
NTSC = Fraction(30_000, 1001)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"timecode": "01:00:00:00"}, "01:00:00:00"),
        ({"TIMECODE": " 00:59:59;28 "}, "00:59:59;28"),
        ({"timecode": "00:59:59.28"}, "00:59:59;28"),
        ({"timecode": "10:00:00:100"}, "10:00:00:100"),
        ({"timecode": "01:00:61:00"}, None),
        ({"timecode": "an hour"}, None),
        ({"timecode_note": "01:00:00:00"}, None),
        ({}, None),
    ],
)
def test_the_start_timecode_is_read_from_the_tags(tags: dict[str, str], expected: str | None) -> None:
    """Every container writes it its own way; what is no timecode says nothing."""
    assert expected == read_start_timecode(tags)


@pytest.mark.parametrize(
    ("tags", "rate", "delay", "expected"),
    [
        ({"time_reference": str(HOUR)}, Fraction(25), Fraction(0), "01:00:00:00"),
        ({"TIME_REFERENCE": f" {HOUR} "}, Fraction(25), Fraction(2, 25), "01:00:00:02"),
        # A recorder beside a camera at 29.97 stamps what an hour of names lasts: 1001/1000 of an hour.
        ({"time_reference": str(HOUR * 1001 // 1000)}, NTSC, Fraction(0), "01:00:00:00"),
        ({"time_reference": str(24 * HOUR)}, Fraction(25), Fraction(0), None),
        ({"time_reference": "0"}, Fraction(25), Fraction(0), None),
        ({"time_reference": "-5"}, Fraction(25), Fraction(0), None),
        ({"time_reference": "\u0661"}, Fraction(25), Fraction(0), None),
        ({}, Fraction(25), Fraction(0), None),
    ],
)
def test_the_clock_of_the_sound_recorder_names_the_first_frame(
    tags: dict[str, str], rate: Fraction, delay: Fraction, expected: str | None
) -> None:
    """Samples since midnight become a timecode; a clock that was never set says nothing."""
    assert expected == read_sound_timecode(tags, 48_000, rate, delay)
