"""The laws of fitting to a length, and that it is worth more than taking the best scores in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from search_app.cutting.cut_list import CutList, build_cut_list
from search_app.cutting.fit import cover_benefits, fit_to_length
from search_app.cutting.greedy import FitLimits, trim_around
from search_app.search.ranking import Hit, StepHit
from store.records import Boundary, Embeddings, Shot, ShotRow, VideoFacts, VideoRow
from store.timespan import TimeSpan

RATES = (Fraction(24000, 1001), Fraction(25), Fraction(60), None)
TIME_BASES = (Fraction(1, 90_000), Fraction(1, 1000), Fraction(1, 25))
GUARANTEE = (1 - 1 / np.e) / 2


def video(name: str, rate: Fraction | None = Fraction(25), time_base: Fraction = TIME_BASES[0]) -> VideoRow:
    """A video of ten minutes."""
    span = TimeSpan(Fraction(0), Fraction(600))
    facts = VideoFacts("mov", "h264", 640, 360, 0, rate, time_base, Fraction(0), span, 15_000, True)
    return VideoRow(name, f"/videos/{name}.mp4", True, (), facts, 10, {})


def hit(row: VideoRow, rank: int, start: Fraction | int, end: Fraction | int, time: Fraction | None = None) -> Hit:
    """A hit on one shot of a video; its best frame is the first if nothing else is said."""
    span = TimeSpan(Fraction(start), Fraction(end))
    shot = ShotRow(f"{row.video_id}-{rank}", row.video_id, row.path, Shot(rank, span, Boundary.CUT), "")
    return Hit(rank, 1 - rank / 1000, shot, span.start if time is None else time, "")


def directions(*degrees: float) -> Embeddings:
    """Vectors of length 1 in the plane; 90 degrees apart they have nothing in common."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def all_unlike(n: int) -> Embeddings:
    """Vectors of which no two have anything in common."""
    return np.eye(n, dtype=np.float32)


def worth_of(cut_list: CutList, worths: Sequence[float], vectors: Embeddings) -> float:
    """What the clips of a cut list cover, computed as the docstring of the module says it in words."""
    chosen = [clip.hits[0].rank - 1 for clip in cut_list.clips]
    return sum(
        max(
            [
                min(worths[one], worths[other])
                * (1.0 if one == other else max(0.0, float(vector @ vectors[other])))
                for other in chosen
            ],
            default=0.0,
        )
        for one, vector in enumerate(vectors)
    )


@st.composite
def libraries(draw: st.DrawFn) -> tuple[list[Hit], dict[str, VideoRow], list[float], Embeddings]:
    """Shots of a few videos as hits in any order, questions in order of time among them, some videos unknown."""
    videos: dict[str, VideoRow] = {}
    shots: list[Hit] = []
    for number in range(draw(st.integers(1, 3))):
        row = video(f"v{number}", draw(st.sampled_from(RATES)), draw(st.sampled_from(TIME_BASES)))
        edges = sorted(draw(st.sets(st.fractions(0, 30, max_denominator=1001), min_size=2, max_size=7)))
        for start, end in pairwise(edges):
            share = draw(st.fractions(0, Fraction(9, 10), max_denominator=50))
            shots.append(hit(row, len(shots), start, end, start + share * (end - start)))
        if draw(st.integers(0, 9)):
            videos[row.video_id] = row
    hits = draw(st.permutations(shots))
    if len(hits) > 2 and draw(st.booleans()):
        steps = tuple(StepHit(one.shot, one.time, 0.5) for one in hits[:2])
        hits[0] = replace(hits[0], steps=steps)
    hits = [replace(one, rank=rank) for rank, one in enumerate(hits, start=1)]
    worths = [draw(st.floats(0, 1)) for _ in hits]
    return hits, videos, worths, directions(*(draw(st.floats(0, 90)) for _ in hits))


