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
from store.catalog.runs import read_doubts
from store.errors import ArchiveDamagedError
from store.files import TEMPORARY_PREFIX, dead_temporaries, failpoint, quarantine, read_sealed
from store.identity import read_identity, write_identity
from store.limited import is_own_file
from store.publishing.cache_check import damaged_caches
from store.publishing.generations import (
    Generations,
    Manifest,
    is_catalog_name,
    is_lexical_name,
    is_manifest_name,
    is_shard_name,
    verify_catalog,
)
from store.publishing.open_shards import ShardShelf
from store.publishing.publisher import list_segments, publish_locked, temporary_folders, writer_lock
from store.publishing.training import VectorSettings, build_inverted_files
from store.stages import VISUAL, is_known
from store.truth.edits import cut_torn_line, edits_names, is_edits_name, is_live, read_edits
from store.truth.edits_copy import COPY_FOLDER, damage_of_copy, is_restorable, mend_edits, rewrite_copy
from store.truth.segments import SegmentTooNewError, is_segment_name, read_segment, segment_path, stage_of
from store.truth.text_segments import read_text_segment


class Kind(StrEnum):
    """Kind of damage."""

    IDENTITY = "archive.json"
    CACHE = "cache"
    SEGMENT = "segment"
    LOST_SEGMENT = "lost segment"
    EDITS = "edits"
    TORN_EDITS = "torn edits"
    COPY = "second copy of edits"
    ROWS = "passed over"
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
    Kind.COPY: "nothing is lost; `rushes repair` or the next `rushes index` makes it again",
    Kind.ROWS: "nothing is lost, its other rows are used; run the stage again with a model that is mended",
    Kind.FOREIGN: "move it elsewhere, or run `rushes repair`, which moves it to quarantine",
    Kind.LEFTOVER: "nothing is lost; `rushes repair` or the next `rushes index` deletes it",
}
_ACTIONS = {
    Kind.IDENTITY: "write again",
    Kind.CACHE: "make again",
    Kind.SEGMENT: "move to quarantine",
    Kind.LOST_SEGMENT: "take out of the catalog",
    Kind.EDITS: "restore from the second copy, move the original to quarantine",
    Kind.TORN_EDITS: "cut off the unfinished line, after a copy to quarantine",
    Kind.COPY: "make again",
    Kind.ROWS: "leave alone",
    Kind.FOREIGN: "move to quarantine",
    Kind.LEFTOVER: "delete",
}
_RESTORABLE = "nothing is lost; `rushes repair` restores it from its second copy"
_LIVE = "; its writer is running: stop that first"
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
    actions = [_action(folder, found) for found in findings]
    if dry_run or not findings:
        return actions
    for found in findings:
        _mend(folder, found)
    failpoint("repair.mended")
    generations = Generations(folder, read_identity(folder))
    shelf = ShardShelf(generations)
    caches = [Path(found.path) for found in findings if found.kind is Kind.CACHE]
    distrusted = {name for path in caches for name in (path.name, path.parent.name)}
    with writer_lock(folder):
        is_truth = any(found.kind in _TRUTH for found in findings)
        publish_locked(generations, shelf, anew=is_truth, distrusted=distrusted)
        failpoint("repair.made-again")
        _collect_damaged(generations)
    build_inverted_files(generations, shelf, VectorSettings())
    failpoint("repair.published")
    return actions


def _action(folder: Path, found: Finding) -> Action:
    what = _ACTIONS[found.kind]
    if found.kind is Kind.EDITS and not is_restorable(Path(found.path), folder):
        what = "keep the good lines, move the original to quarantine"
    if found.what.endswith(_LIVE):
        what = "leave alone"
    return Action(what, found.path, found.what)


def _collect_damaged(generations: Generations) -> None:
    """Delete the generations to fall back to that are not sound; the writer lock is held."""
    kept = []
    for number in generations.numbers():
        manifest = generations.read(number)
        if manifest is not None and not list(damaged_caches(generations, manifest, read_data=True)):
            kept.append(manifest)
    generations.collect(kept)


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
            mend_edits(path, folder)
        case Kind.COPY:
            rewrite_copy(folder / "edits" / path.name, folder)
        case Kind.TORN_EDITS:
            cut_torn_line(path, folder)
        case Kind.LEFTOVER:
            path.unlink(missing_ok=True)
        case Kind.CACHE | Kind.LOST_SEGMENT | Kind.ROWS:
            pass  # publishing sees to it


