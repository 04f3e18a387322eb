"""`rushes export`: the best shots for a question as a list, playlist, chapters, subtitles or contact sheet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.commands.options import ARCHIVE, AS_JSON, DEVICE
from search_app.commands.clip_source import (
    INCLUDE_MISSING,
    add_answer_options,
    add_relink_options,
    changed_sources,
    idle_relinking,
    left_out_notes,
    take_clips,
    take_relinker,
)
from search_app.errors import QueryError
from store.stages import stages_by_has

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.cutting.cut_list import CutList
    from store.records import TextHit
    from store.snapshot import Snapshot

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
_NAMING_SOURCES = ("csv", "json", "m3u", "mpv-edl", "mlt")
_TEXTS = stages_by_has()
_FORMER = {"screen": "text"}
"""Spellings of earlier versions."""

FORMAT = click.option(
    "--format", "format_name", type=click.Choice(_FORMATS), help="What to write.  [default: as the ending says]"
)
TEXT = click.option(
    "--text", type=click.Choice([*_TEXTS, *_FORMER]), help="With .srt and .vtt: which texts.  [default: speech]"
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
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The file to write.")
@FORMAT
@TEXT
@add_answer_options
@INCLUDE_MISSING
@add_relink_options
@click.option("--overwrite", is_flag=True, help="Replace the output if it exists.")
@DEVICE
@AS_JSON
def export(
    archive: Path, query: str | None, as_json: bool, output: Path, format_name: str | None, **options: Any
) -> None:
    """Write the best shots for QUERY, as `rushes supercut` cuts them, as a list, chapters, subtitles or a sheet.

    Times of the film are those of the supercut with the same options, which runs at the rate of most of its
    sources.
    What was written is read back and compared before it gets its name.
    """
    from indexer.commands.console import print_json, printable
    from search_app.exports.contact_sheet import summary
    from search_app.exports.export import FORMATS, check_export_target, export_cut_list, format_of
    from search_app.exports.tables import film_json
    from search_app.output_checks import refuse_footage
    from store.archive import Archive

    overwrite = options.pop("overwrite")
    kind_of_file = format_name or format_of(output)
    form = FORMATS[kind_of_file]
    kind = options.pop("text")
    kind = _FORMER.get(kind, kind)
    if kind and not form.uses_texts:
        raise QueryError("--text: only with .srt and .vtt")
    relink = take_relinker(options, output)
    if kind_of_file not in _NAMING_SOURCES and (relink.path_map or relink.relative_to):
        raise QueryError(f"--path-map and --relative: only with {', '.join(_NAMING_SOURCES)}, which name sources")
    check_export_target(output.absolute(), (), overwrite=overwrite)
    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        refuse_footage(snapshot, output)
        chosen = take_clips(opened, query, options)
        cut_list = chosen.cut_list
        texts = _subtitle_texts(snapshot, cut_list, kind or "speech") if form.uses_texts else None
        film = export_cut_list(
            cut_list,
            output,
            format_name=format_name,
            overwrite=overwrite,
            question=chosen.question,
            captions=captions_of(snapshot, cut_list),
            texts=texts,
            relink=relink,
        )
    left_out = [f"{left.hit.shot.path} left out: {left.reason}" for left in cut_list.left_out]
    for note in (
        *(film.notes if form.names_frames else film.file_notes),
        *form.notes(film),
        *changed_sources(cut_list),
        *idle_relinking(relink, cut_list),
        *left_out_notes(cut_list),
    ):
        click.echo(printable(note), err=True)
    if as_json:
        print_json({"output": str(output.absolute()), **film_json(film), "left_out": left_out})
    else:
        click.echo(f"{output}: {summary(film)}, read back")


def _subtitle_texts(snapshot: Snapshot, cut_list: CutList, kind: str) -> dict[str, list[TextHit]]:
    """The texts of one kind of a cut list's videos, by video.

    Raises:
        QueryError: the archive holds none, whatever the clips.
    """
    texts = texts_of(snapshot, cut_list, kind)
    if not any(texts.values()):
        others = [other for other in _TEXTS if any(texts_of(snapshot, cut_list, other).values())]
        way_out = f"; --text {others[0]} would find some" if others else ", nor any other text"
        raise QueryError(f"no subtitles: the archive holds no {kind} of these videos{way_out}")
    return texts


def captions_of(snapshot: Snapshot, cut_list: CutList) -> dict[str, str]:
    """The first caption of each shot of the cut list's videos that has one."""
    found: dict[str, str] = {}
    for rows in texts_of(snapshot, cut_list, "caption").values():
        for row in rows:
            for shot_id in row.shot_ids[:1]:
                found.setdefault(shot_id, row.text)
    return found


def texts_of(snapshot: Snapshot, cut_list: CutList, kind: str) -> dict[str, list[TextHit]]:
    """The texts of one kind of a cut list's videos, by video."""
    videos = sorted({clip.video_id for clip in cut_list.clips})
    return {video_id: snapshot.text_rows(video_id, _TEXTS[kind]) for video_id in videos}
