"""What pictures are taken for that do not say what their colours are."""

from __future__ import annotations

from fractions import Fraction

import pytest

from search_app.conforming.colours import matrix_of
from store.records import VideoFacts
from store.timespan import TimeSpan


@pytest.mark.parametrize(
    ("shown", "turn", "matrix"),
    [
        ((854, 480), 0, "smpte170m"),
        ((480, 854), 90, "smpte170m"),
        ((480, 854), 0, "bt709"),
        ((1280, 720), 180, "bt709"),
        ((720, 1280), 270, "bt709"),
    ],
)
def test_untagged_pictures_are_judged_by_their_stored_lines(
    shown: tuple[int, int], turn: int, matrix: str
) -> None:
    """A turn that a player applies does not change what it takes the colours for."""
    span = TimeSpan(Fraction(0), Fraction(9))
    facts = VideoFacts("mov", "h264", *shown, turn, None, Fraction(1, 90_000), Fraction(0), span, 225, True)
    assert matrix == matrix_of(facts, "unknown")
    assert "bt2020nc" == matrix_of(facts, "bt2020nc")
