"""The one rule for the rates of sources, films and timelines."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_app.conforming.target_profile import choose_profile
from search_app.cutting.cut_list import CutList
from search_app.frame_rates import (
    PROGRAM_RATES,
    SOURCE_RATES,
    has_doubtful_rate,
    program_rate,
    rate_of_most,
    source_rate,
)
from search_app.timelines.timeline import plan_timeline
from store.records import VideoFacts
from store.timespan import TimeSpan
from tests.golden.write_timelines import clip_of

FILM, NTSC, NTSC_60 = Fraction(24_000, 1001), Fraction(30_000, 1001), Fraction(60_000, 1001)
PAL = Fraction(25)


def facts(said: Fraction | None, usual: Fraction | None, n_frames: int, seconds: Fraction) -> VideoFacts:
    """Facts of a source whose file says a rate, whose frames mostly have another, and that has so many frames."""
    span = TimeSpan(Fraction(0), seconds)
    times = (said, Fraction(1, 90_000), Fraction(0), span, n_frames)
    return VideoFacts("mov", "h264", 640, 360, 0, *times, False, usual_rate=usual)


@pytest.mark.parametrize(
    ("said", "usual", "rate"),
    [
        ("8100000/269827", "3002/100", "30"),
        ("600", "25", "25"),
        ("59/2", "30", "30"),
        ("17", "30", "30"),
        ("17", "29.97", "30000/1001"),
        ("26", "25", "25"),
        ("2997/100", "29.97", "30000/1001"),
        ("30000/1001", "30", "30000/1001"),
        ("24", "30", "30"),
        ("47.952", "47.952", "48000/1001"),
        ("90000", "28.7", "30000/1001"),
        ("1", "1", "1"),
        ("12.5", "12.5", "25"),
        ("240", "240", "240"),
        (None, "50", "50"),
    ],
)
def test_a_source_has_the_rate_of_most_distances(said: str | None, usual: str, rate: str) -> None:
    """What a file says holds where programs know it and its frames agree, else the known rate nearest to most."""
    of = facts(None if said is None else Fraction(said), Fraction(usual), 100, 100 / Fraction(usual))
    assert Fraction(rate) == source_rate(of)
    assert not has_doubtful_rate(of)


@pytest.mark.parametrize(
    ("said", "n_frames", "seconds", "rate", "doubtful"),
    [
        ("8100000/269827", 90, "269827/90000", "30", True),
        ("600", 75, "3", "25", True),
        (None, 75, "3", "25", True),
        ("30000/1001", 300, "10.01", "30000/1001", False),
        ("25", 250, "10", "25", False),
        ("24", 900, "30", "24", True),
    ],
)
def test_facts_of_an_earlier_version_do(
    said: str | None, n_frames: int, seconds: str, rate: str, *, doubtful: bool
) -> None:
    """Without measured distances the counted frames tell, and where they leave a doubt the file is to be asked."""
    of = facts(None if said is None else Fraction(said), None, n_frames, Fraction(seconds))
    assert (Fraction(rate), doubtful) == (source_rate(of), has_doubtful_rate(of))


@given(
    st.fractions(min_value=Fraction(1, 10), max_value=1000),
    st.fractions(min_value=Fraction(1, 10), max_value=1000),
)
def test_every_rate_is_one_that_programs_know(said: Fraction, usual: Fraction) -> None:
    """Whatever a file says, no source has 17, and no timeline a rate that programs do not run at."""
    rate = source_rate(facts(said, usual, 100, 100 / usual))
    assert rate in SOURCE_RATES
    assert program_rate(rate) in PROGRAM_RATES


@pytest.mark.parametrize(
    ("source", "rate"),
    [
        ("1", "24"),
        ("5", "25"),
        ("8", "24"),
        ("20", "60"),
        ("15000/1001", "30000/1001"),
        ("240", "120"),
        ("90", "30"),
    ],
)
def test_slow_and_fast_sources_show_every_frame_as_often(source: str, rate: str) -> None:
    """A time lapse plays at a multiple of its rate, high speed at a part of it."""
    assert Fraction(rate) == program_rate(Fraction(source))


def mostly(*material: tuple[Fraction | int, int]) -> Fraction | None:
    """The rate of pieces, each a rate and a length in seconds."""
    return rate_of_most((Fraction(rate), Fraction(seconds)) for rate, seconds in material)


def test_most_of_the_material_gives_the_rate() -> None:
    """Lengths count, not clips; rates that differ by a thousandth or a factor of two stand together."""
    assert PAL == mostly((PAL, 10), (NTSC, 3), (NTSC, 3))
    assert Fraction(30) == mostly((PAL, 5), (30, 4), (NTSC, 3))
    assert Fraction(30) == mostly((PAL, 5), (30, 4), (60, 3))
    assert NTSC_60 == mostly((NTSC_60, 5), (30, 4), (PAL, 4))
    assert NTSC == mostly((24, 1), (NTSC, 1))
    assert mostly() is None


def test_one_clip_less_does_not_double_the_rate() -> None:
    """Thirty stays thirty when one of its clips is left out."""
    clips = [(Fraction(30), 4), (Fraction(30), 4), (NTSC_60, 4), (PAL, 4)]
    assert Fraction(30) == mostly(*clips)
    for kept in itertools.combinations(clips, 3):
        assert Fraction(30) == mostly(*kept)


def test_film_and_timeline_have_one_rate() -> None:
    """Of the same clips, whatever their order, the profile of a film and the plan of a timeline say the same."""
    sources = ((NTSC, 90), (PAL, 60), (Fraction(50), 60), (FILM, 20), (NTSC_60, 30))
    clips = [clip_of(f"/m/{n}.mov", rate, None, 0, of, sound=False) for n, (rate, of) in enumerate(sources)]
    for size in (1, 2, 3):
        for some in itertools.permutations(clips, size):
            seconds = [clip.span.duration for clip in some]
            film = choose_profile([clip.facts for clip in some], seconds)
            assert film.frame_rate == plan_timeline(CutList(some), "x").rate
