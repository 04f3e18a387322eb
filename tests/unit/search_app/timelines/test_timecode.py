"""Timecode is exact to the frame."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentimelineio import opentime

from search_app.timelines.timecode import (
    COUNTINGS,
    DROP_RATES,
    format_timecode,
    frames_a_day,
    nominal_rate,
    parse_timecode,
)

NTSC_30, NTSC_60 = DROP_RATES
RATES = [*COUNTINGS.values()]


@given(st.sampled_from(RATES), st.data())
def test_every_frame_of_a_day_comes_back(counting: tuple[Fraction, bool], data: st.DataObject) -> None:
    """Any frame number, written and read, is the same number, at every rate and counting."""
    rate, drop = counting
    frame = data.draw(st.integers(0, frames_a_day(rate, drop=drop) - 1))
    assert frame == parse_timecode(format_timecode(frame, rate, drop=drop), rate)


@given(st.sampled_from(RATES), st.data())
def test_every_name_comes_back(counting: tuple[Fraction, bool], data: st.DataObject) -> None:
    """Any timecode there is, read and written, is the same text; what drop-frame leaves out is refused."""
    rate, drop = counting
    hours, minutes, seconds = (data.draw(st.integers(0, most)) for most in (23, 59, 59))
    frames = data.draw(st.integers(0, nominal_rate(rate) - 1))
    name = f"{hours:02d}:{minutes:02d}:{seconds:02d}{';' if drop else ':'}{frames:02d}"
    if drop and seconds == 0 and minutes % 10 and frames < nominal_rate(rate) // 15:
        with pytest.raises(ValueError, match="leaves it out"):
            parse_timecode(name, rate)
    else:
        assert name == format_timecode(parse_timecode(name, rate), rate, drop=drop)


@pytest.mark.parametrize("rate", DROP_RATES)
def test_drop_frame_leaves_out_the_names_that_smpte_12m_says(rate: Fraction) -> None:
    """Written one after another, the names of 21 minutes are all names but the first of nine minutes in ten."""
    names = nominal_rate(rate)
    left_out = names // 15
    expected = [
        f"00:{minute:02d}:{second:02d};{frame:02d}"
        for minute in range(21)
        for second in range(60)
        for frame in range(names)
        if not (minute % 10 and second == 0 and frame < left_out)
    ]
    assert expected == [format_timecode(frame, rate, drop=True) for frame in range(len(expected))]


@pytest.mark.parametrize(
    ("name", "rate", "frame"),
    [
        ("01:00:00:00", Fraction(24_000, 1001), 86_400),
        ("01:00:00:00", Fraction(25), 90_000),
        ("01:00:00:00", NTSC_30, 108_000),
        ("01:00:00;00", NTSC_30, 107_892),
        ("00:59:59;28", NTSC_30, 107_890),
        ("00:01:00;02", NTSC_30, 1_800),
        ("00:10:00;00", NTSC_30, 17_982),
        ("01:00:00;00", NTSC_60, 215_784),
        ("23:59:59;29", NTSC_30, 2_589_407),
        ("23:59:59:49", Fraction(50), 4_319_999),
    ],
)
def test_known_frames(name: str, rate: Fraction, frame: int) -> None:
    """Figures that every editing program agrees on."""
    assert frame == parse_timecode(name, rate)
    assert name == format_timecode(frame, rate, drop=";" in name)


@pytest.mark.parametrize("name", COUNTINGS)
def test_opentimelineio_counts_alike_at_every_border(name: str) -> None:
    """Around each tenth minute of a day and at its end, another implementation gives and reads the same names."""
    rate, drop = COUNTINGS[name]
    day = frames_a_day(rate, drop=drop)
    borders = [border + step for border in range(0, day + 1, day // 144) for step in (-2, -1, 0, 1, 2)]
    for frame in (border for border in borders if 0 <= border < day):
        if frame / rate >= 24 * 60 * 60:  # a day of names is longer where none are dropped, which it does not know
            continue
        name = format_timecode(frame, rate, drop=drop)
        assert name == opentime.to_timecode(opentime.RationalTime(frame, float(rate)), float(rate), drop)
        assert frame == opentime.from_timecode(name, float(rate)).value


@given(st.sampled_from(RATES), st.integers(0, 2 * 5_184_000))
@example((NTSC_30, True), 2_589_408)
@example((NTSC_60, True), 5_178_816)
@example((Fraction(24_000, 1001), False), 2_073_600)
def test_frames_seconds_and_rational_time_are_one(counting: tuple[Fraction, bool], frame: int) -> None:
    """A frame becomes exact seconds, OpenTimelineIO's time, its seconds, and the same frame; past midnight too."""
    rate, drop = counting
    time = opentime.RationalTime(frame, float(rate))
    assert frame == Fraction(frame) / rate * rate
    assert frame == round(opentime.from_seconds(time.to_seconds(), float(rate)).value)
    assert frame == round(Fraction(time.to_seconds()) * rate)
    name = format_timecode(frame, rate, drop=drop)
    assert frame % frames_a_day(rate, drop=drop) == parse_timecode(name, rate)


def test_names_begin_again_after_a_day() -> None:
    """The frame after the last of the day is midnight."""
    assert "00:00:00:00" == format_timecode(frames_a_day(Fraction(25)), Fraction(25))
    assert "00:00:00;01" == format_timecode(frames_a_day(NTSC_30, drop=True) + 1, NTSC_30, drop=True)


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("1:00:00:00", Fraction(25)),
        ("24:00:00:00", Fraction(25)),
        ("00:60:00:00", Fraction(25)),
        ("00:00:00:25", Fraction(25)),
        ("00:00:00;10", Fraction(25)),
        ("00:01:00;01", NTSC_30),
        ("00:01:00;03", NTSC_60),
        ("", Fraction(25)),
    ],
)
def test_what_is_no_timecode_is_refused(name: str, rate: Fraction) -> None:
    """A name that no frame has is an error, never a guess."""
    with pytest.raises(ValueError, match="timecode"):
        parse_timecode(name, rate)
