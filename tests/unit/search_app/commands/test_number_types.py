"""Numbers that people type."""

import click
import pytest

from search_app.commands.number_types import Finite


@pytest.mark.parametrize("typed", ["nan", "inf", "-inf", "NaN"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    """It would pass every range, and fail in the middle of a render."""
    with pytest.raises(click.BadParameter):
        Finite()(typed)


def test_numbers_in_range_are_taken() -> None:
    """Everything else is as click's."""
    assert 2.5 == Finite(0, 3)("2.5")
    with pytest.raises(click.BadParameter):
        Finite(0, 3)("3.5")
