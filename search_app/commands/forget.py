"""`rushes forget`: the results of videos, removed for good."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.commands.options import ARCHIVE
from store.wording import n_of

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from store.records import VideoRow
    from store.snapshot import Snapshot


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
    from indexer.commands.console import printable
    from store.archive import Archive
    from store.events import Erased, Forgotten

    if bool(videos) == missing:
        raise click.UsageError("name VIDEOS, or --missing")
    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        chosen = _missing(snapshot) if missing else [_find(snapshot, name) for name in videos]
        chosen = list({row.video_id: row for row in chosen}.values())
        if not chosen:
            click.echo("no video is missing", err=True)
            return
        for row in chosen:
            click.echo(printable(_what_goes(snapshot, row)))
        for line in _who_names(snapshot, {row.video_id for row in chosen}):
            click.echo(printable(line))
        question = f"Remove the results of {n_of(len(chosen), 'video')} for good?"
        if not yes and not click.confirm(question, err=True):
            click.get_current_context().exit(1)
        opened.record(event for row in chosen for event in (Erased(row.video_id), Forgotten(row.video_id)))
        opened.publish()
    click.echo(f"{n_of(len(chosen), 'video')} forgotten")


def _missing(snapshot: Snapshot) -> list[VideoRow]:
    from indexer.library.presence import FileState, look_for_files

    rows = snapshot.videos()
    found = look_for_files(snapshot, (row.video_id for row in rows))
    return [row for row in rows if found[row.video_id].state is FileState.MISSING]


def _find(snapshot: Snapshot, name: str) -> VideoRow:
    from store.errors import UnknownIdError

    try:
        return snapshot.video(name)
    except UnknownIdError:
        path = Path(name).absolute()
        if not path.exists():
            raise
        return snapshot.video(str(path))


def _what_goes(snapshot: Snapshot, row: VideoRow) -> str:
    n_frames, n_texts = len(snapshot.frames_of_videos([row.video_id])), len(snapshot.text_rows(row.video_id))
    parts = [n_of(row.n_shots, "shot"), n_of(n_frames, "frame"), n_of(n_texts, "text")]
    others = f"; also at {', '.join(row.other_paths)}" if row.other_paths else ""
    return f"{row.path}: {', '.join(parts)}{others}"


def _who_names(snapshot: Snapshot, video_ids: set[str]) -> Sequence[str]:
    """Decisions that go with videos, and cut lists that lose clips."""
    from search_app.cutting.stored_cut import list_cuts, read_cut

    lines = []
    n_judged = sum(one.fingerprint in video_ids for one in snapshot.judgements())
    if n_judged:
        lines.append(f"{n_of(n_judged, 'judgement')} of them")
    for name in snapshot.sets():
        n_members = sum(one.fingerprint in video_ids for one in snapshot.set_members(name))
        if n_members:
            lines.append(f"set {name}: {n_of(n_members, 'member')} of them")
    for cut in list_cuts(snapshot):
        n_clips = sum(clip.video_id in video_ids for clip in read_cut(snapshot, cut.name).clips)
        if n_clips:
            lines.append(f"cut list {cut.name}: {n_of(n_clips, 'clip')} of them can no longer be rendered")
    if any(flag.fingerprint in video_ids for flag in snapshot.rights()):
        lines.append("rights of them stay, and hold if they are indexed again")
    return lines
