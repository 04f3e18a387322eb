"""The conductor of indexing: scan, decode in child processes, encode in batches, write, publish."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

from indexer.config import IndexSettings
from indexer.errors import ScanError
from indexer.library.file_events import Journal
from indexer.library.listing import ListedFile, PassedOver, ScanSettings, Unlisted, list_files
from indexer.library.outdated import is_outdated
from indexer.library.scan import Change, Scan, ScannedFile, scan_library
from indexer.models.batching import EncodingQueue
from indexer.models.encoder import Encoder
from indexer.run_record import RunRecord
from indexer.stages.executors import LocalPool
from indexer.stages.run_stage import StageFailed, StageProgress, VideoTask
from indexer.visual.index_video import IndexedVideo, index_video
from indexer.visual.segment_builder import STAGE, older_keys, segment_key, segment_parameters
from store.archive import Archive
from store.records import Outcome, Status
from store.stages import Run
from store.wording import n_of

VIDEO_EXAMPLES = ".mp4, .mov, .mkv, .webm, .avi, .mxf"


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a run.

    Args:
        n_files: files to decode in this run.
        n_done: files decoded, or failed.
        size_bytes: sum of the sizes of the files to decode.
        done_bytes: sum of the sizes of those done.
        n_frames: pictures encoded so far.
        decoded_seconds: length of the video decoded so far.
        seconds: time spent on `decode`, `encode` and `write` so far, summed over all videos.
        path: the file that was last worked on.
    """

    n_files: int = 0
    n_done: int = 0
    size_bytes: int = 0
    done_bytes: int = 0
    n_frames: int = 0
    decoded_seconds: float = 0.0
    seconds: Mapping[str, float] = field(default_factory=lambda: {"decode": 0.0, "encode": 0.0, "write": 0.0})
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
        on_progress: called often, from the caller's thread; each value is complete in itself.
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
    n_own_films = 0
    for item in list_files(inputs, settings, skip_folder=archive):
        if isinstance(item, PassedOver):
            passed_over.append(item)
        elif isinstance(item, ListedFile) or item.is_failure:
            return
        else:
            n_own_films += 1
    raise _no_videos(inputs, passed_over, n_own_films)


def _no_videos(inputs: Sequence[Path], passed_over: Sequence[PassedOver], n_own_films: int = 0) -> ScanError:
    where = ", ".join(str(path) for path in inputs)
    reasons = []
    if n_own_films:
        reasons.append(f"{n_of(n_own_films, 'film')} made by Rushes (indexed only by name)")
    if n_by_pattern := sum(folder.n_by_pattern for folder in passed_over):
        reasons.append(f"{n_of(n_by_pattern, 'video')} left out by the patterns of the settings")
    why = " and ".join(reasons) or f"none of its files ends like a video ({VIDEO_EXAMPLES}, ...)"
    passed = "".join(f"; passed over: {folder.describe()}" for folder in passed_over)
    return ScanError(f"no videos in {where}: {why}{passed}")


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
        """Index files, several at once, and yield each as soon as it is safe on disk."""
        pipeline = self._settings.pipeline
        by_content = {file.fingerprint: file for file in files}
        self._tell(Progress(n_files=len(files), size_bytes=sum(file.size_bytes for file in files)))
        tasks = [VideoTask(str(file.file.path), file.fingerprint, file.size_bytes) for file in files]
        with EncodingQueue(self._encoder, pipeline.batch_size, pipeline.queue_size) as encoder:
            work = partial(
                index_video,
                settings=self._settings.decode,
                encoder=encoder,
                keep_thumbnail=self._archive.put_thumbnail,
            )
            with closing(LocalPool(pipeline.n_decoders).run(work, tasks, self._take)) as outcomes:
                for outcome in outcomes:
                    file = by_content[outcome.task.fingerprint]
                    if isinstance(outcome, StageFailed):
                        yield self._finish(file, self._fail(file, outcome.reason))
                    else:
                        yield self._finish(file, self._write(file, outcome.result))

    def _take(self, done: StageProgress) -> None:
        before = self._progress
        n_frames = before.n_frames + done.n_pictures
        self._tell(replace(before, n_frames=n_frames, seconds=_sum(before.seconds, done.seconds), path=done.path))

    def _tell(self, progress: Progress) -> None:
        self._progress = progress
        self._on_progress(progress)

    def _write(self, file: ScannedFile, indexed: IndexedVideo) -> Outcome:
        started = time.perf_counter()
        segment = indexed.segment
        self._archive.put_segment(segment)
        self._journal.note_seen(file)
        seconds = time.perf_counter() - started
        decoding = sum(indexed.seconds.values()) - indexed.seconds["encode"]
        before = self._progress
        self._progress = replace(
            before,
            decoded_seconds=before.decoded_seconds + segment.video.span.duration_seconds,
            seconds=_sum(before.seconds, {"decode": decoding, "write": seconds}),
        )
        return Outcome(
            path=str(file.file.path),
            status=Status.INDEXED,
            partial=segment.video.partial,
            warnings=segment.video.warnings,
            n_shots=len(segment.shots),
            seconds={**indexed.seconds, "write": seconds},
        )

    def _finish(self, file: ScannedFile, outcome: Outcome) -> Outcome:
        before = self._progress
        self._tell(replace(before, n_done=before.n_done + 1, done_bytes=before.done_bytes + file.size_bytes))
        if time.monotonic() - self._published >= self._settings.pipeline.publish_every_seconds:
            self._archive.publish()
            self._published = time.monotonic()
        return outcome


def _sum(seconds: Mapping[str, float], more: Mapping[str, float]) -> Mapping[str, float]:
    """Time spent, by part of the work."""
    return {part: spent + more.get(part, 0.0) for part, spent in seconds.items()}
