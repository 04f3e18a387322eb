"""The orders of clips."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_app.cutting.clip_order import (
    by_brightness,
    by_chance,
    by_date,
    by_look,
    by_relevance,
    by_source,
    chain_length,
    mean_luma,
)
from search_app.cutting.cut_list import Clip
from search_app.search.ranking import Hit
from store.records import Boundary, Embeddings, Shot, ShotRow, VideoFacts
from store.timespan import TimeSpan
from tests.fakes import make_picture

FACTS = VideoFacts(
    "mov",
    "h264",
    640,
    360,
    0,
    Fraction(25),
    Fraction(1, 90_000),
    Fraction(0),
    TimeSpan(Fraction(0), Fraction(60)),
    1500,
    True,
)


def clip(name: str, start: int, rank: int) -> Clip:
    """Two seconds of a video."""
    span = TimeSpan(Fraction(start), Fraction(start + 2))
    path = f"/videos/{name}.mp4"
    shot = ShotRow(f"{name}-{start}", name, path, Shot(start, span, Boundary.CUT), "")
    return Clip(name, (path,), span, (Hit(rank, 0.5, shot, span.start, ""),), FACTS)


def unit_rows(seed: int, n: int) -> Embeddings:
    """Vectors of length 1 in any direction."""
    rows = np.random.default_rng(seed).normal(size=(n, 4))
    unit: Embeddings = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def test_relevance_goes_by_rank_and_keeps_steps_together() -> None:
    """Two clips of one rank are the steps of one answer and stay as they are."""
    assert [1, 2, 0] == by_relevance([clip("a", 0, 9), clip("a", 8, 1), clip("a", 4, 1)])


def test_source_goes_by_file_then_time() -> None:
    """Each film is shown in its own order."""
    assert [2, 1, 0] == by_source([clip("b", 0, 1), clip("a", 8, 2), clip("a", 4, 3)])


def test_date_goes_by_day_then_source_and_unknown_days_come_last() -> None:
    """Of one day, files follow each other by name and time."""
    clips = [
        clip("late", 0, 1),
        clip("unknown", 0, 2),
        clip("early", 9, 3),
        clip("early", 2, 4),
        clip("also", 0, 5),
    ]
    dates = {"late": "2024-01-01", "early": "2019-05-03", "also": "2019-05-03"}
    assert [4, 3, 2, 0, 1] == by_date(clips, dates)


def test_brightness_goes_from_dark_to_bright() -> None:
    """Black comes first, white later, and what has no picture last."""
    colours = ("white", "black", "blue", "yellow")
    lumas = [mean_luma(make_picture(colour)) for colour in colours]
    assert [1, 2, 4, 0, 3] == by_brightness([*lumas[:3], None, lumas[3]])
    assert pytest.approx(250) == lumas[0]


def test_chance_is_the_same_for_the_same_seed() -> None:
    """A seed names one order of all clips, another seed another."""
    assert by_chance(20, 7) == by_chance(20, 7)
    assert by_chance(20, 7) != by_chance(20, 8)
    assert list(range(20)) == sorted(by_chance(20, 7))


@settings(deadline=None)
@given(st.integers(0, 999), st.integers(0, 30))
def test_look_is_a_chain_of_all_clips_from_the_first_and_never_longer(seed: int, n: int) -> None:
    """Neighbours are at least as alike as in the order given."""
    vectors = unit_rows(seed, n)
    places = by_look(vectors)
    assert list(range(n)) == sorted(places)
    assert [0][:n] == places[:1]
    assert chain_length(vectors, places) <= chain_length(vectors, range(n)) + 1e-5


def test_look_is_much_shorter_than_chance() -> None:
    """Of forty random pictures the chain is less than half as long as their order of relevance."""
    vectors = unit_rows(5, 40)
    assert chain_length(vectors, by_look(vectors)) < 0.5 * chain_length(vectors, range(40))


def test_look_turns_round_what_the_nearest_neighbour_leaves_behind() -> None:
    """On a half circle, the nearest neighbours in turn leave one side for last; the chain found goes along it."""
    angles = np.radians([40, 50, 20, 65, 5, 85])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    nearest_in_turn = [0, 1, 3, 5, 2, 4]
    assert chain_length(vectors, by_look(vectors)) < chain_length(vectors, nearest_in_turn) - 1e-3
