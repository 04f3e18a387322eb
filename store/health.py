"""Health: look for damage, and mend what can be mended without losing anything.

`check_archive` changes nothing. `repair_archive` moves what is damaged or foreign to `quarantine/`, restores what
can be derived, and makes the caches anew. Only leftovers of killed writers, which were never acknowledged, are
deleted.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from store.catalog.reader import CatalogReader
from store.edits import cut_torn_line, edits_names, is_live, read_edits, rescue_lines
from store.errors import ArchiveDamagedError
from store.files import TEMPORARY_PREFIX, dead_temporaries, digest_file, failpoint, quarantine, unseal
from store.generations import (
    Generations,
    Manifest,
    is_catalog_name,
    is_lexical_name,
    is_manifest_name,
    is_shard_name,
    verify_catalog,
)
from store.identity import read_identity, write_identity
from store.inverted_publish import VectorSettings, build_inverted_files
from store.publish import list_segments, publish, temporary_folders
from store.segments import is_segment_name, read_segment, segment_path
from store.shelf import ShardShelf
from store.text_segments import is_text_segment, read_text_segment


class Kind(StrEnum):
    """What sort of thing is wrong."""

    IDENTITY = "archive.json"
    CACHE = "cache"
    SEGMENT = "segment"
    LOST_SEGMENT = "lost segment"
    EDITS = "edits"
    TORN_EDITS = "torn edits"
    FOREIGN = "foreign file"
    LEFTOVER = "leftover"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with an archive.

    Args:
        kind: what sort of thing.
        path: the file.
        what: what is wrong with it.
        what_to_do: what a person should do.
    """

    kind: Kind
    path: str
    what: str
    what_to_do: str


@dataclass(frozen=True, slots=True)
class Action:
    """Something that `repair_archive` did, or would do.

    Args:
        what: what is done.
        path: to which file.
        why: what was wrong.
    """

    what: str
    path: str
    why: str


_WHAT_TO_DO = {
    Kind.IDENTITY: "run `rushes repair`",
    Kind.CACHE: "run `rushes repair`; it is made again from the segments and edits",
    Kind.SEGMENT: "run `rushes repair`; the video is indexed again",
    Kind.LOST_SEGMENT: "restore it from a backup, or run `rushes repair`; the video is indexed again",
    Kind.EDITS: "restore the file from a backup, or run `rushes repair` to keep its good lines",
    Kind.TORN_EDITS: "nothing is lost, it was never acknowledged; `rushes repair` cuts it off",
    Kind.FOREIGN: "move it elsewhere, or run `rushes repair`, which moves it to quarantine",
    Kind.LEFTOVER: "nothing is lost; `rushes repair` or the next `rushes index` deletes it",
}
_ACTIONS = {
    Kind.IDENTITY: "write again",
    Kind.CACHE: "make again",
    Kind.SEGMENT: "move to quarantine",
    Kind.LOST_SEGMENT: "take out of the catalog",
    Kind.EDITS: "keep the good lines, move the original to quarantine",
    Kind.TORN_EDITS: "cut off the unfinished line, after a copy to quarantine",
    Kind.FOREIGN: "move to quarantine",
    Kind.LEFTOVER: "delete",
}
_TRUTH = {Kind.SEGMENT, Kind.LOST_SEGMENT, Kind.EDITS}


def check_archive(folder: Path, read_data: bool = False) -> list[Finding]:
    """Everything that is wrong with an archive, nothing if it is sound; changes nothing.

    Args:
        folder: the archive's folder.
        read_data: read every byte of every file, not only names, sizes, the catalog and what is not yet published.

    Raises:
        NotAnArchiveError: there is no archive at that path.
        ArchiveTooNewError: a newer Rushes made it.
    """
    return sorted(_Check(Path(folder).absolute(), read_data).run(), key=lambda found: (found.kind, found.path))


