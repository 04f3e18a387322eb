"""Lengths are counted in frames of the film, as rendering counts them, and a fitted film is exact."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_app.conforming.conform import plan_frames
from search_app.conforming.source_frames import tick_span
from search_app.conforming.target_profile import Profile, choose_profile
from search_app.cutting.cut_list import Clip
from search_app.cutting.film_frames import FrameGrid, film_frames, trim_to_frames
from search_app.cutting.fit import fit_to_length, rate_of_clips
from search_app.cutting.greedy import FitLimits
from search_app.search.ranking import Hit
from store.records import Boundary, Shot, ShotRow, VideoFacts, VideoRow
from store.timespan import TimeSpan

RATES = tuple(Fraction(*rate) for rate in ((24000, 1001), (24, 1), (25, 1), (30000, 1001), (50, 1), (60000, 1001)))
TIME_BASES = (Fraction(1, 90_000), Fraction(1, 1000), Fraction(1, 12_800))
SECONDS = 40


def facts_of(rate: Fraction, time_base: Fraction = TIME_BASES[0]) -> VideoFacts:
    """A video of forty seconds and constant rate."""
    n_frames = math.floor(SECONDS * rate)
    span = TimeSpan(Fraction(0), n_frames / rate)
    return VideoFacts("mov", "h264", 640, 360, 0, rate, time_base, Fraction(0), span, n_frames, True)


@functools.cache
def ticks_of(facts: VideoFacts) -> list[int]:
    """The time stamps that its container gives its frames."""
    assert facts.frame_rate
    return [round(number / facts.frame_rate / facts.time_base) for number in range(facts.n_frames)]


def shot_of(facts: VideoFacts, first: int, n_frames: int) -> TimeSpan:
    """A shot of so many frames, as the archive has it: between the time stamps of two frames."""
    ticks = [*ticks_of(facts), round(facts.span.end / facts.time_base)]
    first = min(first, facts.n_frames - 1)
    end = min(first + n_frames, facts.n_frames)
    return TimeSpan(ticks[first] * facts.time_base, ticks[end] * facts.time_base)


def rendered_frames(span: TimeSpan, facts: VideoFacts, rate: Fraction) -> int:
    """How many frames rendering makes of it."""
    clip = Clip("v", ("/v.mp4",), span, (), facts)
    first, end = tick_span(span, facts)
    inside = [tick for tick in ticks_of(facts) if first <= tick < end]
    return plan_frames(inside, clip, Profile(640, 360, rate)).n_frames


rates, time_bases = st.sampled_from(RATES), st.sampled_from(TIME_BASES)


@settings(deadline=None, max_examples=60)
@given(rates, rates, time_bases, st.integers(0, 600), st.integers(1, 400))
def test_a_shot_lasts_what_rendering_makes_of_it(
    own: Fraction, rate: Fraction, time_base: Fraction, first: int, n_frames: int
) -> None:
    """Whatever the rates and the ticks of the container, the length told before is that of the film."""
    facts = facts_of(own, time_base)
    span = shot_of(facts, first, n_frames)
    assert rendered_frames(span, facts, rate) == film_frames(span, facts, rate)


@settings(deadline=None, max_examples=60)
@given(rates, rates, time_bases, st.integers(0, 600), st.integers(60, 400), st.data())
def test_a_piece_lasts_exactly_as_asked(
    own: Fraction, rate: Fraction, time_base: Fraction, first: int, n_frames: int, data: st.DataObject
) -> None:
    """Inside its shot, never longer in the source than in the film, and the best frame in it."""
    facts = facts_of(own, time_base)
    span = shot_of(facts, first, n_frames)
    n_all = film_frames(span, facts, rate)
    n_wanted = data.draw(st.integers(min(12, n_all), n_all))
    best = span.start + data.draw(st.integers(0, 99)) * span.duration / 100
    piece = trim_to_frames(span, best, n_wanted, facts, rate)
    assert piece is not None
    assert span.start <= piece.start < piece.end <= span.end
    assert n_wanted == film_frames(piece, facts, rate) == rendered_frames(piece, facts, rate)
    assert piece == span or piece.duration <= n_wanted / rate


def hits_of(videos: Sequence[VideoRow], lengths: Sequence[int]) -> list[Hit]:
    """Shots of so many tenths of a second, one after another, in turn from each video."""
    hits = []
    at = dict.fromkeys((row.video_id for row in videos), 0)
    for rank, length in enumerate(lengths, start=1):
        row = videos[rank % len(videos)]
        n_frames = round(length * (row.facts.frame_rate or 25) / 10)
        span = shot_of(row.facts, at[row.video_id], n_frames)
        at[row.video_id] += n_frames
        shot = ShotRow(f"s{rank}", row.video_id, row.path, Shot(rank, span, Boundary.CUT), "")
        hits.append(Hit(rank, 0.5, shot, span.start + span.duration / 3, "", confidence=0.9))
    return hits


def film_rate(sources: Sequence[VideoFacts], seconds: Sequence[Fraction]) -> Fraction:
    """The rate of a film of these sources, whose clips last so long."""
    return choose_profile(sources, seconds).frame_rate


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(rates, time_bases), min_size=1, max_size=4),
    st.lists(st.integers(15, 32), min_size=10, max_size=12),
    st.fractions(4, 12, max_denominator=10),
)
def test_a_fitted_film_is_as_long_as_asked_to_the_frame(
    sources: list[tuple[Fraction, Fraction]], lengths: list[int], seconds: Fraction
) -> None:
    """Exactly as many frames as fit into the time at the film's own rate, each clip inside its shot."""
    videos = [
        VideoRow(f"v{number}", f"/v{number}.mp4", True, (), facts_of(*source), 10, {})
        for number, source in enumerate(sources)
    ]
    hits = hits_of(videos, lengths)
    cut_list = fit_to_length(
        hits,
        [1.0] * len(hits),
        np.eye(len(hits), dtype=np.float32),
        {row.video_id: row for row in videos},
        FitLimits(seconds, min_clip=Fraction(1), max_clip=Fraction(8)),
        first=0,
        rate_of=film_rate,
    )
    rate = rate_of_clips(cut_list.clips, film_rate)
    lasting = [film_frames(clip.span, clip.facts, rate) for clip in cut_list.clips]
    assert math.floor(seconds * rate) == sum(lasting)
    assert lasting == [rendered_frames(clip.span, clip.facts, rate) for clip in cut_list.clips]
    assert 1 == cut_list.clips[0].hits[0].rank
    for clip, n_frames in zip(cut_list.clips, lasting, strict=True):
        shot = clip.hits[0].span
        assert shot.start <= clip.span.start < clip.span.end <= shot.end
        assert math.floor(rate) <= n_frames <= 8 * rate


