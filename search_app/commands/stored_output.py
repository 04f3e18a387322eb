"""`rushes cut render` and `rushes cut export`: films and files of a stored cut list."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.commands.options import ARCHIVE, AS_JSON
from search_app.commands.as_one import as_one, given_options
from search_app.commands.edit_cut import NAME
from search_app.commands.export import FORMAT, FORMAT_HELP, TEXT
from search_app.commands.export import OUTPUT as ANY_OUTPUT
from search_app.commands.export_options import (
    INCLUDE_MISSING,
    OVERWRITE,
    SKIP_BLOCKED,
    SKIP_MISSING,
    add_relink_options,
)
from search_app.commands.render import EACH, render_source
from search_app.commands.render_options import add_render_options
from search_app.commands.supercut import OUTPUT as FILM_OUTPUT
from search_app.commands.timeline import RATE, SHORT_REELS, export_clips
from search_app.cutting.cut_options import flag_of
from search_app.errors import ExportError, QueryError
from search_app.use_cases.options import ListOptions, RelinkOptions, StoredSource, TimelineOptions

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.use_cases.options import RenderOptions

_TIMELINE_ENDINGS = (".otio", ".edl", ".fcpxml", ".xml")
_TIMELINE_HELP = """
\b
  .otio          a timeline of OpenTimelineIO
  .edl           a CMX 3600 list
  .fcpxml        for Final Cut Pro
  .xml           for Premiere, Resolve and Final Cut Pro 7"""


@click.command("render")
@ARCHIVE
@NAME
@FILM_OUTPUT
@SKIP_BLOCKED
@add_render_options
@EACH
@AS_JSON
@as_one(StoredSource, "source")
def render_stored(
    archive: Path,
    source: StoredSource,
    output: Path,
    rendering: RenderOptions,
    dry_run: bool,
    each: bool,
    as_json: bool,
) -> None:
    """Render a cut list into one video, with every option of `rushes supercut` that is not about choosing."""
    source = replace(source, skip_missing=rendering.skip_missing)
    render_source(archive, source, output, rendering, dry_run=dry_run, each=each, as_json=as_json)


@click.command(
    "export",
    help="Write a cut list as a timeline, list, playlist, subtitles, chapters or contact sheet, with the endings "
    "and options of `rushes timeline` and `rushes export` that are not about choosing.",
    epilog=_TIMELINE_HELP + FORMAT_HELP.removeprefix("\n\b"),
)
@ARCHIVE
@NAME
@SKIP_MISSING
@ANY_OUTPUT
@SKIP_BLOCKED
@INCLUDE_MISSING
@RATE
@SHORT_REELS
@add_relink_options
@OVERWRITE
@AS_JSON
@FORMAT
@TEXT
@as_one(StoredSource, "source")
def export_stored(
    archive: Path,
    source: StoredSource,
    output: Path,
    rate: str | None,
    short_reels: bool,
    relink: RelinkOptions,
    overwrite: bool,
    format_name: str | None,
    text: str | None,
    as_json: bool,
) -> None:
    """Write a cut list as the format that the ending, or --format, says."""
    is_timeline = format_name is None and _is_timeline(output)
    foreign = {"text"} if is_timeline else {"rate", "short_reels"}
    if given := sorted(given_options() & foreign):
        raise QueryError(f"{', '.join(map(flag_of, given))}: not for {output.name!r}")
    options = (
        TimelineOptions(rate, short_reels, overwrite, relink)
        if is_timeline
        else ListOptions(format_name, text, overwrite, relink)
    )
    export_clips(archive, source, output, options, as_json=as_json)


def _is_timeline(output: Path) -> bool:
    """Whether a file of that name is a timeline, and not a list.

    Raises:
        ExportError: no format has its ending.
    """
    from search_app.exports.export import format_of

    file_name = output.name.lower()
    if file_name.endswith(_TIMELINE_ENDINGS) and not file_name.endswith(".mpv.edl"):
        return True
    try:
        format_of(output)
    except ExportError as error:
        raise ExportError(f"{error}, or of a timeline {', '.join(_TIMELINE_ENDINGS)}") from error
    return False
