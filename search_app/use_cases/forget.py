"""Forget videos: what would go, and the removal of their results for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.library.presence import FileState, look_for_files
from search_app.cutting.stored_cut import list_cuts, read_cut
from store.errors import UnknownIdError
from store.events import Erased, Forgotten
from store.wording import n_of

if TYPE_CHECKING:
    from store.archive import Archive
    from store.records import VideoRow
    from store.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Results that would be removed.

    Args:
        video_ids: fingerprints of the videos.
        lines: what goes with each of them, and what names them, for people.
    """

    video_ids: tuple[str, ...]
    lines: tuple[str, ...]


def plan_forgetting(snapshot: Snapshot, videos: Sequence[str] | None) -> Forgetting:
    """Results that go if videos are forgotten.

    Args:
        snapshot: the archive.
        videos: paths, ends of paths, or fingerprints; None for every video whose files are missing.

    Raises:
        UnknownIdError: there is no such video.
    """
    chosen = _missing(snapshot) if videos is None else [_find(snapshot, name) for name in videos]
    rows = {row.video_id: row for row in chosen}
    lines = [_what_goes(snapshot, row) for row in rows.values()]
    return Forgetting(tuple(rows), (*lines, *_who_names(snapshot, set(rows))))


def forget_videos(archive: Archive, video_ids: Sequence[str]) -> None:
    """Remove the results of videos for good; their files are left alone."""
    archive.record(event for video_id in video_ids for event in (Erased(video_id), Forgotten(video_id)))
    archive.publish()


def _missing(snapshot: Snapshot) -> list[VideoRow]:
    rows = snapshot.videos()
    found = look_for_files(snapshot, (row.video_id for row in rows))
    return [row for row in rows if found[row.video_id].state is FileState.MISSING]


def _find(snapshot: Snapshot, name: str) -> VideoRow:
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
