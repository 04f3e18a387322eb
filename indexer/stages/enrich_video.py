"""All stages on one video: one pass for those that look, one for those that listen, then those that only read."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Generic, TypeVar

from indexer.errors import MediaError, ModelError, NoAudioError, ServerUnavailableError
from indexer.media.audio import AudioBlock, AudioRequest, read_audio
from indexer.models.encoder import TextEncoder
from indexer.stages.commits import Commits, Committed
from indexer.stages.picture_pass import PictureWork, cut_stretches, show_stretches
from indexer.stages.stage import (
    AnyStage,
    ArchiveStage,
    HeardStretch,
    KnownVideo,
    Listener,
    PictureStage,
    ShownStretch,
    SoundStage,
    StretchResult,
)
from store.archive import Archive
from store.errors import ArchiveDamagedError, RowRefusedError
from store.shot_outcomes import ShotState
from store.stages import Run
from store.timespan import TimeSpan

StageT = TypeVar("StageT", PictureStage, SoundStage, ArchiveStage)

_MOST_PICTURE_BYTES = 2**28
"""Pictures of a batch together: a batch is read sooner where they are large."""
_MOST_ERRORS_IN_A_ROW = 50
"""After so many a stage is given up for the video. Not sooner: a film may begin with many black shots of which a
model has nothing to say, and what comes behind them would never be asked."""
_MOST_VIDEOS_IN_A_ROW = 3
"""After so many without any result it is given up for the whole run: its model is at fault."""
_OF_ONE_STAGE = (ArchiveDamagedError, ModelError, RowRefusedError)
"""What ends one stage on one video, and nothing else."""


@dataclass(frozen=True, slots=True)
class StageWork:
    """A stage that a video needs.

    Args:
        stage: the stage.
        run: its run; of a stage that reads the results of others, with theirs among its parameters.
    """

    stage: AnyStage
    run: Run


@dataclass(slots=True)
class Patience:
    """With how many videos in a row a stage's model failed altogether.

    Args:
        n_videos: videos since the last result.
        reason: of the last failure.
    """

    n_videos: int = 0
    reason: str = ""

    @property
    def is_lost(self) -> bool:
        """Whether the model is not asked any more."""
        return self.n_videos >= _MOST_VIDEOS_IN_A_ROW

    def give_up(self, reason: str) -> None:
        """Ask no more: it is known that nothing will come."""
        self.n_videos, self.reason = _MOST_VIDEOS_IN_A_ROW, reason

    def note(self, *, has_results: bool, reason: str) -> None:
        """Take notice of a video that the model worked on."""
        self.n_videos, self.reason = (0, "") if has_results else (self.n_videos + 1, reason)


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """What became of one stage on one video.

    Args:
        stage: name of the stage.
        path: the video.
        committed: how its shots ended.
        seconds: time on the clock that the stage itself took, decoding left out.
    """

    stage: str
    path: str
    committed: Committed
    seconds: float


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a stage on a video.

    Args:
        stage: name of the stage.
        media_seconds: length of the video that is done with it.
        seconds: time that it took.
    """

    stage: str
    media_seconds: float
    seconds: float


Tell = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class EnrichServices:
    """What the work on all videos shares.

    Args:
        archive: where results are written.
        encoder: of texts, for stages whose texts are searched by meaning; None for words alone.
        patience: by the name of the stage.
        tell: called with every step.
    """

    archive: Archive
    encoder: TextEncoder | None
    patience: Mapping[str, Patience]
    tell: Tell


@dataclass(slots=True)
class _Bench(Generic[StageT]):
    """A stage at work on a video."""

    stage: StageT
    name: str
    commits: Commits
    patience: Patience
    tell: Tell
    seconds: float = 0.0
    failure: str = ""
    n_errors: int = 0
    has_results: bool = False
    is_models_fault: bool = True
    batch: list[ShownStretch] = field(default_factory=list)

    def add(self, span: TimeSpan, result: StretchResult, seconds: float) -> None:
        """Take the result of a stretch."""
        if result.state is ShotState.ERROR:
            self.n_errors += 1
            if self.n_errors >= _MOST_ERRORS_IN_A_ROW:
                self.failure = self.failure or result.reason
        else:
            self.n_errors, self.has_results = 0, True
        try:
            self.commits.add(span, result, seconds)
        except _OF_ONE_STAGE as error:
            self.failure = self.failure or str(error)
        self.tell(Step(self.name, span.duration_seconds, seconds))

    def outcome(self, path: str) -> StageOutcome:
        """Write what is left."""
        try:
            committed = self.commits.finish(self.failure)
        except _OF_ONE_STAGE as error:
            committed = self.commits.fail(str(error))
        if self.has_results or (self.n_errors and self.is_models_fault and not self.patience.is_lost):
            self.patience.note(has_results=self.has_results, reason=committed.failure)
        return StageOutcome(self.name, path, committed, self.seconds)