def repair_archive(folder: Path, dry_run: bool = True) -> list[Action]:
    """Mend an archive, or only say what would be done; trains inverted files that large shards lack, in minutes.

    Videos whose segments were damaged or lost are no longer in the archive afterwards; their places are, so that
    `Archive.locations_without_segment` gives what is to be indexed again.

    Raises:
        NotAnArchiveError: there is no archive at that path.
        ArchiveTooNewError: a newer Rushes made it.
    """
    folder = Path(folder).absolute()
    findings = check_archive(folder, read_data=True)
    actions = [Action(_ACTIONS[found.kind], found.path, found.what) for found in findings]
    if dry_run or not findings:
        return actions
    for found in findings:
        _mend(folder, found)
    failpoint("repair.mended")
    generations = Generations(folder, read_identity(folder))
    shelf = ShardShelf(generations)
    publish(generations, shelf, anew=any(found.kind in _TRUTH for found in findings))
    build_inverted_files(generations, shelf, VectorSettings())
    failpoint("repair.published")
    return actions


def _mend(folder: Path, found: Finding) -> None:
    path = Path(found.path)
    match found.kind:
        case Kind.IDENTITY:
            if path.exists():
                quarantine(path, folder)
            write_identity(folder, _known_id(folder) or secrets.token_hex(16))
        case Kind.SEGMENT | Kind.FOREIGN:
            quarantine(path, folder)
        case Kind.EDITS:
            rescue_lines(path, folder)
        case Kind.TORN_EDITS:
            cut_torn_line(path, folder)
        case Kind.LEFTOVER:
            path.unlink(missing_ok=True)
        case Kind.CACHE | Kind.LOST_SEGMENT:
            pass  # publishing sees to it


def _known_id(folder: Path) -> str | None:
    """The archive's id as its newest sound manifest has it."""
    for path in sorted((folder / "generations").glob("*.json"), reverse=True):
        fields = unseal(path.read_bytes())
        if fields is not None and "archive_id" in fields:
            return str(fields["archive_id"])
    return None


