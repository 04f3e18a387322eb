"""`rushes caption`: what loose videos and pictures show, in words, without an archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.commands.options import AS_JSON, CONFIG, DEVICE
from store.wording import clock, n_of, printable

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.use_cases.caption_files import CaptionedFile

_FRAMES = ("auto", "middle", "first", "sharpest", "uniform")


@click.command()
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The .jsonl file to write or to go on with.")
@click.option("--model", help="ORG/NAME of the hub, a folder, remote, or remote:MODEL.")
@click.option("--prompt", help="What the model is asked, or how the caption begins.")
@click.option("--frames", type=click.Choice(_FRAMES), help="Which pictures of a shot the model looks at.")
@click.option("--n-frames", type=click.IntRange(1, 64), help="Number of pictures for uniform.")
@click.option("--max-tokens", type=click.IntRange(1, 8192), help="Limit of a caption.")
@click.option("--language", help="Language of the captions, as a code such as de.")
@click.option("--whole", is_flag=True, help="One caption for each video instead of one for each shot.")
@click.option(
    "--video-column",
    "--path-column",
    "path_column",
    default="path",
    show_default=True,
    help="Column of a list that holds the path.",
)
@click.option("--again", is_flag=True, help="Begin the output again.")
@DEVICE
@CONFIG
@AS_JSON
@click.pass_context
def caption(
    context: click.Context,
    /,
    paths: tuple[Path, ...],
    output: Path | None,
    whole: bool,
    path_column: str,
    again: bool,
    device: str,
    config_files: tuple[Path, ...],
    as_json: bool,
    **options: Any,
) -> None:
    """Say in words what PATHS show: videos shot by shot, and pictures.

    PATHS are videos, pictures (JPEG, PNG, WebP), folders, or lists of them (.txt, .csv, .jsonl). With -o, a line
    of JSON is written for each file as soon as it is done; what is in OUTPUT already is not done again, so stop it
    whenever you like. Exit status 1 if a file failed.
    """
    from search_app.use_cases.caption_files import caption_files, open_captions
    from search_app.use_cases.caption_list import CaptionList

    known = CaptionList(output, again=again)
    stage = open_captions(config_files, options, device)
    done: list[CaptionedFile] = []
    for file in caption_files(paths, stage, known, whole=whole, path_column=path_column):
        known.add(file)
        done.append(file)
        if not as_json:
            _show(file)
    if as_json:
        from indexer.commands.console import print_json

        print_json([file.to_json() for file in done])
    for line in _summary(done, known.n_known, stage.spent_line):
        click.echo(printable(line), err=True)
    if not all(file.is_done for file in done):
        context.exit(1)


def _show(file: CaptionedFile) -> None:
    """One line for each caption on stdout, and what went wrong on stderr."""
    if file.error:
        click.echo(printable(f"failed: {file.path}: {file.error}"), err=True)
    for one in file.captions:
        when = "" if one.span is None else f" {clock(one.span.start_seconds)}-{clock(one.span.end_seconds)}"
        state = f"{one.state.value}: {one.reason}" if one.reason else one.state.value
        note = "" if one.state.value == "done" else f" ({state})"
        click.echo(printable(f"{file.path}{when}: {' '.join(one.text.split())}{note}"), err=not one.text)


def _summary(done: list[CaptionedFile], n_known: int, spent: str) -> list[str]:
    n_captions = sum(bool(one.text) for file in done for one in file.captions)
    n_failed = sum(not file.is_done for file in done)
    parts = [f"{n_of(n_captions, 'caption')} of {n_of(len(done), 'file')}"]
    if n_failed:
        parts.append(f"{n_failed} failed")
    if n_known:
        parts.append(f"{n_known} done before")
    return [", ".join(parts), *([spent] if spent else [])]
