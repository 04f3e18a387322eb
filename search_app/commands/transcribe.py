"""`rushes transcribe`: what is said in a video, as text, subtitles or data."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.commands.options import AS_JSON, DEVICE
from search_app.commands.as_one import as_one
from search_app.commands.export_options import OVERWRITE
from search_app.errors import QueryError
from search_app.use_cases.options import ListenOptions
from store.wording import clock, printable

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from indexer.stages.stage import HeardStretch
    from search_app.use_cases.transcribe import Transcript

_HOW = (
    click.option("--model", help="tiny.en, small, large-v3, ..., ORGANISATION/NAME of the hub, or a folder."),
    click.option("--engine", help="faster-whisper, or transformers."),
    click.option("--language", help="What is spoken, such as de; else it is detected."),
    click.option("--translate", is_flag=True, help="Write it in English, whatever is spoken."),
    click.option("--hot-word", "hot_words", multiple=True, help="A name or term that is said; may be repeated."),
    click.option("--mix", is_flag=True, help="Never hear channels apart."),
    click.option("--no-subtitles", is_flag=True, help="Listen, even where there are subtitles."),
)


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("video", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it there: .srt, .vtt, .json or .txt.")
@OVERWRITE
@DEVICE
@AS_JSON
@as_one(ListenOptions, "how", _HOW)
def transcribe(
    source: Path,
    video: str | None,
    output: Path | None,
    overwrite: bool,
    device: str,
    as_json: bool,
    how: ListenOptions,
) -> None:
    """Write down what is said in SOURCE, a video; of an archive, print the transcripts that it holds.

    A video file is listened to, or its subtitles are read; no archive is needed or changed. If SOURCE is an
    archive, nothing is listened to: VIDEO names one of its videos; without it, all are printed.
    """
    from search_app.exports.transcript import check_transcript_name

    if output is not None:
        check_transcript_name(output)
    if source.is_dir():
        if given := [field.name for field in fields(how) if getattr(how, field.name)]:
            option = given[0].replace("hot_words", "hot_word").replace("_", "-")
            raise QueryError(f"--{option} has no effect on what an archive holds; name a video file")
        found = _stored(source, video, output)
    else:
        if video is not None:
            raise QueryError(f"{source} is no archive, so that there is no VIDEO in it; leave {video!r:.60} out")
        found = [_listened(source, output, overwrite, how, device)]
    _give(found, output, overwrite, as_json=as_json)


def _stored(source: Path, video: str | None, output: Path | None) -> list[Transcript]:
    from search_app.output_files import refuse_footage
    from search_app.use_cases.transcribe import stored_transcripts
    from store.archive import Archive

    with Archive.open(source) as archive:
        snapshot = archive.snapshot()
        refuse_footage(snapshot, output)
        found = stored_transcripts(snapshot, video)
    if output is not None and len(found) != 1:
        raise QueryError(f"{output.name} takes the transcript of one VIDEO; the archive has {len(found)}: name it")
    return found


def _listened(source: Path, output: Path | None, overwrite: bool, how: ListenOptions, device: str) -> Transcript:
    from search_app.exports.export import check_export_target
    from search_app.use_cases.transcribe import speech_settings, transcribe_file

    if output is not None:
        check_export_target(output, [str(source)], overwrite=overwrite)

    def report(stretch: HeardStretch) -> None:
        click.echo(f"heard up to {clock(stretch.span.end_seconds)}", err=True)

    shown = sys.stderr.isatty()
    settings = speech_settings(how)
    return transcribe_file(source, settings, device=device, report=report if shown else lambda _: None)


def _give(found: list[Transcript], output: Path | None, overwrite: bool, *, as_json: bool) -> None:
    from indexer.commands.console import print_json
    from search_app.exports.export import check_export_target
    from search_app.exports.transcript import row_json, write_transcript

    for note in dict.fromkeys(note for one in found for note in one.notes):
        click.echo(printable(note), err=True)
    if not any(one.rows for one in found):
        click.echo("nothing is said, or nothing was transcribed yet", err=True)
    if output is not None:
        check_export_target(output, [one.path for one in found], overwrite=overwrite)
        write_transcript(found[0].rows, output)
    if as_json:
        print_json([{"path": one.path, "rows": [row_json(row) for row in one.rows]} for one in found])
    elif output is None:
        for one in found:
            _print_rows(one, with_name=len(found) > 1)


def _print_rows(one: Transcript, *, with_name: bool) -> None:
    if with_name:
        click.echo(printable(one.path))
    for row in one.rows:
        click.echo(f"{clock(row.span.start_seconds):>9}  {printable(row.text)}")
