"""Neighbouring shots that answer together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from search_app.search.moments import Scored, merge_neighbours


def scored(*scores: float, video: str = "v") -> list[Scored]:
    """Shots of one video with these scores, best first."""
    shots = [Scored(f"{video}{i}", video, i, score) for i, score in enumerate(scores)]
    return sorted(shots, key=lambda shot: -shot.score)


def test_neighbours_near_the_peak_join_it() -> None:
    """Shots beside a peak that reach the share of its height join; the first that does not ends the moment."""
    shots = scored(0.1, 0.28, 0.3, 0.25, 0.12, 0.29)
    assert [("v1", "v2", "v3"), ("v5",), ("v4",), ("v0",)] == merge_neighbours(shots, floor=0.1, share=0.7)


def test_a_higher_peak_takes_the_valley() -> None:
    """A shot between two peaks goes to the higher one, and to one only."""
    assert [("v0", "v1"), ("v2",)] == merge_neighbours(scored(0.5, 0.4, 0.39), floor=0.0, share=0.8)


def test_shots_of_different_videos_never_merge() -> None:
    """Equal ordinals in other videos are no neighbours."""
    shots = sorted([*scored(0.3, 0.3, video="a"), *scored(0.3, video="b")], key=lambda shot: shot.shot_id)
    assert [("a0", "a1"), ("b0",)] == merge_neighbours(shots, floor=0.0, share=0.5)


def test_nothing_merges_below_the_mean() -> None:
    """Shots that score no better than the archive's mean stay alone, however alike their scores are."""
    assert [("v0",), ("v1",)] == merge_neighbours(scored(0.05, 0.05), floor=0.1, share=0.0)


@given(st.lists(st.floats(-1, 1), max_size=12), st.floats(-0.5, 0.5), st.floats(0, 1))
def test_every_shot_is_in_exactly_one_moment(scores: list[float], floor: float, share: float) -> None:
    """Moments are runs of neighbours that cover every shot once."""
    moments = merge_neighbours(scored(*scores), floor, share)
    assert sorted(f"v{i}" for i in range(len(scores))) == sorted(shot for moment in moments for shot in moment)
    for moment in moments:
        ordinals = [int(shot[1:]) for shot in moment]
        assert list(range(ordinals[0], ordinals[0] + len(moment))) == ordinals
