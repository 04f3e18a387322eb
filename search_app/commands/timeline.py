"""`rushes timeline`: the best shots for a question as a timeline for editing programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.commands.options import ARCHIVE, AS_JSON, DEVICE
from search_app.commands.as_one import as_one
from search_app.commands.export_options import INCLUDE_MISSING, OVERWRITE, add_answer_options, add_relink_options
from search_app.timelines.timecode import COUNTINGS
from search_app.use_cases.options import AnswerSource, TimelineOptions

if TYPE_CHECKING:
    from search_app.use_cases.options import ClipSource, ListOptions

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
@as_one(TimelineOptions, "options")
@as_one(AnswerSource, "source")
def timeline(archive: Path, source: AnswerSource, output: Path, options: TimelineOptions, as_json: bool) -> None:
    """Write the best shots for QUERY, as given to `rushes search`, as a timeline for editing programs.

    They are chosen and ordered as by `rushes supercut`. The ending of OUTPUT chooses the format: .otio
    (OpenTimelineIO), .edl (CMX 3600), .fcpxml (Final Cut Pro), .xml (Premiere, Resolve, Final Cut Pro 7). Clips
    have their source's timecode, and what was written is read back and compared before it gets its name.
    """
    export_clips(archive, source, output, options, as_json=as_json)


def export_clips(
    archive: Path, source: ClipSource, output: Path, options: TimelineOptions | ListOptions, *, as_json: bool
) -> None:
    """Write clips, and say what was written, and on stderr what is not as one might expect."""
    from indexer.commands.console import print_json
    from search_app.use_cases.export_clips import write_list, write_timeline
    from store.archive import Archive

    with Archive.open(archive) as opened:
        if isinstance(options, TimelineOptions):
            made = write_timeline(opened, source, output, options)
        else:
            made = write_list(opened, source, output, options)
    from store.wording import printable

    for note in made.notes:
        click.echo(printable(note), err=True)
    if as_json:
        print_json(made.entries)
    else:
        click.echo(made.summary)
