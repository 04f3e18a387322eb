"""The commands that say what a video is about: summary, chapters."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.commands.options import ARCHIVE, AS_JSON, CONFIG, DEVICE
from search_app.commands.export_options import OVERWRITE
from search_app.errors import QueryError

_VIDEO = click.argument("video")
_FORMATS = ("youtube", "ffmetadata", "vtt")  # FORMS is heavy
_STYLES = ("general", "meeting", "lecture")


@click.command()
@ARCHIVE
@_VIDEO
@click.option("--style", type=click.Choice(_STYLES), help="What matters.  [default: as stored, else general]")
@CONFIG
@DEVICE
@AS_JSON
def summary(
    archive: Path, video: str, style: str | None, config_files: tuple[Path, ...], device: str, as_json: bool
) -> None:
    """Say what VIDEO of ARCHIVE is about, in at most 100 words and in one line.

    Made of what stages found: speech, captions, labels, objects, text on screen. A text model writes it where one
    is configured (text_model of a settings file); else the most telling sentences are taken, and that is said.
    """
    from indexer.commands.console import print_json, say
    from search_app.use_cases.tell_video import tell_summary
    from store.archive import Archive

    with Archive.open(archive) as opened:
        told = tell_summary(opened, video, config_files, style=style, device=device)
    (row,) = told.rows[:1]
    if as_json:
        payload = dict(row.payload or {})
        entries = {
            "video": told.video.path,
            "summary": row.text,
            "abstract": told.abstract,
            "style": payload.get("style"),
            "model": told.model,
            "is_extractive": told.is_extractive,
            "is_stored": told.is_stored,
            "is_stale": told.is_stale,
            "sources": payload.get("sources", {}),
        }
        print_json(entries)
        return
    say(f"{told.name}: {told.abstract}")
    say(row.text)
    for note in told.notes("summaries"):
        click.echo(note, err=True)


@click.command()
@ARCHIVE
@_VIDEO
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write them: .txt, .ffmetadata or .vtt.")
@click.option("--format", "format_name", type=click.Choice(_FORMATS), help="[default: as the ending says]")
@OVERWRITE
@CONFIG
@DEVICE
@AS_JSON
def chapters(
    archive: Path,
    video: str,
    output: Path | None,
    format_name: str | None,
    overwrite: bool,
    config_files: tuple[Path, ...],
    device: str,
    as_json: bool,
) -> None:
    """List the chapters of VIDEO of ARCHIVE, or write them for YouTube, ffmpeg or a web page.

    They begin where pictures and words change. Titles are by a text model where one is configured; else of the
    most telling words, and that is said.
    """
    from indexer.commands.console import print_json, print_table
    from search_app.use_cases.tell_video import export_chapters, tell_chapters
    from store.archive import Archive
    from store.wording import clock, n_of, printable

    if output is None and (format_name or overwrite):
        raise QueryError("--format and --overwrite: only with -o")
    with Archive.open(archive) as opened:
        told = tell_chapters(opened, video, config_files, device=device)
        written = None
        if output is not None:
            written = export_chapters(opened, told, output, format_name, overwrite=overwrite)
    if as_json:
        rows = [
            {"start_seconds": row.span.start_seconds, "end_seconds": row.span.end_seconds, "title": row.text}
            for row in told.rows
        ]
        entries = {
            "video": told.video.path,
            "model": told.model,
            "is_extractive": told.is_extractive,
            "is_stored": told.is_stored,
            "is_stale": told.is_stale,
            "output": None if output is None else str(output.absolute()),
            "chapters": rows,
        }
        print_json(entries)
        return
    notes = told.notes("chapters")
    if written is None:
        cells = [(clock(row.span.start_seconds), clock(row.span.end_seconds), row.text) for row in told.rows]
        print_table(("start", "end", "title"), cells, right=(0, 1))
    else:
        click.echo(printable(f"{output}: {n_of(len(written[0].clips), 'chapter')}, read back"))
        notes = [*written[1], *notes]
    for note in notes:
        click.echo(printable(note), err=True)


COMMANDS = (summary, chapters)
