"""From scored frames to ranked shots."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from search_app.ranking import rank_shots
from store.records import Boundary, FrameHit, Shot, ShotRow
from store.timespan import TimeSpan


def make_frame(shot: int, score: float, seconds: int = 0) -> FrameHit:
    span = TimeSpan(Fraction(shot * 10), Fraction(shot * 10 + 10))
    row = ShotRow(f"{shot:016x}", "f" * 32, "/films/a.mp4", Shot(shot, span, Boundary.CUT), "")
    return FrameHit(score, span.start + seconds, f"/thumbs/{shot}-{seconds}.webp", row)


def test_one_hit_for_each_shot_by_its_best_frame() -> None:
    """A shot is listed once, with the score, time and picture of its best frame."""
    hits = rank_shots([make_frame(1, 0.3), make_frame(2, 0.6, 4), make_frame(1, 0.9, 7), make_frame(2, 0.5)], 10)
    assert [(1, 0.9, Fraction(17), "/thumbs/1-7.webp"), (2, 0.6, Fraction(24), "/thumbs/2-4.webp")] == [
        (hit.rank, hit.score, hit.time, hit.thumbnail) for hit in hits
    ]


def test_the_limit_counts_shots() -> None:
    """The limit is how many shots come back, however many frames were found."""
    frames = [make_frame(shot, 0.5 - shot / 100, second) for shot in range(5) for second in range(3)]
    assert [0, 1] == [hit.shot.shot.ordinal for hit in rank_shots(frames, 2)]


def test_ties_go_by_file_and_time() -> None:
    """Equal scores are listed in order of time, whatever order they came in."""
    frames = [make_frame(shot, 0.5) for shot in (3, 1, 2)]
    assert [1, 2, 3] == [hit.shot.shot.ordinal for hit in rank_shots(frames, 10)]


def test_nothing_found() -> None:
    """No frames give no hits."""
    assert rank_shots([], 5) == []


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-100, 100), st.integers(0, 9))), st.integers(1, 8))
def test_ranking_is_that_of_the_best_frames(drawn: list[tuple[int, int, int]], limit: int) -> None:
    """Ranks count from 1, scores never rise, and each is the best of its shot."""
    hits = rank_shots([make_frame(shot, score / 100, second) for shot, score, second in drawn], limit)
    best = {shot: max(s / 100 for other, s, _ in drawn if other == shot) for shot, _, _ in drawn}
    assert sorted(best.values(), reverse=True)[:limit] == [hit.score for hit in hits]
    assert list(range(1, len(hits) + 1)) == [hit.rank for hit in hits]
    assert all(best[hit.shot.shot.ordinal] == hit.score for hit in hits)
