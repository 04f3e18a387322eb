"""Copies in one stack, and shots that are unlike each other first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_app.search.mmr import order_with_variety
from search_app.search.near_duplicates import stack_near_duplicates
from store.records import Embeddings


def at_angles(*degrees: float) -> Embeddings:
    """Unit vectors in a plane."""
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def test_copies_go_on_the_stack_of_the_best() -> None:
    """What is as near as allowed to a stack's first member goes on it; what is farther starts its own."""
    vectors = at_angles(0, 40, 2, 41, 80)
    assert [(0, 2), (1, 3), (4,)] == stack_near_duplicates(vectors, [False] * 5, 1 - np.cos(np.radians(5)))


def test_small_steps_do_not_join_what_differs() -> None:
    """A row of pictures that each differ a little does not end up in one stack: the first member decides."""
    vectors = at_angles(0, 4, 8, 12)
    assert [(0, 1), (2, 3)] == stack_near_duplicates(vectors, [False] * 4, 1 - np.cos(np.radians(5)))


def test_blank_frames_are_never_stacked() -> None:
    """Black frames of different films are near each other without being the same picture."""
    vectors = at_angles(0, 0, 0, 90, 90)
    blank = [True, True, False, False, False]
    assert [(0,), (1,), (2,), (3, 4)] == stack_near_duplicates(vectors, blank, 0.01)


def test_variety_brings_what_is_unlike_forward() -> None:
    """With some variety, a worse but different shot comes before a near copy of the best."""
    vectors = at_angles(0, 1, 90)
    assert [0, 2, 1] == order_with_variety([1.0, 0.9, 0.5], vectors, 0.5)
    assert [0, 1, 2] == order_with_variety([1.0, 0.9, 0.5], vectors, 0.0)


def test_variety_counts_from_the_mean_similarity_of_the_archive() -> None:
    """Where all frames are alike, only what is more alike than usual counts as sameness."""
    vectors = at_angles(0, 25, 2)
    assert [0, 1, 2] == order_with_variety([1.0, 0.9, 0.85], vectors, 0.3, 0.9)


@pytest.mark.parametrize("variety", [-0.1, 1.1, float("nan")])
def test_variety_outside_its_range_is_refused(variety: float) -> None:
    """Variety goes from 0 to 1."""
    with pytest.raises(ValueError, match="variety"):
        order_with_variety([1.0], at_angles(0), variety)


@given(st.lists(st.floats(0, 180), max_size=12), st.floats(0, 1))
def test_nothing_is_lost_by_stacking_or_variety(degrees: list[float], share: float) -> None:
    """Every item comes out exactly once, and the best of all stays first."""
    vectors = at_angles(*degrees).reshape(-1, 2)
    stacks = stack_near_duplicates(vectors, [False] * len(degrees), share)
    assert list(range(len(degrees))) == sorted(item for stack in stacks for item in stack)
    order = order_with_variety([float(-i) for i in range(len(degrees))], vectors, share)
    assert list(range(len(degrees))) == sorted(order)
    if degrees and share < 1:
        assert 0 == stacks[0][0] == order[0]
