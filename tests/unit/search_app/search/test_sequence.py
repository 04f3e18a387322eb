"""A then B, in that order, inside one video."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from search_app.search.sequence import find_chains

SECONDS = np.array([0.0, 5.0, 10.0, 60.0])


def test_steps_follow_each_other_in_time() -> None:
    """The best A after the best B is no answer: the best pair in the right order wins."""
    scores = np.array([[0.0, 1.0, 9.0, 0.0], [9.0, 0.0, 5.0, 1.0]])
    best = find_chains(scores, SECONDS, None)[0]
    assert (3.0 + 2.0, (2, 3)) == (best.score, best.frames)


def test_the_window_limits_the_time_between_two_steps() -> None:
    """Within 10 seconds, frames 50 seconds apart are no pair; exactly 10 seconds is."""
    scores = np.array([[2.0, 0.0, 9.0, 0.0], [0.0, 0.0, 3.0, 9.0]])
    assert [(0, 2), (0, 1)] == [chain.frames for chain in find_chains(scores, SECONDS, 10.0)]


def test_one_frame_cannot_serve_two_steps() -> None:
    """A video of one frame answers no question of two steps."""
    assert [] == find_chains(np.array([[1.0], [1.0]]), SECONDS[:1], None)


def test_what_is_forbidden_is_in_no_chain() -> None:
    """Frames of score minus infinity are never used, and a step without any leaves nothing."""
    scores = np.array([[1.0, -np.inf, 0.0, 0.0], [-np.inf] * 4])
    assert [] == find_chains(scores, SECONDS, None)


@given(st.data())
def test_the_best_chain_is_the_best_of_all(data: st.DataObject) -> None:
    """On small videos the best chain equals that of trying every combination."""
    n_steps, n_frames = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 6))
    rows = st.lists(st.integers(-9, 9), min_size=n_frames, max_size=n_frames)
    scores = np.array(data.draw(st.lists(rows, min_size=n_steps, max_size=n_steps)), dtype=float)
    times = np.cumsum(data.draw(st.lists(st.integers(1, 9), min_size=n_frames, max_size=n_frames))).astype(float)
    window = data.draw(st.none() | st.integers(1, 20))
    every = [
        np.mean([scores[step, frame] for step, frame in enumerate(frames)])
        for frames in combinations(range(n_frames), n_steps)
        if window is None or all(times[b] - times[a] <= window for a, b in pairwise(frames))
    ]
    found = find_chains(scores, times, window)
    assert bool(every) == bool(found)
    if every:
        assert np.isclose(max(every), found[0].score)
