"""`rushes export`: the best shots for a question as a list, playlist, chapters, subtitles or contact sheet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.commands.options import ARCHIVE, AS_JSON, DEVICE
from search_app.commands.export_options import INCLUDE_MISSING, OVERWRITE, add_answer_options, add_relink_options
from search_app.commands.timeline import say_exported
from search_app.use_cases.options import FORMER_TEXTS, AnswerSource, ListOptions, RelinkOptions
from store.stages import stages_by_has

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.cutting.cut_options import CutOptions
    from search_app.use_cases.options import ClipSource, QuestionOptions

_FORMATS = (
    "csv",
    "json",
    "m3u",
    "mpv-edl",
    "srt",
    "vtt",
    "youtube",
    "ffmetadata",
    "html",
    "pdf",
    "mlt",
)  # FORMATS is heavy

OUTPUT = click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The file to write.")
FORMAT = click.option(
    "--format", "format_name", type=click.Choice(_FORMATS), help="What to write.  [default: as the ending says]"
)
TEXT = click.option(
    "--text",
    type=click.Choice([*stages_by_has(), *FORMER_TEXTS]),
    help="With .srt and .vtt: which texts.  [default: speech]",
)
FORMAT_HELP = """
\b
  .csv           a table for spreadsheets
  .json          for programs
  .m3u8          a playlist for VLC
  .mpv.edl       plays in mpv as one film
  .srt .vtt      subtitles of the film
  .txt           chapters for a YouTube description
  .ffmetadata    chapters for ffmpeg
  .html          a contact sheet: one file, pictures inside
  .pdf           the same for paper
  .mlt           a project for Shotcut and Kdenlive
"""


@click.command(epilog=FORMAT_HELP)
@ARCHIVE
@click.argument("query", required=False)
@OUTPUT
@FORMAT
@TEXT
@add_answer_options
@INCLUDE_MISSING
@add_relink_options
@OVERWRITE
@DEVICE
@AS_JSON
def export(
    archive: Path,
    query: str | None,
    output: Path,
    format_name: str | None,
    text: str | None,
    asked: QuestionOptions,
    choice: CutOptions,
    skip_blocked: bool,
    include_missing: bool,
    relink: RelinkOptions,
    overwrite: bool,
    device: str,
    as_json: bool,
) -> None:
    """Write the best shots for QUERY, as `rushes supercut` cuts them, as a list, chapters, subtitles or a sheet.

    Times of the film are those of the supercut with the same options, which runs at the rate of most of its
    sources.
    What was written is read back and compared before it gets its name.
    """
    source = AnswerSource(query, asked, choice, device)
    options = ListOptions(format_name, text, overwrite, relink)
    export_list(archive, source, output, options, skip_blocked, include_missing, as_json=as_json)


def export_list(
    archive: Path,
    source: ClipSource,
    output: Path,
    options: ListOptions,
    skip_blocked: bool,
    include_missing: bool,
    *,
    as_json: bool,
) -> None:
    """Write clips as a list, playlist, sheet, subtitles or chapters, and say what was written."""
    from search_app.use_cases.choose_clips import ExportNeeds
    from search_app.use_cases.export_clips import write_list
    from store.archive import Archive

    with Archive.open(archive) as opened:
        made = write_list(opened, source, output, options, ExportNeeds(skip_blocked, include_missing))
    say_exported(made, as_json=as_json)
