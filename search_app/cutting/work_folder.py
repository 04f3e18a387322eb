"""The private folder in which a supercut is made, beside its output; those of killed renders are removed.

A folder is locked for as long as its render lives. The kernel gives the lock back however a process ends, so a
folder that can be locked belongs to nobody.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX = ".rushes-render-"


@contextlib.contextmanager
def private_folder(parent: Path) -> Iterator[Path]:
    """A new locked folder in `parent`, gone with all it holds at the end.

    Raises:
        OSError: the folder cannot be made.
    """
    folder, descriptor = _make_locked(parent)
    try:
        yield folder
    finally:
        # What cannot be removed now is dead once the lock is gone, and the next render tries again.
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def remove_dead_folders(parent: Path) -> None:
    """Remove the private folders in `parent` whose renders were killed; what belongs to others is left alone."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            descriptor = _open_folder(folder)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(descriptor)


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
