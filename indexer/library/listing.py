"""Video files that a user meant: folders walked, single files, and metadata files that list videos."""

from __future__ import annotations

import csv
import fnmatch
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from indexer.errors import ScanError
from store.limited import open_regular, parse_limited_json, read_limited_text
from store.wording import n_of

MOST_METADATA_BYTES = 2**28
_MOST_COLUMNS, _MOST_CHARACTERS = 1_000, 100_000
METADATA_SUFFIXES = frozenset({".txt", ".csv", ".jsonl"})

# Containers that cameras, editors and archives use, and playlists: those are refused later, by content and with
# a reason, and never passed over in silence.
VIDEO_SUFFIXES = (
    *("mp4", "m4v", "mp4v", "mov", "qt", "mqv", "3gp", "3gpp", "3g2", "3gp2", "f4v", "ismv", "lrv", "insv", "360"),
    *("mkv", "mk3d", "webm", "avi", "divx", "xvid", "wmv", "asf", "flv", "ogv", "ogg", "ogm", "ogx", "mxf", "gxf"),
    *("mpg", "mpeg", "mpe", "mp2v", "mpv2", "m1v", "m2v", "m2p", "vob", "vro", "evo", "mod", "dv", "dif"),
    *("ts", "m2t", "m2ts", "mts", "tod", "trp", "tp", "h264", "264", "avc", "h265", "265", "hevc", "ivf"),
    *("m4a", "m3u8", "m3u", "ffconcat", "mpd"),
)

_ENDINGS_NAMED = 8

_LEDGER_START = re.compile(rb'\s*\{\s*"format"\s*:\s*"rushes-supercut"')
_LEDGER_START_BYTES = 256


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """File endings of videos in a folder.

    Args:
        suffixes: file name endings, lower case, without the dot. A file that is named on the command line or in a
            metadata file is taken whatever its ending.
        include: glob patterns on the path below the folder; empty means everything.
        exclude: glob patterns on the path below the folder, stronger than `include`.
        path_column: the column of a metadata file that holds the video's path.
    """

    suffixes: tuple[str, ...] = VIDEO_SUFFIXES
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    path_column: str = "path"


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file that the user wants indexed.

    Args:
        path: absolute path; its last part may be a link, the folders above are resolved.
        root: absolute path of the folder it was found through.
        metadata: further columns of the metadata file that named it.
    """

    path: Path
    root: Path
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unlisted:
    """Something below the given paths that cannot be read, or is left out on purpose.

    Args:
        path: absolute path of the file or folder.
        root: absolute path of the folder it was found through.
        reason: why.
        is_failure: whether it should have been read.
    """

    path: Path
    root: Path
    reason: str
    is_failure: bool = True


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Files of a folder that do not end like videos, or that the user's patterns leave out.

    Args:
        root: absolute path of the folder that was walked.
        endings: how many files of each ending, lower case and with the dot.
        n_by_pattern: how many files that end like videos are left out by `include` and `exclude`.
    """

    root: Path
    endings: Mapping[str, int]
    n_by_pattern: int = 0

    @property
    def n_files(self) -> int:
        """Number of files."""
        return sum(self.endings.values()) + self.n_by_pattern

    def describe(self) -> str:
        """One line: `12 files (.jpg 9, .txt 3)`, the commonest endings first."""
        ranked = sorted(self.endings.items(), key=lambda item: (-item[1], item[0]))
        parts = [f"{ending or 'no ending'} {count}" for ending, count in ranked[:_ENDINGS_NAMED]]
        if rest := sum(count for _, count in ranked[_ENDINGS_NAMED:]):
            parts.append(f"others {rest}")
        if self.n_by_pattern:
            parts.append(f"by pattern {self.n_by_pattern}")
        return f"{n_of(self.n_files, 'file')} ({', '.join(parts)})"


Listed = ListedFile | Unlisted | PassedOver


def list_files(inputs: Iterable[Path], settings: ScanSettings, skip_folder: Path) -> Iterator[Listed]:
    """Every file the user pointed at, each real file once, in the order of the inputs and then of names.

    After the files of a folder it is told what was passed over there, if anything was.

    Args:
        inputs: folders, video files, or metadata files (`.txt`, `.csv`, `.jsonl`).
        settings: what counts as a video in a folder.
        skip_folder: the archive itself, which may lie inside a library.

    Raises:
        ScanError: an input does not exist, or a metadata file cannot be read.
    """
    seen: set[Path] = set()
    for given in inputs:
        for item in _list_input(given, settings, skip_folder.resolve()):
            if isinstance(item, PassedOver):
                yield item
            elif item.path not in seen:
                seen.add(item.path)
                yield item


def is_metadata_file(path: Path) -> bool:
    """Whether a path given by the user lists videos instead of being one."""
    return path.suffix.lower() in METADATA_SUFFIXES and path.is_file()


def _list_input(given: Path, settings: ScanSettings, skip: Path) -> Iterator[Listed]:
    path = Path(os.path.abspath(given))  # noqa: PTH100 - resolve() would follow a link that is itself the video
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise ScanError(f"cannot index {given}: {error.strerror or error}; check the path") from error
    if stat.S_ISDIR(mode):
        yield from _walk(path.resolve(), settings, skip)
    elif is_metadata_file(path):
        yield from _read_metadata(path, settings.path_column)
    else:
        parent = path.parent.resolve()
        yield ListedFile(parent / path.name, parent)


