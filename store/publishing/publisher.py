"""Publishing: fold what is new of the truth into the next generation.

One process at a time does this, holding `writer.lock`, on a copy of the last good catalog; readers go on with the
files they have open. The same steps rebuild everything when no good catalog is left: then all of the truth is new.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import filelock

from store.catalog.reader import CatalogReader
from store.catalog.runs import read_passed
from store.catalog.writer import CatalogWriter
from store.errors import ArchiveDamagedError, ArchiveError, ArchiveLockedError
from store.events import Erased, Event, RunBegan, RunEnded
from store.files import (
    TEMPORARY_PREFIX,
    digest_bytes,
    digest_file,
    failpoint,
    make_folder,
    remove_dead_temporaries,
    sync_file,
    sync_folder,
    translated_errors,
)
from store.publishing.generations import CatalogFile, Generations, Manifest, verify_catalog
from store.publishing.open_shards import ShardShelf
from store.publishing.shard_writer import ShardWriter
from store.publishing.text_publisher import index_texts, index_words
from store.results import PassedSegment
from store.stages import VISUAL, is_known
from store.truth.edits import EditsPiece
from store.truth.edits_copy import COPY_FOLDER, copy_edits, read_new_edits
from store.truth.erasing import Removed, remove_results, remove_segments
from store.truth.segments import (
    SEGMENT_FORMAT,
    SegmentTooNewError,
    StoredSegment,
    fingerprint_of,
    is_segment_name,
    read_segment,
    segment_path,
    stage_of,
)
from store.truth.text_segments import StoredText, read_text_segment
from store.vectors.inverted_file import InvertedFileEntry
from store.vectors.shard import ShardFile
from store.words.index import LexicalFolder, verify_folder

LOCK_TIMEOUT_SECONDS = 120.0
SEGMENT_CACHE_BYTES = 256 << 20
_LOG = logging.getLogger(__name__)
_Stored = TypeVar("_Stored", StoredSegment, StoredText)


@contextmanager
def writer_lock(folder: Path, timeout_seconds: float = LOCK_TIMEOUT_SECONDS) -> Iterator[None]:
    """Hold the archive's writer lock.

    Raises:
        ArchiveLockedError: another process held it for too long.
    """
    lock = filelock.FileLock(folder / "writer.lock", timeout=timeout_seconds)
    with translated_errors(folder / "writer.lock"):
        try:
            lock.acquire()
        except filelock.Timeout as error:  # an OSError too
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
        self._pictures: dict[str, StoredSegment] = {}
        self._texts: dict[str, StoredText] = {}
        self._kept_bytes = 0

    def read(self, name: str) -> StoredSegment:
        """A segment of pictures, verified.

        Raises:
            ArchiveDamagedError: it is damaged.
        """
        return self._read(name, self._pictures, read_segment)

    def read_text(self, name: str) -> StoredText:
        """A text segment, verified.

        Raises:
            ArchiveDamagedError: it is damaged.
        """
        return self._read(name, self._texts, read_text_segment)

    def _read(self, name: str, kept: dict[str, _Stored], read: Callable[[Path], _Stored]) -> _Stored:
        if name in kept:
            return kept[name]
        stored = read(segment_path(self._folder, name))
        self._kept_bytes += stored.table.nbytes
        if self._kept_bytes <= SEGMENT_CACHE_BYTES:
            kept[name] = stored
        return stored


@dataclass(frozen=True, slots=True)
class _Kept:
    """Sound caches of the base."""

    shards: list[ShardFile]
    text_shards: dict[str, list[ShardFile]]
    lexical: LexicalFolder | None
    inverted: Mapping[str, InvertedFileEntry]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class _News:
    """News that the base does not cover.

    Args:
        edits: the new pieces of edits files.
        segments: names of new segments that can be read.
        passed: all segments that are kept and passed over.
        is_passing: whether these are others than the base's.
        removed: the results that are to be deleted, as the base knows them.
    """

    edits: Mapping[str, EditsPiece]
    segments: tuple[str, ...]
    passed: tuple[PassedSegment, ...]
    is_passing: bool
    removed: Removed

    @property
    def is_any(self) -> bool:
        """Whether there is anything to show; events of runs alone are told without a generation."""
        return (
            bool(self.segments)
            or self.is_passing
            or any(not isinstance(one, RunBegan | RunEnded) for one in self._events())
        )

    @property
    def erases(self) -> bool:
        """Whether a video is to be erased."""
        return any(isinstance(one, Erased) for one in self._events())

    def _events(self) -> Iterator[Event]:
        return (ordered.event for piece in self.edits.values() for ordered in piece.events)


class Publisher:
    """Makes the next generation of one archive. To be used with the writer lock held.

    Args:
        generations: the archive's generations.
        shelf: its open shards.
        distrusted: names of caches that cannot be used, although they are as the manifest says.
    """

    def __init__(self, generations: Generations, shelf: ShardShelf, distrusted: Collection[str] = ()) -> None:
        self._generations = generations
        self._distrusted = distrusted
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
        if base is not None and news.erases:
            # Deleted rows and vectors stay readable in copies of a catalog, in shards and in an index of words.
            base, news = None, self._find_news(None)
        copy_edits(self._folder)  # after they were read, so that the copy reaches as far as what is published
        failpoint("publish.edits-copied")
        kept = self._find_kept(base)
        is_current = base is not None and base.generation == self._generations.current()
        if base is not None and is_current and kept.is_complete and not news.is_any:
            self._remove_results(news.removed, base)
            return base.generation, base.latest_ns
        manifest, removed = self._fold(base, news, kept)
        self._generations.write(manifest)
        failpoint("publish.published")
        # The one before is kept to fall back to, if it is sound.
        self._generations.collect([manifest, base] if base is not None and kept.is_complete else [manifest])
        failpoint("publish.collected")
        self._remove_results(removed, manifest)
        return manifest.generation, manifest.latest_ns

    def _remove_results(self, removed: Removed, current: Manifest) -> None:
        """Delete what is left of erased videos and dropped runs; a killed publisher leaves it to the next one.

        Args:
            removed: which, as the published generation has them.
            current: that generation.
        """
        left = [name for name in list_segments(self._folder) if removed.holds(name)] if removed else []
        if not left:
            return
        # Segments before edits: whoever writes one of a recalled video or run has recorded that before.
        removed = removed.without(
            ordered.event
            for piece in read_new_edits(self._folder, current.edits).values()
            for ordered in piece.events
        )
        left = [name for name in left if removed.holds(name)]
        erased = sorted({fingerprint_of(name) for name in left} & removed.videos)
        if erased:
            self._generations.collect([current])
            failpoint("erase.published")
        for fingerprint in erased:
            remove_results(
                self._folder, fingerprint, [name for name in left if fingerprint_of(name) == fingerprint]
            )
        remove_segments(self._folder, [name for name in left if fingerprint_of(name) not in removed.videos])

    def _find_base(self) -> Manifest | None:
        """The newest generation whose catalog is as its manifest says."""
        for number in self._generations.numbers():
            manifest = self._generations.read(number)
            if manifest is None or manifest.catalog.name in self._distrusted:
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
        edits = read_new_edits(self._folder, base.edits if base else {})
        known: set[str] = set()
        removed, passed_before = Removed(), dict[str, PassedSegment]()
        if base is not None:
            reader = CatalogReader(self._generations.catalog_path(base), self._folder / "thumbs")
            known = set(reader.segments())
            removed = Removed(frozenset(reader.erased()), frozenset(reader.dropped_runs()))
            passed_before = {one.name: one for one in read_passed(reader)}
            reader.close()
        found = (
            self._look_at(name, passed_before.get(name))
            for name in list_segments(self._folder)
            if name not in known and (edits or not removed.holds(name))
        )
        new, passed = list[str](), list[PassedSegment]()
        for one in found:
            if isinstance(one, PassedSegment):
                passed.append(one)
            elif one:
                new.append(one)
        return _News(edits, tuple(new), tuple(passed), passed != list(passed_before.values()), removed)

    def _look_at(self, name: str, before: PassedSegment | None) -> str | PassedSegment:
        """The name of a segment that can be used, what is to be passed over, or nothing of one that is damaged."""
        is_stage_known = is_known(stage_of(name))
        if before is not None and (not is_stage_known or before.format > SEGMENT_FORMAT):
            return before
        version = 0
        try:
            if is_stage_known:
                self._read(name)
                return name
        except SegmentTooNewError as error:
            version = error.version
        except ArchiveDamagedError as error:
            _LOG.warning("left out: %s", error)
            return ""
        size_bytes = segment_path(self._folder / "segments", name).stat().st_size
        return PassedSegment(name, version, size_bytes)

    def _read(self, name: str) -> StoredSegment | StoredText:
        if stage_of(name) != VISUAL:
            return self._segments.read_text(name)
        return self._segments.read(name)

    def _find_kept(self, base: Manifest | None) -> _Kept:
        """The shards and the index of words of the base that are as its manifest says."""
        if base is None:
            return _Kept([], {}, None, {}, False)
        shards = [shard for shard in base.shards if self._is_sound(base.space_id, shard)]
        text_shards = {
            stage: [shard for shard in of_stage if self._is_sound(base.text_space_id, shard)]
            for stage, of_stage in base.text_shards.items()
        }
        lexical = base.lexical
        if lexical is not None and lexical.name in self._distrusted:
            lexical = None
        try:
            if lexical is not None:
                verify_folder(self._generations.lexical_path(lexical), lexical)
        except ArchiveDamagedError as error:
            _LOG.warning("made again: %s", error)
            lexical = None
        n_shards = len(shards) + sum(map(len, text_shards.values()))
        inverted = {
            shard.name: base.inverted[shard.name]
            for shard in base.all_shards
            if self._shelf.get_inverted(base, shard) is not None
            and base.inverted[shard.name].name not in self._distrusted
        }
        all_sound = n_shards == len(base.all_shards) and len(inverted) == len(base.inverted)
        return _Kept(shards, text_shards, lexical, inverted, all_sound and lexical == base.lexical)

    def _is_sound(self, space_id: str, shard: ShardFile) -> bool:
        if shard.name in self._distrusted:
            return False
        try:
            self._shelf.get(space_id, shard)
        except ArchiveDamagedError as error:
            _LOG.warning("made again: %s", error)
            return False
        return True

    def _fold(self, base: Manifest | None, news: _News, kept: _Kept) -> tuple[Manifest, Removed]:
        """The next generation, not yet made known, and the results that are to be deleted."""
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
            return self._write_catalog(temporary, number, base, news, kept)
        except BaseException:
            for leftover in self._generations.catalogs.glob(f"{temporary.name}*"):
                leftover.unlink(missing_ok=True)
            raise

    def _write_catalog(
        self, temporary: Path, number: int, base: Manifest | None, news: _News, kept: _Kept
    ) -> tuple[Manifest, Removed]:
        writer = CatalogWriter(temporary)
        shards, text_shards, lexical = kept.shards, kept.text_shards, kept.lexical
        try:
            self._apply(writer, news, kept)
            failpoint("publish.applied")
            space, text_space = writer.space(), writer.text_space()
            # Vectors of a space that no longer answers go.
            if base is not None and space is not None and base.space_id != space.space_id:
                shards = []
            if base is not None and text_space is not None and base.text_space_id != text_space.space_id:
                text_shards = {}
            names_kept = [file.name for of_kind in (shards, *text_shards.values()) for file in of_kind]
            writer.drop_shards_except(names_kept)
            if space is not None and text_space is not None:
                shard_writer = ShardWriter(writer, self._generations, self._shelf, space)
                shards = self._index(writer, shard_writer, shards)
                shard_writer = ShardWriter(writer, self._generations, self._shelf, text_space)
                text_shards = index_texts(writer.texts, self._segments.read_text, shard_writer, text_shards)
                lexical = index_words(writer.texts, self._generations, number, lexical)
            failpoint("publish.shards-written")
            writer.forget_dropped()
            names = sorted(writer.segment_names())
            removed = Removed(frozenset(writer.erased()), frozenset(writer.dropped_runs()))
            writer.finish()
        except BaseException:
            writer.abandon()
            raise
        events = [event for piece in news.edits.values() for event in piece.events]
        names_now = {shard.name for of_kind in (shards, *text_shards.values()) for shard in of_kind}
        manifest = Manifest(
            self._generations.archive_id,
            number,
            self._place_catalog(temporary, number),
            space.space_id if space else "",
            tuple(shards),
            len(names),
            digest_bytes("\n".join(names).encode()),
            {**(base.edits if base else {}), **{name: piece.end_bytes for name, piece in news.edits.items()}},
            max([base.latest_ns if base else 0, *(event.time_ns for event in events)]),
            {stage: tuple(of_stage) for stage, of_stage in text_shards.items() if of_stage},
            lexical,
            {name: entry for name, entry in kept.inverted.items() if name in names_now},
            text_space.space_id if text_space else "",
        )
        return manifest, removed

    def _apply(self, writer: CatalogWriter, news: _News, kept: _Kept) -> None:
        if kept.lexical is None:
            writer.texts.forget_documents()
        writer.apply_events(event for piece in news.edits.values() for event in piece.events)
        writer.set_passed(news.passed)
        removed = Removed(frozenset(writer.erased()), frozenset(writer.dropped_runs()))
        for name in (name for name in news.segments if not removed.holds(name)):
            size_bytes = segment_path(self._folder / "segments", name).stat().st_size
            stored = self._read(name)
            if isinstance(stored, StoredText):
                writer.add_text_segment(stored, size_bytes)
            else:
                writer.add_segment(stored, size_bytes)

    def _index(self, writer: CatalogWriter, shard_writer: ShardWriter, shards: list[ShardFile]) -> list[ShardFile]:
        changes = writer.settle()
        for name in changes.load:
            writer.load_rows(self._segments.read(name))
        found = (self._segments.read(name) for name in changes.index)
        return shard_writer.add(shards, ((stored.name, stored.frame_ids, stored.embeddings) for stored in found))

    def _place_catalog(self, temporary: Path, number: int) -> CatalogFile:
        """Give the finished catalog its name, durably."""
        path = self._generations.catalogs / f"gen-{number:06d}.duckdb"
        with translated_errors(path):
            failpoint("catalog.before-sync")
            sync_file(temporary)
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
    for name in ("generations", "edits", COPY_FOLDER, "thumbs"):
        yield folder / name
    for name in ("segments", "vectors"):
        yield from sorted((folder / name).glob("*"))


def remove_leftovers(folder: Path) -> None:
    """Delete what killed writers left unfinished; files of live writers are left alone."""
    for place in temporary_folders(folder):
        remove_dead_temporaries(place)


def publish(
    generations: Generations, shelf: ShardShelf, *, anew: bool = False, distrusted: Collection[str] = ()
) -> tuple[int, int]:
    """Fold everything new into the next generation; gives its number and the time of its latest event.

    Args:
        generations: the archive's generations.
        shelf: its open shards.
        anew: fold all of the truth, as if there were no caches.
        distrusted: names of caches to be made again, although they are as the manifest says.

    Raises:
        ArchiveLockedError: another process has been publishing for too long.
        ArchiveFullError: no space; the last generation stays.
    """
    with writer_lock(generations.folder):
        return publish_locked(generations, shelf, anew=anew, distrusted=distrusted)


def publish_locked(
    generations: Generations, shelf: ShardShelf, *, anew: bool = False, distrusted: Collection[str] = ()
) -> tuple[int, int]:
    """As `publish`, by whoever holds the writer lock already."""
    try:
        return Publisher(generations, shelf, distrusted).publish(anew)
    except FileNotFoundError as error:
        raise ArchiveError(f"a file of {generations.folder} vanished while publishing: {error}") from error
