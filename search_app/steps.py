"""One step of a question, from filter and channels to candidates in their final order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from search_app.channels import (
    WORD_CHANNELS,
    Ranking,
    nearest_shots,
    picture_ranking,
    required_rankings,
    required_rows,
    text_rankings,
)
from search_app.feedback import move_question
from search_app.fusion import fuse_rankings
from search_app.options import Sort
from search_app.ranking import Candidates
from search_app.refinement import SURE, drop_unwanted, merge_moments, spread, stack_copies
from search_app.shot_frames import ShotFrames
from store.filters import text_matches

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from search_app.config import SearchSettings
    from search_app.options import SearchOptions
    from search_app.query import Step
    from search_app.question import Asker, Aspect, Question
    from search_app.ranking import StepHit
    from store.filters import Filter
    from store.records import ShotRow
    from store.snapshot import Snapshot


_SORTED_SHOTS = 5_000
"""Of a question with a meaning, so many of the nearest shots are put into another order than relevance."""


@dataclass(slots=True)
class Ranked:
    """Candidates in their final order, and what is needed to show them.

    Args:
        candidates: at least as many as were asked for, if there are so many.
        frames: frames of all candidates, also of those that were merged or stacked.
        shots: rows of all of them.
        confidence: for each, how surely it shows what was asked; empty for a question of filters alone.
        rankings: every channel's ranking.
        steps: for a question in order of time, what answers each step, by the shot of the first.
        nothing_matches: whether even the best is no better than chance.
    """

    candidates: Candidates
    frames: ShotFrames
    shots: Mapping[str, ShotRow]
    confidence: Mapping[str, float] = field(default_factory=dict)
    rankings: list[Ranking] = field(default_factory=list)
    steps: dict[str, tuple[StepHit, ...]] = field(default_factory=dict)
    nothing_matches: bool = False

    def is_sure(self, shot_id: str) -> bool:
        """Whether a shot surely answers: by what it shows, or because the words stand in one of its texts."""
        return self.is_found_by_text(shot_id) or self.confidence.get(shot_id, 0.0) >= SURE

    def is_found_by_text(self, shot_id: str) -> bool:
        """Whether words of the question stand in a text of a shot."""
        return any(match.channel in WORD_CHANNELS for match in self.candidates.matches.get(shot_id, ()))


@dataclass(frozen=True, slots=True)
class Filtered:
    """What a filter lets through.

    Args:
        shot_ids: the shots, None for all.
        frame_ids: their frames, None for all.
        rankings: votes of the words that were required.
    """

    shot_ids: set[str] | None
    frame_ids: NDArray[np.int64] | None
    rankings: list[Ranking]


def apply_filter(snapshot: Snapshot, wanted: Filter | None) -> Filtered:
    """The shots that a filter lets through, and how well required words stand in them."""
    if wanted is None:
        return Filtered(None, None, [])
    is_required = text_matches(wanted)
    rows = {match: required_rows(snapshot, match) for match in is_required}
    holding = {match: {shot_id for hit in hits for shot_id in hit.shot_ids} for match, hits in rows.items()}
    allowed = snapshot.matching_shots(wanted, holding)
    votes = [required_rankings(hits, allowed) for match, hits in rows.items() if is_required[match]]
    rankings = [ranking for rankings in votes for ranking in rankings if ranking]
    return Filtered(allowed, snapshot.frame_ids_of(allowed), rankings)


def rank_step(
    snapshot: Snapshot, asker: Asker, step: Step, options: SearchOptions, settings: SearchSettings
) -> Ranked:
    """Shots that answer one step, in their final order, at least down to the page that is asked for."""
    filtered = apply_filter(snapshot, step.filter)
    question = asker.encode(step)
    if question.wanted is not None and (options.keep or options.reject):
        question = replace(question, wanted=_moved(snapshot, asker, question.wanted, options, settings))
    n_shots = settings.ranking.pool
    if options.sort is not Sort.RELEVANCE:
        n_shots = max(n_shots, _SORTED_SHOTS if step.terms else snapshot.counts().shots)
    while True:
        candidates, rankings = _find(snapshot, asker, question, filtered, n_shots, settings)
        n_found = len(candidates.order)
        ranked = _refine(snapshot, asker, question, filtered, candidates, rankings, options, settings)
        if len(ranked.candidates.order) > options.depth or n_found < n_shots:
            return ranked
        n_shots *= 2


def _moved(
    snapshot: Snapshot, asker: Asker, wanted: Aspect, options: SearchOptions, settings: SearchSettings
) -> Aspect:
    """What is wanted, after what was kept and rejected."""
    kept, rejected = (ShotFrames(snapshot, ids, wanted) for ids in (options.keep, options.reject))
    background = asker.background
    mean = background.mean_text if wanted.is_text else background.mean_frame
    moved = move_question(
        wanted.vector, kept.vectors, rejected.vectors, background.mean_frame, mean, settings.feedback
    )
    return replace(wanted, vector=moved, is_text=False)


def _find(
    snapshot: Snapshot,
    asker: Asker,
    question: Question,
    filtered: Filtered,
    n_shots: int,
    settings: SearchSettings,
) -> tuple[Candidates, list[Ranking]]:
    """The joined vote of all channels.

    Only the first `pool` shots of the picture channel vote; the others follow in its order, so that a deeper page
    never changes the ones before it.
    """
    if question.wanted is None and not filtered.rankings:
        order = snapshot.list_shot_ids(filtered.shot_ids, n_shots)
        return Candidates(order, dict.fromkeys(order, 0.0)), []
    rankings, tail = list(filtered.rankings), dict[str, float]()
    if question.wanted is not None:
        nearest = nearest_shots(snapshot, question.wanted.vector, n_shots, filtered.frame_ids)
        pictures = picture_ranking(nearest)
        voters = dict(list(pictures.items())[: settings.ranking.pool])
        rankings += [
            voters,
            *text_rankings(snapshot, question.wanted, asker.background, settings.ranking, filtered.shot_ids),
        ]
        tail = dict.fromkeys(pictures, 0.0)
    weights = {name: getattr(settings.weights, name) for name in settings.weights.__slots__}
    fused = fuse_rankings(rankings, weights, settings.ranking.rank_constant)
    shots = snapshot.shots_by_id([one.shot_id for one in fused])
    fused.sort(key=lambda one: (*one.standing, shots[one.shot_id].path, shots[one.shot_id].shot.ordinal))
    candidates = Candidates.of_fused(fused)
    followers = [shot_id for shot_id in tail if shot_id not in candidates.relevance]
    candidates.order += followers
    candidates.relevance.update(dict.fromkeys(followers, 0.0))
    return candidates, rankings


def _refine(
    snapshot: Snapshot,
    asker: Asker,
    question: Question,
    filtered: Filtered,
    candidates: Candidates,
    rankings: list[Ranking],
    options: SearchOptions,
    settings: SearchSettings,
) -> Ranked:
    """Everything after the fusion, in this order: exclusions, moments, stacks, variety, sorting."""
    candidates.finish_stage("fusion")
    candidates.remove(question.own_shots, "being the question itself")
    candidates.remove(options.reject, "being rejected")
    frames = ShotFrames(snapshot, candidates.order, question.wanted)
    shots = snapshot.shots_by_id(candidates.order)
    ranked = Ranked(candidates, frames, shots, rankings=rankings)
    present = 1.0
    if question.asked is not None:
        present = 1.0 if options.keep else asker.presence(question.asked, filtered.frame_ids)
        shown = frames.confidence(asker.background, question.asked)
        kept = dict.fromkeys(shown.keys() & set(options.keep), 1.0)
        ranked.confidence = {shot_id: min(present, sure) for shot_id, sure in shown.items()} | kept
    if question.unwanted:
        pool = settings.ranking.pool
        drop_unwanted(candidates, frames, asker.background, question.unwanted, ranked.is_sure, pool)
        candidates.finish_stage("minus")
    if question.wanted is not None:
        if options.merge:
            floor = asker.background.mean_score(question.wanted.vector)
            merge_moments(candidates, shots, frames, floor, settings.ranking)
            candidates.finish_stage("moments")
        if options.stack:
            stack_copies(candidates, frames, asker.background, settings.ranking)
            candidates.finish_stage("stacks")
        if options.variety:
            spread(candidates, frames, asker.background, options.variety, settings.ranking.pool)
            candidates.finish_stage("variety")
        by_text = any(ranked.is_found_by_text(shot_id) for shot_id in candidates.order)
        ranked.nothing_matches = present < SURE and not by_text
    if options.sort is not Sort.RELEVANCE:
        _sort(snapshot, ranked, options.sort, question)
        candidates.finish_stage(f"sort by {options.sort}")
    return ranked


def _sort(snapshot: Snapshot, ranked: Ranked, sort: Sort, question: Question) -> None:
    """Another order than relevance; of a question with a meaning only what surely matches is left."""
    candidates, shots = ranked.candidates, ranked.shots
    if question.wanted is not None:
        unsure = [shot_id for shot_id in candidates.order if not ranked.is_sure(shot_id)]
        candidates.remove(unsure, f"not matching surely enough to be sorted by {sort}")
    if sort is Sort.DURATION:
        candidates.order.sort(key=lambda shot_id: (-shots[shot_id].shot.span.duration, shot_id))
        return
    dates = snapshot.dates() if sort is Sort.DATE else {}
    candidates.order.sort(
        key=lambda shot_id: (
            dates.get(shots[shot_id].video_id, ""),
            shots[shot_id].path,
            shots[shot_id].shot.ordinal,
        )
    )
