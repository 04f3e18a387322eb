"""Previews of hits that were found by spoken words begin to play there."""

from dataclasses import replace
from fractions import Fraction

import pytest

from search_app.search.fusion import Match
from search_app.search.ranking import Hit
from search_app.ui.previews import LEAD_SECONDS, preview_start
from store.records import Boundary, Shot, ShotRow
from store.timespan import TimeSpan

SHOT = Shot(0, TimeSpan(Fraction(10), Fraction(200)), Boundary.CUT)
HIT = Hit(1, 0.5, ShotRow("ab", "cd", "/a.mp4", SHOT, ""), Fraction(11), "")


def said_at(*seconds: float | None) -> Hit:
    return replace(HIT, matches=tuple(Match("transcript", 1, 1.0, "", ("x",), at) for at in seconds))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [((), 10.0), ((None,), 10.0), ((12.5,), 12.5), ((9.0,), 10.0), ((None, 30.0), 30.0), ((250.0, 20.0), 20.0)],
)
def test_a_hit_plays_from_the_word_that_was_found_in_it(
    seconds: tuple[float | None, ...], expected: float
) -> None:
    """A phrase that began before it plays from its start, as does what no word found."""
    assert expected == said_at(*seconds).play_seconds


def test_a_preview_begins_to_play_at_the_word() -> None:
    """Late words of long shots have a preview that begins shortly before them: previews are short."""
    assert (Fraction(0), 2.5) == ((near := preview_start(said_at(12.5))).skipped, near.offset_seconds)
    assert (Fraction(88), LEAD_SECONDS) == ((late := preview_start(said_at(100.0))).skipped, late.offset_seconds)
    assert (Fraction(0), 0.0) == ((none := preview_start(HIT)).skipped, none.offset_seconds)
