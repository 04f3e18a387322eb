"""Questions of several steps: A then B, in that order, inside one video."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from search_app.errors import QueryError
from search_app.query.options import Sort
from search_app.search.channels import nearest_shots
from search_app.search.rank_step import Filtered, Ranked, StepBeliefs, apply_filter
from search_app.search.ranking import Candidates, StepHit
from search_app.search.sequence import find_chains
from search_app.search.shot_frames import ShotFrames

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search_app.config import SearchSettings
    from search_app.query.options import SearchOptions
    from search_app.query.query import Query
    from search_app.search.encoding import Asker, Question
    from search_app.search.sequence import Chain
    from store.records import Embeddings, FrameRow
    from store.snapshot import Snapshot

_LEAST = 1e-12  # a probability, so that its logarithm is finite
_VIDEOS_PER_POOL = 4  # a pool of 500 shots looks into 125 videos


def rank_chains(
    snapshot: Snapshot, asker: Asker, query: Query, options: SearchOptions, settings: SearchSettings
) -> Ranked:
    """Places where the steps follow each other, best first; each is shown by the shot of its first step.

    The videos in which any step has its nearest shots are searched frame by frame for the best chains. A step's
    score is the logarithm of how surely the frame shows it, so that chains are ranked by how
    surely all of each holds.

    Raises:
        QueryError: no step says what to look for, or an option makes no sense for chains.
    """
    _refuse_unfit(options)
    pool = settings.ranking.pool
    filtered = [apply_filter(snapshot, step.filter, pool) for step in query.steps]
    questions = [asker.encode(step) for step in query.steps]
    if all(question.wanted is None for question in questions):
        raise QueryError("at least one step of A THEN B must say in plain words what to look for")
    videos = _promising_videos(snapshot, questions, filtered, settings)
    rows = snapshot.frames_of_videos(videos)
    vectors = snapshot.frame_vectors(np.array([row.frame_id for row in rows], dtype=np.int64))
    beliefs = [
        StepBeliefs(
            None if question.asked is None else asker.believe(question.asked),
            tuple(asker.believe(aspect) for aspect in question.unwanted),
        )
        for question in questions
    ]
    sure = np.stack([_believe(step, vectors) for step in beliefs])
    scores = np.log(np.maximum(sure, _LEAST))
    for row, step, question, allowed in zip(scores, beliefs, questions, filtered, strict=True):
        row[_forbidden(step, question, allowed, rows, vectors)] = -np.inf
    scores[:, [row.shot_id in options.reject for row in rows]] = -np.inf
    found = []
    start = 0
    for _, group in groupby(rows, key=lambda row: row.video_id):
        end = start + len(list(group))
        times = np.array([float(row.time) for row in rows[start:end]])
        chains = find_chains(scores[:, start:end], times, query.within_seconds)
        found += [(chain, start) for chain in _without_repeats(chains, rows[start:end])]
        start = end
    found.sort(key=lambda item: (-round(item[0].score, 9), item[1]))
    return _build(snapshot, questions, tuple(beliefs), sure, found, rows, vectors)


def _refuse_unfit(options: SearchOptions) -> None:
    """Say what cannot be done with chains, rather than leave it undone."""
    unfit = [
        name
        for name, is_asked in (
            ("sort", options.sort is not Sort.RELEVANCE),
            ("variety", options.variety > 0),
            ("merge", options.merge),
            ("keep", bool(options.keep)),
        )
        if is_asked
    ]
    if unfit:
        raise QueryError(f"A THEN B is ordered by relevance alone; leave out {' and '.join(unfit)}")


def _promising_videos(
    snapshot: Snapshot, questions: list[Question], filtered: list[Filtered], settings: SearchSettings
) -> list[str]:
    """Videos of the nearest shots of any step, the best first."""
    standing: dict[str, int] = {}
    for question, allowed in zip(questions, filtered, strict=True):
        if question.wanted is not None:
            nearest = nearest_shots(snapshot, question.wanted.vector, settings.ranking.pool, allowed.frame_ids)
            for place, hit in enumerate(nearest.values()):
                video_id = hit.shot.video_id
                standing[video_id] = min(place, standing.get(video_id, place))
    ordered = sorted(standing, key=lambda video_id: (standing[video_id], video_id))
    return ordered[: max(1, settings.ranking.pool // _VIDEOS_PER_POOL)]


def _believe(step: StepBeliefs, vectors: Embeddings) -> NDArray[np.float64]:
    """Probability that each frame shows what a step wants and nothing unwanted; 1 for a step of filters alone."""
    sure = np.ones(len(vectors))
    if step.wanted is not None:
        sure *= step.wanted.of_frames(vectors)
    for belief in step.unwanted:
        sure *= 1 - belief.of_frames(vectors)
    return sure


def _forbidden(
    step: StepBeliefs, question: Question, filtered: Filtered, rows: list[FrameRow], vectors: Embeddings
) -> NDArray[np.bool_]:
    """The frames that filter or minus keep out of a step, and those that the question itself is made of."""
    out = np.array([row.shot_id in question.own_shots for row in rows], dtype=bool)
    for belief in step.unwanted:
        out |= belief.of_frames(vectors) >= belief.excludes_from
    if filtered.shot_ids is not None:
        out |= np.array([row.shot_id not in filtered.shot_ids for row in rows], dtype=bool)
    return out


def _without_repeats(chains: list[Chain], rows: list[FrameRow]) -> list[Chain]:
    """The best chain for each first shot, and for each last shot: not ten versions of one place."""
    first_shots, last_shots, kept = set[str](), set[str](), []
    for chain in chains:
        first, last = rows[chain.frames[0]].shot_id, rows[chain.frames[-1]].shot_id
        if first not in first_shots and last not in last_shots:
            first_shots.add(first)
            last_shots.add(last)
            kept.append(chain)
    return kept


def _build(
    snapshot: Snapshot,
    questions: list[Question],
    beliefs: tuple[StepBeliefs, ...],
    sure: NDArray[np.float64],
    found: list[tuple[Chain, int]],
    rows: list[FrameRow],
    vectors: Embeddings,
) -> Ranked:
    """Chains as candidates; a chain is right if each of its steps is, so their probabilities are multiplied."""
    chosen = [[start + frame for frame in chain.frames] for chain, start in found]
    shots = snapshot.shots_by_id(list({rows[frame].shot_id for frames in chosen for frame in frames}))
    order = [rows[frames[0]].shot_id for frames in chosen]
    candidates = Candidates(
        list(order), {shot: chain.score for shot, (chain, _) in zip(order, found, strict=True)}
    )
    candidates.finish_stage("order in time")
    first = next((question.wanted for question in questions[:1]), None)
    ranked = Ranked(candidates, ShotFrames(snapshot, order, first), shots, beliefs=beliefs)
    confidence: dict[str, float] = {}
    for shot_id, frames in zip(order, chosen, strict=True):
        steps = []
        for number, (question, frame) in enumerate(zip(questions, frames, strict=True)):
            score = 0.0 if question.asked is None else float(vectors[frame] @ question.asked.vector)
            row = rows[frame]
            steps.append(StepHit(shots[row.shot_id], row.time, score, float(sure[number, frame])))
        ranked.steps[shot_id] = tuple(steps)
        confidence[shot_id] = float(np.prod([step.confidence for step in steps]))
        members = tuple(dict.fromkeys(step.shot.shot_id for step in steps))
        if len(members) > 1:
            candidates.members[shot_id] = members
    if all(step.is_measured or step.wanted is None for step in beliefs):
        ranked.confidence = confidence
    is_telling = all(step.is_telling for step in beliefs)
    ranked.nothing_matches = is_telling and not any(map(ranked.is_possible, order))
    return ranked
