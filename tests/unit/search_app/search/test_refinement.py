"""What is unwanted is taken out, and what may be unwanted waits."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_app.confidence.background import Background
from search_app.search.ranking import Candidates
from search_app.search.refinement import drop_unwanted, spread
from search_app.search.shot_frames import ShotFrames
from store.records import Embeddings

NOTHING = np.zeros((0, 4), np.float32)
BACKGROUND = Background(NOTHING, NOTHING)


class FakeFrames(ShotFrames):
    """Shots of which it is known how each looks."""

    def __init__(self, looks: dict[str, list[float]]) -> None:
        self._looks = looks

    def best_vectors(self, shot_ids: Iterable[str]) -> Embeddings:
        rows = [self._looks[shot_id] for shot_id in shot_ids]
        return np.array(rows, np.float32).reshape(len(rows), 2)


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


@pytest.mark.parametrize("variety", [0.1, 0.5, 1.0])
def test_variety_orders_matches_and_nothing_comes_between_them(variety: float) -> None:
    """Boats that look alike come apart; birds that look like nothing else wait behind them, as they were."""
    looks = {name: [1.0, 0.0] for name in ("boat1", "boat2", "boat3")}
    looks |= {"boat4": [0.0, 1.0], "birds": [-1.0, 0.0], "duck": [0.0, -1.0], "far": [0.6, 0.8]}
    order = ["boat1", "birds", "boat2", "duck", "boat3", "boat4", "far"]
    candidates = Candidates(list(order), dict(zip(order, np.linspace(1, 0.5, 7), strict=True)))
    boats = {name for name in order if name.startswith("boat")}
    spread(candidates, FakeFrames(looks), BACKGROUND, variety, boats.__contains__, order[:-1])
    assert "boat1" == candidates.order[0]
    assert boats == set(candidates.order[:4])
    assert variety < 0.5 or candidates.order[1] == "boat4"
    assert ["birds", "duck", "far"] == candidates.order[4:]


def test_variety_without_a_match_changes_nothing() -> None:
    """What does not answer has no order that would be better."""
    candidates = Candidates(["a", "b"], {"a": 1.0, "b": 0.5})
    spread(candidates, FakeFrames({"a": [1, 0], "b": [0, 1]}), BACKGROUND, 1.0, lambda _: False, ["a", "b"])
    assert ["a", "b"] == candidates.order
