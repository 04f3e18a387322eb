"""One step of a question, from filter and channels to candidates in their final order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from search_app.confidence.certainty import MEDIUM_FROM, POSSIBLE_FROM
from search_app.query.options import Sort
from search_app.search.channels import (
    PICTURE,
    Ranking,
    nearest_shots,
    picture_ranking,
    required_rankings,
    required_rows,
    text_rankings,
)
from search_app.search.feedback import move_question
from search_app.search.fusion import fuse_rankings
from search_app.search.naming import NAME, NamedVideos, put_named_first, words_as_typed
from search_app.search.ranking import Candidates, are_found_by_words
from search_app.search.refinement import drop_unwanted, merge_moments, spread, stack_copies
from search_app.search.shot_frames import ShotFrames
from store.filters import text_matches

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from search_app.confidence.belief import Belief
    from search_app.config import SearchSettings
    from search_app.query.options import SearchOptions
    from search_app.query.query import Step
    from search_app.search.encoding import Asker, Aspect, Question
    from search_app.search.fusion import Fused
    from search_app.search.ranking import StepHit
    from store.filters import Filter
    from store.records import ShotRow
    from store.snapshot import Snapshot


SORTED_SHOTS = 5_000
"""Of a question with a meaning, so many of the nearest shots are put into another order than relevance."""


@dataclass(frozen=True, slots=True)
class StepBeliefs:
    """Belief about what a step asks for.

    Args:
        wanted: what to show; None if the step only filters.
        unwanted: what not to show.
    """

    wanted: Belief | None
    unwanted: tuple[Belief, ...] = ()

    @property
    def is_measured(self) -> bool:
        """Whether the step has a meaning, and the archive holds enough to measure it."""
        return self.wanted is not None and all(one.is_measured for one in (self.wanted, *self.unwanted))

    @property
    def is_telling(self) -> bool:
        """Whether the encoder's scores tell right from wrong, so that it can be said that nothing matches."""
        return all(one.is_telling for one in (self.wanted, *self.unwanted) if one is not None)

    @property
    def is_calibrated(self) -> bool:
        """Whether every text of it was measured by numbers that were fitted for the encoder."""
        asked = (*self.unwanted,) if self.wanted is None else (self.wanted, *self.unwanted)
        return all(one.is_calibrated for one in asked)


@dataclass(slots=True)
class Ranked:
    """Candidates in their final order, and what is needed to show them.

    Args:
        candidates: at least as many as were asked for, if there are so many.
        frames: frames of all candidates, also of those that were merged or stacked.
        shots: rows of all of them.
        confidence: for each, how surely it shows what was asked; empty for a question of filters alone, and where
            the archive holds too little to say.
        rankings: every channel's ranking.
        steps: for a question in order of time, what answers each step, by the shot of the first.
        beliefs: what each step's confidence comes from.
        nothing_matches: whether no candidate may well be an answer.
        remarks: channels that could not be asked, and why, for people.
    """

    candidates: Candidates
    frames: ShotFrames
    shots: Mapping[str, ShotRow]
    confidence: Mapping[str, float] = field(default_factory=dict)
    rankings: list[Ranking] = field(default_factory=list)
    steps: dict[str, tuple[StepHit, ...]] = field(default_factory=dict)
    beliefs: tuple[StepBeliefs, ...] = ()
    nothing_matches: bool = False
    remarks: tuple[str, ...] = ()

    @property
    def has_meaning(self) -> bool:
        """Whether the question has a meaning that shots can fail; False for filters alone."""
        return any(step.wanted is not None for step in self.beliefs)

    @property
    def is_calibrated(self) -> bool:
        """Whether the confidence was fitted for the encoder."""
        return all(step.is_calibrated for step in self.beliefs)

    def is_match(self, shot_id: str) -> bool:
        """Whether a shot answers: by what it shows, or because the words stand in one of its texts."""
        return self.is_found_by_words(shot_id) or self.confidence.get(shot_id, 0.0) >= MEDIUM_FROM

    def is_possible(self, shot_id: str) -> bool:
        """Whether a shot may well answer, so that it cannot be said that nothing does."""
        return self.is_found_by_words(shot_id) or self.confidence.get(shot_id, 0.0) >= POSSIBLE_FROM

    def is_found_by_words(self, shot_id: str) -> bool:
        """Whether words of the question stand in a text of a shot, or are the name of its file."""
        return are_found_by_words(self.candidates.matches.get(shot_id, ()))