@st.composite
def limits(draw: st.DrawFn) -> FitLimits:
    """Limits that can be kept to."""
    shortest = draw(st.fractions(0, 3, max_denominator=100))
    more = draw(st.none() | st.fractions(Fraction(1, 100), 17, max_denominator=100))
    return FitLimits(
        draw(st.fractions(Fraction(1, 100), 60, max_denominator=100)),
        draw(st.none() | st.integers(1, 3)),
        draw(st.fractions(0, 5, max_denominator=100)),
        shortest,
        None if more is None else shortest + more,
    )


@settings(deadline=None)
@given(libraries(), limits())
def test_laws(library: tuple[list[Hit], dict[str, VideoRow], list[float], Embeddings], wanted: FitLimits) -> None:
    """All limits hold, hits keep their order, each is shown or left out with a reason, and twice is the same."""
    hits, videos, worths, vectors = library
    cut_list = fit_to_length(hits, worths, vectors, videos, wanted)
    assert cut_list == fit_to_length(hits, worths, vectors, videos, wanted)
    assert cut_list.duration <= wanted.seconds
    shown = [clip.hits[0].rank for clip in cut_list.clips]
    assert sorted(shown) == shown
    assert [one.rank for one in hits] == sorted([*set(shown), *(left.hit.rank for left in cut_list.left_out)])
    assert all(left.reason for left in cut_list.left_out)
    assert [len(hits[rank - 1].parts) for rank in sorted(set(shown))] == [
        shown.count(rank) for rank in sorted(set(shown))
    ]
    for name in videos:
        spans = sorted(clip.span for clip in cut_list.clips if clip.video_id == name)
        assert wanted.max_per_source is None or len(spans) <= wanted.max_per_source
        assert all(later.start - one.end >= wanted.min_gap for one, later in pairwise(spans))
    for clip in cut_list.clips:
        (part,), frame = clip.hits, 1 / (clip.facts.frame_rate or Fraction(25))
        assert part.span.start <= clip.span.start < clip.span.end <= part.span.end
        # These shots need not consist of whole frames: so much can be missing by rounding.
        assert wanted.min_clip - Fraction(5, 4) * frame <= clip.span.duration <= wanted.longest_clip


