"""The conductor of indexing: scan, decode in child processes, encode in batches, write, publish."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from indexer.config import IndexSettings
from indexer.errors import MediaError, ScanError
from indexer.library.file_events import Journal
from indexer.library.listing import ListedFile, PassedOver, ScanSettings, Unlisted, list_files
from indexer.library.outdated import is_outdated
from indexer.library.scan import Change, Scan, ScannedFile, scan_library
from indexer.models.encoder import Encoder
from indexer.run_record import RunRecord
from indexer.visual.decode_pass import DecodeResult, Sample, decode_pass
from indexer.visual.decoders import Decoded, Decoders
from indexer.visual.segment_builder import (
    STAGE,
    SegmentBuilder,
    older_keys,
    segment_key,
    segment_parameters,
    thumbnail_name,
)
from store.archive import Archive
from store.records import Outcome, Status
from store.stages import Run

VIDEO_EXAMPLES = ".mp4, .mov, .mkv, .webm, .avi, .mxf"

_IDLE_STEP = 8
"""An idle encoder takes any multiple of so many pictures, so that it works while a short video is decoded. Not any
number: torch keeps working memory for every size of batch that it has seen."""


@dataclass(slots=True)
class Progress:
    """How far a run is.

    Args:
        n_files: files to decode in this run.
        n_done: files decoded, or failed.
        size_bytes: sum of the sizes of the files to decode.
        done_bytes: sum of the sizes of those done.
        n_frames: pictures encoded so far.
        decoded_seconds: length of the video decoded so far.
        seconds: time spent per stage so far, summed over all decoders.
        path: the file that was last worked on.
    """

    n_files: int = 0
    n_done: int = 0
    size_bytes: int = 0
    done_bytes: int = 0
    n_frames: int = 0
    decoded_seconds: float = 0.0
    seconds: dict[str, float] = field(default_factory=lambda: {"decode": 0.0, "encode": 0.0, "write": 0.0})
    path: str = ""


def index_videos(
    archive: Archive,
    inputs: Sequence[Path],
    encoder: Encoder,
    settings: IndexSettings,
    on_progress: Callable[[Progress], None],
    *,
    again: bool = False,
) -> Iterator[Outcome]:
    """Bring an archive up to date with files, folders and metadata files, and say how every file ended.

    A video is in the archive once its outcome is yielded: stopping at any moment, even by `kill -9`, costs at
    most the videos in progress. Readers see what was done every few seconds.

    Args:
        archive: an open archive of the encoder's space; others may index into it at the same time.
        inputs: what to index.
        encoder: places pictures in the archive's embedding space.
        settings: every choice that is not the user's question.
        on_progress: called often, from the caller's thread.
        again: also what an older version indexed, though nothing shows that it would differ; files whose video was
            forgotten; and files that are ignored.

    Raises:
        ScanError: an input does not exist, or there is no video in any of them.
        ArchiveFullError: the disk is full; what was yielded is safe.
    """
    folders = [path.resolve() for path in inputs if path.is_dir()]
    listed = list_files(inputs, settings.scan, skip_folder=archive.folder)
    scan = scan_library(listed, archive.snapshot().locations(), folders)
    if not (scan.files or scan.unreadable or scan.missing):
        raise _no_videos(inputs, scan.passed_over)
    run = _Run(archive, encoder, settings, on_progress, again)
    run.choose()
    record = RunRecord(archive, [str(path.absolute()) for path in inputs])
    try:
        with record:
            for outcome in run.settle(scan, folders, again=again):
                record.count(outcome)
                yield outcome
    finally:
        archive.publish()
    # Minutes for the first hundred thousand frames, nothing after that; everybody searches meanwhile.
    archive.build_inverted_files()


def require_files(inputs: Sequence[Path], settings: ScanSettings, archive: Path) -> None:
    """Refuse to begin where there is nothing to index.

    Raises:
        ScanError: an input does not exist, or there is no video in any of them.
    """
    passed_over = []
    for item in list_files(inputs, settings, skip_folder=archive):
        if isinstance(item, PassedOver):
            passed_over.append(item)
        elif isinstance(item, ListedFile) or item.is_failure:
            return
    raise _no_videos(inputs, passed_over)


def _no_videos(inputs: Sequence[Path], passed_over: Iterable[PassedOver]) -> ScanError:
    where = ", ".join(str(path) for path in inputs)
    passed = "".join(f"; passed over: {folder.describe()}" for folder in passed_over)
    return ScanError(f"no videos in {where}: none of its files ends like a video ({VIDEO_EXAMPLES}, ...){passed}")


class _Run:
    """One run of the indexer over a scanned library."""

    def __init__(
        self,
        archive: Archive,
        encoder: Encoder,
        settings: IndexSettings,
        on_progress: Callable[[Progress], None],
        again: bool,
    ) -> None:
        self._archive = archive
        self._encoder = encoder
        self._settings = settings
        self._on_progress = on_progress
        self._parameters = segment_parameters(settings.decode, encoder.image_size_px)
        self._key = segment_key(self._parameters, encoder.space)
        self._older_keys = () if again else older_keys(settings.decode, encoder.image_size_px, encoder.space)
        self._journal = Journal(archive)
        self._progress = Progress()
        self._published = time.monotonic()

    def choose(self) -> None:
        """Make the shots of these settings live, also where they were found by an earlier run, or version."""
        space = self._encoder.space
        run = Run(STAGE, self._key, space.name, "", space.weights_hash, self._parameters)
        self._archive.choose_run(run, as_good=self._older_keys)

    def settle(self, scan: Scan, folders: Sequence[Path], *, again: bool) -> Iterator[Outcome]:
        """Do whatever each file needs: those that need no decoding first, doubles of new files last."""
        self._journal.drop_gone_failures(folders)
        for folder in scan.passed_over:
            yield Outcome(str(folder.root), Status.PASSED_OVER, folder.describe(), endings=folder.endings)
        yield from map(self._note_unlisted, scan.unreadable)
        for location in scan.missing:
            self._journal.note_missing(location)
            yield Outcome(location.path, Status.MISSING, "the file is gone; its shots stay in the archive")
        new: dict[str, ScannedFile] = {}
        doubles: list[ScannedFile] = []
        if again:
            self._journal.recall(file.fingerprint for file in scan.files)
        for file in scan.files:
            is_indexed = self._is_indexed(file)
            if not again and (skipped := self._journal.passed_over(file, is_indexed=is_indexed)):
                yield skipped
            elif is_indexed:
                yield self._accept(file)
            elif file.fingerprint in new:
                doubles.append(file)
            else:
                new[file.fingerprint] = file
        yield from self._index(list(new.values()))
        for file in doubles:
            if self._is_indexed(file):
                yield self._accept(file)
            else:
                original = new[file.fingerprint].file.path
                yield self._fail(file, f"same content as {original}, which failed")

    def _note_unlisted(self, unlisted: Unlisted) -> Outcome:
        if not unlisted.is_failure:
            return Outcome(str(unlisted.path), Status.SKIPPED, unlisted.reason)
        return self._journal.note_failed(unlisted.path, unlisted.root, unlisted.reason)

    def _is_indexed(self, file: ScannedFile) -> bool:
        if self._archive.has_segment(file.fingerprint, STAGE, self._key):
            return True
        if not any(self._archive.has_segment(file.fingerprint, STAGE, key) for key in self._older_keys):
            return False
        return file.fingerprint not in self._outdated

    @cached_property
    def _outdated(self) -> frozenset[str]:
        """Fingerprints of videos that an older version indexed otherwise than today's would."""
        videos = self._archive.snapshot().videos()
        return frozenset(video.video_id for video in videos if is_outdated(video.facts))

    def _accept(self, file: ScannedFile) -> Outcome:
        """A file whose content is in the archive: only its place may be news."""
        self._journal.note_seen(file)
        path = str(file.file.path)
        if file.change is Change.DUPLICATE:
            return Outcome(path, Status.DUPLICATE, f"same content as {file.other}")
        if file.change is Change.MOVED:
            return Outcome(path, Status.UNCHANGED, f"moved from {file.other}")
        return Outcome(path, Status.UNCHANGED)

    def _fail(self, file: ScannedFile, reason: str) -> Outcome:
        return self._journal.note_failed(file.file.path, file.file.root, reason, file.fingerprint)

    def _index(self, files: list[ScannedFile]) -> Iterator[Outcome]:
        """Decode and encode files, several at once, and yield each as soon as it is safe on disk."""
        pipeline = self._settings.pipeline
        self._progress.n_files = len(files)
        self._progress.size_bytes = sum(file.size_bytes for file in files)
        self._on_progress(self._progress)
        batch = _Batch(self._encoder, pipeline.batch_size)
        builders = {file.fingerprint: SegmentBuilder(file.fingerprint, file.size_bytes) for file in files}
        with Decoders(files, self._decode, pipeline.n_decoders, pipeline.queue_size) as decoders:
            for decoded in decoders:
                builder = builders[decoded.file.fingerprint]
                if isinstance(decoded.item, MediaError):
                    batch.drop(builder)
                    reason = str(decoded.item).removeprefix(f"{decoded.file.file.path}: ")
                    yield self._finish(decoded.file, self._fail(decoded.file, reason))
                elif isinstance(decoded.item, Sample):
                    self._take(decoded, decoded.item, builder, batch)
                    if batch.is_full or (len(batch) % _IDLE_STEP == 0 and decoders.waiting()):
                        self._encode(batch)
                else:
                    builder.result = decoded.item
                    self._encode(batch)
                    yield self._finish(decoded.file, self._write(decoded.file, builder))
                    del builders[decoded.file.fingerprint]

    def _decode(self, path: Path) -> Iterator[Sample | DecodeResult]:
        return decode_pass(str(path), self._settings.decode, self._encoder.image_size_px)

    def _take(self, decoded: Decoded, sample: Sample, builder: SegmentBuilder, batch: _Batch) -> None:
        name = thumbnail_name(builder.fingerprint, sample.time)
        self._archive.put_thumbnail(name, sample.thumbnail_webp)
        builder.add_sample(sample)
        batch.add(builder, sample)
        self._progress.path = str(decoded.file.file.path)
        self._on_progress(self._progress)

    def _encode(self, batch: _Batch) -> None:
        n_frames, seconds = batch.encode()
        self._progress.n_frames += n_frames
        self._progress.seconds["encode"] += seconds

    def _write(self, file: ScannedFile, builder: SegmentBuilder) -> Outcome:
        started = time.perf_counter()
        segment = builder.build(self._key, self._encoder.space, self._parameters)
        self._archive.put_segment(segment)
        self._journal.note_seen(file)
        seconds = time.perf_counter() - started
        self._progress.seconds["write"] += seconds
        result = builder.result
        assert result is not None  # noqa: S101 - build() has checked it
        self._progress.seconds["decode"] += sum(result.seconds.values())
        self._progress.decoded_seconds += segment.video.span.duration_seconds
        return Outcome(
            path=str(file.file.path),
            status=Status.INDEXED,
            partial=segment.video.partial,
            warnings=segment.video.warnings,
            n_shots=len(segment.shots),
            seconds={**result.seconds, "encode": builder.encode_seconds, "write": seconds},
        )

    def _finish(self, file: ScannedFile, outcome: Outcome) -> Outcome:
        self._progress.n_done += 1
        self._progress.done_bytes += file.size_bytes
        self._on_progress(self._progress)
        if time.monotonic() - self._published >= self._settings.pipeline.publish_every_seconds:
            self._archive.publish()
            self._published = time.monotonic()
        return outcome