@dataclass(frozen=True, slots=True)
class Filtered:
    """Shots that a filter lets through.

    Args:
        shot_ids: the shots, None for all.
        frame_ids: their frames, None for all.
        rankings: votes of the words that were required.
    """

    shot_ids: set[str] | None
    frame_ids: NDArray[np.int64] | None
    rankings: list[Ranking]


def apply_filter(snapshot: Snapshot, wanted: Filter | None, pool: int) -> Filtered:
    """The shots that a filter lets through, and the votes of the words it requires, of `pool` shots each."""
    if wanted is None:
        return Filtered(None, None, [])
    is_required = text_matches(wanted)
    rows = {match: required_rows(snapshot, match) for match in is_required}
    holding = {match: {shot_id for hit in hits for shot_id in hit.shot_ids} for match, hits in rows.items()}
    allowed = snapshot.matching_shots(wanted, holding)
    votes = [required_rankings(hits, allowed, pool) for match, hits in rows.items() if is_required[match]]
    rankings = [ranking for rankings in votes for ranking in rankings if ranking]
    return Filtered(allowed, snapshot.frame_ids_of(allowed), rankings)


def rank_step(
    snapshot: Snapshot, asker: Asker, step: Step, options: SearchOptions, settings: SearchSettings
) -> Ranked:
    """Shots that answer one step, in their final order, at least down to the page that is asked for."""
    filtered = apply_filter(snapshot, step.filter, settings.ranking.pool)
    question = asker.encode(step)
    if question.asked is not None and (options.keep or options.reject):
        question = replace(question, wanted=_moved(snapshot, asker, question.asked, options, settings))
    text, is_sum = words_as_typed(step)
    named = NamedVideos(snapshot, text if settings.weights[NAME] > 0 else "", is_whole=is_sum)
    return _Ranker(snapshot, asker, question, filtered, named, options, settings).rank()


def _moved(
    snapshot: Snapshot, asker: Asker, asked: Aspect, options: SearchOptions, settings: SearchSettings
) -> Aspect:
    """Wanted vector, once feedback has moved it."""
    kept, rejected = (ShotFrames(snapshot, ids, asked) for ids in (options.keep, options.reject))
    background = asker.background
    mean = background.mean_text if asked.is_text else background.mean_frame
    moved = move_question(
        asked.vector, kept.vectors, rejected.vectors, background.mean_frame, mean, settings.feedback
    )
    return replace(asked, vector=moved, is_text=False)


