"""Checks of outputs before anything is written: no footage and no archive lies there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from store.errors import ConfigError
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
