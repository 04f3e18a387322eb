"""Changes of a library since the last scan: new, changed, moved, doubled and missing files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from indexer.library.listing import Listed, ListedFile, PassedOver, Unlisted
from indexer.media.fingerprint import fingerprint
from store.records import Location


class Change(StrEnum):
    """State of a file on disk compared with the archive."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    MOVED = "moved"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """A file on disk, identified by content and compared with the archive.

    Args:
        file: where it is and what the user said of it.
        size_bytes: its size.
        mtime_ns: when it was last modified.
        fingerprint: content identity, 32 hex digits.
        change: how it compares with the archive.
        other: the path it moved from or doubles, empty otherwise.
        known: what the archive said of this path before, None if nothing.
    """

    file: ListedFile
    size_bytes: int
    mtime_ns: int
    fingerprint: str
    change: Change
    other: str = ""
    known: Location | None = None

    @property
    def is_noted(self) -> bool:
        """Whether the archive already says exactly this of the path."""
        known = self.known
        return known is not None and (
            (known.fingerprint, known.size_bytes, known.mtime_ns, known.present)
            == (self.fingerprint, self.size_bytes, self.mtime_ns, True)
        )


@dataclass(frozen=True, slots=True)
class Scan:
    """The result of looking at a library.

    Args:
        files: every file that can be read, in the order listed.
        unreadable: every file or folder that cannot, with the reason.
        missing: locations the archive knows below the scanned folders whose file is gone.
        passed_over: what was passed over in each folder.
    """

    files: list[ScannedFile] = field(default_factory=list)
    unreadable: list[Unlisted] = field(default_factory=list)
    missing: list[Location] = field(default_factory=list)
    passed_over: list[PassedOver] = field(default_factory=list)


def fingerprint_file(path: Path) -> str:
    """Content identity of a file, as `indexer.media.fingerprint` makes it."""
    return fingerprint(path)


def scan_library(listed: Iterable[Listed], known: Iterable[Location], folders: Iterable[Path]) -> Scan:
    """Compare what is on disk with what the archive last saw.

    A file of unchanged size and modification time at a known path keeps its fingerprint without being read.

    Args:
        listed: what the user pointed at.
        known: every location in the archive.
        folders: absolute paths of the folders that were walked whole: a known location below one of them that
            was not listed is missing.
    """
    scan = Scan()
    by_path = {location.path: location for location in known}
    accounted: set[str] = set()
    first_of: dict[str, str] = {}  # fingerprint -> first path of this scan
    gone = _Gone(by_path)
    for item in listed:
        if isinstance(item, PassedOver):
            scan.passed_over.append(item)
            continue
        if isinstance(item, Unlisted):
            scan.unreadable.append(item)
            accounted.add(str(item.path))
            continue
        accounted.add(str(item.path))
        try:
            scanned = _identify(item, by_path.get(str(item.path)), first_of, gone)
        except (OSError, UnicodeEncodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "its name is not valid Unicode; rename it"
            scan.unreadable.append(Unlisted(item.path, item.root, f"cannot read this file: {reason}"))
            continue
        first_of.setdefault(scanned.fingerprint, str(item.path))
        scan.files.append(scanned)
    roots = tuple(str(folder) for folder in folders)
    accounted.update(file.other for file in scan.files if file.change is Change.MOVED)
    scan.missing.extend(
        location
        for path, location in sorted(by_path.items())
        if location.present and path not in accounted and _is_below(path, roots) and not Path(path).exists()
    )
    return scan


class _Gone:
    """Answers where content that the archive knows used to lie, and whether it is still there."""

    def __init__(self, by_path: dict[str, Location]) -> None:
        self._paths: dict[str, list[str]] = {}
        for path, location in by_path.items():
            self._paths.setdefault(location.fingerprint, []).append(path)

    def places_of(self, fingerprint: str) -> tuple[list[str], list[str]]:
        """Paths of that content that still exist, and those that do not."""
        paths = sorted(self._paths.get(fingerprint, []))
        return [p for p in paths if Path(p).exists()], [p for p in paths if not Path(p).exists()]


def _identify(item: ListedFile, known: Location | None, first_of: dict[str, str], gone: _Gone) -> ScannedFile:
    str(item.path).encode("utf-8")  # a name that is not Unicode cannot be stored or shown
    stat = item.path.stat()
    if known and (known.size_bytes, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        fingerprint = known.fingerprint
    else:
        fingerprint = fingerprint_file(item.path)
    change, other = _compare(fingerprint, known, first_of, gone)
    return ScannedFile(item, stat.st_size, stat.st_mtime_ns, fingerprint, change, other, known)


def _compare(
    fingerprint: str, known: Location | None, first_of: dict[str, str], gone: _Gone
) -> tuple[Change, str]:
    if known and known.fingerprint == fingerprint:
        return Change.UNCHANGED, ""
    if fingerprint in first_of:
        return Change.DUPLICATE, first_of[fingerprint]
    still_there, vanished = gone.places_of(fingerprint)
    if still_there:
        return Change.DUPLICATE, still_there[0]
    if vanished:
        return Change.MOVED, vanished[0]
    return (Change.CHANGED if known else Change.NEW), ""


def _is_below(path: str, folders: tuple[str, ...]) -> bool:
    return any(Path(path).is_relative_to(folder) for folder in folders)
