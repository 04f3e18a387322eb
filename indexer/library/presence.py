"""Whether the files of videos are there now: one look at the disk for each place of what is shown."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.files import has_entries

if TYPE_CHECKING:
    from store.records import Location, ShotRow
    from store.snapshot import Snapshot


class FileState(StrEnum):
    """Whether a file can be opened."""

    PRESENT = "present"
    MISSING = "missing"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Presence:
    """Location of a video now.

    Args:
        path: the oldest place that exists, or else the one where it was last.
        also_at: its other places.
        state: whether the file at `path` is there.
        missing_ns: time of the scan that did not find it; 0 if it was there at the last scan.
        root: the folder that is not there, of an offline video.
    """

    path: str
    also_at: tuple[str, ...] = ()
    state: FileState = FileState.PRESENT
    missing_ns: int = 0
    root: str = ""

    @property
    def is_there(self) -> bool:
        """Whether the file can be opened."""
        return self.state is FileState.PRESENT

    @property
    def mark(self) -> str:
        """The problem, for people: `missing since 2026-12-01`; empty for a file that is there."""
        match self.state:
            case FileState.PRESENT:
                return ""
            case FileState.OFFLINE:
                return f"offline: {self.root} is not there"
        return (
            f"missing since {day_of(self.missing_ns)}" if self.missing_ns else "missing since the last index run"
        )

    @property
    def reason(self) -> str:
        """The same as a reason for leaving it out."""
        return f"its file is {self.mark}"

    @property
    def missing_since(self) -> str | None:
        """Time of the scan that did not find it, ISO 8601; None if it was there then, or is there now."""
        if not self.missing_ns or self.is_there:
            return None
        return datetime.fromtimestamp(self.missing_ns // 1_000_000_000).astimezone().isoformat()

    def entries(self) -> dict[str, Any]:
        """Plain data for programs."""
        return {"file": self.state.value, "missing_since": self.missing_since, "also_at": list(self.also_at)}


def day_of(time_ns: int) -> str:
    """The day of a time in the zone of this machine, as `2026-12-01`."""
    return datetime.fromtimestamp(time_ns // 1_000_000_000).astimezone().date().isoformat()


def look_for_files(snapshot: Snapshot, video_ids: Iterable[str]) -> dict[str, Presence]:
    """For each of these videos where it lies now.

    Args:
        snapshot: the archive.
        video_ids: fingerprints; unknown ones are left out.
    """
    seen_roots: dict[str, bool] = {}
    places = snapshot.places_of(sorted(set(video_ids)))
    return {video_id: _look(of_video, seen_roots) for video_id, of_video in places.items()}


def look_for_shots(snapshot: Snapshot, shots: Iterable[ShotRow]) -> dict[str, Presence]:
    """For the video of each of these shots where it lies now; of unknown videos, where the shot says."""
    named = {shot.video_id: Presence(shot.path) for shot in shots}
    return named | look_for_files(snapshot, named)


def _look(places: Sequence[Location], seen_roots: dict[str, bool]) -> Presence:
    oldest_first = sorted(places, key=lambda place: (place.held_since, place.path))
    there = next((place for place in oldest_first if _exists(place.path)), None)
    offline = None if there else next((place for place in places if _is_offline(place, seen_roots)), None)
    shown = there or offline or places[0]
    also_at = tuple(place.path for place in oldest_first if place is not shown)
    if there:
        return Presence(shown.path, also_at)
    missing_ns = max(place.missing_ns for place in places) if all(place.missing_ns for place in places) else 0
    if offline:
        return Presence(shown.path, also_at, FileState.OFFLINE, missing_ns, offline.root_path)
    return Presence(shown.path, also_at, FileState.MISSING, missing_ns)


def _exists(path: str) -> bool:
    return os.path.exists(path)  # noqa: PTH110 Path.exists raises where a folder must not be entered


def _is_offline(place: Location, seen_roots: dict[str, bool]) -> bool:
    """Whether the whole root is not there: its folder is gone, or is an empty one to mount a disk on."""
    root = place.root_path
    if root not in seen_roots:
        seen_roots[root] = has_entries(root)
    if seen_roots[root]:
        return False
    return not place.missing_ns or not Path(root).is_dir()