@settings(deadline=None)
@given(
    st.sampled_from([rate for rate in RATES if rate]),
    st.sampled_from(TIME_BASES),
    st.integers(1, 300),
    st.integers(0, 299),
    st.fractions(0, 5, max_denominator=100),
)
def test_trimming_keeps_whole_frames_around_the_best(
    rate: Fraction, time_base: Fraction, n_frames: int, best: int, seconds: Fraction
) -> None:
    """As many whole frames as fit, the best one among them, and in the middle where the shot lets it."""
    best %= n_frames
    times = [7 + number / rate for number in range(n_frames + 1)]
    facts = replace(video("a").facts, frame_rate=rate, time_base=time_base)
    trimmed = trim_around(TimeSpan(times[0], times[-1]), times[best], seconds, facts)
    n_wanted = min(n_frames, int(seconds * rate))
    shown = [] if trimmed is None else [n for n in range(n_frames) if trimmed.start <= times[n] < trimmed.end]
    assert n_wanted == len(shown)
    if shown:
        first = min(max(0, best - n_wanted // 2), n_frames - n_wanted)
        assert list(range(first, first + n_wanted)) == shown


def test_long_shots_do_not_crowd_out_many_good_ones() -> None:
    """Where one long shot of the best score would fill the film, many that score nearly as much are shown."""
    rows = {name: video(name) for name in ("long", "short")}
    hits = [hit(rows["long"], 1, 0, 20), *(hit(rows["short"], n, 5 * n, 5 * n + 2) for n in range(2, 12))]
    worths, vectors = [1.0, *[0.9] * 10], all_unlike(11)
    by_score = build_cut_list(hits, rows, max_seconds=20)
    fitted = fit_to_length(hits, worths, vectors, rows, FitLimits(Fraction(20)))
    assert [1] == [clip.hits[0].rank for clip in by_score.clips]
    assert list(range(2, 12)) == [clip.hits[0].rank for clip in fitted.clips]
    assert pytest.approx(9.0) == worth_of(fitted, worths, vectors)
    assert pytest.approx(1.0) == worth_of(by_score, worths, vectors)


def test_near_copies_do_not_crowd_out_other_pictures() -> None:
    """Where the best scores are five takes of one picture, one of them is shown, and what is unlike it."""
    row = video("a")
    hits = [hit(row, n, 10 * n, 10 * n + 4) for n in range(1, 11)]
    worths = [1.0, 0.99, 0.98, 0.97, 0.96, 0.8, 0.8, 0.8, 0.8, 0.8]
    vectors = np.vstack([np.repeat(all_unlike(6)[:1], 5, axis=0), all_unlike(6)[1:]])
    vectors[1:5, 1] = 0.1  # takes are not the same to the last bit
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    by_score = build_cut_list(hits, {"a": row}, max_seconds=24)
    fitted = fit_to_length(hits, worths, vectors, {"a": row}, FitLimits(Fraction(24)))
    assert [1, 2, 3, 4, 5, 6] == [clip.hits[0].rank for clip in by_score.clips]
    assert [6, 7, 8, 9, 10] == [clip.hits[0].rank for clip in fitted.clips][1:]
    assert worth_of(fitted, worths, vectors) > 1.5 * worth_of(by_score, worths, vectors)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 20), st.floats(0.01, 1), st.floats(0, 90)), min_size=1, max_size=8),
    st.integers(5, 40),
)
def test_worth_is_near_that_of_the_best_of_all_choices(shots: list[tuple[int, float, float]], budget: int) -> None:
    """The proven share of what trying all choices gives is always reached."""
    row = video("a")
    hits = [hit(row, n, 30 * n, 30 * n + length) for n, (length, _, _) in enumerate(shots, start=1)]
    worths, vectors = [worth for _, worth, _ in shots], directions(*(angle for *_, angle in shots))
    wanted = FitLimits(Fraction(budget), min_clip=Fraction(0))
    fitted = fit_to_length(hits, worths, vectors, {"a": row}, wanted)
    lengths = [min(length, budget) for length, _, _ in shots]
    best = _best_worth(cover_benefits(np.array(worths), vectors, 0.0), lengths, budget)
    assert worth_of(fitted, worths, vectors) >= GUARANTEE * best - 1e-6


def _best_worth(benefits: NDArray[np.float64], lengths: list[int], budget: int) -> float:
    choices = (
        list(choice) for size in range(1, len(lengths) + 1) for choice in combinations(range(len(lengths)), size)
    )
    return max(
        float(benefits[:, choice].max(axis=1).sum())
        for choice in choices
        if sum(lengths[number] for number in choice) <= budget
    )


def test_one_splendid_long_shot_is_better_than_a_poor_short_one() -> None:
    """Worth per second alone would take the short one, after which the long one no longer fits."""
    row = video("a")
    parts = [hit(row, 1, 0, 10), hit(row, 1, 50, 60)]
    long = replace(parts[0], steps=tuple(StepHit(part.shot, part.time, 0.5) for part in parts))
    fitted = fit_to_length(
        [long, hit(row, 2, 30, 31)], [1.0, 0.1], all_unlike(2), {"a": row}, FitLimits(Fraction(20))
    )
    assert [1, 1] == [clip.hits[0].rank for clip in fitted.clips]
    assert ["no room: other clips add more within 20 seconds"] == [left.reason for left in fitted.left_out]


def test_the_first_answer_is_in_it() -> None:
    """Even where others would add more in the same time; of a long one as much as half of the time holds."""
    row = video("a")
    hits = [hit(row, 1, 0, 6), *(hit(row, n, 10 * n, 10 * n + 2) for n in range(2, 12))]
    wanted = FitLimits(Fraction(10))
    free = fit_to_length(hits, [1.0] * 11, all_unlike(11), {"a": row}, wanted)
    assert 1 not in {clip.hits[0].rank for clip in free.clips}
    fitted = fit_to_length(hits, [1.0] * 11, all_unlike(11), {"a": row}, wanted, first=0)
    assert (1, 125) == (fitted.clips[0].hits[0].rank, round(fitted.clips[0].span.duration * 25))
    assert fitted.duration <= 10
    gone = fit_to_length(hits, [1.0] * 11, all_unlike(11), {}, wanted, first=0)
    assert () == gone.clips