class _Ranker:
    """Ranks the shots of one generation for one encoded step.

    The head are the shots that any channel votes for; behind them follow all others in the order of the picture
    channel, or of their files. The head is the same whatever page is asked for, and what happens to a follower
    depends only on those before it: so a deeper page never changes the ones before it.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        asker: Asker,
        question: Question,
        filtered: Filtered,
        named: NamedVideos,
        options: SearchOptions,
        settings: SearchSettings,
    ) -> None:
        self._snapshot = snapshot
        self._asker = asker
        self._question = question
        self._filtered = filtered
        self._named = named
        self._options = options
        self._settings = settings
        self._pool = settings.ranking.pool
        self._beliefs = StepBeliefs(
            None if question.asked is None else asker.believe(question.asked),
            tuple(asker.believe(aspect) for aspect in question.unwanted),
        )
        self._nearest = self._find_nearest(self._pool)
        self._text_rankings = self._vote_by_text()
        voted = dict.fromkeys(shot_id for shot_id, _ in self._nearest)
        for ranking in self._text_rankings:
            voted.update(dict.fromkeys(ranking))
        self._frames = ShotFrames(snapshot, voted, question.wanted)
        self._sure = self._confidence(self._frames) if self._beliefs.is_measured else {}
        self._rankings = self._vote()
        self._head = self._fuse()

    def rank(self) -> Ranked:
        """The candidates of ever more followers, until there are enough for the page or no more."""
        n_shots = self._pool
        if self._options.sort is not Sort.RELEVANCE:
            n_shots = self._snapshot.counts().shots if self._question.wanted is None else SORTED_SHOTS
        while True:
            followers = self._followers(n_shots)
            ranked = self._refine(self._with_followers(followers))
            is_sorted = self._options.sort is not Sort.RELEVANCE
            if is_sorted or len(ranked.candidates.order) > self._options.depth or len(followers) < n_shots:
                return ranked
            n_shots *= 2

    def _find_nearest(self, n_shots: int) -> list[tuple[str, float]]:
        """The nearest shots with the scores of their best frames."""
        if self._question.wanted is None:
            return []
        vector = self._question.wanted.vector
        nearest = nearest_shots(self._snapshot, vector, n_shots, self._filtered.frame_ids)
        return [(shot_id, hit.score) for shot_id, hit in nearest.items()]

    def _vote_by_text(self) -> list[Ranking]:
        """The ranking of every channel but the pictures."""
        rankings = list(self._filtered.rankings)
        wanted = self._question.wanted
        if wanted is not None:
            settings, allowed = self._settings.ranking, self._filtered.shot_ids
            meaning_of = self._asker.meaning_of
            rankings += text_rankings(self._snapshot, wanted, meaning_of, settings, allowed, self._named)
        return rankings

    def _vote(self) -> list[Ranking]:
        """The ranking of every channel; pictures are ranked by what is believed of them, where that was fitted.

        A question that feedback moved, or that is a sum, is ranked by cosine: it is measured as it was asked.
        """
        if self._question.wanted is None:
            return self._text_rankings
        sure = self._sure if self._is_believed else {}
        return [picture_ranking(self._nearest, sure), *self._text_rankings]

    @property
    def _is_believed(self) -> bool:
        """Whether shots are ordered by what is believed of them rather than by cosine."""
        belief = self._beliefs.wanted
        return belief is not None and belief.orders and self._question.wanted is self._question.asked

    def _fuse(self) -> Candidates:
        """The shots that have votes, in the order of their joined votes.

        A name speaks for a whole video, whatever its shots show: where pictures show what is asked, it counts
        less, and no vote puts what does not answer before what does.
        """
        weights = dict(self._settings.weights)
        if self._is_shown:
            weights[NAME] *= self._settings.ranking.name_share
        fused = fuse_rankings(self._rankings, weights, self._settings.ranking.rank_constant)
        shots = self._snapshot.shots_by_id([one.shot_id for one in fused])
        answers = {one.shot_id for one in fused if are_found_by_words(one.matches)}
        answers |= {shot_id for shot_id, sure in self._sure.items() if sure >= MEDIUM_FROM}

        def place(one: Fused) -> tuple[bool, float, int, str, int]:
            shot = shots[one.shot_id]
            return self._is_shown and one.shot_id not in answers, *one.standing, shot.path, shot.shot.ordinal

        fused.sort(key=place)
        return Candidates.of_fused(self._order_by_belief(fused) if self._is_believed else fused)

    def _order_by_belief(self, fused: list[Fused]) -> list[Fused]:
        """The same, where shots that no text speaks for share their places among each other by confidence.

        A part of a name speaks for none: which files it brings to the front is decided later.
        """
        places = [
            place
            for place, one in enumerate(fused)
            if not are_found_by_words(one.matches) and {match.channel for match in one.matches} <= {PICTURE, NAME}
        ]
        believed = sorted((fused[place] for place in places), key=lambda one: -self._sure.get(one.shot_id, 0.0))
        ordered = list(fused)
        for place, one in zip(places, believed, strict=True):
            ordered[place] = one
        return ordered

    @property
    def _is_shown(self) -> bool:
        """Whether pictures show what is asked, as far as is known."""
        return any(sure >= MEDIUM_FROM for sure in self._sure.values())

    def _followers(self, n_shots: int) -> list[str]:
        """Shots in the order of the picture channel, or of their files if nothing is looked for."""
        if self._question.wanted is None:
            return self._snapshot.list_shot_ids(self._filtered.shot_ids, n_shots)
        deeper = self._find_nearest(n_shots) if n_shots > self._pool else []
        return list(dict.fromkeys(shot_id for shot_id, _ in (*self._nearest, *deeper)))

    def _with_followers(self, followers: Iterable[str]) -> Candidates:
        """The head, and behind it all others."""
        head = self._head
        behind = [shot_id for shot_id in followers if shot_id not in head.relevance]
        relevance = {**head.relevance, **dict.fromkeys(behind, 0.0)}
        return Candidates([*head.order, *behind], relevance, dict(head.matches))

    def _refine(self, candidates: Candidates) -> Ranked:
        """Everything after the fusion, in this order: exclusions, moments, stacks, variety, sorting."""
        question, options = self._question, self._options
        head = frozenset(self._head.order)
        candidates.finish_stage("fusion")
        candidates.remove(question.own_shots, "being the question itself")
        candidates.remove(options.reject, "being rejected")
        is_known = self._frames.has_all(candidates.order)
        frames = self._frames if is_known else ShotFrames(self._snapshot, candidates.order, question.wanted)
        shots = self._snapshot.shots_by_id(candidates.order)
        sure = self._sure if is_known else self._confidence(frames)
        measured = sure if self._beliefs.is_measured else {}
        ranked = Ranked(candidates, frames, shots, measured, self._rankings, beliefs=(self._beliefs,))
        background = self._asker.background if question.wanted is not None or question.unwanted else None
        if question.unwanted:
            unwanted = self._beliefs.unwanted
            shown = [(belief.words, belief.excludes_from, frames.confidence(belief)) for belief in unwanted]
            drop_unwanted(candidates, shown, ranked.is_match, head)
            candidates.finish_stage("minus")
        if put_named_first(candidates, ranked.confidence, shots, self._named, is_shown=self._is_shown, voted=head):
            candidates.finish_stage("names")
        if question.wanted is not None and background is not None:
            if options.merge:
                floor = background.mean_score(question.wanted.vector)
                merge_moments(candidates, shots, frames, floor, self._settings.ranking, head)
                candidates.finish_stage("moments")
            if options.stack:
                stack_copies(candidates, frames, background, self._settings.ranking)
                candidates.finish_stage("stacks")
            if options.variety:
                spread(candidates, frames, background, options.variety, ranked.is_match, head)
                candidates.finish_stage("variety")
            is_telling = self._beliefs.is_telling
            ranked.nothing_matches = is_telling and not any(map(ranked.is_possible, candidates.order))
        if options.sort is not Sort.RELEVANCE:
            _sort(self._snapshot, ranked, options.sort, question)
            candidates.finish_stage(f"sort by {options.sort}")
        return ranked

    def _confidence(self, frames: ShotFrames) -> dict[str, float]:
        """Probability that each shot shows what was asked and nothing unwanted, before feedback moves it.

        What was kept is right.
        """
        if self._beliefs.wanted is None:
            return {}
        sure = frames.confidence(self._beliefs.wanted)
        for belief in self._beliefs.unwanted:
            shown = frames.confidence(belief)
            sure = {shot_id: value * (1 - shown[shot_id]) for shot_id, value in sure.items()}
        return sure | dict.fromkeys(sure.keys() & set(self._options.keep), 1.0)


def _sort(snapshot: Snapshot, ranked: Ranked, sort: Sort, question: Question) -> None:
    """Another order than relevance; of a question with a meaning only what surely matches is left."""
    candidates, shots = ranked.candidates, ranked.shots
    if question.wanted is not None:
        unsure = [shot_id for shot_id in candidates.order if not ranked.is_match(shot_id)]
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
