"""Confidence in words, and beside its number."""

from __future__ import annotations

import pytest

from search_app.confidence.certainty import percent_of, words_of


@pytest.mark.parametrize(
    ("confidence", "said"),
    [
        (None, "unknown"),
        (0.0, "0 %, low"),
        (0.001, "<1 %, low"),
        (0.49, "49 %, low"),
        (0.5, "50 %, medium"),
        (0.8, "80 %, high"),
        (0.9999, ">99 %, high"),
        (1.0, "100 %, high"),
    ],
)
def test_a_number_has_its_word(confidence: float | None, said: str) -> None:
    """What is nearly certain is not called certain, and what nobody measured is unknown."""
    assert said == words_of(confidence, is_calibrated=True)


def test_what_nobody_fitted_is_said_in_words_only() -> None:
    """A number for an encoder that was never calibrated would be made up."""
    assert "medium" == words_of(0.7, is_calibrated=False)
    assert "unknown" == words_of(None, is_calibrated=False)


def test_what_the_number_is_of_can_follow_it() -> None:
    """Where a number stands alone it says what it is of."""
    assert "93 % sure, high" == words_of(0.93, is_calibrated=True, sure=" sure")
    assert "93 %" == percent_of(0.93)
