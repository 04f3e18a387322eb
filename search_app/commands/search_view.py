"""Answers as people and programs read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from indexer.cli import shot_json

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.fusion import Match
    from search_app.ranking import Hit
    from search_app.search import SearchResult
    from search_app.why import Explanation


def say_no_match(result: SearchResult) -> None:
    """Say on stderr what was found nothing of, and if the answer is no better than chance."""
    from indexer.console import printable
    from search_app.naming import NAME

    for remark in result.remarks:
        click.echo(printable(remark), err=True)
    if result.nothing_matches and result.hits:
        is_named = any(match.channel == NAME for match in result.hits[0].matches)
        nearest = (
            "what has that in its name comes first, then the nearest" if is_named else "these are only the nearest"
        )
        click.echo(f"nothing here matches; {nearest}", err=True)


def print_hits(result: SearchResult) -> None:
    """Ranked shots as a table for people."""
    from indexer.console import print_table, timecode

    rows = [
        (
            str(hit.rank),
            "" if hit.confidence is None else f"{100 * hit.confidence:.0f} %",
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
        "confidence": None if hit.confidence is None else round(hit.confidence, 4),
        "relevance": round(hit.relevance, 8),
        "channels": [match_json(match) for match in hit.matches],
        "members": [member.shot_id for member in hit.members],
        "stack": [shot_json(copy) for copy in hit.stack],
        "steps": [
            {**shot_json(step.shot), "frame_seconds": float(step.time), "score": round(step.score, 6)}
            for step in hit.steps
        ],
    }


def print_explanation(found: Explanation) -> None:
    """What became of a moment, for people."""
    from indexer.console import print_table, printable, timecode

    if found.shot is None:
        click.echo(printable(found.reason))
        return
    span = found.shot.shot.span
    click.echo(
        f"shot {found.shot.shot_id}, {timecode(span.start_seconds)} to {timecode(span.end_seconds)} "
        f"of {printable(found.shot.path)}"
    )
    if found.confidence is not None:
        click.echo(f"shows what is asked for with a confidence of {100 * found.confidence:.0f} %")
    rows = [
        (match.channel, str(match.rank), f"{match.score:.3f}", " ".join(match.words)) for match in found.matches
    ]
    print_table(("channel", "rank", "score", "words"), rows, right=(1, 2))
    places = [
        (name, "out" if place is None else f"{place} of {found.n_candidates}") for name, place in found.stages
    ]
    print_table(("after", "place"), places, right=(1,))
    click.echo(found.reason or "it is among the answers")
