"""`rushes timeline`: the best shots for a question as a timeline for editing programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.commands.options import ARCHIVE, AS_JSON, DEVICE
from search_app.commands.export_options import INCLUDE_MISSING, OVERWRITE, add_answer_options, add_relink_options
from search_app.timelines.timecode import COUNTINGS
from search_app.use_cases.options import AnswerSource, RelinkOptions, TimelineOptions

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.cutting.cut_options import CutOptions
    from search_app.use_cases.export_clips import Exported
    from search_app.use_cases.options import ClipSource, QuestionOptions

RATE = click.option(
    "--rate",
    type=click.Choice([*COUNTINGS]),
    help="Frames per second of the timeline; df drops names.  [default: as most of its sources]",
)
SHORT_REELS = click.option(
    "--short-reels",
    is_flag=True,
    help="With .edl: reels of 8 characters, as CMX 3600 itself has them; else up to 32.",
)


@click.command()
@ARCHIVE
@click.argument("query", required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="The .otio, .edl, .fcpxml or .xml to write.",
)
@add_answer_options
@INCLUDE_MISSING
@RATE
@SHORT_REELS
@add_relink_options
@OVERWRITE
@DEVICE
@AS_JSON
def timeline(
    archive: Path,
    query: str | None,
    output: Path,
    asked: QuestionOptions,
    choice: CutOptions,
    skip_blocked: bool,
    include_missing: bool,
    rate: str | None,
    short_reels: bool,
    relink: RelinkOptions,
    overwrite: bool,
    device: str,
    as_json: bool,
) -> None:
    """Write the best shots for QUERY, as given to `rushes search`, as a timeline for editing programs.

    They are chosen and ordered as by `rushes supercut`. The ending of OUTPUT chooses the format: .otio
    (OpenTimelineIO), .edl (CMX 3600), .fcpxml (Final Cut Pro), .xml (Premiere, Resolve, Final Cut Pro 7). Clips
    have their source's timecode, and what was written is read back and compared before it gets its name.
    """
    source = AnswerSource(query, asked, choice, device)
    options = TimelineOptions(rate, short_reels, overwrite, relink)
    export_timeline(archive, source, output, options, skip_blocked, include_missing, as_json=as_json)


def export_timeline(
    archive: Path,
    source: ClipSource,
    output: Path,
    options: TimelineOptions,
    skip_blocked: bool,
    include_missing: bool,
    *,
    as_json: bool,
) -> None:
    """Write clips as a timeline, and say what was written."""
    from search_app.use_cases.choose_clips import ExportNeeds
    from search_app.use_cases.export_clips import write_timeline
    from store.archive import Archive

    with Archive.open(archive) as opened:
        made = write_timeline(opened, source, output, options, ExportNeeds(skip_blocked, include_missing))
    say_exported(made, as_json=as_json)


def say_exported(made: Exported, *, as_json: bool) -> None:
    """Say what was written, and on stderr what is not as one might expect."""
    from indexer.commands.console import print_json
    from store.wording import printable

    for note in made.notes:
        click.echo(printable(note), err=True)
    if as_json:
        print_json(made.entries)
    else:
        click.echo(made.summary)
