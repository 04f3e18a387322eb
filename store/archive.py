"""The archive: the only door to everything that lies in its folder.

`Archive` writes segments and edits, publishes generations, and hands out snapshots for reading. Any number of
processes may do all of this with the same folder at the same time.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from store.archive_runs import ArchiveRuns
from store.errors import (
    ArchiveDamagedError,
    ArchiveError,
    CacheDamagedError,
    SpaceMismatchError,
)
from store.event_fields import event_to_fields
from store.events import Event, RunBegan, RunEnded, SpaceClaimed
from store.files import make_folder, put, quarantine
from store.identity import (
    IDENTITY_NAME,
    OWN_FOLDERS,
    has_truth,
    read_identity,
    refuse_place,
    remove_archive,
    write_identity,
)
from store.publishing.generations import Generations
from store.publishing.health import Action, Finding, check_archive, repair_archive
from store.publishing.open_shards import ShardShelf
from store.publishing.publisher import list_segments, publish, publish_locked, remove_leftovers, writer_lock
from store.publishing.training import VectorSettings, build_inverted_files
from store.records import EmbeddingSpace, LastRun, Location, Segment
from store.snapshot import Snapshot, open_snapshot
from store.truth.edits import EditLog, edits_names
from store.truth.edits_copy import read_new_edits
from store.truth.history import append_history, read_history
from store.truth.segments import encode_segment, is_whole, segment_name, segment_path

__all__ = ["Action", "Archive", "Finding", "Snapshot", "VectorSettings", "check_archive", "repair_archive"]

_LOG = logging.getLogger(__name__)
_OPEN_ATTEMPTS = 5
Answer = TypeVar("Answer")


class Archive(ArchiveRuns):
    """A searchable video archive in a folder. Use `Archive.create` or `Archive.open`, and close it.

    Safe to use from several threads.

    Args:
        folder: the archive's folder.
        archive_id: its id.
    """

    def __init__(self, folder: Path, archive_id: str) -> None:
        self.folder = folder
        self._generations = Generations(folder, archive_id)
        self._shelf = ShardShelf(self._generations)
        self._edits = EditLog(folder / "edits")
        self._edits_observed = False
        self._swept = False
        self._lock = threading.RLock()
        self._snapshot: Snapshot | None = None
        self._claimed: tuple[EmbeddingSpace, str] | None = None

    @classmethod
    def create(cls, folder: Path | str) -> Archive:
        """Make an archive in a new or empty folder, or open the one that is there.

        Raises:
            NotAnArchiveError: the path is a file, a folder with other things in it, or inside another archive.
        """
        folder = Path(folder).absolute()
        if (folder / IDENTITY_NAME).exists() or has_truth(folder):
            return cls.open(folder)
        refuse_place(folder)
        for name in sorted(OWN_FOLDERS):
            make_folder(folder / name)
        write_identity(folder, secrets.token_hex(16))
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path | str) -> Archive:
        """Open an archive; a damaged or missing cache is made anew from the truth first.

        Raises:
            NotAnArchiveError: there is no archive at that path.
            ArchiveTooNewError: a newer Rushes made it.
            ArchiveDamagedError: it cannot be opened without `rushes repair`.
        """
        folder = Path(folder).absolute()
        archive = cls(folder, read_identity(folder))
        archive._load()
        return archive

    def __enter__(self) -> Archive:
        """The archive itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the archive; what proved damaged while it was used is made again first."""
        try:
            if isinstance(error, CacheDamagedError):
                self._make_again(error)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of all files; the archive and its last snapshot cannot be used any more."""
        with self._lock:
            self._edits.close()
            if self._snapshot is not None:
                self._snapshot.close()
                self._snapshot = None
            self._shelf.keep_only(None)

    # -- writing ------------------------------------------------------------------------------------------------

    @property
    def space(self) -> EmbeddingSpace | None:
        """The embedding space of the archive's vectors; None before one was claimed."""
        with self._lock:
            if self._claimed is None:
                self._claimed = self._find_space()
            return self._claimed[0] if self._claimed else None

    @property
    def space_source(self) -> str | None:
        """How to load the encoder of that space: what was given to `claim_space`."""
        return self._claimed[1] if self.space and self._claimed else None

    def _find_space(self) -> tuple[EmbeddingSpace, str] | None:
        snapshot = self.snapshot()
        if snapshot.space is not None and snapshot.space_source is not None:
            return snapshot.space, snapshot.space_source
        pieces = read_new_edits(self.folder, snapshot.manifest.edits)
        events = sorted((e for piece in pieces.values() for e in piece.events), key=lambda item: item.order)
        for ordered in reversed(events):
            if isinstance(ordered.event, SpaceClaimed):
                return ordered.event.space, ordered.event.source
        return None

    def claim_space(self, space: EmbeddingSpace, source: str) -> None:
        """Say in which embedding space the archive's vectors live; the same space may be claimed again.

        Args:
            space: the space of the encoder that is about to be used.
            source: how to load that encoder: what was given to `--model` or `--model-path`.

        Raises:
            SpaceMismatchError: the archive already has another space.
        """
        if self.space is None:
            # This order everywhere: whoever mends a damaged cache holds the first and asks for the second.
            with self._lock, writer_lock(self.folder):
                if self.space is None:
                    self.record([SpaceClaimed(space, source)])
                    self._claimed = (space, source)
        if self.space is not None and self.space.space_id != space.space_id:
            raise SpaceMismatchError(
                f"the archive {self.folder} was indexed with {self.space.name}, not with {space.name}; "
                "use that model, or another archive"
            )

    def _forget_space(self) -> None:
        with self._lock:
            self._claimed = None

    def has_segment(self, fingerprint: str, stage: str, key: str) -> bool:
        """Whether that stage of that video is done, published or not."""
        return segment_path(self.folder / "segments", segment_name(fingerprint, stage, key)).exists()

    def put_segment(self, segment: Segment) -> None:
        """Write what a stage computed; when this returns it survives a power cut.

        To be done before the `Seen` of that content is recorded. If the segment is there already, the first one
        stays, unless it is damaged.

        Raises:
            SpaceMismatchError: its embeddings are of a space that the archive does not know.
            ArchiveFullError: no space; nothing is left behind.
        """
        self._check_space(segment.space)
        self._put(segment_name(segment.fingerprint, segment.stage, segment.key), encode_segment(segment))

    def _put(self, name: str, data: bytes) -> None:
        path = segment_path(self.folder / "segments", name)
        if not put(path, data, kind="segment", overwrite=False) and not is_whole(path.read_bytes()):
            quarantine(path, self.folder)
            put(path, data, kind="segment", overwrite=False)

    def put_thumbnail(self, name: str, webp_bytes: bytes) -> Path:
        """Write a thumbnail below `thumbs/`, unless it is there; gives its path.

        Args:
            name: file name made of the content's identity, as in `SampledFrame.thumbnail`.
            webp_bytes: the picture.
        """
        path = self.folder / "thumbs" / name
        if path.parent.resolve() != (self.folder / "thumbs").resolve() / Path(name).parent:
            raise ArchiveDamagedError(f"{path.parent} leads out of the archive: a folder of it is a link")
        put(path, webp_bytes, kind="thumbnail", overwrite=False)
        return path

    def record(self, events: Iterable[Event]) -> None:
        """Write events; when this returns they survive a power cut. They show after the next `publish`.

        Raises:
            ArchiveFullError: no space; none of the events may be counted on.
        """
        with self._lock:
            if not self._edits_observed:
                snapshot = self.snapshot()
                self._edits.observe(snapshot.manifest.latest_ns)
                for piece in read_new_edits(self.folder, snapshot.manifest.edits).values():
                    for ordered in piece.events:
                        self._edits.observe(ordered.time_ns)
                self._edits_observed = True
        self._edits.append(events)

    def record_if(self, events: Callable[[Snapshot], Iterable[Event]]) -> None:
        """Write and publish events that depend on what the archive says now; nobody publishes in between.

        Args:
            events: gives them, from the newest generation; what it raises leaves nothing written.

        Raises:
            ArchiveLockedError: another process has been publishing for too long.
            ArchiveFullError: no space; none of the events may be counted on.
        """
        with self._lock, writer_lock(self.folder):
            self._publish(is_locked=True)
            self.record(events(self.snapshot()))
            self._publish(is_locked=True)

    def publish(self) -> int:
        """Make everything that any writer has written so far visible to all readers.

        Returns:
            The generation that shows it; the current one if there was nothing new.

        Raises:
            ArchiveLockedError: another process has been publishing for too long.
            ArchiveFullError: no space; the last generation stays.
        """
        return self._publish(is_locked=False)

    def _publish(self, *, is_locked: bool, distrusted: Collection[str] = ()) -> int:
        if not self._swept:
            self._swept = True
            remove_leftovers(self.folder)
        publishing = publish_locked if is_locked else publish
        generation, latest_ns = publishing(self._generations, self._shelf, distrusted=distrusted)
        self._edits.observe(latest_ns)
        return generation

    def build_inverted_files(self, settings: VectorSettings | None = None) -> int:
        """Train and publish what makes large shards fast to search; minutes for a million vectors.

        To be called after `publish`, by a process that has time: everybody searches and publishes meanwhile. If
        another process is at it, or nothing is to be done, it returns at once.

        Args:
            settings: from which size on; the defaults of `VectorSettings` if None.

        Returns:
            How many inverted files were made.

        Raises:
            ArchiveLockedError: another process has been publishing for too long.
            ArchiveFullError: no space; the last generation stays.
        """
        return build_inverted_files(self._generations, self._shelf, settings or VectorSettings())

    def last_run(self) -> LastRun | None:
        """The latest run of the indexer, published or not; None before the first."""
        snapshot = self.snapshot()
        noted = snapshot.run_events()
        for piece in read_new_edits(self.folder, snapshot.manifest.edits).values():
            runs = (one for one in piece.events if isinstance(one.event, RunBegan | RunEnded))
            noted += [(one.time_ns, event_to_fields(one.event)) for one in runs]
        began, ended = (
            max((one for one in noted if one[1]["kind"] == kind), key=lambda one: one[0], default=None)
            for kind in (RunBegan.kind, RunEnded.kind)
        )
        if began is None:
            return None
        told = ended[1] if ended and ended[1]["run"] == began[1]["run"] else {}
        return LastRun(
            began[0],
            ended[0] if ended and told else None,
            told.get("ended", ""),
            told.get("reason", ""),
            told.get("counts", {}),
            tuple(began[1]["paths"]),
        )

    def discard_if_empty(self) -> bool:
        """Remove the archive and its folder's content if no video was ever put into it; whether it was.

        For a first run that came to nothing. The archive must not be used afterwards.
        """
        with self._lock, writer_lock(self.folder):
            own = self._edits.path_names
            written = {name for kind in ("edits", "edits-copy") for name in edits_names(self.folder / kind)}
            if list_segments(self.folder) or written - own:
                return False
            self.close()
            remove_archive(self.folder)
        return True

    def note_history(self, line: Mapping[str, Any]) -> None:
        """Remember a question that was asked; where the archive cannot be written, nothing happens."""
        append_history(self.folder, line)

    def history(self) -> list[dict[str, Any]]:
        """The last thousand questions, the oldest first, as they were noted."""
        return read_history(self.folder)

    # -- reading ------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """The current generation, ready to be asked; the same object until another one is published.

        Keep it for as long as one answer takes, so that all of the answer is of one generation.
        """
        with self._lock:
            if self._snapshot is None or self._generations.current() != self._snapshot.generation:
                self._snapshot = self._load_current()
            return self._snapshot

    def ask(self, question: Callable[[Snapshot], Answer]) -> Answer:
        """Result of a question in the newest generation.

        A cache may prove damaged only when it is read, because it was damaged after it was opened, or because a
        wrong one was given the right digest. It is made again then, and the question is asked once more.

        Args:
            question: asks one snapshot; may be called twice.

        Raises:
            CacheDamagedError: it is damaged again, or cannot be made again.
        """
        try:
            return question(self.snapshot())
        except CacheDamagedError as error:
            self._make_again(error)
        return question(self.snapshot())

    def locations_without_segment(self) -> list[Location]:
        """Places whose content is not in the catalog: what is to be indexed after a repair."""
        return self.snapshot().locations_without_segment()

    def _load(self) -> None:
        """Open the current generation, making it anew if it, or a later one, is not as it should be."""
        with self._lock:
            numbers = self._generations.numbers()
            if not numbers or numbers[0] != self._generations.current():
                self.publish()
            self._snapshot = self._load_current()

    def _load_current(self) -> Snapshot:
        failure: ArchiveError | None = None
        for _ in range(_OPEN_ATTEMPTS):
            number = self._generations.current()
            try:
                if number is None:
                    raise ArchiveDamagedError(f"{self._generations.current_path} is missing or damaged")
                snapshot = open_snapshot(self._generations, number, self._shelf)
            except ArchiveDamagedError as error:
                failure = error
                # Either two more generations were published meanwhile and this one collected: look again. Or it is
                # damaged: make it anew.
                if number == self._generations.current():
                    self._make_again(error)
                continue
            self._shelf.keep_only(snapshot.manifest)
            return snapshot
        raise failure or ArchiveDamagedError(f"{self.folder} cannot be opened; run `rushes repair`")

    def _make_again(self, error: ArchiveDamagedError) -> None:
        """Publish a generation without the cache that proved damaged."""
        _LOG.warning("made again: %s", error)
        self._publish(is_locked=False, distrusted=[error.cache] if isinstance(error, CacheDamagedError) else [])
