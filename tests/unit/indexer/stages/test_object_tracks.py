"""Objects followed over pictures."""

from __future__ import annotations

from fractions import Fraction

import pytest

from indexer.stages.object_tracks import SeenObject, intersection_over_union, track_objects


def at(left: float, top: float = 0.4, score: float = 0.9) -> SeenObject:
    return SeenObject(score, (left, top, 0.2, 0.2))


def tracks(*pictures: list[SeenObject]) -> list[tuple[int, ...]]:
    timed = [(Fraction(number), objects) for number, objects in enumerate(pictures)]
    return [picture.tracks for picture in track_objects(timed)]


def test_an_object_that_moves_a_little_is_one() -> None:
    """Each step overlaps the one before."""
    assert [(0,), (0,), (0,)] == tracks([at(0.1)], [at(0.15)], [at(0.2)])


def test_two_objects_keep_their_tracks_whatever_their_order() -> None:
    """The detector hands them out in the order of their scores."""
    assert [(0, 1), (1, 0)] == tracks([at(0.1), at(0.6)], [at(0.62), at(0.11)])


def test_an_object_far_away_is_another() -> None:
    """No overlap, no track."""
    assert [(0,), (1,)] == tracks([at(0.1)], [at(0.7)])


def test_an_object_that_is_overlooked_once_is_the_same() -> None:
    """Twice is too long."""
    assert [(0,), (), (0,)] == tracks([at(0.1)], [], [at(0.1)])
    assert [(0,), (), (), (1,)] == tracks([at(0.1)], [], [], [at(0.1)])


def test_the_best_overlap_wins() -> None:
    """Of two candidates for a track the nearer one goes on it."""
    assert [(0,), (1, 0)] == tracks([at(0.1)], [at(0.17), at(0.11)])


@pytest.mark.parametrize(
    ("other", "share"),
    [((0, 0, 0.2, 0.2), 1), ((0.1, 0, 0.2, 0.2), 1 / 3), ((0.2, 0, 0.2, 0.2), 0), ((0.5, 0.5, 0, 0), 0)],
)
def test_intersection_over_union(other: tuple[float, float, float, float], share: float) -> None:
    """Known shares; boxes that only touch share nothing."""
    assert pytest.approx(share) == intersection_over_union((0, 0, 0.2, 0.2), other)
