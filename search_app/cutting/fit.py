"""The best clips that fit into a length: relevant, unlike each other, within all limits.

Method: a set of clips is worth what it covers (weighted facility location), and is chosen greedily under a budget.
A clip covers itself with its whole worth, and another with the lower of both worths times how alike they look; of
several that cover the same, the best counts. So a near-copy adds nothing, and what resembles little adds all.
This function is monotone and submodular. Two greedy runs are made, one by worth added per second and one by worth
added; the better one is taken. The second begins with the best single clip, so this is at least the greedy choice
with the singleton check of Khuller, Moss and Naor, "The budgeted maximum coverage problem", Information Processing
Letters 70, 1999; for submodular functions: Krause and Guestrin, "A note on the budgeted maximization of submodular
functions", CMU-CALD-05-103, 2005; for summaries: Lin and Bilmes, "Multi-document summarization via budgeted
maximization of submodular functions", NAACL-HLT 2010.

Guarantee: with a budget alone, at least (1 - 1/e) / 2 of the worth of the best choice among the same clips. With
limits on sources and gaps the limits always hold, but the share is no longer proven.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from search_app.cutting.cut_list import FALLBACK_FRAME_RATE, Clip, CutList, LeftOut, edge_before
from store.timespan import TimeSpan
from store.wording import n_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search_app.ranking import Hit
    from store.records import Embeddings, VideoFacts, VideoRow

_TINY = 1e-9

_LARGEST_EDGE = Fraction(1, 4)
"""In frames: how far an edge that we invent may lie before the frame it means, where a tick is as long as a frame,
as in AVI."""


@dataclass(frozen=True, slots=True)
class FitLimits:
    """What a fitted cut list must keep to; all times in seconds of the sources.

    Args:
        seconds: longest total length.
        max_per_source: most clips of one video; None for any number.
        min_gap: shortest time between two clips of one video.
        min_clip: shortest clip, rounded down to whole frames of its source.
        max_clip: longest clip, rounded down likewise; a longer shot is trimmed around its best frame.
    """

    seconds: Fraction
    max_per_source: int | None = None
    min_gap: Fraction = Fraction(0)
    min_clip: Fraction = Fraction(1)
    max_clip: Fraction | None = None

    def __post_init__(self) -> None:
        """Refuse limits that no cut list can keep to."""
        if self.seconds <= 0 or (self.max_per_source is not None and self.max_per_source < 1):
            raise ValueError("seconds and max_per_source must be positive")
        if self.min_gap < 0 or self.min_clip < 0:
            raise ValueError("min_gap and min_clip must not be negative")
        if self.max_clip is not None and not max(self.min_clip, Fraction()) <= self.max_clip > 0:
            raise ValueError("max_clip must be positive and not below min_clip")

    @property
    def longest_clip(self) -> Fraction:
        """No clip is longer than this."""
        return self.seconds if self.max_clip is None else min(self.seconds, self.max_clip)


def fit_to_length(
    hits: Sequence[Hit],
    worths: Sequence[float],
    vectors: Embeddings,
    videos: Mapping[str, VideoRow],
    limits: FitLimits,
    *,
    mean_similarity: float = 0.0,
    kept: Collection[int] = (),
) -> CutList:
    """The best clips within the limits, in the order of the hits; every other hit is left out with a reason.

    A question in order of time has a clip for each step, and all of them or none. When no clip fits any more as it
    is, one that is trimmed further may fill what is left.

    Args:
        hits: what to choose from, best first; of equally good ones the first is taken.
        worths: what each hit is worth, 0 or more.
        vectors: float32, (n_hits, dim), unit rows: the best frame of each hit.
        videos: the rows of their videos, by id.
        limits: what to keep to.
        mean_similarity: cosine of two frames that have nothing in common, below 1.
        kept: positions of hits that are in it whatever else is, untrimmed; the rest is chosen beside them.

    Raises:
        ValueError: there is not one worth and one vector for each hit, or a worth is negative.
    """
    if not len(hits) == len(worths) == len(vectors) or any(worth < 0 for worth in worths):
        raise ValueError("every hit needs a vector and a worth of 0 or more")
    made = [
        _whole(hit, videos) if place in kept else _candidate(hit, videos, limits) for place, hit in enumerate(hits)
    ]
    places = [place for place, one in enumerate(made) if isinstance(one, _Candidate)]
    candidates = [one for one in made if isinstance(one, _Candidate)]
    benefits = cover_benefits(np.asarray(worths, np.float64)[places], vectors[places], mean_similarity)
    firm = [number for number, place in enumerate(places) if place in kept]
    runs = [_Run(candidates, benefits, limits, firm, per_second=per_second) for per_second in (True, False)]
    best = max(runs, key=lambda run: run.worth)  # of equals the first
    chosen = {places[number]: clips for number, clips in best.chosen.items()}
    reasons = {places[number]: best.reason(number) for number in range(len(candidates))}
    return CutList(
        tuple(clip for place in sorted(chosen) for clip in chosen[place]),
        tuple(
            LeftOut(hit, one if isinstance(one, str) else reasons[place])
            for place, (hit, one) in enumerate(zip(hits, made, strict=True))
            if place not in chosen
        ),
    )


def cover_benefits(
    worths: NDArray[np.float64], vectors: Embeddings, mean_similarity: float
) -> NDArray[np.float64]:
    """How much of each item's worth each other item covers: float64, (n, n), symmetric."""
    alike = (vectors @ vectors.T).astype(np.float64)
    alike = np.clip((alike - mean_similarity) / (1 - mean_similarity), 0.0, 1.0)
    np.fill_diagonal(alike, 1.0)
    benefits: NDArray[np.float64] = alike * np.minimum.outer(worths, worths)
    return benefits