class _Batch:
    """Pictures of any videos on their way to the encoder."""

    def __init__(self, encoder: Encoder, size: int) -> None:
        self._encoder = encoder
        self._size = size
        self._waiting: list[tuple[SegmentBuilder, Sample]] = []
        self._is_warm = False

    def __len__(self) -> int:
        """How many pictures wait."""
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether no more pictures should be held back."""
        return len(self) >= self._size

    def add(self, builder: SegmentBuilder, sample: Sample) -> None:
        """One more picture."""
        self._waiting.append((builder, sample))

    def drop(self, builder: SegmentBuilder) -> None:
        """Forget the pictures of a video that failed."""
        self._waiting = [item for item in self._waiting if item[0] is not builder]

    def encode(self) -> tuple[int, float]:
        """Encode what waits and give every video its vectors; how many pictures that were, and the seconds."""
        waiting, self._waiting = self._waiting, []
        if waiting and not self._is_warm:
            self._encoder.encode_images([])  # loads it, so that no speed includes that
            self._is_warm = True
        started = time.perf_counter()
        vectors = self._encoder.encode_images([sample.image for _, sample in waiting])
        seconds = time.perf_counter() - started
        for row, (builder, _) in enumerate(waiting):
            builder.add_vectors(vectors[row : row + 1], seconds / len(waiting))
        return len(waiting), seconds
