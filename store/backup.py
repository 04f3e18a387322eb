"""A backup of the truth of an archive: only what is new is copied, and what holds is said last.

Edits are read before segments and thumbnails are listed, as publishers do: the backup holds whatever its events
name, also while others index. A backup that was interrupted leaves the one before as it was.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from store import backup_files, identity
from store.backup_files import (
    BACKUP_NAME,
    CONTENTS,
    LEFT_OUT,
    LOCK_NAME,
    Entries,
    Entry,
    Progress,
    Writer,
    content_path,
    is_plain_path,
)
from store.errors import ArchiveDamagedError, ConfigError
from store.events import Erased, Moved, Recalled, RootNamed, Seen
from store.files import (
    TEMPORARY_PREFIX,
    digest_bytes,
    digest_file,
    failpoint,
    has_entries,
    make_folder,
    translated_errors,
)
from store.limited import ForeignDataError, read_limited_bytes
from store.truth.edits import OrderedEvent, edits_names, read_edits
from store.truth.edits_copy import COPY_FOLDER
from store.truth.history import HISTORY_NAME
from store.truth.segments import MOST_BYTES, fingerprint_of, is_whole

_EDITS = ("edits/", f"{COPY_FOLDER}/")
_BY_NAME = ("segments/", "thumbs/")
"""Files that never change under their names."""


@dataclass(frozen=True, slots=True)
class BackupReport:
    """Result of a backup.

    Args:
        n_files: files of the archive that the backup holds.
        size_bytes: their size.
        n_copied: how many contents were not in the target.
        copied_bytes: their size.
        n_retained: files of an earlier backup that the archive no longer has, and that are kept.
        n_removed: contents that the backup no longer names, and that were deleted.
        n_vanished: files that went before they were read.
        damaged: paths of files that are damaged in the archive; what an earlier backup has of them is kept.
        passed_over: paths of what is no regular file, is too large, or has a name that no file of an archive has.
    """

    n_files: int
    size_bytes: int
    n_copied: int
    copied_bytes: int
    n_retained: int
    n_removed: int
    n_vanished: int
    damaged: tuple[str, ...]
    passed_over: tuple[str, ...]


def back_up_archive(
    folder: Path,
    target: Path,
    *,
    read_data: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> BackupReport:
    """Copy the truth of an archive into a folder, as far as it is not there yet; the archive is only read.

    Others may index and search meanwhile.

    Args:
        folder: the archive's folder.
        target: a new or empty folder, or one with an earlier backup of the same archive.
        read_data: also read what is in the target already; what is damaged there is copied again.
        on_progress: called for every file.

    Raises:
        NotAnArchiveError: there is no archive at that path.
        ConfigError: the target is, or lies in, an archive; is a file, a library root, or a folder of other things.
        ArchiveTooNewError: a newer Rushes made the archive or the backup.
        ArchiveDamagedError: the archive's identity or the earlier backup is damaged.
        ArchiveLockedError: another backup to this target is running.
        ArchiveFullError: no space; an earlier backup stays as it was.
    """
    folder, target = Path(folder).absolute(), Path(target).absolute()
    archive_id = identity.read_identity(folder)
    edits = _Edits(folder)
    _check_target(target, edits.roots)
    with translated_errors(target):
        make_folder(target / CONTENTS)
        with backup_files.locked(target):
            before = backup_files.read_identity(target)
            if before is not None and before.archive_id != archive_id:
                raise ConfigError(f"{target} holds the backup of another archive; name another folder")
            known = backup_files.read_list(target, before.list_digest) if before else {}
            backup = _Backup(folder, target, known, edits, read_data)
            return backup.run(archive_id, on_progress)


class _Edits:
    """The edits of an archive as they are now: how far each file goes, and what they say of roots and videos."""

    def __init__(self, folder: Path) -> None:
        self.whole_bytes: dict[str, int] = {}
        self.damaged: set[str] = set()
        latest: dict[str, OrderedEvent] = {}
        roots: dict[str, OrderedEvent] = {}
        for kind in reversed(_EDITS):  # second copies first, so that none goes further than its file
            for name in edits_names(folder / kind):
                path = f"{kind}{name}"
                try:
                    piece = read_edits(folder / path)
                except ArchiveDamagedError:
                    self.damaged.add(path)
                    continue
                self.whole_bytes[path] = piece.end_bytes
                if piece.damaged_lines:
                    self.damaged.add(path)
                for ordered in piece.events:
                    if isinstance(ordered.event, RootNamed):
                        _keep_latest(roots, ordered.event.name, ordered)
                    elif isinstance(ordered.event, Erased | Recalled | Seen | Moved):
                        _keep_latest(latest, ordered.event.fingerprint, ordered)
        self.erased = {name for name, one in latest.items() if isinstance(one.event, Erased)}
        self.roots = [Path(one.event.path) for one in roots.values() if isinstance(one.event, RootNamed)]


def _keep_latest(latest: dict[str, OrderedEvent], name: str, ordered: OrderedEvent) -> None:
    if name not in latest or latest[name].order < ordered.order:
        latest[name] = ordered


class _Backup:
    """One run of a backup, with the target's lock held.

    Args:
        folder: the archive's folder.
        target: the folder of the backup.
        before: the files of the backup before.
        edits: what is to be copied of the edits.
        read_data: whether contents of the backup before are read too.
    """

    def __init__(self, folder: Path, target: Path, before: Entries, edits: _Edits, read_data: bool) -> None:
        self._folder = folder
        self._target = target
        self._before = before
        self._edits = edits
        self._read_data = read_data
        self._entries: dict[str, Entry] = {}
        self._finished = {entry.digest for entry in before.values()}
        self._there = backup_files.list_contents(target)
        self._writer = Writer(target)
        self._copied: list[int] = []
        self._n_vanished = 0
        self._damaged: list[str] = sorted(edits.damaged - set(edits.whole_bytes))
        self._passed_over: list[str] = []

    def run(self, archive_id: str, on_progress: Callable[[Progress], None]) -> BackupReport:
        """Copy what is new, make it the backup that holds, and delete what no longer belongs to it."""
        for path, n_bytes in self._edits.whole_bytes.items():
            self._copy(path, n_bytes)
        files = list(self._files())
        for number, (path, size_bytes) in enumerate(files):
            on_progress(Progress(len(files), number, path))
            known = self._before.get(path)
            if known and path.startswith(_BY_NAME) and known.size_bytes == size_bytes and self._holds(known):
                self._entries[path] = known
            else:
                self._copy(path)
        retained = self._retained()
        entries = {**retained, **self._entries}
        list_digest = backup_files.write_list(self._writer, self._target, entries)
        self._writer.sync()
        failpoint("backup.synced")
        backup_files.write_identity(self._target, backup_files.Identity(archive_id, list_digest))
        failpoint("backup.published")
        n_removed = self._remove_all_but({list_digest, *(entry.digest for entry in entries.values())})
        return BackupReport(
            len(entries),
            sum(entry.size_bytes for entry in entries.values()),
            len(self._copied),
            sum(self._copied),
            len(retained),
            n_removed,
            self._n_vanished,
            tuple(self._damaged),
            tuple(self._passed_over),
        )

    def _files(self, above: str = "") -> Iterator[tuple[str, int]]:
        """Path and size of everything that is neither cache nor edit, as it is now."""
        left_out = frozenset() if above else LEFT_OUT | {"edits", COPY_FOLDER}
        with os.scandir(self._folder / above) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            path = above + entry.name
            if entry.name in left_out or entry.name.startswith(TEMPORARY_PREFIX):
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    yield from self._files(f"{path}/")
                elif entry.is_file(follow_symlinks=False) and is_plain_path(path):
                    yield path, entry.stat(follow_symlinks=False).st_size
                else:
                    self._passed_over.append(path)
            except FileNotFoundError:
                self._n_vanished += 1

    def _copy(self, path: str, n_bytes: int | None = None) -> None:
        """Put a file into the target, unless its content is there.

        Args:
            path: its path in the archive.
            n_bytes: how much of it; None for all.
        """
        try:
            data = read_limited_bytes(self._folder / path, MOST_BYTES, follow_links=False)[:n_bytes]
        except FileNotFoundError:
            self._n_vanished += 1
            return
        except ForeignDataError:
            self._passed_over.append(path)
            return
        except OSError:
            self._note_damaged(path)
            return
        if path == HISTORY_NAME:
            data = data[: data.rfind(b"\n") + 1]
        if path in self._edits.damaged or (path.startswith("segments/") and not is_whole(data)):
            self._note_damaged(path)
            if path in self._before or not path.startswith(_EDITS):
                return  # but the whole lines of damaged edits are better than none
        self._entries[path] = self._store(data)

    def _note_damaged(self, path: str) -> None:
        self._damaged.append(path)
        if path in self._before:
            self._entries[path] = self._before[path]

    def _store(self, data: bytes) -> Entry:
        """Write a content that the target has not, and read it again.

        Raises:
            ArchiveDamagedError: the disk does not give back what was written.
        """
        entry = Entry(digest_bytes(data), len(data))
        if not self._holds(entry):
            place = content_path(self._target, entry.digest)
            self._writer.write(place, data)
            if digest_file(place) != entry.digest:
                raise ArchiveDamagedError(f"{place} is not what was written there: check the disk")
            self._copied.append(entry.size_bytes)
            self._finished.add(entry.digest)
            self._there[entry.digest] = entry.size_bytes
            failpoint("backup.file")
        return entry

    def _holds(self, entry: Entry) -> bool:
        """Whether the target has a content; one that no finished backup names is read first."""
        if self._there.get(entry.digest) != entry.size_bytes:
            return False
        is_finished = entry.digest in self._finished
        if is_finished and not self._read_data:
            return True
        place = content_path(self._target, entry.digest)
        try:
            if digest_file(place) != entry.digest:
                return False
        except OSError:
            return False
        if not is_finished:
            self._writer.keep(place)
        return True

    def _retained(self) -> dict[str, Entry]:
        """Truth of the backup before that the archive no longer has, but for what was removed for good."""
        return {
            path: entry
            for path, entry in self._before.items()
            if path not in self._entries
            and path.startswith((*_BY_NAME, *_EDITS))
            and _video_of(path) not in self._edits.erased
            and self._holds(entry)
        }

    def _remove_all_but(self, digests: set[str]) -> int:
        """Delete the contents that the backup does not name; how many."""
        folders = [folder for folder in (self._target / CONTENTS).iterdir() if folder.is_dir()]
        unnamed = [path for folder in folders for path in folder.iterdir() if path.name not in digests]
        for path in unnamed:
            path.unlink()
        return len(unnamed)


def _video_of(path: str) -> str:
    """Fingerprint of the video that a segment or a thumbnail is of; empty for all else."""
    parts = PurePosixPath(path).parts
    if parts[0] == "segments":
        return fingerprint_of(parts[-1])
    return parts[2] if parts[0] == "thumbs" and len(parts) > 3 else ""


def _check_target(target: Path, roots: list[Path]) -> None:
    """Refuse a target where a backup would lie in what it copies, or among what is not its own.

    Raises:
        ConfigError: it would.
    """
    if target.exists() and not target.is_dir():
        raise ConfigError(f"{target} is a file and is left alone; name a folder for the backup")
    archive = identity.archive_around(target)
    if archive is not None and archive != target.resolve():
        raise ConfigError(f"{target} lies inside the archive {archive}; name a folder outside it")
    if archive is not None or identity.is_archive(target) or identity.has_truth(target):
        raise ConfigError(f"{target} is an archive and is left alone; name a new folder for the backup")
    place = target.resolve()
    for root in roots:
        if place == root or (place.is_relative_to(root) and not has_entries(root)):
            raise ConfigError(
                f"{target} is where the library {root} lies, which is only read; name another folder"
            )
    with translated_errors(target):
        names = {entry.name for entry in os.scandir(target)} if target.exists() else set()
    if BACKUP_NAME not in names and names - {CONTENTS, LOCK_NAME}:
        raise ConfigError(f"{target} is not empty and holds no backup; name a new or empty folder")