def _known_id(folder: Path) -> str | None:
    """The archive's id as its newest sound manifest has it."""
    for path in sorted((folder / "generations").glob("*.json"), reverse=True):
        fields = read_sealed(path)
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
        passed: dict[str, str] = {}
        edits: dict[str, int] = {}
        manifest = None
        if generations.numbers() or generations.current_path.exists() or list_segments(self._folder):
            yield from self._check_caches(generations)
            manifest = generations.read(generations.current() or 0)
        if manifest is not None:
            edits = dict(manifest.edits)
            covered, passed = self._read_coverage(generations, manifest) or (None, {})
        yield from self._check_segments(covered)
        for name, what in passed.items():
            yield self._found(Kind.ROWS, segment_path(self._folder / "segments", name), f"of its rows {what}")
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
            for path, what in damaged_caches(generations, manifest, read_data=self._read_data):
                yield self._found(Kind.CACHE, path, what)

    def _read_coverage(
        self, generations: Generations, manifest: Manifest
    ) -> tuple[dict[str, int], dict[str, str]] | None:
        """Size of each segment that the catalog covers, and why rows of some are passed over; None without one."""
        path = generations.catalog_path(manifest)
        try:
            verify_catalog(path, manifest.catalog)
            reader = CatalogReader(path, self._folder / "thumbs")
        except ArchiveDamagedError:
            return None  # named by _check_caches
        try:
            doubts = read_doubts(reader)
            return reader.segments(), {name: passed for name, (passed, _) in doubts.items() if passed}
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
            if not self._read_data and is_own_file(path) and known_size == path.stat().st_size:
                continue
            try:
                if not is_known(stage_of(name)):
                    continue  # kept for a version that knows it
                read_segment(path) if stage_of(name) == VISUAL else read_text_segment(path)
            except SegmentTooNewError:
                continue
            except ArchiveDamagedError as error:
                yield self._found(Kind.SEGMENT, path, str(error))

    def _check_edits(self, covered: dict[str, int]) -> Iterator[Finding]:
        folder, copies = self._folder / "edits", self._folder / COPY_FOLDER
        names = edits_names(folder)
        yield from self._check_copies(covered)
        for name in sorted({*covered, *edits_names(copies)} - set(names)):
            yield self._damaged_edits(folder / name, "it is gone, but was published")
        for name in names:
            path = folder / name
            if not is_own_file(path):
                yield self._damaged_edits(path, "a link, or no regular file")
                continue
            start = covered.get(name, 0)
            if path.stat().st_size < start:
                yield self._damaged_edits(path, f"shorter than the {start} bytes that were published")
                continue
            piece = read_edits(path, 0 if self._read_data else start)
            if piece.damaged_lines:
                lines = ", ".join(map(str, piece.damaged_lines))
                yield self._damaged_edits(path, f"damaged lines: {lines}")
            elif piece.end_bytes < start:
                yield self._damaged_edits(path, "its last published line is damaged")
            elif piece.torn_bytes and not is_live(path):
                yield self._found(
                    Kind.TORN_EDITS, path, f"its writer was killed {piece.torn_bytes} bytes into a line"
                )

    def _damaged_edits(self, path: Path, what: str) -> Finding:
        what_to_do = _RESTORABLE if is_restorable(path, self._folder) else _WHAT_TO_DO[Kind.EDITS]
        return Finding(
            Kind.EDITS, str(path), what + (_LIVE if path.exists() and is_live(path) else ""), what_to_do
        )

    def _check_copies(self, covered: dict[str, int]) -> Iterator[Finding]:
        """Second copies that are damaged; an archive of a Rushes that made none has none until it is published."""
        folder, copies = self._folder / "edits", self._folder / COPY_FOLDER
        if not copies.is_dir():
            return
        names = edits_names(copies)
        for name in sorted({*covered, *names}):
            path = copies / name
            if name in names and not is_own_file(path):
                yield self._found(Kind.COPY, path, "a link, or no regular file")
                continue
            n_copied = path.stat().st_size if name in names else 0
            if n_copied < covered.get(name, 0):
                yield self._found(Kind.COPY, path, "missing, or shorter than what was published")
            elif self._read_data and n_copied and (what := damage_of_copy(folder / name, path)):
                yield self._found(Kind.COPY, path, what)

    def _check_foreign(self) -> Iterator[Finding]:
        rules: Iterable[tuple[Iterable[Path], Callable[[str], bool]]] = (
            ([self._folder / "generations"], is_manifest_name),
            ([self._folder / "catalog"], is_catalog_name),
            ([self._folder / "text"] if (self._folder / "text").exists() else [], is_lexical_name),
            ((self._folder / "vectors").glob("*"), is_shard_name),
            ((self._folder / "segments").glob("*"), is_segment_name),
            ([self._folder / "edits"], is_edits_name),
            ([self._folder / COPY_FOLDER] if (self._folder / COPY_FOLDER).exists() else [], is_edits_name),
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