def enrich_video(video: KnownVideo, works: Sequence[StageWork], services: EnrichServices) -> list[StageOutcome]:
    """Run stages on one video and write what they find; one outcome for each.

    A stage that fails stops no other; a file that cannot be decoded fails those that need it, with the reason.

    Raises:
        ArchiveFullError: the disk is full; what was written is safe.
    """
    span = services.archive.snapshot().video_span(video.video.video_id) or video.video.facts.span
    path = video.video.path
    looking: list[_Bench[PictureStage]] = []
    listening: list[_Bench[SoundStage]] = []
    reading: list[_Bench[ArchiveStage]] = []
    outcomes: list[StageOutcome] = []
    for work in works:
        try:
            match work.stage:
                case PictureStage() as stage:
                    shots = [stretch.span for stretch in cut_stretches(video)]
                    looking.append(_bench(stage, work.run, video, shots, services))
                case SoundStage() as stage:
                    listening.append(_bench(stage, work.run, video, [span], services))
                case ArchiveStage() as stage:
                    reading.append(_bench(stage, work.run, video, [span], services))
        except ArchiveDamagedError as error:
            outcomes.append(StageOutcome(work.run.stage, path, Committed({}, 0, str(error)), 0.0))
    _look(video, [bench for bench in looking if not bench.failure])
    _listen_all(video, [bench for bench in listening if not bench.failure], span)
    for bench in reading:
        if not bench.failure:
            _derive(video, bench, span)
    outcomes += [bench.outcome(path) for bench in looking] + [bench.outcome(path) for bench in listening]
    return outcomes + [bench.outcome(path) for bench in reading]


def _bench(
    stage: StageT, run: Run, video: KnownVideo, wanted: Sequence[TimeSpan], services: EnrichServices
) -> _Bench[StageT]:
    """A stage that is about to begin; given up already where its model failed too often."""
    commits = Commits(services.archive, run, video.video.video_id, wanted, services.encoder)
    bench = _Bench(stage, run.stage, commits, services.patience[run.stage], services.tell)
    if bench.patience.is_lost:
        bench.failure = bench.patience.reason
    return bench


def _look(video: KnownVideo, benches: Sequence[_Bench[PictureStage]]) -> None:
    works = []
    for bench in benches:
        todo = tuple(one for one in cut_stretches(video) if not bench.commits.is_covered(one.span))
        works.append(PictureWork(bench.stage, todo))
    if not any(work.stretches for work in works):
        return
    try:
        with closing(show_stretches(video, works)) as shown_stretches:
            for number, shown in shown_stretches:
                _take(benches[number], shown)
                if all(bench.failure for bench in benches):
                    break
        for bench in benches:
            _read(bench)
    except MediaError as error:
        for bench in benches:
            _read(bench)
            bench.failure = str(error).removeprefix(f"{video.video.path}: ")


def _take(bench: _Bench[PictureStage], shown: ShownStretch) -> None:
    """Put a stretch into the batch, and read the batch once it is large."""
    if bench.failure:
        return
    if not shown.pictures:
        bench.add(shown.stretch.span, StretchResult(state=ShotState.SKIPPED), 0.0)
        return
    bench.batch.append(shown)
    n_bytes = sum(picture.nbytes for one in bench.batch for picture in one.pictures)
    if len(bench.batch) >= bench.stage.batch_size or n_bytes >= _MOST_PICTURE_BYTES:
        _read(bench)


def _read(bench: _Bench[PictureStage]) -> None:
    batch, bench.batch = bench.batch, []
    if not batch or bench.failure:
        return
    started = time.perf_counter()
    gone = ""
    try:
        results = _results(bench.stage, batch)
    except ServerUnavailableError as error:
        gone = str(error)
        results = [StretchResult(state=ShotState.ERROR, reason=gone)] * len(batch)
    seconds = time.perf_counter() - started
    bench.seconds += seconds
    for shown, result in zip(batch, results, strict=True):
        bench.add(shown.stretch.span, result, seconds / len(batch))
    if gone:
        bench.patience.give_up(gone)
        bench.failure = gone