def _walk(root: Path, settings: ScanSettings, skip: Path) -> Iterator[Listed]:
    """Files below `root`; links are followed inside the root only, and no folder is entered twice."""
    entered: set[tuple[int, int]] = set()
    passed_over: Counter[str | None] = Counter()  # by ending, None for what a pattern leaves out
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            identity = folder.stat()
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            yield Unlisted(folder, root, f"cannot read this folder: {error.strerror or error}")
            continue
        if (identity.st_dev, identity.st_ino) in entered or folder == skip:
            continue
        entered.add((identity.st_dev, identity.st_ino))
        folders: list[Path] = []
        for entry in entries:
            yield from _sort_entry(entry, root, settings, folders, passed_over)
        pending.extend(reversed(folders))
    if passed_over:
        n_by_pattern = passed_over.pop(None, 0)
        yield PassedOver(
            root, {ending: n for ending, n in passed_over.items() if ending is not None}, n_by_pattern
        )


def _sort_entry(
    entry: os.DirEntry[str],
    root: Path,
    settings: ScanSettings,
    folders: list[Path],
    passed_over: Counter[str | None],
) -> Iterator[ListedFile | Unlisted]:
    path = Path(entry.path)
    is_video = _ends_like_a_video(path, settings)
    wanted = is_video and _is_chosen(path.relative_to(root), settings)
    if entry.is_symlink():
        target = Path(os.path.realpath(path))
        if not target.exists():
            if wanted:
                yield Unlisted(path, root, "a link that leads nowhere or in a circle")
            return
        if not target.is_relative_to(root):
            if wanted or target.is_dir():
                yield Unlisted(path, root, f"a link out of the folder; index {target} itself if you want it")
            return
        return  # its target is found on its own
    if entry.is_dir(follow_symlinks=False):
        if not entry.name.startswith("."):  # trash cans, version control, thumbnails of file managers
            folders.append(path)
    elif not entry.is_file(follow_symlinks=False):
        return
    elif not wanted:
        # Nobody looks for what systems leave behind, or for the ledger of a film that is told of itself.
        if not entry.name.startswith(".") and not (path.suffix == ".json" and is_own_film(path.with_suffix(""))):
            passed_over[None if is_video else path.suffix.lower()] += 1
    elif is_own_film(path):
        yield Unlisted(path, root, "a film that Rushes made; name the file itself to index it", False)
    else:
        yield ListedFile(path, root)


def is_own_film(path: Path) -> bool:
    """Whether a ledger beside a video says that it was cut by Rushes: found again, it would double its sources."""
    try:
        with os.fdopen(open_regular(path.with_name(path.name + ".json")), "rb") as ledger:
            return _LEDGER_START.match(ledger.read(_LEDGER_START_BYTES)) is not None
    except OSError:
        return False


def _ends_like_a_video(path: Path, settings: ScanSettings) -> bool:
    if path.name.startswith("._"):  # what macOS leaves beside files on foreign disks
        return False
    return path.suffix.lower().lstrip(".") in settings.suffixes


def _is_chosen(relative: Path, settings: ScanSettings) -> bool:
    text = relative.as_posix()
    if any(fnmatch.fnmatch(text, pattern) for pattern in settings.exclude):
        return False
    return not settings.include or any(fnmatch.fnmatch(text, pattern) for pattern in settings.include)


def _read_metadata(path: Path, path_column: str) -> Iterator[ListedFile | Unlisted]:
    folder = path.parent.resolve()
    try:
        rows = list(_rows(path, path_column))
    except (OSError, ValueError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ScanError(f"cannot read the metadata file {path}: {reason}") from error
    for row in rows:
        named = row.pop(path_column)
        target = folder / named
        try:
            parent = Path(os.path.realpath(target.parent))
            video = parent / target.name
            video.lstat()
        except FileNotFoundError:
            pass
        except (OSError, ValueError):  # too long, or with a zero character
            yield Unlisted(folder / f"{named[:100]!r}", folder, f"listed in {path}, but that is no path")
            continue
        root = folder if parent.is_relative_to(folder) else parent
        if video.is_file():
            yield ListedFile(video, root, {key: value for key, value in row.items() if value})
        else:
            yield Unlisted(video, root, f"listed in {path}, but there is no such file")


def _rows(path: Path, path_column: str) -> Iterator[dict[str, str]]:
    suffix = path.suffix.lower()
    text = read_limited_text(path, MOST_METADATA_BYTES, "utf-8-sig")
    if suffix == ".txt":
        for line in text.splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                yield {path_column: line.strip()}
        return
    if suffix == ".csv":
        raw: Iterable[Mapping[str | None, object]] = csv.DictReader(text.splitlines(keepends=True))
    else:
        lines = (line for line in text.splitlines() if line.strip())
        raw = (parse_limited_json(line.encode(), unique_keys=False) for line in lines)
    for number, values in enumerate(raw, start=1):
        if not isinstance(values, Mapping) or not values.get(path_column):
            columns = ", ".join(str(key) for key in values) if isinstance(values, Mapping) else "no columns"
            raise ValueError(
                f"row {number} has no '{path_column}' (it has {columns}); name the column with --path-column"
            )
        row = {str(key): str(value) for key, value in values.items() if key and value is not None}
        for key, value in row.items():
            if len(row) > _MOST_COLUMNS or len(key) + len(value) > _MOST_CHARACTERS:
                raise ValueError(f"row {number} has more columns or longer texts than can be kept")
        yield row
