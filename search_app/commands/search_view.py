"""Answers as people and programs read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from indexer.commands.archive_commands import shot_json
from store.wording import clock, printable

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from collections.abc import Mapping

    from indexer.library.presence import Presence
    from search_app.confidence.certainty import Certainty
    from search_app.search.fusion import Match
    from search_app.search.ranking import Hit
    from search_app.search.search import SearchResult
    from search_app.search.why import Explanation
    from search_app.use_cases.verify_hits import VerifiedHits


def say_no_match(result: SearchResult) -> None:
    """Say on stderr what was found nothing of, if nothing matches, and if numbers were not calibrated."""
    from search_app.confidence.certainty import Certainty
    from search_app.search.naming import NAME

    for remark in result.remarks:
        click.echo(printable(remark), err=True)
    if result.nothing_matches and result.hits:
        is_named = any(match.channel == NAME for match in result.hits[0].matches)
        nearest = (
            "what has that in its name comes first, then the nearest" if is_named else "these are only the nearest"
        )
        is_unknown = any(hit.certainty is Certainty.UNKNOWN for hit in result.hits)
        why = " for certain: too few frames to say" if is_unknown else ""
        click.echo(f"nothing here matches{why}; {nearest}", err=True)
    if not all(hit.is_calibrated for hit in result.hits):
        click.echo("confidence is not calibrated for this archive's encoder: words only", err=True)


def print_hits(result: SearchResult, files: Mapping[str, Presence], verified: VerifiedHits | None = None) -> None:
    """Ranked shots as a table for people; files that are missing, and copies, have columns if there are any.

    Args:
        result: the answer.
        files: where each video lies now.
        verified: a model's word on the first hits, which have a column then; None if nobody asked.
    """
    from indexer.commands.console import print_table, with_presence

    rows: list[tuple[str, ...]] = [
        (
            str(hit.rank),
            hit.sure_text(),
            clock(hit.span.start_seconds),
            clock(hit.span.end_seconds),
            found_by(hit),
            hit.shot.shot_id,
            files[hit.shot.video_id].path,
        )
        for hit in result.hits
    ]
    heads: tuple[str, ...] = ("rank", "sure", "start", "end", "found by", "shot", "video")
    if verified is not None:
        heads = (*heads[:2], "model says", *heads[2:])
        rows = [
            (*row[:2], check_text(hit, verified), *row[2:]) for row, hit in zip(rows, result.hits, strict=True)
        ]
    headings, shown = with_presence(heads, rows, [files[hit.shot.video_id] for hit in result.hits])
    print_table(headings, shown, right=(0, 1, 2, 3) if verified is None else (0, 1, 3, 4))


def check_text(hit: Hit, verified: VerifiedHits) -> str:
    """A model's word on a hit; of what it did not verify, with its reason; empty for hits behind the first."""
    check = verified.checks.get(hit.rank)
    if check is None:
        return ""
    is_plain = check.verdict == "verified" or not check.reason
    return check.verdict.value if is_plain else f"{check.verdict.value}: {check.reason[:60]}"


def check_json(hit: Hit, verified: VerifiedHits | None) -> dict[str, Any]:
    """A model's word on a hit as plain data; nothing if it was not asked."""
    check = None if verified is None else verified.checks.get(hit.rank)
    if check is None or verified is None:
        return {}
    return {"check": {"verdict": check.verdict.value, "reason": check.reason, "model": verified.model}}


def found_by(hit: Hit) -> str:
    """The channels that found a hit, with its ranks, and what it stands for."""
    parts = [f"{match.channel.replace('_', ' ')} {match.rank}" for match in hit.matches[:3]]
    if hit.play_seconds > hit.span.start_seconds:
        parts.append(f"said at {clock(hit.play_seconds)}")
    if len(hit.members) > 1:
        parts.append(f"{len(hit.members)} shots")
    if hit.stack:
        parts.append(f"+{len(hit.stack)} alike")
    return ", ".join(parts)


def match_json(match: Match) -> dict[str, Any]:
    """A channel's match as plain data."""
    return {
        "channel": match.channel,
        "rank": match.rank,
        "score": round(match.score, 6),
        "text": match.text,
        "words": list(match.words),
        "found_seconds": match.found_seconds,
    }


def sure_json(confidence: float | None, certainty: Certainty | None, is_calibrated: bool) -> dict[str, Any]:
    """Certainty as plain data; without a number where it would be made up."""
    return {
        "confidence": round(confidence, 4) if is_calibrated and confidence is not None else None,
        "certainty": None if certainty is None else str(certainty),
        "calibrated": is_calibrated,
    }


def hit_json(hit: Hit, files: Mapping[str, Presence]) -> dict[str, Any]:
    """A hit as plain data."""
    return {
        "rank": hit.rank,
        "score": round(hit.score, 6),
        **shot_json(hit.shot, files[hit.shot.video_id]),
        "start_seconds": hit.span.start_seconds,
        "end_seconds": hit.span.end_seconds,
        "frame_seconds": float(hit.time),
        "play_seconds": hit.play_seconds,
        "thumbnail": hit.thumbnail,
        **sure_json(hit.confidence, hit.certainty, hit.is_calibrated),
        "relevance": round(hit.relevance, 8),
        "channels": [match_json(match) for match in hit.matches],
        "members": [member.shot_id for member in hit.members],
        "stack": [shot_json(copy, files[copy.video_id]) for copy in hit.stack],
        "steps": [
            {
                **shot_json(step.shot, files[step.shot.video_id]),
                "frame_seconds": float(step.time),
                "score": round(step.score, 6),
                "confidence": sure_json(step.confidence, None, hit.is_calibrated)["confidence"],
            }
            for step in hit.steps
        ],
    }


def print_explanation(found: Explanation, presence: Presence | None) -> None:
    """Fate of a moment, for people.

    Args:
        found: what became of it.
        presence: where its video lies now; None without a shot.
    """
    from indexer.commands.console import print_table
    from search_app.confidence.certainty import percent_of, words_of

    if found.shot is None or presence is None:
        click.echo(printable(found.reason))
        return
    span = found.shot.shot.span
    click.echo(
        f"shot {found.shot.shot_id}, {clock(span.start_seconds)} to {clock(span.end_seconds)} "
        f"of {printable(presence.path)}"
    )
    if not presence.is_there:
        click.echo(printable(presence.reason))
    if presence.also_at:
        click.echo(printable(f"also at {', '.join(presence.also_at)}"))
    if found.certainty is not None:
        sure = words_of(found.confidence, is_calibrated=found.is_calibrated)
        click.echo(f"shows what is asked for: {sure}")
    if found.reasons:
        reasons = [
            (reason.aspect, printable(reason.words), percent_of(reason.probability)) for reason in found.reasons
        ]
        print_table(("evidence", "of", "shown"), reasons, right=(2,))
    rows = [
        (match.channel, str(match.rank), f"{match.score:.3f}", " ".join(match.words)) for match in found.matches
    ]
    print_table(("channel", "rank", "score", "words"), rows, right=(1, 2))
    places = [
        (name, "out" if place is None else f"{place} of {found.n_candidates}") for name, place in found.stages
    ]
    print_table(("after", "place"), places, right=(1,))
    click.echo(found.verdict)
