"""Writing results of stages: texts and parts of them, the live run, failures, dropped runs, further spaces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from store.errors import RunInUseError, SpaceMismatchError, UnknownIdError
from store.events import Event, RunChosen, RunDropped, SpaceAdded, SpaceClaimed, StageFailed, TextSpaceClaimed
from store.publishing.publisher import list_segments
from store.stages import VISUAL
from store.truth.edits_copy import read_new_edits
from store.truth.erasing import own_thumbnails
from store.truth.segments import fingerprint_of, run_of, segment_name, segment_path
from store.truth.text_segments import encode_text_segment, file_key, read_text_segment
from store.wording import n_of

if TYPE_CHECKING:
    from store.records import EmbeddingSpace, TextSegment
    from store.snapshot import Snapshot
    from store.stages import Run
    from store.timespan import TimeSpan


_CLAIMS = SpaceAdded | SpaceClaimed | TextSpaceClaimed


class ArchiveRuns(ABC):
    """The part of an archive that is about stages and their runs."""

    folder: Path

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """The current generation."""

    @abstractmethod
    def record(self, events: Iterable[Event]) -> None:
        """Write events."""

    @abstractmethod
    def publish(self) -> int:
        """Make visible what was written."""

    @abstractmethod
    def _put(self, name: str, data: bytes) -> None:
        """Write a segment."""

    @property
    @abstractmethod
    def space(self) -> EmbeddingSpace | None:
        """The embedding space that answers."""

    @abstractmethod
    def _forget_space(self) -> None:
        """Ask the archive again which space answers."""

    def put_text(self, segment: TextSegment) -> None:
        """Write the texts that a run found in a video; when this returns they survive a power cut.

        They show once the video has shots, and if the run is the live one (see `choose_run`). If the very segment
        is there already, the first one stays, unless it is damaged.

        Raises:
            RowRefusedError: a row lies outside its video.
            SpaceMismatchError: its embeddings are of a space that the archive does not know.
            ArchiveFullError: no space; nothing is left behind.
        """
        if segment.space is not None:
            self._check_space(segment.space)
        span = self.snapshot().video_span(segment.fingerprint)
        if span is not None:
            segment.refuse_rows_outside(span)
        name = segment_name(segment.fingerprint, segment.stage, file_key(segment))
        self._put(name, encode_text_segment(segment))

    def put_part(self, segment: TextSegment) -> None:
        """Write the texts of a part of a video, as `put_text` does.

        The parts of one run and video together are its result once the last one and all before it are there; until
        then they show if no other run has a complete result. A killed run asks `parts_of` where to go on.

        Raises:
            ValueError: the segment is no part.
            RowRefusedError, SpaceMismatchError, ArchiveFullError: as for `put_text`.
        """
        if segment.part is None:
            raise ValueError("a part has a number and a span; for all of a video use `put_text`")
        self.put_text(segment)

    def parts_of(
        self, run: Run, fingerprint: str, known: Mapping[int, TimeSpan] | None = None
    ) -> dict[int, TimeSpan]:
        """The stretch of each part of a run that is written for a video, published or not, by its number.

        Args:
            run: the run.
            fingerprint: the video.
            known: parts that were read before and are not read again.

        Raises:
            ArchiveDamagedError: a part is damaged.
        """
        folder = self.folder / "segments" / fingerprint[:2]
        found: dict[int, TimeSpan] = {}
        for path in sorted(folder.glob(f"{fingerprint}.{run.stage}.{run.key}-p*.parquet")):
            if run_of(path.name) != (run.stage, run.key):
                continue
            number = int(path.stem.rpartition("-p")[2])
            if known is not None and number in known:
                found[number] = known[number]
            elif (part := read_text_segment(path).part) is not None:
                found[number] = part.span
        return found

    def choose_run(self, run: Run, *, as_good: Sequence[str] = ()) -> bool:
        """Make a run the one whose results are live wherever it has some; shows after the next `publish`.

        To be called whenever a run is asked for, before its first result is written. Writes nothing if this run
        was the last one asked for.

        Args:
            run: the run.
            as_good: keys of runs of earlier versions whose results are accepted where this run has none.

        Returns:
            Whether anything was written.
        """
        snapshot = self.snapshot()
        latest = snapshot.chosen_run(run.stage)
        events = [
            ordered
            for piece in read_new_edits(self.folder, snapshot.manifest.edits).values()
            for ordered in piece.events
        ]
        for ordered in sorted(events, key=lambda one: one.order):
            match ordered.event:
                case RunChosen(stage, key) if stage == run.stage:
                    latest = key
                case RunDropped(stage, key) if (stage, key) == (run.stage, latest):
                    latest = None
        if latest == run.key:
            return False
        known = {row.run.key: row.run for row in snapshot.runs() if row.run.stage == run.stage} if as_good else {}
        accepted = [known[key] for key in as_good if key in known]
        self.record(
            RunChosen(one.stage, one.key, one.model, one.revision, one.weights_hash, dict(one.parameters or {}))
            for one in (*accepted, run)
        )
        return True

    def note_failure(self, run: Run, fingerprint: str, reason: str) -> None:
        """Record that a run failed with a video; its file is not called broken, and the next run tries again."""
        self.record([StageFailed(run.stage, run.key, fingerprint, reason)])

    def files_of_run(self, stage: str, key: str) -> list[Path]:
        """The files that dropping a run would delete: its segments, and thumbnails that no other run shows."""
        names = [name for name in list_segments(self.folder) if run_of(name) == (stage, key)]
        return [*own_thumbnails(self.folder, names), *(segment_path(self.folder / "segments", n) for n in names)]

    def drop_run(self, stage: str, key: str) -> int:
        """Remove the results of a run for good, and publish; snapshots that are open go on with theirs.

        Returns:
            How many bytes were freed.

        Raises:
            UnknownIdError: there is no such run.
            RunInUseError: it is the run that was asked for last, or videos would be left without shots.
        """
        self.publish()
        rows = [row for row in self.snapshot().runs() if row.run.stage == stage]
        wanted = next((row for row in rows if row.run.key == key), None)
        if wanted is None:
            raise UnknownIdError(f"{stage} has no run {key!r:.80}; `rushes stages` lists them")
        is_live = wanted.is_chosen or (wanted.n_live > 0 and not any(row.is_chosen for row in rows))
        if is_live and len(rows) > 1:
            raise RunInUseError(f"{stage} {key} is live; choose another run first: `rushes stages choose`")
        others = {row.run.key for row in rows if row is not wanted and row.space_id == wanted.space_id}
        if stage == VISUAL and wanted.n_live and (left := self._without_pictures(key, others)):
            videos = n_of(left, "video")
            raise RunInUseError(f"{videos} would have no shots without {key}; index them otherwise first")
        sizes = {path: path.stat().st_size for path in self.files_of_run(stage, key)}
        self.record([RunDropped(stage, key)])
        self.publish()
        return sum(size for path, size in sizes.items() if not path.exists())

    def _without_pictures(self, key: str, others: set[str]) -> int:
        """Number of videos with shots of a visual run, and of none of the other runs of its space."""
        videos: dict[str, set[str]] = {}
        for name in list_segments(self.folder):
            stage, run_key = run_of(name)
            if stage == VISUAL:
                videos.setdefault(run_key, set()).add(fingerprint_of(name))
        live = {video.video_id for video in self.snapshot().videos()}
        return len((videos.get(key, set()) & live).difference(*(videos.get(other, set()) for other in others)))

    def add_space(self, space: EmbeddingSpace, source: str) -> None:
        """Let a further embedding space be filled beside the one that answers.

        Args:
            space: the space of the encoder that is about to be used.
            source: how to load that encoder: what was given to `--model` or `--model-path`.
        """
        if space.space_id not in self._known_spaces():
            self.record([SpaceAdded(space, source)])

    def use_space(self, space_id: str) -> None:
        """Let another space answer from now on, and publish: one event, one generation.

        Raises:
            UnknownIdError: no such space was added.
        """
        self.publish()
        spaces = self.snapshot().spaces()
        if space_id not in spaces:
            known = ", ".join(sorted(spaces))
            raise UnknownIdError(f"there is no embedding space {space_id!r:.80}; there are {known}")
        if self.space is None or self.space.space_id != space_id:
            self.record([SpaceClaimed(*spaces[space_id])])
        self.publish()
        self._forget_space()

    def claim_text_space(self, space: EmbeddingSpace, source: str) -> None:
        """Let vectors of texts live in a space of their own, such as that of an encoder of sentences, and publish.

        Text segments whose vectors are of another space are found by their words alone from then on.

        Args:
            space: the space of that encoder.
            source: how to load it.
        """
        self.publish()
        current = self.snapshot().text_space
        if current is None or current.space_id != space.space_id:
            self.record([TextSpaceClaimed(space, source)])
            self.publish()

    def _known_spaces(self) -> set[str]:
        """Ids of the spaces that were claimed or added, published or not."""
        snapshot = self.snapshot()
        known = set(snapshot.spaces())
        for piece in read_new_edits(self.folder, snapshot.manifest.edits).values():
            events = (one.event for one in piece.events)
            known |= {event.space.space_id for event in events if isinstance(event, _CLAIMS)}
        return known

    def _check_space(self, space: EmbeddingSpace) -> None:
        if self.space is None:
            raise SpaceMismatchError("no embedding space was claimed for this archive yet; claim one first")
        if self.space.space_id != space.space_id and space.space_id not in self._known_spaces():
            raise SpaceMismatchError(
                f"the archive {self.folder} was indexed with {self.space.name}, not with {space.name}; "
                "use that model, or another archive"
            )
