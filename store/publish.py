"""Publishing: fold what is new of the truth into the next generation.

One process at a time does this, holding `writer.lock`, on a copy of the last good catalog; readers go on with the
files they have open. The same steps rebuild everything when no good catalog is left: then all of the truth is new.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock

from store.catalog.reader import CatalogReader
from store.catalog.writer import CatalogWriter
from store.edits import EditsPiece, read_new_edits
from store.errors import ArchiveDamagedError, ArchiveError, ArchiveLockedError
from store.files import (
    TEMPORARY_PREFIX,
    digest_bytes,
    digest_file,
    failpoint,
    make_folder,
    remove_dead_temporaries,
    sync_folder,
    translated_errors,
)
from store.generations import CatalogFile, Generations, Manifest, verify_catalog
from store.segments import StoredSegment, is_segment_name, read_segment, segment_path
from store.vectors import MAX_SHARD_ROWS, Shard, ShardBuilder, ShardFile, choose_merge, merge_shards

LOCK_TIMEOUT_SECONDS = 120.0
SEGMENT_CACHE_BYTES = 256 << 20
_LOG = logging.getLogger(__name__)


class ShardShelf:
    """Open shards, verified once each; safe to use from several threads.

    Args:
        generations: where the shards lie.
    """

    def __init__(self, generations: Generations) -> None:
        self._generations = generations
        self._open: dict[tuple[str, str], Shard] = {}
        self._lock = threading.Lock()

    def get(self, space_id: str, expected: ShardFile) -> Shard:
        """The shard, opened now if it is not yet open.

        Raises:
            ArchiveDamagedError: its file is missing or differs from what the manifest says.
        """
        path = self._generations.shards_folder(space_id) / expected.name
        with self._lock:
            shard = self._open.get((space_id, expected.digest))
            if shard is None:
                shard = self._open[space_id, expected.digest] = Shard(path, expected)
            elif not path.exists() or path.stat().st_size != expected.size_bytes:
                raise ArchiveDamagedError(f"shard {path} is missing or damaged")
        return shard

    def keep_only(self, space_id: str, shards: Sequence[ShardFile]) -> None:
        """Let go of all others; who still searches one keeps it."""
        wanted = {(space_id, shard.digest) for shard in shards}
        with self._lock:
            for key in [key for key in self._open if key not in wanted]:
                del self._open[key]


@contextmanager
def writer_lock(folder: Path, timeout_seconds: float = LOCK_TIMEOUT_SECONDS) -> Iterator[None]:
    """Hold the archive's writer lock.

    Raises:
        ArchiveLockedError: another process held it for too long.
    """
    lock = filelock.FileLock(folder / "writer.lock", timeout=timeout_seconds)
    try:
        with translated_errors(folder / "writer.lock"):
            lock.acquire()
    except filelock.Timeout as error:
        raise ArchiveLockedError(
            f"another process has been publishing to {folder} for {timeout_seconds:.0f} s; "
            "try again when it is done"
        ) from error
    try:
        yield
    finally:
        lock.release()


def list_segments(folder: Path) -> list[str]:
    """Names of all segment files below the archive, sorted."""
    segments = folder / "segments"
    if not segments.is_dir():
        return []
    names = []
    for part in os.scandir(segments):
        if part.is_dir():
            names += [entry.name for entry in os.scandir(part.path) if is_segment_name(entry.name)]
    return sorted(names)


class _SegmentCache:
    """Segments read while publishing, the first ones kept in memory so that few are read twice."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "segments"
        self._kept: dict[str, StoredSegment] = {}
        self._kept_bytes = 0

    def read(self, name: str) -> StoredSegment:
        """The segment, verified.

        Raises:
            ArchiveDamagedError: it is damaged.
        """
        if name in self._kept:
            return self._kept[name]
        stored = read_segment(segment_path(self._folder, name))
        self._kept_bytes += stored.table.nbytes
        if self._kept_bytes <= SEGMENT_CACHE_BYTES:
            self._kept[name] = stored
        return stored


@dataclass(frozen=True, slots=True)
class _News:
    """What the base does not cover."""

    edits: Mapping[str, EditsPiece]
    segments: tuple[str, ...]


