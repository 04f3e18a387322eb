"""Joining rankings by rank alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_app.search.fusion import Match, fuse_rankings, rank_scores


def ranking(channel: str, scores: dict[str, float]) -> dict[str, Match]:
    ranks = rank_scores(scores)
    return {shot: Match(channel, ranks[shot], score) for shot, score in scores.items()}


def test_votes_are_weights_over_constant_plus_rank() -> None:
    """The joined vote is the sum of weight / (constant + rank) over the channels that found a shot."""
    pictures = ranking("picture", {"a": 0.3, "b": 0.2})
    speech = ranking("transcript", {"b": 9.0})
    fused = fuse_rankings([pictures, speech], {"picture": 1.0, "transcript": 0.5}, 60)
    assert ["b", "a"] == [one.shot_id for one in fused]
    assert [1 / 62 + 0.5 / 61, 1 / 61] == pytest.approx([one.relevance for one in fused])
    assert ["picture", "transcript"] == [match.channel for match in fused[0].matches]


def test_no_channel_drowns_another_by_the_scale_of_its_scores() -> None:
    """Speech scores a million times as large as those of pictures change nothing: only their ranks count."""
    pictures = ranking("picture", {f"shot{i}": 0.3 - i / 100 for i in range(10)})
    speech = {f"shot{i}": 10.0 - i for i in (7, 8, 9)}
    louder = {shot: 1e6 * score for shot, score in speech.items()}
    weights = {"picture": 1.0, "transcript": 0.7}
    quiet = fuse_rankings([pictures, ranking("transcript", speech)], weights)
    loud = fuse_rankings([pictures, ranking("transcript", louder)], weights)
    assert [one.shot_id for one in quiet] == [one.shot_id for one in loud]
    assert "shot0" in [one.shot_id for one in loud[:4]]


def test_equal_scores_share_a_place() -> None:
    """Shots of one file that its name found alike all have the same rank, and the next comes after all of them."""
    assert {"a": 1, "b": 1, "c": 3} == rank_scores({"a": 2.0, "b": 2.0, "c": 1.0})


def test_a_channel_without_weight_has_no_vote() -> None:
    """Weight 0, or none, switches a channel off."""
    only = fuse_rankings(
        [ranking("label", {"a": 1.0}), ranking("picture", {"b": 1.0})], {"picture": 1.0, "label": 0}
    )
    assert ["b"] == [one.shot_id for one in only]


@given(
    st.lists(st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-1, 1), max_size=8), max_size=4),
    st.permutations([0, 1, 2, 3]),
)
def test_the_order_of_channels_makes_no_difference(scores: list[dict[str, float]], order: list[int]) -> None:
    """Joining is the same in whatever order channels come, and every found shot comes out exactly once."""
    weights = {f"channel{i}": 1.0 / (i + 1) for i in range(4)}
    rankings = [ranking(f"channel{i}", one) for i, one in enumerate(scores)]
    shuffled = [rankings[i] for i in order if i < len(rankings)]
    fused = [one.shot_id for one in fuse_rankings(rankings, weights)]
    assert fused == [one.shot_id for one in fuse_rankings(shuffled, weights)]
    assert sorted({shot for one in scores for shot in one}) == sorted(fused)
