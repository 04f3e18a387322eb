"""Why a moment is, or is not, among the answers to a question."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from search_app.confidence.belief import Reason
from search_app.confidence.certainty import Certainty, certainty_of
from search_app.config import SearchSettings
from search_app.query.options import SearchOptions
from search_app.query.parser import parse_query
from search_app.query.query import Query
from search_app.search.channels import PICTURE
from search_app.search.encoding import Asker
from search_app.search.fusion import Match
from search_app.search.rank_step import apply_filter
from search_app.search.search import encoder_for, rank
from search_app.search.shot_frames import ShotFrames
from store.errors import UnknownIdError

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.models.encoder import Encoder
    from search_app.query.query import Step
    from search_app.search.rank_step import Ranked, StepBeliefs
    from store.archive import Archive
    from store.records import ShotRow
    from store.snapshot import Snapshot

DEEPEST_FRAMES = 200_000
"""Depth to which the picture channel is followed to name a rank; a shot below is said to follow all of these."""

_ROUNDING = 1e-6  # equal scores, computed in two ways


@dataclass(frozen=True, slots=True)
class Explanation:
    """Fate of one moment of one video for one question.

    Args:
        shot: the shot there, None if the video is not indexed or has no shot at that time.
        reason: what kept it out, or why there is no shot; empty if it is listed.
        confidence: how surely the shot shows what was asked, 0 to 1; None where nothing was measured.
        certainty: the same in words; None for a question of filters alone, and for what is no candidate.
        is_calibrated: whether the confidence was fitted for the archive's encoder.
        is_match: whether it counts as an answer.
        reasons: the evidence that made the confidence, of the wanted and of the unwanted.
        matches: its rank and score in every channel that knows it; of several steps, for the first.
        stages: its place after every stage, None where it was not, or no longer, among the candidates.
        n_candidates: how many shots took part.
    """

    shot: ShotRow | None
    reason: str
    confidence: float | None = None
    certainty: Certainty | None = None
    is_calibrated: bool = True
    is_match: bool = False
    reasons: tuple[Reason, ...] = ()
    matches: tuple[Match, ...] = ()
    stages: tuple[tuple[str, int | None], ...] = ()
    n_candidates: int = 0

    @property
    def verdict(self) -> str:
        """Fate, in agreement with its confidence."""
        if self.reason:
            return self.reason
        if self.is_match:
            return "it is among the answers"
        if self.certainty is Certainty.UNKNOWN:
            return "it is listed, but the archive holds too few frames to say whether it matches"
        return "it is listed as one of the nearest, but does not count as a match"


def explain(
    archive: Archive,
    video: str,
    seconds: float,
    query: str | Query,
    *,
    encoder: Encoder | Callable[[], Encoder] | None = None,
    settings: SearchSettings | None = None,
    options: SearchOptions | None = None,
) -> Explanation:
    """Fate of the shot of a video at a time for a question.

    Args:
        archive: where to look.
        video: path, end of a path, or fingerprint of the video.
        seconds: presentation time.
        query: the question, as given to `search`.
        encoder: as for `search`.
        settings: as for `search`.
        options: as for `search`.

    Raises:
        QueryError: the question cannot be used.
    """
    parsed = parse_query(query) if isinstance(query, str) else query
    settings, options = settings or SearchSettings(), options or SearchOptions()
    snapshot = archive.snapshot()
    shot, reason = _shot_at(snapshot, video, seconds)
    if shot is None:
        return Explanation(None, reason)
    load = cache(encoder_for(snapshot, encoder))
    ranked = rank(snapshot, parsed, options, settings, load)
    found = [ranking[shot.shot_id] for ranking in ranked.rankings if shot.shot_id in ranking]
    # After feedback the question is another, whose deeper ranks are not known here.
    if not (options.keep or options.reject or any(match.channel == PICTURE for match in found)):
        found += _deep_match(snapshot, parsed.steps[0], shot, load, settings)
    stages = tuple(
        (name, order.index(shot.shot_id) + 1 if shot.shot_id in order else None)
        for name, order in ranked.candidates.stages
    )
    is_candidate = any(shot.shot_id in order for _, order in ranked.candidates.stages)
    confidence = ranked.confidence.get(shot.shot_id) if is_candidate else None
    return Explanation(
        shot,
        _reason(snapshot, parsed, shot, ranked, settings),
        confidence,
        certainty_of(confidence) if ranked.has_meaning and is_candidate else None,
        ranked.is_calibrated,
        shot.shot_id in ranked.candidates.order and (not ranked.has_meaning or ranked.is_match(shot.shot_id)),
        _evidence(snapshot, shot, ranked),
        tuple(found),
        stages,
        len(ranked.candidates.stages[0][1]) if ranked.candidates.stages else 0,
    )


def _evidence(snapshot: Snapshot, shot: ShotRow, ranked: Ranked) -> tuple[Reason, ...]:
    """Evidence for and against a shot: every part of every step that it answers, and of what is unwanted.

    Each is measured at the frame that shows it most surely, as the confidence is; of a chain, at its own frames.
    """
    steps = ranked.steps.get(shot.shot_id)
    if steps is None:
        frames = ShotFrames(snapshot, [shot.shot_id], None)
        return _reasons_of(ranked.beliefs[0], frames, shot.shot_id) if ranked.beliefs and frames.rows else ()
    reasons: list[Reason] = []
    for number, (beliefs, hit) in enumerate(zip(ranked.beliefs, steps, strict=True), start=1):
        frames = ShotFrames(snapshot, [hit.shot.shot_id], None).at(hit.time)
        found = _reasons_of(beliefs, frames, hit.shot.shot_id)
        reasons += [replace(reason, aspect=f"step {number}: {reason.aspect}") for reason in found]
    return tuple(reasons)


def _reasons_of(beliefs: StepBeliefs, frames: ShotFrames, shot_id: str) -> tuple[Reason, ...]:
    """Evidence for the wanted of one step and for its unwanted."""
    reasons: list[Reason] = []
    if beliefs.wanted is not None:
        reasons += beliefs.wanted.reasons(frames.surest(shot_id, beliefs.wanted))
    for belief in beliefs.unwanted:
        sure = frames.confidence(belief)[shot_id]
        reasons.append(Reason(belief.words, "unwanted", sure))
    return tuple(reasons)


def _shot_at(snapshot: Snapshot, video: str, seconds: float) -> tuple[ShotRow | None, str]:
    """The shot there, or why there is none."""
    try:
        row = snapshot.video(video)
    except UnknownIdError as error:
        for failure in snapshot.failures():
            if failure.path == video or failure.path.endswith(f"/{video}"):
                return None, f"{failure.path} is not indexed, because it failed: {failure.reason}"
        return None, str(error)
    for shot in snapshot.shots(row.video_id):
        if shot.shot.span.start <= seconds < shot.shot.span.end:
            return shot, ""
    end = float(row.facts.span.end)
    partial = "; only part of it could be indexed" if row.facts.partial else ""
    return None, f"{row.path} has no shot at {seconds:g} s: it ends at {end:.2f} s{partial}"


def _deep_match(
    snapshot: Snapshot, step: Step, shot: ShotRow, load: Callable[[], Encoder], settings: SearchSettings
) -> list[Match]:
    """The rank of a shot far down in the picture channel, among what passes the filter, if it passes."""
    filtered = apply_filter(snapshot, step.filter, settings.ranking.pool)
    if not step.terms or (filtered.shot_ids is not None and shot.shot_id not in filtered.shot_ids):
        return []
    wanted = Asker(snapshot, load).encode(step).wanted
    if wanted is None:
        return []
    score = ShotFrames(snapshot, [shot.shot_id], wanted).score(shot.shot_id)
    scores, frame_ids = snapshot.nearest(wanted.vector, DEEPEST_FRAMES, filtered.frame_ids)
    return [Match(PICTURE, snapshot.count_shots_of(frame_ids[scores > score + _ROUNDING]) + 1, score)]


def _reason(snapshot: Snapshot, query: Query, shot: ShotRow, ranked: Ranked, settings: SearchSettings) -> str:
    """Reason why a shot is not in the list; empty if there is none."""
    candidates = ranked.candidates
    if shot.shot_id in candidates.order:
        return ""
    if shot.shot_id in candidates.removed:
        return f"taken out by {candidates.removed[shot.shot_id]}"
    for number, step in enumerate(query.steps, start=1):
        allowed = apply_filter(snapshot, step.filter, settings.ranking.pool).shot_ids
        if allowed is not None and shot.shot_id not in allowed:
            return "does not pass the filters" + (f" of step {number}" if len(query.steps) > 1 else "")
    if len(query.steps) > 1:
        return _place_in_chains(shot, ranked)
    if not query.steps[0].terms:
        return "passes the filters; deeper pages list it, in the order of the files"
    return f"not among the first {settings.ranking.pool} shots of any channel; deeper pages list it by its picture"


def _place_in_chains(shot: ShotRow, ranked: Ranked) -> str:
    """Role of a shot in chains that it does not begin."""
    for begin in ranked.candidates.order:
        for number, hit in enumerate(ranked.steps.get(begin, ()), start=1):
            if hit.shot.shot_id == shot.shot_id:
                return f"it is step {number} of the chain that starts with shot {begin}"
    return "no chain of the steps, in this order and within the time, starts here; ranks are those of step 1"
