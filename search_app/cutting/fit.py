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

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from search_app.cutting.cut_list import Clip, CutList, LeftOut
from search_app.cutting.film_frames import FrameGrid
from search_app.cutting.greedy import Candidate, FitLimits, Room, Run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search_app.search.ranking import Hit
    from store.records import Embeddings, VideoFacts, VideoRow

    RateOf = Callable[[Sequence[VideoFacts], Sequence[Fraction]], Fraction]
    """The rate of a film, of the facts of each clip's source, and the seconds that each clip lasts."""

_OTHER_RATE = "its rate is not that of the film, which would not be as long as asked with it"
_N_RATES = 4
"""So often a choice is made anew because the film would have another rate than the one it was counted at."""


def fit_to_length(
    hits: Sequence[Hit],
    worths: Sequence[float],
    vectors: Embeddings,
    videos: Mapping[str, VideoRow],
    limits: FitLimits,
    *,
    mean_similarity: float = 0.0,
    kept: Collection[int] = (),
    first: int | None = None,
    rate_of: RateOf | None = None,
) -> CutList:
    """The best clips within the limits, in the order of the hits; every other hit is left out with a reason.

    A question in order of time has a clip for each step, and all of them or none. When no clip fits any more as it
    is, one that is trimmed further may fill what is left; where that is shorter than any clip may be, others give
    way a little. So the time is used to the last frame, as long as there is anything that adds to it.

    Args:
        hits: what to choose from, best first; of equally good ones the first is taken.
        worths: what each hit is worth, 0 or more.
        vectors: float32, (n_hits, dim), unit rows: the best frame of each hit.
        videos: the rows of their videos, by id.
        limits: what to keep to.
        mean_similarity: cosine of two frames that have nothing in common, below 1.
        kept: positions of hits that are in it whatever else is, untrimmed; the rest is chosen beside them.
        first: position of the hit that is taken before all others, trimmed to half of the time if it is longer.
        rate_of: gives the rate of a film of these sources: lengths are then counted in its frames, so that the
            film is as long as the clips promise, to the frame. Without it they are those of the sources.

    Raises:
        ValueError: there is not one worth and one vector for each hit, or a worth is negative.
    """
    if not len(hits) == len(worths) == len(vectors) or any(worth < 0 for worth in worths):
        raise ValueError("every hit needs a vector and a worth of 0 or more")
    problem = _Problem(hits, worths, vectors, videos, limits, mean_similarity, frozenset(kept), first)
    if rate_of is None or not problem.known_parts:
        return problem.solve(None)
    return _on_the_grid(problem, rate_of)


def _on_the_grid(problem: _Problem, rate_of: RateOf) -> CutList:
    """A choice whose film has the rate that it was counted at: which clips are chosen decides the rate, too."""
    parts = problem.known_parts
    facts = [problem.videos[part.shot.video_id].facts for part in parts]
    rate = rate_of(facts, [part.span.duration for part in parts])
    for _ in range(_N_RATES):
        cut_list = problem.solve(FrameGrid(rate))
        due = rate_of_clips(cut_list.clips, rate_of) if cut_list.clips else rate
        if due == rate:
            return cut_list
        rate = due
    # Rates take turns: they decide how clips are trimmed, whose lengths decide them. One alone keeps to itself.
    of_one = [
        _of_one_rate(problem, one, rate_of)
        for one in dict.fromkeys(_own_rate(hit, problem, rate_of) for hit in problem.hits)
        if one
    ]
    first = None if problem.first is None else problem.hits[problem.first]

    def rank(made: CutList) -> tuple[bool, Fraction]:
        return any(first in clip.hits for clip in made.clips), made.duration

    return max(of_one, key=rank, default=cut_list)


def _own_rate(hit: Hit, problem: _Problem, rate_of: RateOf) -> Fraction | None:
    """The rate of a film of one hit alone; None if its videos are not known."""
    if not all(part.shot.video_id in problem.videos for part in hit.parts):
        return None
    facts = [problem.videos[part.shot.video_id].facts for part in hit.parts]
    return rate_of(facts, [part.span.duration for part in hit.parts])


def _of_one_rate(problem: _Problem, rate: Fraction, rate_of: RateOf) -> CutList:
    """The best choice among the hits whose own rate this is, and those that are kept."""
    fitting = frozenset(hit.rank for hit in problem.hits if _own_rate(hit, problem, rate_of) == rate)
    others = tuple(LeftOut(hit, _OTHER_RATE) for hit in problem.hits if hit.rank not in fitting)
    return replace(problem, allowed=fitting, turned_down=others).solve(FrameGrid(rate))


def rate_of_clips(clips: Sequence[Clip], rate_of: RateOf) -> Fraction:
    """The rate of the film of some clips."""
    return rate_of([clip.facts for clip in clips], [clip.span.duration for clip in clips])


