"""`rushes timeline`: the best shots for a question as a timeline for editing programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.cli import ARCHIVE, AS_JSON, DEVICE
from search_app.commands.clip_source import (
    INCLUDE_MISSING,
    add_answer_options,
    add_relink_options,
    changed_sources,
    idle_relinking,
    take_clips,
    take_relinker,
)
from search_app.timelines.timecode import COUNTINGS
from store.wording import n_of

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.cutting.cut_list import CutList
    from search_app.timelines.relink import Relinker
    from search_app.timelines.timeline import TimelinePlan
    from store.snapshot import Snapshot


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
@click.option(
    "--rate",
    type=click.Choice([*COUNTINGS]),
    help="Frames per second of the timeline; df drops names.  [default: as most of its sources]",
)
@add_relink_options
@click.option("--overwrite", is_flag=True, help="Replace the output if it exists.")
@DEVICE
@AS_JSON
def timeline(
    archive: Path, query: str | None, as_json: bool, output: Path, overwrite: bool, **options: Any
) -> None:
    """Write the best shots for QUERY, as given to `rushes search`, as a timeline for editing programs.

    They are chosen and ordered as by `rushes supercut`. The ending of OUTPUT chooses the format: .otio
    (OpenTimelineIO), .edl (CMX 3600), .fcpxml (Final Cut Pro), .xml (Premiere, Resolve, Final Cut Pro 7). Clips
    have their source's timecode, and what was written is read back and compared before it gets its name.
    """
    from indexer.console import print_json, printable
    from search_app.guard import refuse_footage
    from search_app.saved import record_export
    from search_app.timelines.timeline import describe_rate, group_notes
    from search_app.timelines.timeline_export import check_timeline_target, export_timeline
    from store.archive import Archive

    rate = options.pop("rate")
    relink = take_relinker(options, output)
    check_timeline_target(output.absolute(), (), overwrite=overwrite)
    with Archive.open(archive) as opened:
        refuse_footage(opened.snapshot(), output)
        chosen = take_clips(opened, query, options)
        cut_list = chosen.cut_list
        plan = _plan(opened.snapshot(), cut_list, chosen.question, output, relink, rate)
        sources = [path for clip in cut_list.clips for path in clip.paths]
        export_timeline(plan, output, sources=sources, overwrite=overwrite)
        record_export(opened, output.name, [(clip.video_id, clip.span) for clip in cut_list.clips])
    left_out = [f"{left.hit.shot.path} left out: {left.reason}" for left in cut_list.left_out]
    for note in (
        *group_notes(plan.notes),
        *changed_sources(cut_list),
        *idle_relinking(relink, cut_list),
        *left_out,
    ):
        click.echo(printable(note), err=True)
    if as_json:
        print_json(_plan_json(plan, output, left_out))
    else:
        seconds = float(plan.n_frames / plan.rate)
        click.echo(
            f"{output}: {n_of(len(plan.clips), 'clip')}, {seconds:.1f} s at {describe_rate(plan.rate)}, read back"
        )


def _plan(
    snapshot: Snapshot, cut_list: CutList, question: str, output: Path, relink: Relinker, rate: str | None
) -> TimelinePlan:
    from search_app.timelines.timeline import plan_timeline

    return plan_timeline(
        cut_list,
        output.stem,
        question=question,
        captions=_captions(snapshot, cut_list),
        relink=relink,
        counting=None if rate is None else COUNTINGS[rate],
    )


def _captions(snapshot: Snapshot, cut_list: CutList) -> dict[str, str]:
    """The first caption of each shot of the cut list that has one."""
    from store.records import TextStage

    found: dict[str, str] = {}
    for video_id in {clip.video_id for clip in cut_list.clips}:
        for row in snapshot.text_rows(video_id, TextStage.CAPTION):
            for shot_id in row.shot_ids[:1]:
                found.setdefault(shot_id, row.text)
    return found


def _plan_json(plan: TimelinePlan, output: Path, left_out: list[str]) -> dict[str, Any]:
    """What was written, as plain data."""
    from search_app.timelines.timeline_formats import record_name, source_name

    return {
        "timeline": str(output.absolute()),
        "rate": str(plan.rate),
        "drop_frame": plan.drop,
        "frames": plan.n_frames,
        "clips": [
            {
                "media": clip.source.path,
                "reel": clip.source.reel,
                "source_rate": str(clip.source.rate),
                "source_in": source_name(clip.source_in, clip.source),
                "source_out": source_name(clip.source_in + clip.n_source_frames, clip.source),
                "record_in": record_name(plan.record_start + clip.record_in, plan),
                "record_out": record_name(plan.record_start + clip.record_in + clip.n_frames, plan),
                "shots": list(clip.shot_ids),
                "score": round(clip.score, 6) if clip.score else None,
                "remark": clip.remark,
            }
            for clip in plan.clips
        ],
        "notes": list(plan.notes),
        "left_out": left_out,
    }
