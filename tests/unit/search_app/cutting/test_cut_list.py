"""The laws of cut lists."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_app.cutting.cut_list import CutList, build_cut_list
from search_app.search.ranking import Hit, StepHit
from store.records import Boundary, Shot, ShotRow, VideoFacts, VideoRow
from store.timespan import TimeSpan

RATES = (Fraction(24000, 1001), Fraction(25), Fraction(60), None)


def video(name: str, rate: Fraction | None = Fraction(25), end: int = 60) -> VideoRow:
    """A video from 0 to `end` seconds."""
    span = TimeSpan(Fraction(0), Fraction(end))
    facts = VideoFacts("mov", "h264", 640, 360, 0, rate, Fraction(1, 90_000), Fraction(0), span, 1500, True)
    return VideoRow(name, f"/videos/{name}.mp4", True, (f"/copies/{name}.mp4",), facts, 10, {})


def hit(row: VideoRow, ordinal: int, start: Fraction | int, end: Fraction | int, rank: int = 1) -> Hit:
    """A hit on one shot of a video."""
    span = TimeSpan(Fraction(start), Fraction(end))
    shot = ShotRow(f"{row.video_id}-{ordinal}", row.video_id, row.path, Shot(ordinal, span, Boundary.CUT), "")
    return Hit(rank, 1 - rank / 1000, shot, span.start, "")


@st.composite
def archives(draw: st.DrawFn) -> tuple[list[Hit], dict[str, VideoRow]]:
    """Videos with shots one after another, and some of the shots as hits in any order; some videos unknown."""
    videos, found = {}, []
    for number in range(draw(st.integers(1, 3))):
        row = video(f"v{number}", draw(st.sampled_from(RATES)), end=30)
        edges = sorted(draw(st.sets(st.fractions(0, 30, max_denominator=1001), min_size=2, max_size=7)))
        found += [hit(row, n, edges[n], edges[n + 1]) for n in range(len(edges) - 1)]
        if draw(st.integers(0, 9)):
            videos[row.video_id] = row
    order = draw(st.permutations(found))
    return [
        Hit(rank, one.score, one.shot, one.time, "")
        for rank, one in enumerate(order[: draw(st.integers(0, len(order)))], start=1)
    ], videos


def hits_of(cut_list: CutList) -> list[Hit]:
    """Every hit the cut list accounts for, in clips and left out."""
    return [one for clip in cut_list.clips for one in clip.hits] + [left.hit for left in cut_list.left_out]


@given(
    archives(),
    st.none() | st.integers(0, 8),
    st.none() | st.fractions(0, 40, max_denominator=100),
    st.fractions(0, 3, max_denominator=100),
)
def test_laws(
    archive: tuple[list[Hit], dict[str, VideoRow]],
    limit: int | None,
    max_seconds: Fraction | None,
    handles: Fraction,
) -> None:
    """Clips keep the hits' order, never overlap, fit the limits, and every hit is accounted for once."""
    hits, videos = archive
    cut_list = build_cut_list(hits, videos, limit=limit, max_seconds=max_seconds, handles_seconds=handles)
    assert sorted(one.rank for one in hits) == sorted(one.rank for one in hits_of(cut_list))
    ranks = [clip.hits[0].rank for clip in cut_list.clips]
    assert sorted(ranks) == ranks
    for one, other in combinations(cut_list.clips, 2):
        assert one.video_id != other.video_id or not one.span.overlaps(other.span)
    for place, clip in enumerate(cut_list.clips):
        core, last = clip.hits[0].shot.shot.span, place == len(cut_list.clips) - 1
        assert clip.facts.span.start <= clip.span.start <= core.start < clip.span.end <= clip.facts.span.end
        assert core.end <= clip.span.end or (last and max_seconds is not None)
    assert limit is None or len(cut_list.clips) <= limit
    assert max_seconds is None or cut_list.duration <= max_seconds
    assert all(left.reason for left in cut_list.left_out)


def test_clip_is_its_shot() -> None:
    """Without limits and handles a clip is exactly the shot, and knows all places of its source."""
    row = video("a")
    cut_list = build_cut_list([hit(row, 3, 4, 9)], {"a": row})
    (clip,) = cut_list.clips
    assert TimeSpan(Fraction(4), Fraction(9)) == clip.span
    assert ("/videos/a.mp4", "/copies/a.mp4") == clip.paths
    assert ("a-3",) == clip.shot_ids


