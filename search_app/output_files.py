"""Files that Rushes writes for people: checks of their names, and files that are whole or not there."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from search_app.errors import ExportError
from store.errors import ArchiveError, ConfigError
from store.identity import IDENTITY_NAME

if TYPE_CHECKING:
    from store.snapshot import Snapshot


def refuse_footage(snapshot: Snapshot, *outputs: Path | None) -> None:
    """Refuse to write into an archive or where the archive knows a video, whatever else was asked for.

    Raises:
        ConfigError: an output is the place of a video, or lies in the folder of an archive.
    """
    refuse_archive_folder(*outputs)
    wanted = {str(path.resolve()): path for path in outputs if path is not None}
    if not wanted:
        return
    for video in snapshot.videos():
        for place in (video.path, *video.other_paths):
            output = wanted.get(place) or wanted.get(str(Path(place).resolve()))
            if output is not None:
                raise ConfigError(f"{output} is a video of this archive and is only read; choose another name")


def refuse_archive_folder(*outputs: Path | None) -> None:
    """Refuse to write into the folder of an archive, this one or another.

    Raises:
        ConfigError: an output is or lies in such a folder.
    """
    for output in (path for path in outputs if path is not None):
        place = output.resolve()
        for folder in (place, *place.parents):
            if (folder / IDENTITY_NAME).is_file() and (folder / "segments").is_dir():
                raise ConfigError(f"{output} lies inside the archive {folder}; name a place outside it")


def refuse_folder(output: Path, error: type[ArchiveError] = ExportError) -> None:
    """Refuse a file whose folder is not there.

    Args:
        output: the file to make.
        error: what is raised.
    """
    if not output.parent.is_dir():
        raise error(f"there is no folder {output.parent}: create it first")


def refuse_taken(
    target: Path, sources: Iterable[str], *, overwrite: bool, error: type[ArchiveError] = ExportError
) -> None:
    """Refuse a name that belongs to something that must not be replaced.

    Args:
        target: the file to make.
        sources: files that are never written over.
        overwrite: whether another file of that name may be replaced.
        error: what is raised: it is a folder, a source, no ordinary file, or exists and may not be overwritten.
    """
    try:
        target.lstat()
    except FileNotFoundError:
        return
    except OSError as problem:  # such as a name that is too long
        raise error(f"cannot write {target}: {problem.strerror or problem}") from problem
    if target.is_dir():
        raise error(f"{target} is a folder: name a file")
    for path in sources:
        with contextlib.suppress(OSError):
            if target.samefile(path):
                raise error(f"{target} is one of the sources, {path}: name another file")
    if not overwrite:
        raise error(f"{target} exists already: name another file, or allow that (--overwrite)")
    if not target.is_file():
        raise error(f"{target} exists and is no ordinary file: name another file")


@contextlib.contextmanager
def atomic_write(output: Path, error: type[ArchiveError] = ExportError) -> Iterator[Path]:
    """A place beside `output` to write to; it gets that name at the end, unless an error is raised.

    Args:
        output: the file to make.
        error: what is raised if it cannot be written; nothing is left behind then, and a file that had the name is
            untouched.
    """
    temporary = output.with_name(f".rushes-{secrets.token_hex(8)}{output.suffix}")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(output)
    except OSError as problem:
        raise error(f"cannot write {output}: {problem.strerror or problem}") from problem
    finally:
        temporary.unlink(missing_ok=True)
