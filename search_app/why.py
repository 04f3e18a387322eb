"""Why a moment is, or is not, among the answers to a question."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from search_app.channels import PICTURE
from search_app.config import SearchSettings
from search_app.fusion import Match
from search_app.options import SearchOptions
from search_app.query import Query
from search_app.query_parser import parse_query
from search_app.question import Asker
from search_app.search import encoder_for, rank
from search_app.shot_frames import ShotFrames
from search_app.steps import apply_filter
from store.errors import UnknownIdError

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.models.encoder import Encoder
    from search_app.query import Step
    from search_app.steps import Ranked
    from store.archive import Archive
    from store.records import ShotRow
    from store.snapshot import Snapshot

DEEPEST_FRAMES = 200_000
"""How far down the picture channel is followed to name a rank; a shot below is said to follow all of these."""

_ROUNDING = 1e-6  # equal scores, computed in two ways


@dataclass(frozen=True, slots=True)
class Explanation:
    """What became of one moment of one video for one question.

    Args:
        shot: the shot there, None if the video is not indexed or has no shot at that time.
        reason: what kept it out, or why there is no shot; empty if it is among the answers.
        confidence: how surely the shot shows what was asked, 0 to 1; None where nothing was measured.
        matches: its rank and score in every channel that knows it; of several steps, for the first.
        stages: its place after every stage, None where it was not, or no longer, among the candidates.
        n_candidates: how many shots took part.
    """

    shot: ShotRow | None
    reason: str
    confidence: float | None = None
    matches: tuple[Match, ...] = ()
    stages: tuple[tuple[str, int | None], ...] = ()
    n_candidates: int = 0


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
    """What became of the shot of a video at a time for a question.

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
    return Explanation(
        shot,
        _reason(snapshot, parsed, shot, ranked, settings),
        ranked.confidence.get(shot.shot_id),
        tuple(found),
        stages,
        len(ranked.candidates.stages[0][1]) if ranked.candidates.stages else 0,
    )


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
    """What kept a shot out of the answers; empty if nothing did."""
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
    """What a shot is for chains that it does not begin."""
    for begin in ranked.candidates.order:
        for number, hit in enumerate(ranked.steps.get(begin, ()), start=1):
            if hit.shot.shot_id == shot.shot_id:
                return f"it is step {number} of the chain that starts with shot {begin}"
    return "no chain of the steps, in this order and within the time, starts here; ranks are those of step 1"