def trim_around(span: TimeSpan, time: Fraction, seconds: Fraction, facts: VideoFacts) -> TimeSpan | None:
    """The piece of a span, no longer than that, around a time; all of it if it is short enough.

    Whole frames, half of them before that of `time` as long as the span has so many. Edges that are not those of
    the span lie a little before the frame they mean, because containers round the times of frames.

    Args:
        span: what to trim.
        time: presentation time of the frame to keep; moved into the span if it lies outside.
        seconds: the longest length.
        facts: of the source.

    Returns:
        None if not even one frame is that short.
    """
    if span.duration <= seconds:
        return span
    frame = 1 / (facts.frame_rate or FALLBACK_FRAME_RATE)
    n_frames = int(seconds / frame)
    if n_frames < 1:
        return None
    time = min(max(time, span.start), span.end - frame)
    edge = edge_before(facts)
    n_to_end = max(1, round((span.end - time) / frame))
    n_before = max(n_frames - n_to_end, min(n_frames // 2, round((time - span.start) / frame)))
    start = time - n_before * frame - edge
    return TimeSpan(max(span.start, start), min(span.end, start + n_frames * frame))


def _is_long_enough(clip: Clip, limits: FitLimits) -> bool:
    rate = clip.facts.frame_rate or FALLBACK_FRAME_RATE
    return clip.span.duration * rate + _LARGEST_EDGE >= int(limits.min_clip * rate)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A hit and the clips that show it, which are chosen together.

    Args:
        hit: the hit.
        clips: one, or one for each step.
        shots: the whole stretches that they were trimmed from.
        seconds: length of all its clips.
    """

    hit: Hit
    clips: tuple[Clip, ...]
    shots: tuple[TimeSpan, ...]
    seconds: Fraction

    def trimmed(self, seconds: Fraction, limits: FitLimits) -> tuple[Clip, ...]:
        """Its only clip made shorter; empty if it has several or gets too short."""
        if len(self.clips) > 1:
            return ()
        (clip,), (shot,) = self.clips, self.shots
        span = trim_around(shot, clip.hits[0].time, seconds, clip.facts)
        shorter = () if span is None else (replace(clip, span=span),)
        return shorter if all(_is_long_enough(one, limits) for one in shorter) else ()


def _candidate(hit: Hit, videos: Mapping[str, VideoRow], limits: FitLimits) -> _Candidate | str:
    """The clips of a hit, or why it can have none, whatever else is chosen."""
    clips: list[Clip] = []
    for part in hit.parts:
        row = videos.get(part.shot.video_id)
        if row is None:
            return "its video is not in the archive"
        span = trim_around(part.span, part.time, limits.longest_clip, row.facts)
        if span is None:
            return f"not one frame of it fits into {float(limits.longest_clip):g} seconds"
        clips.append(Clip(row.video_id, (row.path, *row.other_paths), span, (part,), row.facts))
        if not _is_long_enough(clips[-1], limits):
            return f"shorter than {float(limits.min_clip):g} seconds"
    seconds = sum((clip.span.duration for clip in clips), Fraction())
    if seconds > limits.seconds:
        return f"its clips together are longer than {float(limits.seconds):g} seconds"
    shots = tuple(part.span for part in hit.parts)
    return _Room(limits).refusal(clips) or _Candidate(hit, tuple(clips), shots, seconds)


def _whole(hit: Hit, videos: Mapping[str, VideoRow]) -> _Candidate | str:
    """The clips of a hit as they are, to be kept whatever the limits say."""
    if not all(part.shot.video_id in videos for part in hit.parts):
        return "its video is not in the archive"
    rows = [videos[part.shot.video_id] for part in hit.parts]
    clips = tuple(
        Clip(row.video_id, (row.path, *row.other_paths), part.span, (part,), row.facts)
        for row, part in zip(rows, hit.parts, strict=True)
    )
    seconds = sum((clip.span.duration for clip in clips), Fraction())
    return _Candidate(hit, clips, tuple(part.span for part in hit.parts), seconds)


class _Room:
    """What is still free within the limits.

    Args:
        limits: the limits.
    """

    def __init__(self, limits: FitLimits) -> None:
        self.rest = limits.seconds
        self._limits = limits
        self._spans: dict[str, list[TimeSpan]] = {}

    def take(self, clips: Sequence[Clip]) -> None:
        """Put clips in."""
        for clip in clips:
            self._spans.setdefault(clip.video_id, []).append(clip.span)
            self.rest -= clip.span.duration

    def refusal(self, clips: Sequence[Clip]) -> str:
        """Why clips cannot be put in beside the others, whatever their length; empty if they can."""
        limits = self._limits
        for place, clip in enumerate(clips):
            own = (other.span for other in clips[:place] if other.video_id == clip.video_id)
            taken = [*self._spans.get(clip.video_id, ()), *own]
            if any(clip.span.overlaps(other) for other in taken):
                return "another clip already shows this part of the video"
            if limits.max_per_source is not None and len(taken) >= limits.max_per_source:
                return f"no more than {n_of(limits.max_per_source, 'clip')} of one video are wanted"
            if any(_gap(clip.span, other) < limits.min_gap for other in taken):
                return f"less than {float(limits.min_gap):g} seconds from another clip of its video"
        return ""


def _gap(one: TimeSpan, other: TimeSpan) -> Fraction:
    return max(one.start, other.start) - min(one.end, other.end)


class _Run:
    """One greedy run.

    Args:
        candidates: what to choose from.
        benefits: as `cover_benefits` gives them, for the candidates.
        limits: what to keep to.
        firm: numbers of candidates that are in it whatever else is.
        per_second: choose by worth added per second; else by worth added.
    """

    def __init__(
        self,
        candidates: Sequence[_Candidate],
        benefits: NDArray[np.float64],
        limits: FitLimits,
        firm: Sequence[int],
        *,
        per_second: bool,
    ) -> None:
        self._candidates = candidates
        self._benefits = benefits
        self._limits = limits
        self._room = _Room(limits)
        self._covered = np.zeros(len(candidates))
        self.chosen: dict[int, tuple[Clip, ...]] = {}
        for number in firm:
            self._take(number, candidates[number].clips)
        self._choose_whole(per_second=per_second)
        self._fill()

    @property
    def worth(self) -> float:
        """What the chosen clips cover."""
        return float(self._covered.sum())

    def reason(self, number: int) -> str:
        """Why a candidate that was not chosen was left out."""
        refusal = self._room.refusal(self._candidates[number].clips)
        if refusal:
            return refusal
        if self._gain(number) <= _TINY:
            return "it adds nothing to what other clips show"
        return f"no room: other clips add more within {float(self._limits.seconds):g} seconds"

    def _choose_whole(self, *, per_second: bool) -> None:
        """Always take next what adds most.

        What a clip adds only ever shrinks, so it is computed anew only for what could be next (Minoux,
        "Accelerated greedy algorithms for maximizing submodular set functions", 1978).
        """
        numbers = (number for number in range(len(self._candidates)) if number not in self.chosen)
        waiting = [(-np.inf, number, -1) for number in numbers]  # -rate, number, known when
        while waiting:
            _, number, known_at = heapq.heappop(waiting)  # of equals the better ranked one
            one = self._candidates[number]
            if one.seconds > self._room.rest or self._room.refusal(one.clips):
                continue
            if known_at == len(self.chosen):
                self._take(number, one.clips)
            elif (gain := self._gain(number)) > _TINY:
                rate = gain / float(one.seconds) if per_second else gain
                heapq.heappush(waiting, (-rate, number, len(self.chosen)))

    def _fill(self) -> None:
        """Use what is left for clips that are trimmed so that they fit into it."""
        while offers := self._shortened():
            number = max(offers, key=self._gain)  # of equals the first
            if self._gain(number) <= _TINY:
                return
            self._take(number, offers[number])

    def _shortened(self) -> dict[int, tuple[Clip, ...]]:
        """What can still be put in if it is made as short as what is left."""
        if not self._room.rest:
            return {}
        rest = {
            number: one.trimmed(self._room.rest, self._limits)
            for number, one in enumerate(self._candidates)
            if number not in self.chosen
        }
        return {number: clips for number, clips in rest.items() if clips and not self._room.refusal(clips)}

    def _gain(self, number: int) -> float:
        """The worth that a candidate would add."""
        return float(np.maximum(self._benefits[number] - self._covered, 0.0).sum())

    def _take(self, number: int, clips: tuple[Clip, ...]) -> None:
        self.chosen[number] = clips
        self._room.take(clips)
        self._covered = np.maximum(self._covered, self._benefits[number])