def test_thirty_seconds_are_thirty() -> None:
    """The film that lasted 30.04 s: clips of 24 and 30 frames per second in one of 25."""
    videos = [
        VideoRow(f"v{number}", f"/v{number}.mp4", True, (), facts_of(Fraction(rate)), 10, {})
        for number, rate in enumerate((24, 30, 25, 25))
    ]
    hits = hits_of(videos, [25, 24, 19, 22] * 4)
    cut_list = fit_to_length(
        hits,
        [1.0] * len(hits),
        np.eye(len(hits), dtype=np.float32),
        {row.video_id: row for row in videos},
        FitLimits(Fraction(30)),
        rate_of=film_rate,
    )
    assert 30 * 25 == sum(film_frames(clip.span, clip.facts, Fraction(25)) for clip in cut_list.clips)


@pytest.mark.parametrize(("seconds", "n_frames"), [(30, 719), (Fraction(1, 100), 1)])
def test_time_is_rounded_down_to_whole_frames(seconds: Fraction, n_frames: int) -> None:
    """Never longer than asked for, but a frame at least."""
    grid = FrameGrid(RATES[0])
    assert n_frames / RATES[0] == grid.floor(Fraction(seconds))


def test_a_rate_that_does_not_hold_is_counted_by_time() -> None:
    """Where frames are missing, or the rate is not known, length times rate decides, as in rendering."""
    facts = replace(facts_of(Fraction(25)), n_frames=700)
    span = TimeSpan(Fraction(0), Fraction(4))
    assert 100 == film_frames(span, facts, Fraction(25))
    unknown = replace(facts_of(Fraction(25)), frame_rate=None)
    assert 100 == film_frames(span, unknown, Fraction(25))
