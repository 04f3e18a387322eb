"""Over how many frames two pieces blend, and which options contradict each other."""

from fractions import Fraction

import pytest

from search_app.errors import QueryError
from search_app.rendering.film_options import FilmOptions
from search_app.rendering.transitions import Blend, Transition, plan_blend


def test_a_dip_takes_half_of_its_time_from_each_neighbour() -> None:
    """A dissolve shows both at once for the whole time; a cut takes none."""
    second = Fraction(1)
    assert Blend(Transition.DIP, 12) == plan_blend(Transition.DIP, second, Fraction(24))
    assert Blend(Transition.DISSOLVE, 24) == plan_blend(Transition.DISSOLVE, second, Fraction(24000, 1001))
    assert Blend() == plan_blend(Transition.CUT, second, Fraction(24))
    assert 1 == plan_blend(Transition.DIP, Fraction(1, 1000), Fraction(24)).n_frames


def test_a_piece_keeps_two_clear_frames_between_both_blends() -> None:
    """The shorter neighbour decides."""
    blend = Blend(Transition.DISSOLVE, 5)
    assert [5, 0, 0] == [blend.between(12, 100), blend.between(100, 11), blend.between(11, 100)]


def test_seconds_without_a_transition_are_refused() -> None:
    """No option is ignored in silence."""
    with pytest.raises(QueryError, match="only with --transition"):
        FilmOptions(transition_seconds=1.0)
