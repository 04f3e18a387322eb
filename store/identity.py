"""`archive.json`: which archive this is, and in which format."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shlex
import shutil
from pathlib import Path
from typing import Any

from store.errors import ArchiveDamagedError, ArchiveTooNewError, NotAnArchiveError
from store.files import put, seal, translated_errors, unseal

ARCHIVE_FORMAT = 1
IDENTITY_NAME = "archive.json"
_DECISIONS = ("edits", "edits-copy")
OWN_FOLDERS = frozenset({*_DECISIONS, "segments", "thumbs", "generations", "catalog", "vectors", "text"})
"""Every folder of an archive but quarantine."""
_OWN_FILES = ("CURRENT", "history.jsonl", IDENTITY_NAME, "training.lock", "writer.lock")
_MOST_NEIGHBOURS = 1_000


def write_identity(folder: Path, archive_id: str) -> None:
    """Make the folder an archive of this format, unless it is one already."""
    data = seal({"format": ARCHIVE_FORMAT, "archive_id": archive_id})
    put(folder / IDENTITY_NAME, data, kind="archive", overwrite=False)


def read_identity(folder: Path) -> str:
    """The archive's id.

    Raises:
        NotAnArchiveError: there is no archive at that path.
        ArchiveTooNewError: a newer Rushes made it.
        ArchiveDamagedError: it is an archive, but does not say which.
    """
    with translated_errors(folder / IDENTITY_NAME):
        return _read_identity(folder)


def _read_identity(folder: Path) -> str:
    path = folder / IDENTITY_NAME
    if not path.is_file():
        if has_truth(folder):
            raise ArchiveDamagedError(f"{path} is missing, but an archive is there; run `rushes repair {folder}`")
        if not folder.exists():
            raise NotAnArchiveError(
                f"there is no archive {folder}{_near(folder)}; make one of the videos in a folder with "
                f"`rushes index {shlex.quote(str(folder))} FOLDER`"
            )
        if folder.is_dir():
            raise NotAnArchiveError(
                f"{folder} is not an archive{_near(folder)}; make one of the videos in it with "
                f"`rushes index ARCHIVE {shlex.quote(str(folder))}`, where ARCHIVE is a new folder"
            )
        raise NotAnArchiveError(f"{folder} is a file, not an archive; name the folder of an archive")
    data = path.read_bytes()
    fields = unseal(data) or _read_newer(data)
    if fields is None:
        raise ArchiveDamagedError(f"{path} is damaged; run `rushes repair {folder}`")
    if fields["format"] > ARCHIVE_FORMAT:
        raise ArchiveTooNewError(
            f"{folder} has archive format {fields['format']}, this Rushes knows {ARCHIVE_FORMAT}: update Rushes"
        )
    return str(fields["archive_id"])


def is_archive(folder: Path) -> bool:
    """Whether the folder says that it is an archive."""
    return (folder / IDENTITY_NAME).is_file()


def _near(folder: Path) -> str:
    """Archives inside a folder, above it or beside it, for people; empty if there are none."""
    found: list[Path] = []
    for place in (folder, folder.parent):
        with contextlib.suppress(OSError), os.scandir(place) as entries:
            inside = [Path(entry.path) for entry in itertools.islice(entries, _MOST_NEIGHBOURS) if entry.is_dir()]
            found += sorted(path for path in inside if is_archive(path))
    found += [above for above in folder.parents if is_archive(above)]
    if not found:
        return ""
    named = ", ".join(str(path) for path in dict.fromkeys(found[:3]))
    return f", but {named} is" if len(found) == 1 else f", but there are {named}"


def remove_archive(folder: Path) -> None:
    """Delete an archive's own files and folders, what makes it one last; the folder itself stays."""
    with translated_errors(folder):
        for name in (*_DECISIONS, *sorted(OWN_FOLDERS - {*_DECISIONS})):
            shutil.rmtree(folder / name, ignore_errors=True)
        for name in _OWN_FILES:
            (folder / name).unlink(missing_ok=True)


def has_truth(folder: Path) -> bool:
    """Whether segments or edits of an archive lie in the folder."""
    return any(folder.glob("segments/*/*.parquet")) or any(folder.glob("edits/*.jsonl"))


def _read_newer(data: bytes) -> dict[str, Any] | None:
    """Fields of a newer format, which may be sealed in another way; None for anything else."""
    try:
        fields = json.loads(data)
    except ValueError:
        return None
    if not isinstance(fields, dict) or not isinstance(fields.get("format"), int):
        return None
    return fields if fields["format"] > ARCHIVE_FORMAT else None
