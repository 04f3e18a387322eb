"""The greedy choice of clips under a budget, and what it keeps to; `fit.py` says why it is good."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from search_app.cutting.cut_list import Clip, edge_before
from search_app.cutting.film_frames import FrameGrid
from search_app.frame_rates import mean_rate
from store.timespan import TimeSpan
from store.wording import n_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search_app.search.ranking import Hit
    from store.records import VideoFacts

_TINY = 1e-9

_LARGEST_EDGE = Fraction(1, 4)
"""In frames: how far an edge that we invent may lie before the frame it means, where a tick is as long as a frame,
as in AVI."""


@dataclass(frozen=True, slots=True)
class FitLimits:
    """Limits of a fitted cut list; all times in seconds of the sources.

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
    frame = 1 / mean_rate(facts)
    n_frames = int(seconds / frame)
    if n_frames < 1:
        return None
    time = min(max(time, span.start), span.end - frame)
    edge = edge_before(facts)
    n_to_end = max(1, round((span.end - time) / frame))
    n_before = max(n_frames - n_to_end, min(n_frames // 2, round((time - span.start) / frame)))
    start = time - n_before * frame - edge
    return TimeSpan(max(span.start, start), min(span.end, start + n_frames * frame))


class Room:
    """Free spans within the limits.

    Args:
        limits: the limits.
        grid: the frames of the film, which lengths are counted in; None: they are those of the sources.
    """

    def __init__(self, limits: FitLimits, grid: FrameGrid | None = None) -> None:
        self.rest = grid.floor(limits.seconds) if grid else limits.seconds
        self.limits = limits
        self._grid = grid
        self._spans: dict[str, list[TimeSpan]] = {}

    def emptied(self) -> Room:
        """The same with nothing in it."""
        return Room(self.limits, self._grid)

    @property
    def shortest_clip(self) -> Fraction:
        """No clip is shorter than this, in seconds; 0 if any length is right."""
        return self._grid.floor(self.limits.min_clip) if self._grid else Fraction()

    def length(self, clips: Iterable[Clip]) -> Fraction:
        """Length of clips together, in seconds."""
        grid = self._grid
        lengths = (grid.length(clip.span, clip.facts) if grid else clip.span.duration for clip in clips)
        return sum(lengths, Fraction())

    def trim(self, span: TimeSpan, time: Fraction, seconds: Fraction, facts: VideoFacts) -> TimeSpan | None:
        """The piece of a span, no longer than that, around a time; None if there is none."""
        if self._grid:
            return self._grid.trim(span, time, seconds, facts)
        return trim_around(span, time, seconds, facts)

    def is_long_enough(self, clip: Clip) -> bool:
        """Whether a clip is as long as the shortest may be."""
        if self._grid:
            return self._grid.length(clip.span, clip.facts) >= self.shortest_clip
        rate = mean_rate(clip.facts)
        return clip.span.duration * rate + _LARGEST_EDGE >= int(self.limits.min_clip * rate)

    def take(self, clips: Sequence[Clip]) -> None:
        """Put clips in."""
        for clip in clips:
            self._spans.setdefault(clip.video_id, []).append(clip.span)
        self.rest -= self.length(clips)

    def refusal(self, clips: Sequence[Clip]) -> str:
        """Why clips cannot be put in beside the others, whatever their length; empty if they can."""
        limits = self.limits
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


@dataclass(frozen=True, slots=True)
class Candidate:
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

    def trimmed(self, seconds: Fraction, room: Room) -> tuple[Clip, ...]:
        """Its only clip made shorter; empty if it has several or gets too short."""
        if len(self.clips) > 1:
            return ()
        (clip,), (shot,) = self.clips, self.shots
        span = room.trim(shot, clip.hits[0].time, seconds, clip.facts)
        shorter = () if span is None else (replace(clip, span=span),)
        return shorter if all(room.is_long_enough(one) for one in shorter) else ()


class Run:
    """One greedy run.

    Args:
        candidates: what to choose from.
        benefits: as `cover_benefits` gives them, for the candidates.
        room: what is free, with nothing in it yet.
        firm: numbers of candidates that are in it whatever else is.
        first: number of the candidate that is taken before all others; None for none.
        per_second: choose by worth added per second; else by worth added.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        benefits: NDArray[np.float64],
        room: Room,
        firm: Sequence[int],
        first: int | None = None,
        *,
        per_second: bool,
    ) -> None:
        self._candidates = candidates
        self._benefits = benefits
        self._room = room
        self._firm = frozenset(firm)
        self._covered = np.zeros(len(candidates))
        self.chosen: dict[int, tuple[Clip, ...]] = {}
        for number in firm:
            self._take(number, candidates[number].clips)
        if first is not None and first not in self._firm:
            self._take_first(first)
        self._choose_whole(per_second=per_second)
        self._fill()
        self._squeeze_in()

    @property
    def worth(self) -> float:
        """Coverage by the chosen clips."""
        return float(self._covered.sum())

    def reason(self, number: int) -> str:
        """Why a candidate that was not chosen was left out."""
        refusal = self._room.refusal(self._candidates[number].clips)
        if refusal:
            return refusal
        if self._gain(number) <= _TINY:
            return "it adds nothing to what other clips show"
        return f"no room: other clips add more within {float(self._room.limits.seconds):g} seconds"

    def _take_first(self, number: int) -> None:
        """Put one in before all others; where it is longer than half of the time, only a part of it."""
        one, room = self._candidates[number], self._room
        half = max(room.limits.seconds / 2, room.limits.min_clip)
        clips = one.clips if one.seconds <= half else one.trimmed(half, room) or one.clips
        if room.length(clips) <= room.rest and not room.refusal(clips):
            self._take(number, clips)

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
        while self._room.rest > 0 and self._take_best(self._trimmed(self._room.rest)):
            pass

    def _squeeze_in(self) -> None:
        """Where what is left is shorter than any clip may be, let others give way, so that one more fits in."""
        shortest = self._room.shortest_clip
        while 0 < self._room.rest < shortest:
            offers = self._trimmed(shortest)
            lack = max(map(self._room.length, offers.values()), default=Fraction()) - self._room.rest
            if not offers or not self._shorten_others(lack) or not self._take_best(offers):
                return

    def _trimmed(self, seconds: Fraction) -> dict[int, tuple[Clip, ...]]:
        """What can still be put in if it is made as short as that."""
        shorter = {
            number: one.trimmed(seconds, self._room)
            for number, one in enumerate(self._candidates)
            if number not in self.chosen and self._gain(number) > _TINY
        }
        return {number: clips for number, clips in shorter.items() if clips and not self._room.refusal(clips)}

    def _take_best(self, offers: Mapping[int, tuple[Clip, ...]]) -> bool:
        """Take the offer that adds most; whether there is one, and it fits."""
        number = max(offers, key=self._gain, default=None)  # of equals the first
        if number is None or self._room.length(offers[number]) > self._room.rest:
            return False
        self._take(number, offers[number])
        return True

    def _shorten_others(self, seconds: Fraction) -> bool:
        """Take so much time from the longest clips, none of which gets too short; whether there is so much."""
        shortened = dict(self.chosen)
        shortest, lack = self._room.shortest_clip, seconds
        free = {number for number, clips in shortened.items() if len(clips) == 1 and number not in self._firm}
        while lack > 0 and free:
            number = max(sorted(free), key=lambda one: self._room.length(shortened[one]))
            free.remove(number)
            length = self._room.length(shortened[number])
            clips = self._candidates[number].trimmed(max(shortest, length - lack), self._room)
            if clips and self._room.length(clips) < length:
                shortened[number] = clips
                lack -= length - self._room.length(clips)
        if lack > 0:
            return False
        self.chosen, self._room = shortened, self._room.emptied()
        for clips in shortened.values():
            self._room.take(clips)
        return True

    def _gain(self, number: int) -> float:
        """The worth that a candidate would add."""
        return float(np.maximum(self._benefits[number] - self._covered, 0.0).sum())

    def _take(self, number: int, clips: tuple[Clip, ...]) -> None:
        self.chosen[number] = clips
        self._room.take(clips)
        self._covered = np.maximum(self._covered, self._benefits[number])
