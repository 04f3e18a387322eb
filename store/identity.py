"""`archive.json`: which archive this is, and in which format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from store.errors import ArchiveDamagedError, ArchiveTooNewError, NotAnArchiveError
from store.files import put, seal, translated_errors, unseal

ARCHIVE_FORMAT = 1
IDENTITY_NAME = "archive.json"


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
        if folder.is_dir() or not folder.exists():
            raise NotAnArchiveError(f"{folder} is not an archive; make one with `rushes index {folder} PATH...`")
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
