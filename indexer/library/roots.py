"""Library roots: the folders that places lie below, and moving one to where its files are now.

A root is moved by one event. Fingerprints decide which files go along: a file of other content under the same name
is another video, so its place stays at the old folder.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from indexer.library.file_locations import name_of_root, new_root_id
from indexer.media.fingerprint import fingerprint
from store.archive import Archive
from store.errors import ArchiveError, ConfigError, UnknownIdError
from store.events import Event, Missing, Moved, RootNamed, Seen
from store.files import has_entries
from store.identity import archive_around
from store.records import Location
from store.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class LibraryRoot:
    """A library root that holds a video or a file that failed.

    Args:
        root_id: its id, never changed.
        name: the readable part of the id.
        folder: absolute path of its folder.
        n_videos: how many videos have a place below it.
        is_reachable: whether the folder is there now, and is no empty mount point.
    """

    root_id: str
    name: str
    folder: str
    n_videos: int
    is_reachable: bool


class Verdict(StrEnum):
    """State of a known file compared with what lies under its name in another folder."""

    SAME = "same"
    OTHER = "other content"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class ComparedFile:
    """A known file, looked for below another folder.

    Args:
        known: its place below the old folder.
        verdict: how it compares.
        size_bytes: size of the file there, 0 if there is none.
        mtime_ns: its modification time, 0 if there is none.
        is_left_behind: not the same below the new folder, but still a file below the old one.
    """

    known: Location
    verdict: Verdict
    size_bytes: int = 0
    mtime_ns: int = 0
    is_left_behind: bool = False


@dataclass(frozen=True, slots=True)
class RootComparison:
    """The files of a root, looked for below another folder.

    Args:
        root: the root.
        new_folder: absolute path of the other folder.
        files: one for each known file, by path below the root.
    """

    root: LibraryRoot
    new_folder: Path
    files: tuple[ComparedFile, ...]

    def with_verdict(self, verdict: Verdict) -> list[ComparedFile]:
        """The files of that verdict."""
        return [file for file in self.files if file.verdict is verdict]


def list_roots(snapshot: Snapshot) -> list[LibraryRoot]:
    """Every library root that holds a video or a file that failed, by id."""
    videos: dict[str, set[str]] = {}
    for location in snapshot.locations():
        videos.setdefault(location.root, set()).add(location.fingerprint)
    return [
        LibraryRoot(root_id, name_of_root(root_id), path, len(videos.get(root_id, ())), has_entries(path))
        for root_id, path in snapshot.roots(in_use=True).items()
    ]


def find_root(snapshot: Snapshot, typed: str) -> LibraryRoot:
    """The root of that id, folder, or name.

    Raises:
        UnknownIdError: there is none, or more than one of that name.
    """
    roots = list_roots(snapshot)
    folders = {typed, str(Path(typed).absolute()), str(Path(typed).resolve())}
    exact = [root for root in roots if root.root_id == typed or root.folder in folders]
    found = exact or [root for root in roots if root.name == typed]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(f"{root.root_id} ({root.folder})" for root in found)
        raise UnknownIdError(f"more than one library root is called {typed!r}: {ids}; give the id")
    known = [text for root in roots for text in (root.root_id, root.name, root.folder)]
    near = difflib.get_close_matches(typed, known, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise UnknownIdError(f"no library root is called {typed!r}{hint}; `rushes roots ARCHIVE` lists them")


def compare_root(snapshot: Snapshot, root: LibraryRoot, new_folder: Path) -> RootComparison:
    """Look for every known file of a root below another folder, by content; changes nothing.

    Raises:
        ConfigError: the folder is not there, is none, is the root's own, or lies in an archive.
    """
    if not new_folder.exists():
        raise ConfigError(f"{new_folder} is not there: mount it, or check the path; {root.name} was not moved")
    if not new_folder.is_dir():
        raise ConfigError(f"{new_folder} is no folder; name the folder where {root.name} lies now")
    new_folder = new_folder.resolve()
    if str(new_folder) == root.folder:
        raise ConfigError(f"{root.name} is at {new_folder} already")
    if (archive := archive_around(new_folder)) is not None:
        raise ConfigError(f"{new_folder} lies in the archive {archive}; name the folder of the videos")
    places = [location for location in snapshot.locations() if location.root == root.root_id]
    files = tuple(_compare(place, new_folder / place.relative_path) for place in places)
    return RootComparison(root, new_folder, files)


def move_root(archive: Archive, comparison: RootComparison) -> None:
    """Move a root to the folder that it was compared with, and publish that.

    Files of the same content go along, as do files that are in neither folder, marked missing. Files of other
    content, and files that lie below the old folder alone, keep their places there.

    Raises:
        ConfigError: no file of the root lies there with the same content.
        ArchiveError: the root was moved since it was compared, or the archive cannot be written.
    """
    if comparison.files and not comparison.with_verdict(Verdict.SAME):
        n_missing, n_other = (len(comparison.with_verdict(one)) for one in (Verdict.MISSING, Verdict.OTHER))
        raise ConfigError(
            f"{comparison.new_folder} holds no file of {comparison.root.name} with the same content "
            f"({n_missing:,} missing, {n_other:,} of other content): nothing was moved"
        )

    def events(snapshot: Snapshot) -> list[Event]:
        if snapshot.roots().get(comparison.root.root_id) != comparison.root.folder:
            raise ArchiveError(f"{comparison.root.name} was moved by another process; run the command again")
        return list(_events(snapshot, comparison))

    archive.record_if(events)


def _compare(known: Location, path: Path) -> ComparedFile:
    try:
        stat = path.stat()
        is_same = stat.st_size == known.size_bytes and fingerprint(path) == known.fingerprint
    except FileNotFoundError:
        return ComparedFile(known, Verdict.MISSING, is_left_behind=_is_file(known.path))
    except OSError:  # a folder, or a file that cannot be read: not the file that is known
        return ComparedFile(known, Verdict.OTHER, is_left_behind=True)
    verdict = Verdict.SAME if is_same else Verdict.OTHER
    return ComparedFile(known, verdict, stat.st_size, stat.st_mtime_ns, is_left_behind=not is_same)


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except OSError:
        return False


def _events(snapshot: Snapshot, comparison: RootComparison) -> Iterator[Event]:
    """The events of a move, by what the archive says now.

    Where the new folder is a root already, or holds places of another root, the files move into that one: a path
    has one place.
    """
    old, new_folder = comparison.root, comparison.new_folder
    others = {path: root_id for root_id, path in sorted(snapshot.roots().items(), reverse=True)}
    locations = snapshot.locations()
    taken = {location.path: location for location in locations if location.root != old.root_id}
    now = {
        (location.relative_path, location.fingerprint) for location in locations if location.root == old.root_id
    }
    files = [file for file in comparison.files if (file.known.relative_path, file.known.fingerprint) in now]
    joined = others.get(str(new_folder))
    left = [file for file in files if file.is_left_behind]
    if joined is None:
        yield RootNamed(old.root_id, str(new_folder))
        if left:
            left_id = next(
                (root_id for path, root_id in others.items() if path == old.folder and root_id != old.root_id),
                new_root_id(Path(old.folder)),
            )
            yield RootNamed(left_id, old.folder)
            for file in left:
                known = file.known
                yield _moved(known, left_id, known.relative_path, known.size_bytes, known.mtime_ns)
    for file in files:
        known = file.known
        at = taken.get(str(new_folder / known.relative_path))
        if file.verdict is Verdict.SAME and (at or joined):
            root, relative = (at.root, at.relative_path) if at else (str(joined), known.relative_path)
            yield _moved(known, root, relative, file.size_bytes, file.mtime_ns)
        elif file.verdict is Verdict.SAME and (file.mtime_ns != known.mtime_ns or not known.present):
            yield Seen(known.root, known.relative_path, file.size_bytes, file.mtime_ns, known.fingerprint)
        elif file.verdict is Verdict.MISSING and not file.is_left_behind and known.present and joined is None:
            yield Missing(known.root, known.relative_path)


def _moved(known: Location, root: str, relative_path: str, size_bytes: int, mtime_ns: int) -> Moved:
    facts = (root, relative_path, size_bytes, mtime_ns, known.fingerprint)
    return Moved(known.root, known.relative_path, *facts, known.held_since)
