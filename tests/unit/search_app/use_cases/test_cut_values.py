"""Places and edges as people type them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from search_app.errors import QueryError
from search_app.use_cases.cut_values import parse_edge, parse_length, parse_place, parse_places
from tests.unit.search_app.cutting.test_cut_list import video

FACTS = replace(video("a").facts, start_timecode="10:00:00:00")


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("3", [3]),
        ("2-4", [2, 3, 4]),
        ("4-2", [4, 3, 2]),
        ("1, 5,1", [1, 5]),
        ("all", [1, 2, 3, 4, 5]),
        ("last", [5]),
        ("first, 3", [1, 3]),
    ],
)
def test_places(text: str, places: list[int]) -> None:
    """In the order named, each once."""
    assert places == parse_places(text, 5)


@pytest.mark.parametrize("text", ["", "0", "6", "1-6", "x", "-1", "1--2"])
def test_places_that_are_none_are_refused(text: str) -> None:
    """With a line that says what can be written."""
    with pytest.raises(QueryError, match="place"):
        parse_places(text, 5)


def test_one_place_is_a_number_or_an_end() -> None:
    """Nothing that names several."""
    assert [1, 2, 5] == [parse_place(text, 5) for text in ("first", "2", "last")]
    for text in ("1-2", "all", "0", "6", "x", ""):
        with pytest.raises(QueryError, match="place"):
            parse_place(text, 5)


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("+12f", 112),
        ("-0.5s", 88),
        ("300f", 300),
        ("1:02.48", 1562),
        ("10:00:04:12", 112),
        ("2s", 50),
        ("+1s", 125),
        ("+12", 400),
        ("+0:12", 400),
        ("12.5", 312),
    ],
)
def test_edges(text: str, frame: int) -> None:
    """A sign counts from now, a timecode is the source's own, all else counts from the beginning."""
    assert frame == parse_edge(text, FACTS, 100)


@pytest.mark.parametrize(
    ("said", "usual", "counted", "start", "text", "frame"),
    [
        (None, 24, 24, "01:00:00;00", "01:00:04;12", 108),
        (24, None, 24, "01:00:00;00", "01:00:04:12", 108),
        (Fraction(30_000, 1001), None, 30, "00:01:00;02", "00:01:00;12", 10),
        (600, 25, 25, "10:00:00:00", "10:00:04:12", 112),
        (None, 25, 17, "10:00:00:00", "10:00:04:12", 76),
        (None, 25, 17, "10:00:00:00", "10:00:04:22", 83),
    ],
)
def test_a_timecode_counts_at_the_rate_of_its_source(
    said: Fraction | None, usual: Fraction | None, counted: int, start: str, text: str, frame: int
) -> None:
    """Not at a mean, nor at the container's ticks; where no names can be dropped, `;` is no reason to refuse."""
    of_file, of_frames = (rate and Fraction(rate) for rate in (said, usual))
    n_frames = round(counted * FACTS.span.duration)
    facts = replace(FACTS, frame_rate=of_file, usual_rate=of_frames, start_timecode=start, n_frames=n_frames)
    assert frame == parse_edge(text, facts, 0)


@pytest.mark.parametrize("text", ["", "f", "abc", "+", "10:00:04:25", "--3f"])
def test_edges_that_are_none_are_refused(text: str) -> None:
    """With one line."""
    with pytest.raises(QueryError, match=r"time|timecode"):
        parse_edge(text, FACTS, 100)


def test_a_length_is_at_least_a_frame() -> None:
    """In frames of the source."""
    assert (48, 50) == tuple(parse_length(text, FACTS) for text in ("48f", "2s"))
    for nothing in ("0f", "0s"):
        with pytest.raises(QueryError, match="is no frame"):
            parse_length(nothing, FACTS)
    assert Fraction(25) == FACTS.frame_rate