class _Check:
    """One look at one archive."""

    def __init__(self, folder: Path, read_data: bool) -> None:
        self._folder = folder
        self._read_data = read_data

    def run(self) -> Iterator[Finding]:
        """Every finding, in no order."""
        archive_id = None
        try:
            archive_id = read_identity(self._folder)
        except ArchiveDamagedError as error:
            yield self._found(Kind.IDENTITY, self._folder / "archive.json", str(error))
            archive_id = _known_id(self._folder)
        generations = Generations(self._folder, archive_id or "")
        covered: dict[str, int] | None = None
        edits: dict[str, int] = {}
        manifest = None
        if generations.numbers() or generations.current_path.exists() or list_segments(self._folder):
            yield from self._check_caches(generations)
            manifest = generations.read(generations.current() or 0)
        if manifest is not None:
            covered, edits = self._read_coverage(generations, manifest), dict(manifest.edits)
        yield from self._check_segments(covered)
        yield from self._check_edits(edits)
        yield from self._check_foreign()
        yield from self._check_leftovers()

    @staticmethod
    def _found(kind: Kind, path: Path, what: str) -> Finding:
        return Finding(kind, str(path), what, _WHAT_TO_DO[kind])

    def _check_caches(self, generations: Generations) -> Iterator[Finding]:
        current = generations.current()
        if current is None:
            yield self._found(Kind.CACHE, generations.current_path, "missing or damaged")
        elif current not in generations.numbers():
            yield self._found(Kind.CACHE, generations.manifest_path(current), "missing")
        for number in generations.numbers():
            manifest = generations.read(number)
            if manifest is None:
                yield self._found(Kind.CACHE, generations.manifest_path(number), "damaged, or of another archive")
                continue
            path = generations.catalog_path(manifest)
            try:
                verify_catalog(path, manifest.catalog)
            except ArchiveDamagedError as error:
                yield self._found(Kind.CACHE, path, str(error))
            for vectors in manifest.vector_files:
                path = generations.shards_folder(manifest.space_id) / vectors.name
                yield from self._check_file(path, vectors.size_bytes, vectors.digest)
            if manifest.lexical is not None:
                for file in manifest.lexical.files:
                    path = generations.lexical_path(manifest.lexical) / file.name
                    yield from self._check_file(path, file.size_bytes, file.digest)

    def _check_file(self, path: Path, size_bytes: int, digest: str) -> Iterator[Finding]:
        try:
            size_found = path.stat().st_size
            if size_found != size_bytes:
                yield self._found(Kind.CACHE, path, f"has {size_found} bytes instead of {size_bytes}")
            elif self._read_data and digest_file(path) != digest:
                yield self._found(Kind.CACHE, path, "its content has changed")
        except OSError as error:
            yield self._found(Kind.CACHE, path, f"cannot be read ({error.strerror})")

    def _read_coverage(self, generations: Generations, manifest: Manifest) -> dict[str, int] | None:
        path = generations.catalog_path(manifest)
        try:
            verify_catalog(path, manifest.catalog)
            reader = CatalogReader(path, self._folder / "thumbs")
        except ArchiveDamagedError:
            return None  # named by _check_caches
        try:
            return reader.segments()
        finally:
            reader.close()

    def _check_segments(self, covered: dict[str, int] | None) -> Iterator[Finding]:
        names = list_segments(self._folder)
        for name in sorted(set(covered or {}) - set(names)):
            path = segment_path(self._folder / "segments", name)
            yield self._found(Kind.LOST_SEGMENT, path, "the catalog has it, but the file is gone")
        for name in names:
            path = segment_path(self._folder / "segments", name)
            known_size = None if covered is None else covered.get(name)
            if not self._read_data and known_size == path.stat().st_size:
                continue
            try:
                read_text_segment(path) if is_text_segment(name) else read_segment(path)
            except ArchiveDamagedError as error:
                yield self._found(Kind.SEGMENT, path, str(error))

    def _check_edits(self, covered: dict[str, int]) -> Iterator[Finding]:
        folder = self._folder / "edits"
        names = edits_names(folder)
        for name in sorted(set(covered) - set(names)):
            yield self._found(Kind.EDITS, folder / name, "the catalog has it, but the file is gone")
        for name in names:
            path = folder / name
            start = covered.get(name, 0)
            if path.stat().st_size < start:
                yield self._found(Kind.EDITS, path, f"shorter than the {start} bytes that were published")
                continue
            piece = read_edits(path, 0 if self._read_data else start)
            if piece.damaged_lines:
                lines = ", ".join(map(str, piece.damaged_lines))
                yield self._found(Kind.EDITS, path, f"damaged lines: {lines}")
            elif piece.torn_bytes and not is_live(path):
                yield self._found(
                    Kind.TORN_EDITS, path, f"its writer was killed {piece.torn_bytes} bytes into a line"
                )

    def _check_foreign(self) -> Iterator[Finding]:
        rules: Iterable[tuple[Iterable[Path], Callable[[str], bool]]] = (
            ([self._folder / "generations"], is_manifest_name),
            ([self._folder / "catalog"], is_catalog_name),
            ([self._folder / "text"] if (self._folder / "text").exists() else [], is_lexical_name),
            ((self._folder / "vectors").glob("*"), is_shard_name),
            ((self._folder / "segments").glob("*"), is_segment_name),
            ([self._folder / "edits"], lambda name: name in edits_names(self._folder / "edits")),
        )
        for folders, is_ours in rules:
            for folder in folders:
                if not folder.is_dir():
                    yield self._found(Kind.FOREIGN, folder, "not one of the archive's own files")
                    continue
                for entry in os.scandir(folder):
                    if not entry.name.startswith(TEMPORARY_PREFIX) and not is_ours(entry.name):
                        yield self._found(Kind.FOREIGN, Path(entry.path), "not one of the archive's own files")

    def _check_leftovers(self) -> Iterator[Finding]:
        for folder in temporary_folders(self._folder):
            for path in dead_temporaries(folder):
                yield self._found(Kind.LEFTOVER, path, "unfinished file of a writer that was killed")
