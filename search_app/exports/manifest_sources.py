"""Files that a manifest may have opened: those that its reader names, and those that an archive knows.

A manifest may come from anybody, so the places in it are only told, never followed: not of sources, nor of music
or a watermark, nor of an archive that belongs to somebody else.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_app.cutting.cut_list import Clip, CutList
from search_app.errors import RenderError
from search_app.exports.manifest_fields import is_plain_path
from search_app.rendering.overlays import is_picture_name
from store.errors import ArchiveError, UnknownIdError
from store.identity import IDENTITY_NAME, read_identity

if TYPE_CHECKING:
    from search_app.timelines.relink import Relinker
    from store.snapshot import Snapshot

_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Allowed:
    """Files and folders that the reader of a manifest names.

    Args:
        places: resolved; of a folder all that lies below it is allowed.
    """

    places: tuple[Path, ...] = ()

    @classmethod
    def of(cls, paths: Iterable[Path]) -> Allowed:
        """Those of `--allow-file`."""
        return cls(tuple(path.expanduser().resolve() for path in paths))

    def permits(self, path: str | Path) -> bool:
        """Whether a path leads to one of them, whatever links and `..` are in it."""
        return any(_real(path).is_relative_to(place) for place in self.places)


def _real(path: str | Path) -> Path:
    return Path(os.path.realpath(path))  # gives up where links go round in circles, where resolve() raises


def refuse_unasked(options: Mapping[str, Any], allowed: Allowed) -> None:
    """Refuse the music and the pictures that options of a manifest name, unless they are allowed.

    Raises:
        RenderError: names them all, and the way to allow them.
    """
    film = options.get("film")
    if film is None:
        return
    music = [] if film.music is None else [str(film.music)]
    marks = [film.watermark] if film.watermark and is_picture_name(film.watermark) else []
    refused = [path for path in (*music, *marks) if not allowed.permits(path)]
    if refused:
        raise RenderError(f"the manifest names files that nobody asked for: {_ways(refused)}")


def with_sources(cut_list: CutList, relink: Relinker, allowed: Allowed, snapshot: Snapshot | None) -> CutList:
    """The clips with every place where their sources may be looked for, likeliest first.

    By the path map; where the manifest says, if that is allowed; and where the archive knows files of that
    content. That a file is the right one is looked at before anything is rendered.

    Raises:
        RenderError: of a clip there is no such place; names what the manifest says, and the way to allow it.
    """
    clips = [_with_places(clip, relink, allowed, snapshot) for clip in cut_list.clips]
    refused = [was.paths[0] for was, clip in zip(cut_list.clips, clips, strict=True) if not clip.paths]
    if refused:
        whose = "the archive does not know them" if snapshot else "no ARCHIVE is named that knows them"
        raise RenderError(f"the manifest names sources, and {whose}: {_ways(dict.fromkeys(refused))}")
    return replace(cut_list, clips=tuple(clips))


def _with_places(clip: Clip, relink: Relinker, allowed: Allowed, snapshot: Snapshot | None) -> Clip:
    moved = (place for path in clip.paths if (place := _moved(path, relink)) is not None)
    stated = (path for path in clip.paths if allowed.permits(path))
    return replace(clip, paths=tuple(dict.fromkeys((*moved, *stated, *_known(clip, snapshot)))))


def _moved(path: str, relink: Relinker) -> str | None:
    """Target of a path under a path map, unless that leads out of its folder."""
    pair = relink.pair_of(path)
    if pair is None:
        return None
    place = relink.place(path)[0]
    return place if _real(place).is_relative_to(_real(pair[1])) else None


def _known(clip: Clip, snapshot: Snapshot | None) -> Sequence[str]:
    if snapshot is None:
        return ()
    try:
        video = snapshot.video(clip.video_id)
    except UnknownIdError:
        return ()
    # Asked for by its fingerprint: a path that looks like one finds another video.
    return (video.path, *video.other_paths) if video.video_id == clip.video_id else ()


def _ways(paths: Iterable[str]) -> str:
    paths = list(paths)
    more = len(paths) - _MOST_NAMED
    shown = " ".join(f"--allow-file {shlex.quote(path)}" for path in paths[:_MOST_NAMED])
    return f"if they are what you want, say {shown}" + (f" and {more} more" if more > 0 else "")


def find_archive(carried: Mapping[str, Any]) -> Path | None:
    """The folder of the archive that a manifest names, if that very archive is still there, and is one's own.

    Only its identity is read here. What is not there, or belongs to another user, has to be named as ARCHIVE.
    """
    named = carried.get("archive")
    folder, archive_id = (named.get("folder"), named.get("id")) if isinstance(named, Mapping) else (None, None)
    if not (isinstance(folder, str) and isinstance(archive_id, str) and is_plain_path(folder)):
        return None
    try:
        places = (Path(folder), Path(folder) / IDENTITY_NAME)
        is_own = all(place.lstat().st_uid == os.geteuid() for place in places)
        return Path(folder) if is_own and read_identity(Path(folder)) == archive_id else None
    except (ArchiveError, OSError):
        return None
