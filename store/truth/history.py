"""History of questions: one file of sealed lines, a convenience and no truth.

It is no event, since every process that searches would leave a file of edits behind.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from store.errors import ArchiveError
from store.files import put, seal, unseal
from store.limited import ForeignDataError, read_limited_bytes

HISTORY_NAME = "history.jsonl"
N_KEPT = 1_000
_LOOK_AT_BYTES = 1_000_000
_MOST_BYTES = 64 * _LOOK_AT_BYTES


def append_history(folder: Path, line: Mapping[str, Any]) -> None:
    """Add a line; where the folder cannot be written, nothing happens."""
    path = folder / HISTORY_NAME
    if path.is_symlink() or (path.exists() and not path.is_file()):
        return  # what it leads to is not ours
    with contextlib.suppress(OSError, ArchiveError), path.open("ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.write(seal(dict(line)))
        stream.flush()
        if stream.tell() > _LOOK_AT_BYTES:
            lines = path.read_bytes().splitlines(keepends=True)
            if len(lines) > 2 * N_KEPT:  # not at every line, since the whole file is written anew
                put(path, b"".join(lines[-N_KEPT:]), kind="edits", overwrite=True)


def read_history(folder: Path) -> list[dict[str, Any]]:
    """The last thousand lines that are whole, the oldest first."""
    try:
        lines = read_limited_bytes(folder / HISTORY_NAME, _MOST_BYTES, follow_links=False).splitlines(
            keepends=True
        )
    except (OSError, ForeignDataError):
        return []
    return [fields for line in lines[-N_KEPT:] if (fields := unseal(line)) is not None]
