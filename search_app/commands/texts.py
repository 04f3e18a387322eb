"""`rushes texts` and `rushes correct`: what stages say about a video, and what a person says instead."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.commands.options import ARCHIVE, AS_JSON
from store.wording import clock

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from store.results import StageRow


@click.command()
@ARCHIVE
@click.argument("video")
@click.option("--stage", help="Only this kind: captions, labels, speech, text, ...")
@AS_JSON
def texts(archive: Path, video: str, stage: str | None, as_json: bool) -> None:
    """List what stages found in VIDEO (path, end of a path, or fingerprint): time, kind, text, who said so."""
    from indexer.commands.console import print_json, print_table
    from search_app.use_cases.correct_text import texts_of
    from store.archive import Archive

    with Archive.open(archive) as opened:
        rows = texts_of(opened.snapshot(), video, stage)
    if as_json:
        print_json([row_json(row) for row in rows])
        return
    heads = ("from", "to", "kind", "score", "text", "by")
    print_table(heads, [_cells(row) for row in rows], right=(0, 1, 3))


def _cells(row: StageRow) -> tuple[str, ...]:
    span, score = row.row.span, row.row.score
    return (
        clock(span.start_seconds),
        clock(span.end_seconds),
        row.stage,
        "" if score is None else f"{score:.2f}",
        row.row.text,
        row.run_key,
    )


def row_json(row: StageRow) -> dict[str, Any]:
    """A text of a stage, with all that it carries."""
    found = row.row
    return {
        "stage": row.stage,
        "start": found.span.start_seconds,
        "end": found.span.end_seconds,
        "text": found.text,
        "score": found.score,
        "language": found.language,
        "box": found.box,
        "words": [{"text": w.text, "start": w.start_seconds, "end": w.end_seconds} for w in found.words],
        "count": found.count,
        "payload": found.payload,
        "run": row.run_key,
    }


@click.command()
@ARCHIVE
@click.argument("video")
@click.argument("stage")
@click.argument("time", metavar="TIME")
@click.argument("text", required=False)
@click.option("--was", default="", help="The text that is wrong, where there are several at that time.")
@click.option("--remove", is_flag=True, help="Remove the text, and write none.")
@click.option("--reset", is_flag=True, help="Take the correction back: what the model said is shown again.")
def correct(
    archive: Path, video: str, stage: str, time: str, text: str | None, was: str, remove: bool, reset: bool
) -> None:
    """Put TEXT in place of what STAGE found in VIDEO at TIME; no later run of a model overwrites it.

    STAGE is captions, labels, speech, text, ...; TIME is 12.5, 1:02.5 or a timecode. Of kinds with many texts at a
    time, such as labels, --was names the wrong one; without it TEXT is a further one.
    """
    from search_app.use_cases.correct_text import correct_text
    from store.archive import Archive

    if (text is not None) + remove + reset != 1:
        raise click.UsageError("write the right TEXT, or --remove, or --reset")
    with Archive.open(archive) as opened:
        before = correct_text(opened, video, stage, time, text or "", old_text=was, is_reset=reset)
    was_text = f", was: {before}" if before else ""
    from indexer.commands.console import say

    say(f"{'taken back' if reset else 'removed' if remove else 'written'}{was_text}")
