"""`rushes export`: the best shots for a question as a list, playlist, chapters, subtitles or contact sheet."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.commands.options import ARCHIVE, AS_JSON, DEVICE
from search_app.commands.as_one import as_one
from search_app.commands.data import DATA_FORMATS, tell_data
from search_app.commands.export_options import INCLUDE_MISSING, OVERWRITE, add_answer_options, add_relink_options
from search_app.commands.timeline import export_clips
from search_app.use_cases.options import FORMER_TEXTS, AnswerSource, ListOptions
from store.stages import stages_by_has

_FORMATS = (
    "csv",
    "json",
    "jsonl",
    "parquet",
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
    "--format", "format_name", type=click.Choice(_FORMATS), help="File format.  [default: as the ending says]"
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
@as_one(ListOptions, "options")
@as_one(AnswerSource, "source")
def export(archive: Path, source: AnswerSource, output: Path, options: ListOptions, as_json: bool) -> None:
    """Write the best shots for QUERY, as `rushes supercut` cuts them, as a list, chapters, subtitles or a sheet.

    Times of the film are those of the supercut with the same options, which runs at the rate of most of its
    sources.
    What was written is read back and compared before it gets its name.

    Without QUERY, .json, .jsonl, .csv and .parquet get all shots of ARCHIVE, as by `rushes data`.
    """
    if not (source.query or source.asked.like or source.asked.saved) and _is_data(output, options.format_name):
        tell_data(archive, output, options.format_name, overwrite=options.overwrite)
        return
    export_clips(archive, source, output, options, as_json=as_json)


def _is_data(output: Path, format_name: str | None) -> bool:
    return (format_name or output.suffix.lower().removeprefix(".")) in DATA_FORMATS
