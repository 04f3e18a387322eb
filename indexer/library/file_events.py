"""File events for the archive: seen, moved, missing, failed, described."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from indexer.library.file_locations import Place, Places, new_root_id
from indexer.library.scan import Change, ScannedFile
from store.archive import Archive
from store.events import Described, Dropped, Event, Failed, Missing, Moved, Recalled, RootNamed, Seen
from store.records import Location, Outcome, Status
from store.snapshot import Snapshot

_IGNORED = "ignored: "


class Journal:
    """Writes events about files; each call is on disk when it returns.

    Args:
        archive: where the events go.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        snapshot = archive.snapshot()
        self._places = Places(snapshot.roots(), self._name_root)
        self._failed = {failure.path: failure for failure in snapshot.failures()}
        self._ignored = snapshot.ignored_contents()
        self._erased = snapshot.erased()
        self._locations = {location.path: location for location in snapshot.locations()}

    @cached_property
    def _metadata(self) -> Mapping[str, Mapping[str, str]]:
        return {video.video_id: video.metadata for video in self._archive.snapshot().videos()}

    def note_seen(self, file: ScannedFile) -> None:
        """The content of this file is in the archive and lies here now."""
        events: list[Event] = []
        if not file.is_noted or str(file.file.path) in self._failed:
            place = self._place_of(file.file.path, file.file.root)
            facts = (place.root, place.relative_path, file.size_bytes, file.mtime_ns, file.fingerprint)
            if file.change is Change.MOVED:
                old = self._place_of(Path(file.other), Path(file.other).parent)
                before = self._locations.get(file.other)
                events.append(Moved(old.root, old.relative_path, *facts, before.held_since if before else ""))
            else:
                events.append(Seen(*facts))
        metadata = file.file.metadata
        if metadata and metadata != self._metadata.get(file.fingerprint):
            events.append(Described(file.fingerprint, dict(metadata)))
        self._record(events)

    def note_missing(self, location: Location) -> None:
        """The file is gone from its place."""
        self._record([Missing(location.root, location.relative_path)])

    def note_failed(self, path: Path, root: Path, reason: str, fingerprint: str = "") -> Outcome:
        """The file could not be indexed; its outcome, which is `skipped` for a file that is ignored."""
        before = self._failed.get(str(path))
        is_known = before is not None and (before.reason, before.fingerprint) == (reason, fingerprint)
        if not is_known:
            place = self._place_of(path, root)
            self._record([Failed(place.root, place.relative_path, reason, fingerprint)])
        elif before is not None and before.is_ignored:
            return Outcome(str(path), Status.SKIPPED, f"{_IGNORED}{reason}", is_ignored=True)
        return Outcome(str(path), Status.FAILED, reason, fingerprint=fingerprint, is_known=is_known)

    def passed_over(self, file: ScannedFile, *, is_indexed: bool) -> Outcome | None:
        """The outcome of a file that a person does not want; None for all others, and for what is indexed."""
        path = str(file.file.path)
        if file.fingerprint in self._erased:
            way_back = f"rushes index --again {shlex.quote(str(self._archive.folder))} {shlex.quote(path)}"
            return Outcome(path, Status.SKIPPED, f"forgotten, passed over; `{way_back}` brings it back")
        if is_indexed or file.fingerprint not in self._ignored:
            return None
        reason = next((one.reason for one in self._failed.values() if one.fingerprint == file.fingerprint), "")
        if path not in self._failed:
            self.note_failed(file.file.path, file.file.root, reason, file.fingerprint)
        return Outcome(path, Status.SKIPPED, f"{_IGNORED}{reason}", is_ignored=True)

    def recall(self, fingerprints: Iterable[str]) -> None:
        """Let these videos be indexed again, if they were forgotten."""
        self._record([Recalled(one) for one in sorted(self._erased & set(fingerprints))])

    def drop_gone_failures(self, folders: Sequence[Path]) -> None:
        """Files that failed before and are gone from these folders are no longer anybody's problem."""
        gone = [
            Path(path)
            for path in sorted(self._failed)
            if any(Path(path).is_relative_to(folder) for folder in folders) and not os.path.lexists(path)
        ]
        places = [self._place_of(path, path.parent) for path in gone]
        self._record([Dropped(place.root, place.relative_path) for place in places])

    def _place_of(self, path: Path, found_through: Path) -> Place:
        known = self._locations.get(str(path))
        if known is not None:
            return Place(known.root, known.relative_path)
        return self._places.locate(path, found_through)

    def _name_root(self, folder: Path) -> str:
        """The id of a folder that becomes a root, written at once: two indexers of one folder name one root."""
        root_id = new_root_id(folder)

        def name(snapshot: Snapshot) -> list[Event]:
            nonlocal root_id
            named = [known for known, path in snapshot.roots().items() if Path(path) == folder]
            root_id = min(named, default=root_id)
            return [] if named else [RootNamed(root_id, str(folder))]

        self._archive.record_if(name)
        return root_id

    def _record(self, events: list[Event]) -> None:
        if events:
            self._archive.record(events)