def test_edges_hold_where_a_tick_is_a_whole_frame() -> None:
    """In AVI two ticks are two frames: handles and the longest length still count the frames asked for."""
    row = video("v")
    coarse = replace(row, facts=replace(row.facts, time_base=Fraction(1, 25)))
    (clip,) = build_cut_list([hit(coarse, 0, 10, 12)], {"v": coarse}, handles_seconds=Fraction(5, 25)).clips
    frames = [n for n in range(1500) if clip.span.start <= Fraction(n, 25) < clip.span.end]
    assert (245, 304) == (frames[0], frames[-1])
    (short,) = build_cut_list([hit(coarse, 0, 10, 12)], {"v": coarse}, max_seconds=1).clips
    assert 25 == sum(short.span.start <= Fraction(n, 25) < short.span.end for n in range(1500))


def test_steps_in_order_of_time_are_clips_of_their_own() -> None:
    """A THEN B is cut to A and B, without the hours between; who asked for more sees no shot twice."""
    row = video("v")
    first, second = hit(row, 0, 1, 2), hit(row, 1, 50, 52)
    steps = tuple(StepHit(one.shot, one.time, 0.5) for one in (first, second))
    chain = replace(first, members=(first.shot, second.shot), steps=steps)
    cut_list = build_cut_list([chain, second], {"v": row})
    assert [first.shot.shot.span, second.shot.shot.span] == [clip.span for clip in cut_list.clips]
    assert [second] == [left.hit for left in cut_list.left_out]


@pytest.mark.parametrize("seconds", [0.5, 1, 2.9])
def test_a_length_takes_the_steps_of_an_answer_together_or_not_at_all(seconds: float) -> None:
    """A THEN B of which only A would fit, whole or in part, is left out."""
    row = video("v")
    first, second = hit(row, 0, 1, 2), hit(row, 1, 50, 52)
    steps = tuple(StepHit(one.shot, one.time, 0.5) for one in (first, second))
    chain = replace(first, members=(first.shot, second.shot), steps=steps)
    cut_list = build_cut_list([chain], {"v": row}, max_seconds=seconds)
    assert () == cut_list.clips
    assert 2 == len(cut_list.left_out)
    assert 2 == len(build_cut_list([chain], {"v": row}, max_seconds=3).clips)


def test_handles_never_reach_into_another_hit() -> None:
    """Handles stop at a neighbouring hit's shot, and the better hit gets the gap first."""
    row = video("a")
    hits = [hit(row, 1, 10, 12, 1), hit(row, 0, 8, 10, 2), hit(row, 2, 13, 15, 3)]
    better, before, after = (clip.span for clip in build_cut_list(hits, {"a": row}, handles_seconds=2).clips)
    assert (Fraction(10), Fraction(13)) == (better.start, better.end)
    assert Fraction(10) == before.end
    assert Fraction(13) == after.start


def test_last_clip_is_shortened_to_whole_frames() -> None:
    """The first clip that does not fit ends at the last whole frame of its source that does."""
    row = video("a")
    hits = [hit(row, 0, 0, 4, 1), hit(row, 1, 4, 9, 2), hit(row, 2, 9, 10, 3)]
    cut_list = build_cut_list(hits, {"a": row}, max_seconds=5.5)
    assert [100, 37] == [round(clip.span.duration * 25) for clip in cut_list.clips]
    assert [3] == [left.hit.rank for left in cut_list.left_out]


def test_same_shot_twice_is_shown_once() -> None:
    """A hit on what is already in the cut list is left out, and says why."""
    row = video("a")
    cut_list = build_cut_list([hit(row, 0, 0, 4, 1), hit(row, 0, 0, 4, 2)], {"a": row})
    assert ["a better hit already shows this part of the video"] == [left.reason for left in cut_list.left_out]


@pytest.mark.parametrize("name", ["limit", "max_seconds", "handles_seconds"])
def test_negative_limits_are_refused(name: str) -> None:
    """No limit may be negative."""
    with pytest.raises(ValueError, match="negative"):
        build_cut_list([], {}, **{name: -1})