def keep_to_length(cut_list: CutList, seconds: Fraction, rate_of: RateOf) -> CutList:
    """The clips, the last ones shorter or left out, so that their film is no longer than that, to the frame.

    Args:
        cut_list: clips that are no longer in time of their sources.
        seconds: the longest length.
        rate_of: gives the rate of a film of some sources.
    """
    clips, left_out = list(cut_list.clips), list(cut_list.left_out)
    while clips:
        grid = FrameGrid(rate_of_clips(clips, rate_of))
        last = clips[-1]
        before = sum((grid.length(clip.span, clip.facts) for clip in clips[:-1]), Fraction())
        rest = grid.floor(seconds) - before
        if grid.length(last.span, last.facts) <= rest:
            break
        span = grid.trim(last.span, last.span.start, rest, last.facts) if rest > 0 else None
        shorter = None if span is None else [*clips[:-1], replace(last, span=span)]
        if shorter and rate_of_clips(shorter, rate_of) == grid.rate:
            clips = shorter
            break
        left_out += [LeftOut(hit, f"no room left within {float(seconds):g} seconds") for hit in last.hits]
        clips.pop()
    return CutList(tuple(clips), tuple(left_out))


@dataclass(frozen=True, slots=True)
class _Problem:
    """Problem of fitting; the arguments of `fit_to_length`.

    Args:
        allowed: ranks of the hits that may be chosen; None for all.
        turned_down: why the others may not.
    """

    hits: Sequence[Hit]
    worths: Sequence[float]
    vectors: Embeddings
    videos: Mapping[str, VideoRow]
    limits: FitLimits
    mean_similarity: float
    kept: frozenset[int]
    first: int | None
    allowed: frozenset[int] | None = None
    turned_down: tuple[LeftOut, ...] = ()

    @property
    def known_parts(self) -> list[Hit]:
        """Everything that could be a clip."""
        parts = [part for hit in self.hits for part in hit.parts]
        return [part for part in parts if part.shot.video_id in self.videos]

    def solve(self, grid: FrameGrid | None) -> CutList:
        """The best choice, with lengths counted in frames of a film or in time of the sources."""
        made = [self._candidate(place, grid) for place in range(len(self.hits))]
        places = [place for place, one in enumerate(made) if isinstance(one, Candidate)]
        candidates = [one for one in made if isinstance(one, Candidate)]
        worths = np.asarray(self.worths, np.float64)[places]
        benefits = cover_benefits(worths, self.vectors[places], self.mean_similarity)
        firm = [number for number, place in enumerate(places) if place in self.kept]
        first = next((number for number, place in enumerate(places) if place == self.first), None)
        runs = [
            Run(candidates, benefits, Room(self.limits, grid), firm, first, per_second=per_second)
            for per_second in (True, False)
        ]
        best = max(runs, key=lambda run: run.worth)  # of equals the first
        chosen = {places[number]: clips for number, clips in best.chosen.items()}
        reasons = {places[number]: best.reason(number) for number in range(len(candidates))}
        return CutList(
            tuple(clip for place in sorted(chosen) for clip in chosen[place]),
            tuple(
                LeftOut(hit, one if isinstance(one, str) else reasons[place])
                for place, (hit, one) in enumerate(zip(self.hits, made, strict=True))
                if place not in chosen
            ),
        )

    def _candidate(self, place: int, grid: FrameGrid | None) -> Candidate | str:
        hit, room = self.hits[place], Room(self.limits, grid)
        if place in self.kept:
            return _whole(hit, self.videos, room)
        if self.allowed is not None and hit.rank not in self.allowed:
            return next(left.reason for left in self.turned_down if left.hit is hit)
        return _candidate(hit, self.videos, room)


def cover_benefits(
    worths: NDArray[np.float64], vectors: Embeddings, mean_similarity: float
) -> NDArray[np.float64]:
    """Share of each item's utility that each other item covers: float64, (n, n), symmetric."""
    alike = (vectors @ vectors.T).astype(np.float64)
    alike = np.clip((alike - mean_similarity) / (1 - mean_similarity), 0.0, 1.0)
    np.fill_diagonal(alike, 1.0)
    benefits: NDArray[np.float64] = alike * np.minimum.outer(worths, worths)
    return benefits


def _candidate(hit: Hit, videos: Mapping[str, VideoRow], room: Room) -> Candidate | str:
    """The clips of a hit, or why it can have none, whatever else is chosen."""
    clips: list[Clip] = []
    limits = room.limits
    for part in hit.parts:
        row = videos.get(part.shot.video_id)
        if row is None:
            return "its video is not in the archive"
        span = room.trim(part.span, part.time, limits.longest_clip, row.facts)
        if span is None:
            return f"not one frame of it fits into {float(limits.longest_clip):g} seconds"
        clips.append(Clip(row.video_id, (row.path, *row.other_paths), span, (part,), row.facts))
        if not room.is_long_enough(clips[-1]):
            return f"shorter than {float(limits.min_clip):g} seconds"
    seconds = room.length(clips)
    if seconds > room.rest:
        return f"its clips together are longer than {float(limits.seconds):g} seconds"
    shots = tuple(part.span for part in hit.parts)
    return room.refusal(clips) or Candidate(hit, tuple(clips), shots, seconds)


def _whole(hit: Hit, videos: Mapping[str, VideoRow], room: Room) -> Candidate | str:
    """The clips of a hit as they are, to be kept whatever the limits say."""
    if not all(part.shot.video_id in videos for part in hit.parts):
        return "its video is not in the archive"
    rows = [videos[part.shot.video_id] for part in hit.parts]
    clips = tuple(
        Clip(row.video_id, (row.path, *row.other_paths), part.span, (part,), row.facts)
        for row, part in zip(rows, hit.parts, strict=True)
    )
    return Candidate(hit, clips, tuple(part.span for part in hit.parts), room.length(clips))
