"""`rushes timeline`: the best shots for a question as a timeline for editing programs."""

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
from search_app.timelines.timecode import COUNTINGS
from store.wording import n_of

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.cutting.cut_list import CutList
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
@click.option(
    "--short-reels",
    is_flag=True,
    help="With .edl: reels of 8 characters, as CMX 3600 itself has them; else up to 32.",
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
    from indexer.commands.console import print_json, printable
    from search_app.output_checks import refuse_footage
    from search_app.search.decisions import record_export
    from search_app.timelines.edl import edl_notes
    from search_app.timelines.sources import describe_rate
    from search_app.timelines.timeline_export import check_timeline_target, export_timeline
    from store.archive import Archive

    rate, short_reels = options.pop("rate"), options.pop("short_reels")
    if short_reels and output.suffix.lower() != ".edl":
        raise QueryError("--short-reels: only with .edl; the other formats have room for whole names")
    relink = take_relinker(options, output)
    check_timeline_target(output.absolute(), (), overwrite=overwrite)
    with Archive.open(archive) as opened:
        refuse_footage(opened.snapshot(), output)
        counting = None if rate is None else COUNTINGS[rate]
        asked = counting and counting[0]
        chosen = take_clips(opened, query, options, rate=asked, with_sound=True)
        cut_list = chosen.cut_list
        how = {"relink": relink, "counting": counting, "short_reels": short_reels}
        plan = _plan(opened.snapshot(), cut_list, chosen.question, output, how)
        sources = [path for clip in cut_list.clips for path in clip.paths]
        export_timeline(plan, output, sources=sources, overwrite=overwrite)
        record_export(opened, output.name, [(clip.video_id, clip.span) for clip in cut_list.clips])
    left_out = [f"{left.hit.shot.path} left out: {left.reason}" for left in cut_list.left_out]
    for note in (
        *plan.notes,
        *(edl_notes(plan) if output.suffix.lower() == ".edl" else ()),
        *changed_sources(cut_list),
        *idle_relinking(relink, cut_list),
        *left_out_notes(cut_list),
    ):
        click.echo(printable(note), err=True)
    if as_json:
        print_json(_plan_json(plan, output, left_out))
    else:
        seconds = float(plan.n_frames / plan.rate)
        click.echo(
            f"{output}: {n_of(len(plan.clips), 'clip')}, {seconds:.1f} s at {describe_rate(plan.rate)}, read back"
        )


def _plan(snapshot: Snapshot, cut_list: CutList, question: str, output: Path, how: dict[str, Any]) -> TimelinePlan:
    from search_app.timelines.timeline import plan_timeline

    return plan_timeline(
        cut_list,
        output.stem,
        question=question,
        captions=_captions(snapshot, cut_list),
        **how,
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
    """The written file, as plain data."""
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
                "source_in": clip.source.timecode(clip.source_in),
                "source_out": clip.source.timecode(clip.source_in + clip.n_source_frames),
                "record_in": plan.timecode(clip.record_in),
                "record_out": plan.timecode(clip.record_in + clip.n_frames),
                "shots": list(clip.shot_ids),
                "score": round(clip.score, 6) if clip.score else None,
                "remark": clip.remark,
            }
            for clip in plan.clips
        ],
        "notes": list(plan.notes),
        "left_out": left_out,
    }
