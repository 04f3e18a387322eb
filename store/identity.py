"""`archive.json`: which archive this is, and in which format."""

from __future__ import annotations

import contextlib
import itertools
import os
import shlex
import shutil
from pathlib import Path
from typing import Any

from store.errors import ArchiveDamagedError, ArchiveTooNewError, NotAnArchiveError
from store.files import TEMPORARY_PREFIX, put, seal, translated_errors, unseal
from store.limited import ForeignDataError, parse_limited_json, read_limited_bytes

ARCHIVE_FORMAT = 1
IDENTITY_NAME = "archive.json"
_DECISIONS = ("edits", "edits-copy")
OWN_FOLDERS = frozenset({*_DECISIONS, "segments", "thumbs", "generations", "catalog", "vectors", "text"})
"""Every folder of an archive but quarantine."""
_FLAT = (*_DECISIONS, "generations", "catalog", "quarantine")
_OWN_FILES = ("CURRENT", "history.jsonl", IDENTITY_NAME, "training.lock", "writer.lock")
_MOST_NEIGHBOURS = 1_000
_MOST_BYTES = 2**16


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
                f"{folder} is not an archive, there is no such folder{_near(folder)}; make one of videos with "
                f"`rushes index {shlex.quote(str(folder))} FOLDER`"
            )
        if folder.is_dir():
            raise NotAnArchiveError(
                f"{folder} is not an archive{_near(folder)}; make one of the videos in it with "
                f"`rushes index ARCHIVE {shlex.quote(str(folder))}`, where ARCHIVE is a new folder"
            )
        raise NotAnArchiveError(f"{folder} is a file, not an archive; name the folder of an archive")
    try:
        data = read_limited_bytes(path, _MOST_BYTES, follow_links=False)
    except ForeignDataError as error:
        raise ArchiveDamagedError(f"{path} is damaged ({error}); run `rushes repair {folder}`") from error
    fields = unseal(data) or _read_newer(data)
    if fields is None or type(fields.get("format")) is not int:
        raise ArchiveDamagedError(f"{path} is damaged; run `rushes repair {folder}`")
    _refuse_links(folder)
    if fields["format"] > ARCHIVE_FORMAT:
        raise ArchiveTooNewError(
            f"{folder} has archive format {fields['format']}, this Rushes knows {ARCHIVE_FORMAT}: update Rushes"
        )
    return str(fields.get("archive_id"))


def _refuse_links(folder: Path) -> None:
    """Refuse folders that lie elsewhere: what is written into an archive must not get out of it.

    Raises:
        ArchiveDamagedError: one of them is a link.
    """
    for name in (*sorted(OWN_FOLDERS), "quarantine"):
        place = folder / name
        inside = [place] if name in _FLAT or not place.is_dir() else [place, *_folders(place)]
        for one in inside:
            if one.is_symlink():
                raise ArchiveDamagedError(
                    f"{one} is a link: folders of an archive lie in it, so that nothing is written elsewhere; "
                    "move them back, or the whole archive to where there is space"
                )


def _folders(place: Path) -> list[Path]:
    with os.scandir(place) as entries:
        return [Path(entry.path) for entry in entries if entry.is_symlink() or entry.is_dir()]


def is_archive(folder: Path) -> bool:
    """Whether the folder says that it is an archive."""
    return (folder / IDENTITY_NAME).is_file()


def refuse_place(folder: Path) -> None:
    """Refuse to make an archive at a path where none is.

    Raises:
        NotAnArchiveError: the path is a file, a folder with other things in it, or inside another archive.
    """
    if folder.exists() and not folder.is_dir():
        raise NotAnArchiveError(f"{folder} is a file; name a folder for the archive")
    with translated_errors(folder):
        names = {entry.name for entry in folder.iterdir()} if folder.exists() else set()
    # The folders alone are what a killed `Archive.create` leaves.
    if any(not name.startswith(TEMPORARY_PREFIX) for name in names - OWN_FOLDERS):
        raise NotAnArchiveError(f"{folder} is not empty and not an archive; name a new or empty folder")
    if (parent := archive_around(folder)) is not None:
        raise NotAnArchiveError(f"{folder} lies inside the archive {parent}; name a folder outside it")


def archive_around(folder: Path) -> Path | None:
    """The archive that a folder is, or lies in; None if it lies in none."""
    folder = folder.resolve()
    places = (folder, *folder.parents)
    return next((place for place in places if is_archive(place) and (place / "segments").is_dir()), None)


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
        fields = parse_limited_json(data)
    except ForeignDataError:
        return None
    if not isinstance(fields, dict) or not isinstance(fields.get("format"), int):
        return None
    return fields if fields["format"] > ARCHIVE_FORMAT else None
