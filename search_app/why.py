"""Why a moment is, or is not, among the answers to a question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from search_app.channels import PICTURE, nearest_shots
from search_app.config import SearchSettings
from search_app.options import SearchOptions
from search_app.query import Query
from search_app.query_parser import parse_query
from search_app.question import Asker
from search_app.search import encoder_for, rank
from search_app.steps import apply_filter
from store.errors import UnknownIdError

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.models.encoder import Encoder
    from search_app.fusion import Match
    from search_app.steps import Ranked
    from store.archive import Archive
    from store.records import ShotRow
    from store.snapshot import Snapshot

DEEPEST_RANK = 50_000
"""How far down the picture channel is followed to name a rank."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What became of one moment of one video for one question.

    Args:
        shot: the shot there, None if the video is not indexed or has no shot at that time.
        reason: what kept it out, or why there is no shot; empty if it is among the answers.
        confidence: how surely the shot shows what was asked, 0 to 1; None where nothing was measured.
        matches: its rank and score in every channel that knows it.
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
    ranked = rank(snapshot, parsed, options, settings, encoder)
    matches, frame_confidence = _matches_of(snapshot, parsed, shot, ranked, encoder)
    stages = tuple(
        (name, order.index(shot.shot_id) + 1 if shot.shot_id in order else None)
        for name, order in ranked.candidates.stages
    )
    return Explanation(
        shot,
        _reason(snapshot, parsed, shot, ranked, settings),
        ranked.confidence.get(shot.shot_id, frame_confidence),
        matches,
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


def _matches_of(
    snapshot: Snapshot,
    query: Query,
    shot: ShotRow,
    ranked: Ranked,
    encoder: Encoder | Callable[[], Encoder] | None,
) -> tuple[tuple[Match, ...], float | None]:
    """Every channel's rank of a shot, the picture channel followed far down, and the shot's confidence."""
    found = [ranking[shot.shot_id] for ranking in ranked.rankings if shot.shot_id in ranking]
    asker = Asker(snapshot, encoder_for(snapshot, encoder))
    wanted = asker.encode(query.steps[0]).wanted
    if wanted is None:
        return tuple(found), None
    if not any(match.channel == PICTURE for match in found):
        from search_app.fusion import Match
        from search_app.shot_frames import ShotFrames

        score = ShotFrames(snapshot, [shot.shot_id], wanted).score(shot.shot_id)
        nearest = list(nearest_shots(snapshot, wanted.vector, DEEPEST_RANK, None))
        place = nearest.index(shot.shot_id) + 1 if shot.shot_id in nearest else DEEPEST_RANK + 1
        found.append(Match(PICTURE, place, score))
    return tuple(found), None


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
        return "no chain of the steps, in this order and within the time, starts here"
    return f"not among the first {settings.ranking.pool} shots of any channel; deeper pages list it by its picture"