def test_what_is_left_of_the_time_is_filled() -> None:
    """The shot that no longer fits is trimmed around its best frame, unless it would get too short."""
    row = video("a")
    hits = [hit(row, 1, 0, 6), hit(row, 2, 10, 20, Fraction(15))]
    whole = FitLimits(Fraction(10), min_clip=Fraction(4))
    first, second = fit_to_length(hits, [1.0, 0.5], all_unlike(2), {"a": row}, whole).clips
    assert (Fraction(6), 100) == (first.span.duration, round(second.span.duration * 25))
    assert pytest.approx(15.0, abs=0.05) == float(second.span.start + second.span.end) / 2
    strict = replace(whole, min_clip=Fraction(5))
    (only,) = fit_to_length(hits, [1.0, 0.5], all_unlike(2), {"a": row}, strict).clips
    assert 1 == only.hits[0].rank


def test_reasons_name_the_limit() -> None:
    """Who is left out learns by which limit."""
    row, other = video("a"), video("b")
    chain = replace(
        hit(row, 5, 100, 104), steps=tuple(StepHit(hit(row, 5, 100, 104).shot, Fraction(100), 0.1) for _ in "ab")
    )
    hits = [
        hit(row, 1, 0, 4),
        hit(row, 2, 5, 9),
        hit(row, 3, 50, 54),
        hit(row, 4, 60, 64),
        chain,
        hit(other, 6, 0, Fraction(1, 2)),
        hit(video("gone"), 7, 0, 4),
        hit(row, 8, 2, 4),
        hit(other, 9, 10, 14),
    ]
    vectors = all_unlike(9)
    vectors[8] = vectors[0]
    fitted = fit_to_length(
        hits,
        [1.0, 0.9, 0.8, 0.7, 0.7, 0.7, 0.7, 0.4, 0.4],
        vectors,
        {"a": row, "b": other},
        FitLimits(Fraction(30), max_per_source=2, min_gap=Fraction(3)),
    )
    assert [1, 3] == [clip.hits[0].rank for clip in fitted.clips]
    assert {
        2: "no more than 2 clips of one video are wanted",
        4: "no more than 2 clips of one video are wanted",
        5: "another clip already shows this part of the video",
        6: "shorter than 1 seconds",
        7: "its video is not in the archive",
        8: "another clip already shows this part of the video",
        9: "it adds nothing to what other clips show",
    } == {left.hit.rank: left.reason for left in fitted.left_out}


@pytest.mark.parametrize(
    "wrong",
    [
        {"seconds": Fraction(0)},
        {"max_per_source": 0},
        {"min_gap": Fraction(-1)},
        {"min_clip": Fraction(-1)},
        {"min_clip": Fraction(2), "max_clip": Fraction(1)},
        {"min_clip": Fraction(0), "max_clip": Fraction(0)},
    ],
)
def test_impossible_limits_are_refused(wrong: dict[str, Fraction]) -> None:
    """Limits that no cut list keeps to are a mistake of the caller."""
    with pytest.raises(ValueError, match="must"):
        FitLimits(**{"seconds": Fraction(10), **wrong})  # type: ignore[arg-type]


def test_every_hit_needs_its_worth_and_vector() -> None:
    """Lists of different lengths, or a negative worth, are refused."""
    row = video("a")
    for worths, n_vectors in (([1.0, 1.0], 1), ([1.0], 2), ([-1.0], 1)):
        with pytest.raises(ValueError, match="every hit needs"):
            fit_to_length([hit(row, 1, 0, 4)], worths, all_unlike(n_vectors), {"a": row}, FitLimits(Fraction(9)))
