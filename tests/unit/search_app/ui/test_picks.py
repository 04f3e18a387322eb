"""The list of ticked shots."""

from fractions import Fraction

from search_app.ranking import Hit
from search_app.ui.picks import Order, Picks
from store.records import Boundary, Shot, ShotRow
from store.timespan import TimeSpan


def make_hit(shot_id: str, score: float = 0.5, seconds: int = 2) -> Hit:
    """A hit on a shot of that name."""
    shot = Shot(0, TimeSpan(Fraction(0), Fraction(seconds)), Boundary.START)
    return Hit(1, score, ShotRow(shot_id, "v", "/v.mp4", shot, ""), Fraction(0), "")


def test_shots_follow_each_other_as_ticked_or_by_score() -> None:
    """The order of ticking is kept, and the order of score is there for the asking."""
    picks = Picks()
    for shot_id, score in (("a", 0.2), ("b", 0.9), ("c", 0.2)):
        picks.set(make_hit(shot_id, score), True)
    assert ["a", "b", "c"] == [hit.shot.shot_id for hit in picks.ordered(Order.TICKED)]
    assert ["b", "a", "c"] == [hit.shot.shot_id for hit in picks.ordered(Order.SCORE)]


def test_ticking_again_keeps_the_place() -> None:
    """A shot that another question finds again keeps its place, and is there once."""
    picks = Picks()
    for shot_id in ("a", "b", "a"):
        picks.set(make_hit(shot_id), True)
    assert ["a", "b"] == [hit.shot.shot_id for hit in picks.ordered(Order.TICKED)]


def test_unticking_takes_a_shot_out() -> None:
    """A shot without its tick is gone, and taking it out twice is no error."""
    picks = Picks()
    picks.set(make_hit("a"), True)
    picks.set(make_hit("a"), False)
    picks.set(make_hit("a"), False)
    assert (0, False) == (len(picks), make_hit("a") in picks)


def test_removal_in_the_list_redraws_the_boxes() -> None:
    """Taking shots out elsewhere than at their box changes the version that the boxes are named by."""
    picks = Picks()
    picks.set(make_hit("a"), True)
    picks.remove("a")
    first = picks.version
    picks.clear()
    assert (1, 2) == (first, picks.version)


def test_total_length_is_exact() -> None:
    """The lengths of all ticked shots add up."""
    picks = Picks()
    picks.set(make_hit("a", seconds=2), True)
    picks.set(make_hit("b", seconds=3), True)
    assert Fraction(5) == picks.duration