class Publisher:
    """Makes the next generation of one archive. To be used with the writer lock held.

    Args:
        generations: the archive's generations.
        shelf: its open shards.
    """

    def __init__(self, generations: Generations, shelf: ShardShelf) -> None:
        self._generations = generations
        self._folder = generations.folder
        self._shelf = shelf
        self._segments = _SegmentCache(self._folder)

    def publish(self, anew: bool) -> tuple[int, int]:
        """Fold everything new into the next generation, unless there is nothing new.

        Args:
            anew: take everything as new.

        Returns:
            The number of the generation that is current now, and the time of its latest event.
        """
        failpoint("publish.locked")
        base = None if anew else self._find_base()
        news = self._find_news(base)
        shards = self._good_shards(base)
        if base is not None and base.generation == self._generations.current():
            intact = len(shards) == len(base.shards)
            if intact and not news.segments and not any(p.events for p in news.edits.values()):
                return base.generation, base.latest_ns
        manifest = self._fold(base, news, shards)
        self._generations.write(manifest)
        failpoint("publish.published")
        # The one before is kept to fall back to, if it is sound.
        sound = base is not None and len(shards) == len(base.shards)
        self._generations.collect([manifest, base] if base is not None and sound else [manifest])
        failpoint("publish.collected")
        return manifest.generation, manifest.latest_ns

    def _find_base(self) -> Manifest | None:
        """The newest generation whose catalog is as its manifest says."""
        for number in self._generations.numbers():
            manifest = self._generations.read(number)
            if manifest is None:
                continue
            try:
                verify_catalog(self._generations.catalog_path(manifest), manifest.catalog)
            except ArchiveDamagedError as error:
                _LOG.warning("passed over: %s", error)
                continue
            return manifest
        return None

    def _find_news(self, base: Manifest | None) -> _News:
        # Edits before segments: an edit that names a new content is written after its segment, so whoever sees the
        # edit also finds the segment, and the old content goes in the generation in which the new one comes.
        edits = read_new_edits(self._folder / "edits", base.edits if base else {})
        known: set[str] = set()
        if base is not None:
            reader = CatalogReader(self._generations.catalog_path(base), self._folder / "thumbs")
            known = set(reader.segments())
            reader.close()
        new = [name for name in list_segments(self._folder) if name not in known and self._is_readable(name)]
        return _News(edits, tuple(new))

    def _is_readable(self, name: str) -> bool:
        try:
            self._segments.read(name)
        except ArchiveDamagedError as error:
            _LOG.warning("left out: %s", error)
            return False
        return True

    def _good_shards(self, base: Manifest | None) -> list[ShardFile]:
        good = []
        for shard in base.shards if base else ():
            try:
                self._shelf.get(base.space_id if base else "", shard)
            except ArchiveDamagedError as error:
                _LOG.warning("made again: %s", error)
                continue
            good.append(shard)
        return good

    def _fold(self, base: Manifest | None, news: _News, shards: list[ShardFile]) -> Manifest:
        make_folder(self._generations.catalogs)
        number = self._generations.next_number()
        temporary = self._generations.catalogs / f"{TEMPORARY_PREFIX}gen-{number:06d}.duckdb"
        for leftover in self._generations.catalogs.glob(f"{temporary.name}*"):
            leftover.unlink()
        if base is not None:
            with translated_errors(temporary):
                shutil.copyfile(self._generations.catalog_path(base), temporary)
        failpoint("publish.copied")
        try:
            return self._write_catalog(temporary, number, base, news, shards)
        except BaseException:
            for leftover in self._generations.catalogs.glob(f"{temporary.name}*"):
                leftover.unlink(missing_ok=True)
            raise

    def _write_catalog(
        self, temporary: Path, number: int, base: Manifest | None, news: _News, shards: list[ShardFile]
    ) -> Manifest:
        writer = CatalogWriter(temporary)
        try:
            self._apply(writer, news, shards)
            failpoint("publish.applied")
            space = writer.space()
            space_id = space.space_id if space else ""
            if space is not None:
                shards = self._index(writer, space_id, space.dim, shards)
            failpoint("publish.shards-written")
            names = sorted(writer.segment_names())
            writer.finish()
        except BaseException:
            writer.abandon()
            raise
        events = [event for piece in news.edits.values() for event in piece.events]
        return Manifest(
            self._generations.archive_id,
            number,
            self._place_catalog(temporary, number),
            space_id,
            tuple(shards),
            len(names),
            digest_bytes("\n".join(names).encode()),
            {**(base.edits if base else {}), **{name: piece.end_bytes for name, piece in news.edits.items()}},
            max([base.latest_ns if base else 0, *(event.time_ns for event in events)]),
        )

    def _apply(self, writer: CatalogWriter, news: _News, shards: list[ShardFile]) -> None:
        writer.drop_shards_except([shard.name for shard in shards])
        writer.apply_events(event for piece in news.edits.values() for event in piece.events)
        for name in news.segments:
            path = segment_path(self._folder / "segments", name)
            writer.add_segment(self._segments.read(name), path.stat().st_size)

    def _index(self, writer: CatalogWriter, space_id: str, dim: int, shards: list[ShardFile]) -> list[ShardFile]:
        changes = writer.settle()
        for name in changes.load:
            writer.load_rows(self._segments.read(name))
        folder = self._generations.shards_folder(space_id)
        builder, held = ShardBuilder(dim), list[str]()
        shards = list(shards)
        for position, name in enumerate(changes.index):
            stored = self._segments.read(name)
            builder.add(stored.frame_ids, stored.embeddings)
            held.append(name)
            if builder.n_vectors >= MAX_SHARD_ROWS or position == len(changes.index) - 1:
                shards.append(builder.write(folder))
                writer.set_shard(held, shards[-1].name)
                builder, held = ShardBuilder(dim), []
        return self._merge(writer, space_id, dim, shards)

    def _merge(self, writer: CatalogWriter, space_id: str, dim: int, shards: list[ShardFile]) -> list[ShardFile]:
        by_name = {shard.name: shard for shard in shards}
        while True:
            removed = writer.removed_frames()
            n_removed = {name: len(ids) for name, ids in removed.items()}
            names = choose_merge({name: shard.n_vectors for name, shard in by_name.items()}, n_removed)
            if not names:
                return list(by_name.values())
            sources = [self._shelf.get(space_id, by_name.pop(name)) for name in names]
            merged = merge_shards(dim, sources, removed)
            if merged.n_vectors:
                file = merged.write(self._generations.shards_folder(space_id))
                by_name[file.name] = file
                writer.replace_shards(names, file.name)
            else:
                writer.replace_shards(names, None)

    def _place_catalog(self, temporary: Path, number: int) -> CatalogFile:
        """Give the finished catalog its name, durably."""
        path = self._generations.catalogs / f"gen-{number:06d}.duckdb"
        with translated_errors(path):
            failpoint("catalog.before-sync")
            descriptor = os.open(temporary, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            file = CatalogFile(path.name, temporary.stat().st_size, digest_file(temporary))
            failpoint("catalog.before-rename")
            temporary.rename(path)
            failpoint("catalog.after-rename")
            sync_folder(path.parent)
            failpoint("catalog.after-sync")
        return file


def temporary_folders(folder: Path) -> Iterator[Path]:
    """Every folder of an archive in which a killed writer may have left an unfinished file.

    Not the folder of catalogs: an unfinished catalog carries no lock of its own, so only a publisher, who holds
    the writer lock, can tell that it is dead.
    """
    yield folder
    for name in ("generations", "edits", "thumbs"):
        yield folder / name
    for name in ("segments", "vectors"):
        yield from sorted((folder / name).glob("*"))


def remove_leftovers(folder: Path) -> None:
    """Delete what killed writers left unfinished; files of live writers are left alone."""
    for place in temporary_folders(folder):
        remove_dead_temporaries(place)


def publish(generations: Generations, shelf: ShardShelf, *, anew: bool = False) -> tuple[int, int]:
    """Fold everything new into the next generation; gives its number and the time of its latest event.

    Args:
        generations: the archive's generations.
        shelf: its open shards.
        anew: fold all of the truth, as if there were no caches.

    Raises:
        ArchiveLockedError: another process has been publishing for too long.
        ArchiveFullError: no space; the last generation stays.
    """
    with writer_lock(generations.folder):
        try:
            return Publisher(generations, shelf).publish(anew)
        except FileNotFoundError as error:
            raise ArchiveError(f"a file of {generations.folder} vanished while publishing: {error}") from error
