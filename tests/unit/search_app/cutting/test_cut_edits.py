"""The laws of edits of a cut list."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_app.cutting.cut_edits import (
    Clips,
    add_clips,
    count_frames,
    frame_at,
    merge_clips,
    merge_touching,
    move_clips,
    remove_clips,
    reorder_clips,
    replace_clip,
    split_clip,
    trim_clip,
)
from search_app.cutting.stored_cut import CutClip
from search_app.errors import QueryError
from store.records import VideoFacts
from store.timespan import TimeSpan

RATES = (Fraction(24_000, 1001), Fraction(25), Fraction(30_000, 1001), Fraction(50), None)


def facts(rate: Fraction | None = Fraction(25), end: Fraction = Fraction(40)) -> VideoFacts:
    """A source from 0 to `end` seconds."""
    span = TimeSpan(Fraction(0), end)
    return VideoFacts("mov", "h264", 640, 360, 0, rate, Fraction(1, 90_000), Fraction(0), span, 1000, True)


def clip(start: Fraction | int, end: Fraction | int, video: str = "v") -> CutClip:
    """A clip of a video."""
    span = TimeSpan(Fraction(start), Fraction(end))
    return CutClip(video, span, span.start, f"/videos/{video}.mp4")


@st.composite
def cut_lists(draw: st.DrawFn) -> Clips:
    """Clips of a few videos, in any order, that share no instant."""
    clips = []
    for video in "ab"[: draw(st.integers(0, 2))]:
        edges = [Fraction(n, 30) for n in sorted(draw(st.sets(st.integers(0, 1200), min_size=2, max_size=7)))]
        clips += [clip(start, end, video) for start, end in zip(edges[::2], edges[1::2], strict=False)]
    return tuple(draw(st.permutations(clips)))


def share_nothing(clips: Clips) -> bool:
    """Whether no instant of a video is in two of the clips."""
    return not any(
        one.video_id == other.video_id and one.span.overlaps(other.span) for one, other in combinations(clips, 2)
    )


@given(cut_lists(), cut_lists(), st.data())
def test_adding_shows_no_instant_twice_and_loses_nothing(clips: Clips, new: Clips, data: st.DataObject) -> None:
    """Every clip is in the result or named with a reason; what was there keeps its order."""
    at = data.draw(st.none() | st.integers(1, len(clips) + 1))
    edited = add_clips(clips, new, at)
    assert share_nothing(edited.clips)
    assert sorted(map(repr, (*clips, *new))) == sorted(
        map(repr, (*edited.clips, *(left for left, _ in edited.left_out)))
    )
    assert all(reason for _, reason in edited.left_out)
    added = {id(one) for one in new}
    assert [id(one) for one in clips] == [id(one) for one in edited.clips if id(one) not in added]


@given(cut_lists(), st.data())
def test_removing_moving_and_reordering_lose_nothing(clips: Clips, data: st.DataObject) -> None:
    """What is taken out is named; what is moved is all there, and stands where it was asked for."""
    if not clips:
        return
    places = data.draw(st.lists(st.integers(1, len(clips)), unique=True, min_size=1))
    removed = remove_clips(clips, places)
    assert sorted(map(repr, clips)) == sorted(map(repr, (*removed.clips, *(gone for gone, _ in removed.left_out))))
    to = data.draw(st.integers(1, len(clips) - len(places) + 1))
    moved = move_clips(clips, places, to).clips
    assert [clips[place - 1] for place in places] == list(moved[to - 1 : to - 1 + len(places)])
    assert sorted(map(repr, clips)) == sorted(map(repr, moved))
    order = data.draw(st.permutations(range(len(clips))))
    back = sorted(range(len(clips)), key=order.__getitem__)
    assert clips == reorder_clips(reorder_clips(clips, order).clips, back).clips


@given(st.sampled_from(RATES), st.integers(0, 900), st.integers(0, 900))
def test_a_trimmed_clip_has_exactly_the_frames_asked_for(rate: Fraction | None, first: int, end: int) -> None:
    """Frames of the source, counted by their times; outside the source or backwards is refused."""
    source = facts(rate)
    whole = CutClip("v", source.span, Fraction(1), "/videos/v.mp4")
    if not first < end <= count_frames(source):
        with pytest.raises(QueryError, match="would"):
            trim_clip(whole, source, first, end)
        return
    trimmed = trim_clip(whole, source, first, end)
    shown = [n for n in range(count_frames(source)) if trimmed.span.start <= n / (rate or 25) < trimmed.span.end]
    assert list(range(first, end)) == shown
    assert source.span.start <= trimmed.span.start < trimmed.span.end <= source.span.end
    assert trimmed.span.start <= trimmed.time < trimmed.span.end
    assert (first, end) == (frame_at(source, trimmed.span.start), frame_at(source, trimmed.span.end))


def test_an_edge_that_is_not_set_stays_to_the_last_digit() -> None:
    """Trimming the end leaves an odd start as it is."""
    odd = clip(Fraction(1001, 997), 8)
    assert Fraction(1001, 997) == trim_clip(odd, facts(), end=100).span.start


@given(st.sampled_from(RATES), st.integers(1, 700))
def test_what_is_split_is_merged_to_what_it_was(rate: Fraction | None, frame: int) -> None:
    """The halves touch, share nothing, and together are the clip."""
    whole = clip(0, 30)
    if not 0 < frame < frame_at(facts(rate), whole.span.end):
        return
    halves = split_clip(whole, facts(rate), frame)
    assert share_nothing(halves)
    assert halves[0].span.end == halves[1].span.start
    (merged,) = merge_touching(replace_clip((whole,), 1, *halves).clips).clips
    assert whole.span == merged.span


def test_merging_needs_clips_that_touch() -> None:
    """A gap and another video are named; the merged clip stands where the first named one stood."""
    clips = (clip(5, 6), clip(0, 1, "w"), clip(3, 5))
    assert (Fraction(3), Fraction(6)) == (
        (merged := merge_clips(clips, [1, 3]).clips[0]).span.start,
        merged.span.end,
    )
    with pytest.raises(QueryError, match="another video"):
        merge_clips(clips, [1, 2])
    with pytest.raises(QueryError, match=r"1\.000 s lie between"):
        merge_clips((clip(5, 6), clip(3, 4)), [1, 2])


def test_no_edit_makes_an_instant_shown_twice_unasked() -> None:
    """A clip that would reach into another is refused, and taken with `again`."""
    clips = (clip(0, 2), clip(3, 4))
    with pytest.raises(QueryError, match="that clip 2 shows"):
        replace_clip(clips, 1, clip(0, Fraction(7, 2)))
    assert clip(0, Fraction(7, 2)) == replace_clip(clips, 1, clip(0, Fraction(7, 2)), again=True).clips[0]
    assert 3 == len(add_clips(clips, [clip(0, 2)], again=True).clips)


@pytest.mark.parametrize("place", [0, 3])
def test_places_that_are_not_there_are_refused(place: int) -> None:
    """And say how many there are."""
    with pytest.raises(QueryError, match="the cut list has 2"):
        remove_clips((clip(0, 2), clip(3, 4)), [place])
