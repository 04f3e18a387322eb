"""What we write never takes the place of footage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from store.errors import ConfigError

if TYPE_CHECKING:
    from store.snapshot import Snapshot


def refuse_footage(snapshot: Snapshot, *outputs: Path | None) -> None:
    """Refuse to write where the archive knows a video, whatever else was asked for.

    Raises:
        ConfigError: an output is the place of a video.
    """
    wanted = {str(path.resolve()): path for path in outputs if path is not None}
    if not wanted:
        return
    for video in snapshot.videos():
        for place in (video.path, *video.other_paths):
            output = wanted.get(place) or wanted.get(str(Path(place).resolve()))
            if output is not None:
                raise ConfigError(f"{output} is a video of this archive and is only read; choose another name")
