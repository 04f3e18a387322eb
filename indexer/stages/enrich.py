"""The conductor of enriching: which videos lack which results, and one video after the other until none does."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.media.fingerprint import fingerprint
from indexer.models.encoder import TextEncoder
from indexer.stages.commits import Committed
from indexer.stages.enrich_video import EnrichServices, Patience, StageOutcome, StageWork, Step, enrich_video
from indexer.stages.stage import AnyStage, ArchiveStage, KnownVideo
from store.archive import Archive
from store.records import FrameRow, ShotRow, VideoRow
from store.results import CoverageState
from store.snapshot import Snapshot
from store.stages import STAGES, Run, Space, stage_named

_PUBLISH_EVERY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class EnrichProgress:
    """Progress of one stage of a run.

    Args:
        stage: name of the stage.
        n_videos: videos that it is to work on.
        n_done: videos done, or failed.
        media_seconds: length of all of them together.
        done_seconds: length of what is done.
        seconds: time that it took.
        path: the video that was last worked on.
    """

    stage: str
    n_videos: int = 0
    n_done: int = 0
    media_seconds: float = 0.0
    done_seconds: float = 0.0
    seconds: float = 0.0
    path: str = ""

    @property
    def seconds_left(self) -> float | None:
        """How long it will take at this speed; None before anything is done."""
        if not self.done_seconds:
            return None
        return max(0.0, self.media_seconds - self.done_seconds) * self.seconds / self.done_seconds


def enrich_videos(
    archive: Archive,
    stages: Sequence[AnyStage],
    on_progress: Callable[[EnrichProgress], None],
    *,
    video_ids: Sequence[str] = (),
    encoder: TextEncoder | None = None,
    only_missing: bool = False,
    again: bool = False,
) -> Iterator[StageOutcome]:
    """Fill an archive with the results of stages, and say how each ended with every video.

    What is done is not done again: a killed run goes on where it was. Stages that read results of others come last
    and see what the others found in this run.

    Args:
        archive: an open archive; others may index, enrich and search it at the same time.
        stages: each kind once.
        on_progress: called often, from the caller's thread.
        video_ids: fingerprints; none for all videos.
        encoder: of texts, for stages whose texts are searched by meaning; None for words alone.
        only_missing: leave videos alone that have a result of that stage by any run.
        again: also what is done, as a run of its own beside the old one.

    Raises:
        ArchiveFullError: the disk is full; what was yielded is safe.
    """
    archive.publish()
    run = _EnrichRun(archive, stages, on_progress, encoder, only_missing=only_missing, again=again)
    readers = [stage for stage in stages if isinstance(stage, ArchiveStage)]
    groups: list[list[AnyStage]] = [[stage for stage in stages if not isinstance(stage, ArchiveStage)]]
    groups += [[stage] for stage in _in_order(readers)]
    try:
        for together in filter(None, groups):
            yield from run.work(together, video_ids)
            archive.publish()
    finally:
        archive.publish()


def _in_order(stages: Sequence[ArchiveStage]) -> list[ArchiveStage]:
    """Stages that read others, after those that they may read: chapters and summaries last."""
    places = {stage.name: place for place, stage in enumerate(STAGES)}
    return sorted(stages, key=lambda stage: places[stage.run.stage])


class _EnrichRun:
    def __init__(
        self,
        archive: Archive,
        stages: Sequence[AnyStage],
        on_progress: Callable[[EnrichProgress], None],
        encoder: TextEncoder | None,
        *,
        only_missing: bool,
        again: bool,
    ) -> None:
        self._archive = archive
        self._on_progress = on_progress
        self._only_missing = only_missing
        self._edition = time.time_ns() if again else 0
        self._progress = {stage.run.stage: EnrichProgress(stage.run.stage) for stage in stages}
        patience = {stage.run.stage: Patience() for stage in stages}
        self._services = EnrichServices(archive, encoder, patience, self._tell)
        self._path = ""

    def work(self, stages: Sequence[AnyStage], video_ids: Sequence[str]) -> Iterator[StageOutcome]:
        """Stages that see the same state of the archive, on every video that lacks their results."""
        snapshot = self._archive.snapshot()
        works = [StageWork(stage, _run_of(stage, snapshot, self._edition)) for stage in stages]
        for work in works:
            self._archive.choose_run(work.run)
        videos = [one for one in snapshot.videos() if not video_ids or one.video_id in set(video_ids)]
        todo = self._lacking(snapshot, works, videos)
        published = time.monotonic()
        for video in videos:
            lacking = todo[video.video_id]
            if not lacking:
                continue
            self._path = video.path
            yield from self._enrich(video, lacking)
            if time.monotonic() - published >= _PUBLISH_EVERY_SECONDS:
                self._archive.publish()
                published = time.monotonic()

    def _lacking(
        self, snapshot: Snapshot, works: Sequence[StageWork], videos: Sequence[VideoRow]
    ) -> Mapping[str, list[StageWork]]:
        todo: dict[str, list[StageWork]] = defaultdict(list)
        for work in works:
            done = _done(snapshot, work.run)
            if self._only_missing:
                for row in snapshot.runs():
                    if row.run.stage == work.run.stage:
                        done |= _done(snapshot, row.run)
            lacking = [video for video in videos if video.video_id not in done]
            for video in lacking:
                todo[video.video_id].append(work)
            length = sum(video.facts.span.duration_seconds for video in lacking)
            self._report(EnrichProgress(work.run.stage, len(lacking), media_seconds=length))
        return todo

    def _enrich(self, video: VideoRow, works: Sequence[StageWork]) -> Iterator[StageOutcome]:
        needs_file = [work for work in works if not isinstance(work.stage, ArchiveStage)]
        snapshot = self._archive.snapshot()
        if needs_file:
            found = _place_of(snapshot, video)
            if isinstance(found, str):
                for work in works:
                    yield self._finish(StageOutcome(work.run.stage, video.path, Committed({}, 0, found), 0.0))
                return
            video = replace(video, path=str(found))
        if self._services.encoder is not None and any(
            stage_named(work.run.stage).space is Space.TEXTS for work in works
        ):
            self._services.encoder.encode_texts([])  # what cannot be loaded ends the run before any model works
        known = _known(snapshot, video)
        for outcome in enrich_video(known, works, self._services):
            yield self._finish(outcome)

    def _finish(self, outcome: StageOutcome) -> StageOutcome:
        before = self._progress[outcome.stage]
        self._report(replace(before, n_done=before.n_done + 1, path=outcome.path))
        return outcome

    def _tell(self, step: Step) -> None:
        before = self._progress[step.stage]
        self._report(
            replace(
                before,
                done_seconds=before.done_seconds + step.media_seconds,
                seconds=before.seconds + step.seconds,
                path=self._path,
            )
        )

    def _report(self, progress: EnrichProgress) -> None:
        self._progress[progress.stage] = progress
        self._on_progress(progress)


def _done(snapshot: Snapshot, run: Run) -> set[str]:
    """Fingerprints of the videos that a run has done."""
    coverages = snapshot.coverages(run).items()
    return {video_id for video_id, found in coverages if found.state is CoverageState.DONE}


def _run_of(stage: AnyStage, snapshot: Snapshot, edition: int) -> Run:
    """The run of a stage; of one that reads others, with the runs that it reads among its parameters."""
    run = stage.run
    parameters = dict(run.parameters or {})
    if isinstance(stage, ArchiveStage):
        chosen = {name: snapshot.chosen_run(name) for name in sorted(stage.reads)}
        parameters["reads"] = {name: key for name, key in chosen.items() if key is not None}
    if edition:
        parameters["edition"] = edition
    if parameters == dict(run.parameters or {}):
        return run
    return Run.of(run.stage, run.model, parameters, revision=run.revision, weights_hash=run.weights_hash)


def _place_of(snapshot: Snapshot, video: VideoRow) -> Path | str:
    """Where a video's content lies now, as it was indexed; else why it cannot be worked on."""
    reason = "the file is not there now; it is done once it is back"
    for place in snapshot.places_of([video.video_id]).get(video.video_id, []):
        path = Path(place.path)
        try:
            if fingerprint(path) == video.video_id:
                return path
        except OSError:
            continue
        reason = "the file has changed since it was indexed; index it again"
    return reason


def _known(snapshot: Snapshot, video: VideoRow) -> KnownVideo:
    shots: list[ShotRow] = snapshot.shots(video.video_id)
    frames: dict[str, list[FrameRow]] = defaultdict(list)
    for frame in snapshot.frames_of_videos([video.video_id]):
        frames[frame.shot_id].append(frame)
    return KnownVideo(
        video,
        tuple(sorted(shots, key=lambda row: row.shot.ordinal)),
        {shot_id: tuple(sorted(found, key=lambda frame: frame.time)) for shot_id, found in frames.items()},
        snapshot,
    )
