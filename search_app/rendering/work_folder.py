"""The private folder in which a supercut is made, beside its output; what a killed render finished is taken over.

A folder is locked for as long as its render lives. The kernel gives the lock back however a process ends, so a
folder that can be locked belongs to nobody. A finished piece has a record, written last and under its final name:
files without one are torn. Pieces are found by a key made of all that their pictures depend on.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from store.files import sync_file

PREFIX = ".rushes-render-"
KEPT_SECONDS = 24 * 3600.0
"""Seconds for which the finished pieces of a killed render wait for the same render to come again."""

_RECORD = ".json"


def piece_key(*parts: object) -> str:
    """A short name for all that a piece depends on; `repr` of the parts must say all that they are."""
    return blake2b("\n".join(map(repr, parts)).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


@dataclass(slots=True)
class WorkFolder:
    """A private folder, and those of killed renders that hold finished pieces.

    Args:
        path: the folder.
        dead: the others, locked by us, by their descriptors.
        robbed: those of them from which something was taken.
    """

    path: Path
    dead: dict[int, Path] = field(default_factory=dict)
    robbed: set[Path] = field(default_factory=set)

    def has(self, key: str) -> bool:
        """Whether a piece is finished, here or in the folder of a killed render."""
        return any((folder / f"{key}{_RECORD}").is_file() for folder in (self.path, *self.dead.values()))

    def find(self, key: str) -> dict[str, Any] | None:
        """The record of a finished piece, taken over with its files if another render made it; or None."""
        for folder in (self.path, *self.dead.values()):
            record = folder / f"{key}{_RECORD}"
            if record.is_file():
                entries: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
                if folder != self.path:
                    self._take_over(folder, record, key)
                return entries
        return None

    def _take_over(self, folder: Path, record: Path, key: str) -> None:
        # Killed in between, neither folder has a record of files that it has not.
        torn = folder / f"torn-{key}"
        record.replace(torn)
        for path in folder.glob(f"{key}.*"):
            path.replace(self.path / path.name)
        torn.replace(self.path / record.name)
        self.robbed.add(folder)

    def forget(self) -> None:
        """Have everything made anew."""
        for folder in (self.path, *self.dead.values()):
            for record in folder.glob(f"*{_RECORD}"):
                record.unlink()

    def finish(self, key: str, entries: dict[str, Any]) -> None:
        """Declare all files of a piece complete."""
        for path in self.path.glob(f"{key}.*"):
            sync_file(path)
        torn = self.path / f"torn-{key}"
        torn.write_text(json.dumps(entries), encoding="utf-8")
        sync_file(torn)
        torn.replace(self.path / f"{key}{_RECORD}")


@contextlib.contextmanager
def private_folder(parent: Path) -> Iterator[WorkFolder]:
    """A new locked folder in `parent`, gone with all it holds at the end.

    Folders of killed renders go at once if nothing in them is finished or they are old; one that was of use goes
    at the end, another stays.

    Raises:
        OSError: the folder cannot be made.
    """
    dead = _lock_dead_folders(parent)
    folder, descriptor = _make_locked(parent)
    work = WorkFolder(folder, dead)
    try:
        yield work
    finally:
        # What cannot be removed now is dead once the lock is gone, and the next render tries again.
        for gone in (folder, *work.robbed):
            shutil.rmtree(gone, ignore_errors=True)
        for held in (descriptor, *dead):
            os.close(held)


def _lock_dead_folders(parent: Path) -> dict[int, Path]:
    """Folders of killed renders with finished pieces, locked; useless ones are removed, others' are left alone."""
    dead = {}
    for folder in sorted(parent.glob(f"{PREFIX}*")):
        with contextlib.suppress(OSError):
            descriptor = _open_folder(folder)
            try:
                if os.fstat(descriptor).st_uid != os.geteuid():
                    continue  # what another user put there is no piece of ours
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_of_use(folder):
                    dead[descriptor] = folder
                    continue
                shutil.rmtree(folder)
            finally:
                if descriptor not in dead:
                    os.close(descriptor)
    return dead


def _is_of_use(folder: Path) -> bool:
    is_young = time.time() - folder.stat().st_mtime < KEPT_SECONDS
    return is_young and any(folder.glob(f"*{_RECORD}"))


def _make_locked(parent: Path) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        with contextlib.suppress(FileNotFoundError):
            descriptor = _open_folder(folder)
            with contextlib.suppress(OSError):  # file systems without locks: nobody can lock there to remove it
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_at(folder, descriptor):
                return folder, descriptor
            os.close(descriptor)  # another render took it for a dead one before we could lock it


def _open_folder(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _is_at(folder: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(folder.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