def _results(stage: PictureStage, batch: Sequence[ShownStretch]) -> Sequence[StretchResult]:
    """One result for each stretch; where the model fails with all, each is tried alone."""
    try:
        results = stage.read(batch)
    except ServerUnavailableError:
        raise
    except ModelError as error:
        if len(batch) == 1:
            return [StretchResult(state=ShotState.ERROR, reason=str(error))]
        return [result for shown in batch for result in _results(stage, [shown])]
    if len(results) != len(batch):
        raise RuntimeError(f"{stage.run.stage} gave {len(results)} results for {len(batch)} stretches")
    return results


def _listen_all(video: KnownVideo, benches: Sequence[_Bench[SoundStage]], span: TimeSpan) -> None:
    """One pass over the sound for all stages that want it in the same form."""
    alike: dict[tuple[int, bool], list[_Bench[SoundStage]]] = {}
    for bench in benches:
        alike.setdefault((bench.stage.rate_hz, bench.stage.is_mono), []).append(bench)
    for (rate_hz, is_mono), together in alike.items():
        _listen(video, together, span, AudioRequest(rate_hz, is_mono))


@dataclass(frozen=True, slots=True)
class _Ear:
    """A listener at work, and when the sound begins that it has not heard yet."""

    bench: _Bench[SoundStage]
    listener: Listener
    start: Fraction


def _listen(
    video: KnownVideo, benches: Sequence[_Bench[SoundStage]], span: TimeSpan, request: AudioRequest
) -> None:
    ears = []
    for bench in benches:
        start = bench.commits.covered_until(span.start)
        if start < span.end:
            ears.append(_Ear(bench, bench.stage.listen(video, start), start))
    wanting = [ear for ear in ears if ear.listener.wants_sound]
    failure = _hear_blocks(video, wanting, span, request) if wanting else ""
    for ear in ears:
        if failure and ear.listener.wants_sound:
            ear.bench.failure = ear.bench.failure or failure
        _hear(ear.bench, partial(ear.listener.end, span.end))


def _hear_blocks(video: KnownVideo, ears: Sequence[_Ear], span: TimeSpan, request: AudioRequest) -> str:
    """Let everyone hear the sound from where they were; why there is no more of it, if it does not decode."""
    start = max(min(ear.start for ear in ears), Fraction(0))
    wanted = AudioRequest(request.rate_hz, request.is_mono, start=start, end=max(span.end, start))
    try:
        with closing(read_audio(video.video.path, wanted, video.video.facts)) as blocks:
            for block in blocks:
                for ear in ears:
                    if (unheard := _from(block, ear.start)) is not None:
                        _hear(ear.bench, partial(ear.listener.take, unheard))
                if all(ear.bench.failure for ear in ears):
                    break
    except NoAudioError:
        return ""
    except MediaError as error:
        return str(error).removeprefix(f"{video.video.path}: ")
    return ""


def _from(block: AudioBlock, start: Fraction) -> AudioBlock | None:
    """The part of a block that is no earlier than a time; None if there is none."""
    n_heard = max(0, math.ceil(start * block.rate_hz) - block.first_sample)
    if n_heard >= block.samples.shape[1]:
        return None
    if not n_heard:
        return block
    first = block.first_sample + n_heard
    return replace(block, first_sample=first, samples=block.samples[:, n_heard:])


def _hear(bench: _Bench[SoundStage], listen: Callable[[], Sequence[HeardStretch]]) -> None:
    """Take what a listener has complete; a failure ends the stage for this video, and leaves no gap."""
    if bench.failure:
        return
    started = time.perf_counter()
    try:
        heard = listen()
    except ModelError as error:
        bench.n_errors += 1
        bench.failure = str(error)
        return
    seconds = time.perf_counter() - started
    bench.seconds += seconds
    for one in heard:
        if one.result.state is ShotState.ERROR:
            bench.n_errors += 1
            bench.failure = one.result.reason
            return
        bench.add(one.span, one.result, seconds / len(heard))


def _derive(video: KnownVideo, bench: _Bench[ArchiveStage], span: TimeSpan) -> None:
    started = time.perf_counter()
    try:
        result = bench.stage.derive(video)
        bench.is_models_fault = False  # such as that nothing is known yet
    except ServerUnavailableError as error:
        bench.patience.give_up(str(error))
        bench.failure = str(error)
        return
    except ModelError as error:
        result = StretchResult(state=ShotState.ERROR, reason=str(error))
    bench.seconds = time.perf_counter() - started
    bench.add(span, result, bench.seconds)
    if result.state is ShotState.ERROR:
        bench.failure = result.reason
