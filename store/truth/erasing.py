"""Deleting the results of a video or a run that a person removed: the only truth that is ever deleted."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from store.errors import ArchiveDamagedError, ArchiveTooNewError
from store.events import Event, Moved, Recalled, RunChosen, Seen
from store.files import failpoint, sync_folder, translated_errors
from store.stages import VISUAL
from store.truth.segments import fingerprint_of, is_segment_name, read_segment, run_of, segment_path, stage_of

_THUMBNAIL = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/){0,2}[A-Za-z0-9_-][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Removed:
    """Results that are to be deleted.

    Args:
        videos: fingerprints of the videos that were erased.
        runs: stage and key of the runs that were dropped.
    """

    videos: frozenset[str] = frozenset()
    runs: frozenset[tuple[str, str]] = frozenset()

    def __bool__(self) -> bool:
        """Whether there is anything to delete."""
        return bool(self.videos or self.runs)

    def holds(self, name: str) -> bool:
        """Whether the segment of that name is to be deleted."""
        return fingerprint_of(name) in self.videos or run_of(name) in self.runs

    def without(self, events: Iterable[Event]) -> Removed:
        """Deletions that are left after events that ask for some of it again."""
        videos, runs = set(self.videos), set(self.runs)
        for event in events:
            if isinstance(event, Recalled | Seen | Moved):
                videos.discard(event.fingerprint)
            elif isinstance(event, RunChosen):
                runs.discard((event.stage, event.key))
        return Removed(frozenset(videos), frozenset(runs))


def remove_results(folder: Path, fingerprint: str, segments: Sequence[str]) -> None:
    """Delete the thumbnails and segments of a video, those in quarantine included.

    The segments go last, so that a kill leaves one behind, by which the next publisher sees what is left to do.

    Args:
        folder: the archive's folder.
        fingerprint: the video.
        segments: names of its segments; no generation may cover them any more.
    """
    thumbnails = folder / "thumbs" / fingerprint[:2] / fingerprint
    with translated_errors(thumbnails):
        for place in (thumbnails, folder / "quarantine"):
            for path in sorted(place.glob("*" if place is thumbnails else f"{fingerprint}.*")):
                path.unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            thumbnails.rmdir()
        failpoint("erase.thumbnails")
        for name in segments:
            path = segment_path(folder / "segments", name)
            path.unlink(missing_ok=True)
            sync_folder(path.parent)
            failpoint("erase.segment")


def own_thumbnails(folder: Path, names: Iterable[str]) -> list[Path]:
    """Thumbnails that segments of pictures name and that no other segment of the same video names.

    Args:
        folder: the archive's folder.
        names: names of the segments.
    """
    among = set(names)
    paths = []
    for fingerprint in sorted({fingerprint_of(name) for name in among if stage_of(name) == VISUAL}):
        place = folder / "segments" / fingerprint[:2]
        every = [entry.name for entry in os.scandir(place) if is_segment_name(entry.name)]
        pictures = [name for name in every if fingerprint_of(name) == fingerprint and stage_of(name) == VISUAL]
        shown: dict[bool, set[str]] = {True: set(), False: set()}
        with contextlib.suppress(
            ArchiveDamagedError, ArchiveTooNewError
        ):  # of one that cannot be read nothing goes
            for name in pictures:
                stored = read_segment(segment_path(folder / "segments", name))
                shown[name in among].update(stored.table["thumbnail"].to_pylist())
            only = sorted(shown[True] - shown[False])
            paths += [folder / "thumbs" / name for name in only if _THUMBNAIL.fullmatch(name)]
    return [path for path in paths if path.is_file()]


def remove_segments(folder: Path, names: Sequence[str]) -> None:
    """Delete segments of dropped runs, and the thumbnails that only they show; the segments go last.

    Args:
        folder: the archive's folder.
        names: names of the segments; the current generation does not cover them any more.
    """
    for path in own_thumbnails(folder, names):
        with translated_errors(path):
            path.unlink(missing_ok=True)
    if names:
        failpoint("drop.thumbnails")
    for name in names:
        path = segment_path(folder / "segments", name)
        with translated_errors(path):
            path.unlink(missing_ok=True)
            sync_folder(path.parent)
        failpoint("drop.segment")
