"""Answers as people and programs read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from indexer.cli import shot_json

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.confidence import Certainty
    from search_app.fusion import Match
    from search_app.ranking import Hit
    from search_app.search import SearchResult
    from search_app.why import Explanation


def say_no_match(result: SearchResult) -> None:
    """Say on stderr if no shot counts as an answer, or nobody can say, and if the numbers were not calibrated."""
    from search_app.confidence import Certainty

    if result.nothing_matches:
        nearest = "; these are only the nearest" if result.hits else ""
        is_unknown = any(hit.certainty is Certainty.UNKNOWN for hit in result.hits)
        why = " for certain: too few frames to say" if is_unknown else ""
        click.echo(f"nothing here matches{why}{nearest}", err=True)
    if not all(hit.is_calibrated for hit in result.hits):
        click.echo("confidence is not calibrated for this archive's encoder: words only", err=True)


def print_hits(result: SearchResult) -> None:
    """Ranked shots as a table for people."""
    from indexer.console import print_table, timecode

    rows = [
        (
            str(hit.rank),
            hit.sure_text(),
            timecode(hit.span.start_seconds),
            timecode(hit.span.end_seconds),
            found_by(hit),
            hit.shot.shot_id,
            hit.shot.path,
        )
        for hit in result.hits
    ]
    heads = ("rank", "sure", "start", "end", "found by", "shot", "video")
    print_table(heads, rows, right=(0, 1, 2, 3))


def found_by(hit: Hit) -> str:
    """The channels that found a hit, with its ranks, and what it stands for."""
    parts = [f"{match.channel.replace('_', ' ')} {match.rank}" for match in hit.matches[:3]]
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
    }


def sure_json(confidence: float | None, certainty: Certainty | None, is_calibrated: bool) -> dict[str, Any]:
    """How surely something was found, as plain data; without a number where it would be made up."""
    return {
        "confidence": round(confidence, 4) if is_calibrated and confidence is not None else None,
        "certainty": None if certainty is None else str(certainty),
        "calibrated": is_calibrated,
    }


def hit_json(hit: Hit) -> dict[str, Any]:
    """A hit as plain data."""
    return {
        "rank": hit.rank,
        "score": round(hit.score, 6),
        **shot_json(hit.shot),
        "start_seconds": hit.span.start_seconds,
        "end_seconds": hit.span.end_seconds,
        "frame_seconds": float(hit.time),
        "thumbnail": hit.thumbnail,
        **sure_json(hit.confidence, hit.certainty, hit.is_calibrated),
        "relevance": round(hit.relevance, 8),
        "channels": [match_json(match) for match in hit.matches],
        "members": [member.shot_id for member in hit.members],
        "stack": [shot_json(copy) for copy in hit.stack],
        "steps": [
            {
                **shot_json(step.shot),
                "frame_seconds": float(step.time),
                "score": round(step.score, 6),
                "confidence": sure_json(step.confidence, None, hit.is_calibrated)["confidence"],
            }
            for step in hit.steps
        ],
    }


def print_explanation(found: Explanation) -> None:
    """What became of a moment, for people."""
    from indexer.console import print_table, printable, timecode
    from search_app.confidence import percent_of, words_of

    if found.shot is None:
        click.echo(printable(found.reason))
        return
    span = found.shot.shot.span
    click.echo(
        f"shot {found.shot.shot_id}, {timecode(span.start_seconds)} to {timecode(span.end_seconds)} "
        f"of {printable(found.shot.path)}"
    )
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
