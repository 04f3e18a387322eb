"""What is unwanted is taken out, and what may be unwanted waits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from search_app.ranking import Candidates
from search_app.refinement import drop_unwanted


def order_without_red(red: dict[str, float], answers: set[str], n: int = 100) -> Candidates:
    """The shots in the order given, without what is red."""
    candidates = Candidates(list(red))
    drop_unwanted(candidates, [("red", 0.5, red)], answers.__contains__, list(red)[:n])
    return candidates


def test_what_may_be_unwanted_comes_after_what_surely_is_not() -> None:
    """Of what is no answer; answers keep their order, and what surely is unwanted is out, with the reason."""
    red = {"d": 0.2, "a": 0.3, "b": 0.0, "c": 0.9, "e": 0.05, "f": 0.0}
    candidates = order_without_red(red, {"a", "b", "c"})
    assert ["a", "b", "e", "f", "d"] == candidates.order
    assert {"c": "-red"} == candidates.removed


@given(st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), st.floats(0, 1)), st.integers(0, 20))
def test_nothing_is_lost_and_deeper_pages_stay(red: dict[str, float], n: int) -> None:
    """Only what surely shows the unwanted goes; beyond the first n all keeps its order and place."""
    candidates = order_without_red(red, set(list(red)[::2]), n)
    kept = [shot_id for shot_id in red if red[shot_id] < 0.5]
    assert sorted(kept) == sorted(candidates.order)
    n_kept_of_head = sum(red[shot_id] < 0.5 for shot_id in list(red)[:n])
    assert kept[n_kept_of_head:] == candidates.order[n_kept_of_head:]
