"""`rushes forget`: the results of videos, removed for good."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.commands.options import ARCHIVE
from store.wording import n_of, printable


@click.command()
@ARCHIVE
@click.argument("videos", nargs=-1)
@click.option("--missing", is_flag=True, help="Every video whose files are missing; what is offline stays.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(archive: Path, videos: tuple[str, ...], missing: bool, yes: bool) -> None:
    """Remove the results of VIDEOS (paths, ends of paths, or fingerprints) from ARCHIVE for good.

    Shots, frames, texts and thumbnails are deleted, and judgements, sets and uses of the video no longer count.
    The files themselves are left alone; rights, cut lists and the record that the video was there stay. `rushes
    index` passes over the files from then on, unless it is told --again.
    """
    from search_app.use_cases.forget import forget_videos, plan_forgetting
    from store.archive import Archive

    if bool(videos) == missing:
        raise click.UsageError("name VIDEOS, or --missing")
    with Archive.open(archive) as opened:
        plan = plan_forgetting(opened.snapshot(), None if missing else videos)
        n_videos = n_of(len(plan.video_ids), "video")
        if not plan.video_ids:
            click.echo("no video is missing", err=True)
            return
        for line in plan.lines:
            click.echo(printable(line))
        if not yes and not click.confirm(f"Remove the results of {n_videos} for good?", err=True):
            click.get_current_context().exit(1)
        forget_videos(opened, plan.video_ids)
    click.echo(f"{n_videos} forgotten")
