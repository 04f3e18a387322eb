"""Parts of a backup: contents named by their digests, the list of what belongs together, and a lock.

    files/xx/DIGEST   what the files of an archive hold, each content once; never changed
    backup.json       sealed: which archive, and the digest of the list of its files

The list, itself one of `files/`, has a line for each file of the archive: digest, size, path.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import filelock

from store.errors import ArchiveDamagedError, ArchiveLockedError, ArchiveTooNewError
from store.files import TEMPORARY_PREFIX, digest_bytes, put, read_sealed, seal, sync_file, sync_folder
from store.limited import ForeignDataError, read_limited_bytes

BACKUP_FORMAT = 1
BACKUP_NAME = "backup.json"
LOCK_NAME = "backup.lock"
CONTENTS = "files"
LEFT_OUT = frozenset(
    {"generations", "catalog", "vectors", "text", "quarantine", "CURRENT", "writer.lock", "training.lock"}
)
"""Files of an archive that are in no backup: caches, locks, and what was damaged. All others are, known or not."""
_DIGEST = re.compile(r"[0-9a-f]{32}")
_LINE = re.compile(r"([0-9a-f]{32}) ([0-9]{1,15}) ([^\n]+)\n")
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_MOST_SYNCED_ALONE = 200
_MOST_LIST_BYTES = 2**31


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a backup or a restore.

    Args:
        n_files: how many files there are.
        n_done: how many are done.
        path: the next one, by its path in the archive.
    """

    n_files: int
    n_done: int
    path: str


@dataclass(frozen=True, slots=True)
class Entry:
    """The content of a file in a backup."""

    digest: str
    size_bytes: int


Entries = Mapping[str, Entry]
"""The files of a backup, by their paths in the archive."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Content of `backup.json`: the archive, and the list of files that holds."""

    archive_id: str
    list_digest: str


class Writer:
    """Writes many files below a folder and makes them durable at once.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: list[Path] = []

    def write(self, path: Path, data: bytes) -> None:
        """Write a file, complete or absent; it survives a power cut after `sync`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}")
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        self.keep(path)

    def keep(self, path: Path) -> None:
        """Make a file durable too that an interrupted writer left."""
        self._written.append(path)

    def sync(self) -> None:
        """Make everything written or kept survive a power cut."""
        if len(self._written) > _MOST_SYNCED_ALONE and sys.platform == "linux":
            os.sync()  # waits there until all is on disk: one wait instead of one for each of 100,000 pictures
            return
        for path in self._written:
            sync_file(path)
        folders = {above for path in self._written for above in path.parents if above.is_relative_to(self._folder)}
        for folder in sorted(folders):
            sync_folder(folder)


def content_path(target: Path, digest: str) -> Path:
    """Path of a content in a backup."""
    return target / CONTENTS / digest[:2] / digest


def is_plain_path(path: str) -> bool:
    """Whether a relative path is made of names as files of an archive have them: none leads out of a folder."""
    return _PLAIN_PATH.fullmatch(path) is not None


def list_contents(target: Path) -> dict[str, int]:
    """Digest and size of every content that lies in a backup, whether a list names it or not."""
    sizes: dict[str, int] = {}
    for folder in os.scandir(target / CONTENTS):
        if folder.is_dir(follow_symlinks=False):
            with os.scandir(folder) as entries:
                sizes.update(
                    (entry.name, entry.stat(follow_symlinks=False).st_size)
                    for entry in entries
                    if entry.is_file(follow_symlinks=False)
                )
    return sizes


def write_list(writer: Writer, target: Path, entries: Entries) -> str:
    """Write the list of the files of a backup; gives its digest."""
    data = "".join(f"{one.digest} {one.size_bytes} {path}\n" for path, one in sorted(entries.items())).encode()
    digest = digest_bytes(data)
    writer.write(content_path(target, digest), data)
    return digest


def write_identity(target: Path, identity: Identity) -> None:
    """Make a list the backup that holds; all that it names must be durable."""
    fields = {
        "format": BACKUP_FORMAT,
        "archive_id": identity.archive_id,
        "created_ns": time.time_ns(),
        "list": identity.list_digest,
    }
    put(target / BACKUP_NAME, seal(fields), kind="backup", overwrite=True)


def read_identity(target: Path) -> Identity | None:
    """Content of `backup.json`; None if there is none.

    Raises:
        ArchiveTooNewError: a newer Rushes wrote it.
        ArchiveDamagedError: it is damaged.
    """
    path = target / BACKUP_NAME
    if not os.path.lexists(path):
        return None
    fields = read_sealed(path) or {}
    number, archive_id, digest = (fields.get(name) for name in ("format", "archive_id", "list"))
    if type(number) is int and number > BACKUP_FORMAT:
        raise ArchiveTooNewError(f"the backup {target} was made by a newer Rushes; update this one")
    if not isinstance(archive_id, str) or not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise ArchiveDamagedError(f"{path} is damaged; back up into another folder, and restore another backup")
    return Identity(archive_id, digest)


def read_list(target: Path, digest: str) -> dict[str, Entry]:
    """The files of a backup; it may be a stranger's, so no path leads out of the archive.

    Raises:
        ArchiveDamagedError: the list is damaged or gone.
    """
    path = content_path(target, digest)
    try:
        data = read_limited_bytes(path, _MOST_LIST_BYTES, follow_links=False)
        if digest_bytes(data) != digest:
            raise ForeignDataError("it has changed")
        return dict(map(_read_line, data.decode().splitlines(keepends=True)))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ArchiveDamagedError(
            f"the list of files {path} is damaged ({reason}); back up into another folder, restore another backup"
        ) from error


def _read_line(line: str) -> tuple[str, Entry]:
    match = _LINE.fullmatch(line)
    if match is None or not is_plain_path(match[3]) or PurePosixPath(match[3]).parts[0] in LEFT_OUT:
        raise ForeignDataError(f"{line[:80]!r} names no file of an archive")
    return match[3], Entry(match[1], int(match[2]))


@contextlib.contextmanager
def locked(folder: Path, *, if_writable: bool = False) -> Iterator[None]:
    """Hold a folder's lock; with `if_writable` none of a folder that cannot be written.

    Raises:
        ArchiveLockedError: another process has it.
    """
    lock = filelock.FileLock(folder / LOCK_NAME, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:  # an OSError too
        raise ArchiveLockedError(
            f"another backup or restore is at work in {folder}; try again when it is done"
        ) from error
    except OSError:
        if not if_writable:
            raise
        yield
        return
    try:
        yield
    finally:
        lock.release()
