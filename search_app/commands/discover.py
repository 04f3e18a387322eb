"""The commands that show what no question asks for: anomalies, highlights, recommend."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.commands.archive_commands import shot_json
from indexer.commands.options import ARCHIVE, AS_JSON
from search_app.commands.number_types import Finite
from search_app.cutting.cut_options import CutOptions

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from collections.abc import Sequence

    from search_app.cutting.cut_list import CutList
    from store.records import ShotRow

LIMIT = click.option(
    "--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Shots to list."
)


@click.command()
@ARCHIVE
@click.argument("video", required=False)
@LIMIT
@click.option(
    "--neighbours", type=click.IntRange(1, 1_000), default=5, show_default=True, help="Compared with these."
)
@click.option("--all", "everything", is_flag=True, help="Also shots that do not stand out, the farthest first.")
@AS_JSON
def anomalies(
    archive: Path, video: str | None, limit: int, neighbours: int, everything: bool, as_json: bool
) -> None:
    """List the shots of ARCHIVE that are unlike all others, or those of VIDEO unlike its other shots.

    A shot stands out if its mean distance to its nearest neighbours lies 3.5 robust standard deviations above the
    usual one. Nothing that stands out is an answer, too: exit status 0, and it is said.
    """
    from indexer.commands.console import print_json, print_table
    from search_app.use_cases.discover import find_anomalies
    from store.archive import Archive
    from store.wording import clock, n_of

    with Archive.open(archive) as opened:
        found = find_anomalies(opened, video, neighbours)
        names = _names([one.shot for one in found])
    shown = [one for one in found if everything or one.stands_out][:limit]
    if as_json:
        entries = [
            {
                **shot_json(one.shot),
                "distance": one.distance,
                "standing": one.standing,
                "stands_out": one.stands_out,
            }
            for one in shown
        ]
        print_json(entries)
    elif shown:
        cells = [
            (
                one.shot.shot_id,
                clock(one.shot.shot.span.start_seconds),
                clock(one.shot.shot.span.end_seconds),
                f"{one.distance:.3f}",
                f"{one.standing:+.1f}",
                names[one.shot.path],
            )
            for one in shown
        ]
        print_table(("shot", "start", "end", "distance", "stands out", "video"), cells, right=(1, 2, 3, 4))
    else:
        click.echo(f"none of {n_of(len(found), 'shot')} stands out; --all lists the farthest", err=True)


@click.command()
@ARCHIVE
@click.argument("video", required=False)
@click.option(
    "--seconds",
    type=Finite(0, min_open=True),
    default=60.0,
    show_default=True,
    help="Length of all clips.",
)
@click.option("--cut", metavar="NAME", help="Store the clips as a new cut list, for `rushes cut`.")
@click.option("--max-per-source", type=click.IntRange(1), help="Most clips of one video.")
@click.option("--min-clip", type=Finite(0), help="Shortest clip in seconds.  [default: 2]")
@click.option("--max-clip", type=Finite(0, min_open=True), help="Longest clip in seconds.  [default: 8]")
@AS_JSON
def highlights(
    archive: Path,
    video: str | None,
    seconds: float,
    cut: str | None,
    max_per_source: int | None,
    min_clip: float | None,
    max_clip: float | None,
    as_json: bool,
) -> None:
    """Choose the clips that show most of ARCHIVE, or of VIDEO, in --seconds: unusual, and each unlike the others.

    With --cut they become a cut list: `rushes cut render ARCHIVE NAME -o film.mp4` makes the film. Black, colour
    bars and credits are left out where the stage `cues` has found them.
    """
    from search_app.commands.cut_view import say_change
    from search_app.use_cases.discover import find_highlights
    from store.archive import Archive

    options = CutOptions(fit=seconds, max_per_source=max_per_source, min_clip=min_clip, max_clip=max_clip)
    with Archive.open(archive) as opened:
        found = find_highlights(opened, options, video, cut=cut)
        if as_json:
            _print_clips_json(found.cut_list, cut)
        elif found.change is not None:
            say_change(opened.snapshot(), found.change)
        else:
            _print_clips(found.cut_list)


def _print_clips_json(cut_list: CutList, cut: str | None) -> None:
    from indexer.commands.console import print_json

    clips: list[dict[str, Any]] = [
        {
            **shot_json(clip.hits[0].shot),
            "in_seconds": clip.span.start_seconds,
            "out_seconds": clip.span.end_seconds,
            "worth": round(clip.hits[0].relevance, 4),
        }
        for clip in cut_list.clips
    ]
    print_json({"cut": cut, "seconds": float(cut_list.duration), "clips": clips})


def _print_clips(cut_list: CutList) -> None:
    from indexer.commands.console import print_table
    from store.wording import clock, n_of

    names = _names([clip.hits[0].shot for clip in cut_list.clips])
    cells = [
        (
            clip.hits[0].shot.shot_id,
            clock(clip.span.start_seconds),
            clock(clip.span.end_seconds),
            names[clip.hits[0].shot.path],
        )
        for clip in cut_list.clips
    ]
    print_table(("shot", "in", "out", "video"), cells, right=(1, 2))
    length = clock(float(cut_list.duration))
    click.echo(f"{n_of(len(cells), 'clip')}, {length}; --cut NAME stores them as a cut list", err=True)


@click.command()
@ARCHIVE
@LIMIT
@click.option(
    "--variety", type=click.FloatRange(0, 1), default=0.3, show_default=True, help="0: the nearest; 1: all unlike."
)
@AS_JSON
def recommend(archive: Path, limit: int, variety: float, as_json: bool) -> None:
    """List shots of ARCHIVE that were not seen yet and are near those that were kept.

    Kept are shots that `rushes search --keep` named, and the clips of cut lists. What was rejected counts, too:
    shots that are nearer to it are left out.
    """
    from indexer.commands.console import print_json, print_table
    from search_app.use_cases.discover import recommend as find
    from store.archive import Archive
    from store.wording import clock

    with Archive.open(archive) as opened:
        found = find(opened, limit, variety)
        names = _names([shot for one in found for shot in (one.shot, one.near)])
    if as_json:
        print_json(
            [{**shot_json(one.shot), "near": shot_json(one.near), "similarity": one.similarity} for one in found]
        )
    elif found:
        cells = [
            (
                one.shot.shot_id,
                clock(one.shot.shot.span.start_seconds),
                clock(one.shot.shot.span.end_seconds),
                names[one.shot.path],
                f"{one.similarity:.3f}",
                f"{names[one.near.path]} {clock(one.near.shot.span.start_seconds)}",
            )
            for one in found
        ]
        print_table(("shot", "start", "end", "video", "alike", "near"), cells, right=(1, 2, 4))
    else:
        click.echo("nothing is left that is near what was kept", err=True)


def _names(shots: Sequence[ShotRow]) -> dict[str, str]:
    from store.names import display_names

    return display_names(shot.path for shot in shots)


COMMANDS = (anomalies, highlights, recommend)
