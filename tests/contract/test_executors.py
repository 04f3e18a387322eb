"""One suite for every executor: the same videos give the same outcomes wherever they are worked on."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from functools import partial

import numpy as np
import pytest

from indexer.errors import ModelError, VideoUnreadableError
from indexer.models.batching import EncodingQueue
from indexer.models.encoder import RgbImage
from indexer.stages.executors import Executor, InProcess, LocalPool, Result, Work
from indexer.stages.run_stage import (
    Report,
    StageDone,
    StageFailed,
    StageOutcome,
    StageProgress,
    VideoTask,
    run_stage,
)
from indexer.visual.decode_pass import DecodeSettings
from indexer.visual.index_video import IndexedVideo, index_video
from store.records import Embeddings
from tests.colour_clips import write_colour_clip
from tests.fakes import FakeEncoder


class Elsewhere:
    """Works as another machine would: tasks and outcomes cross as bytes."""

    def run(
        self, work: Work[Result], tasks: Sequence[VideoTask], report: Report
    ) -> Generator[StageOutcome[Result]]:
        """One outcome for each video."""
        for sent in map(pickle.dumps, tasks):
            yield pickle.loads(pickle.dumps(work(pickle.loads(sent), report)))  # noqa: S301 - our own bytes


EXECUTORS: dict[str, Executor] = {
    "in process": InProcess(),
    "one thread": LocalPool(1),
    "pool": LocalPool(3),
    "elsewhere": Elsewhere(),
}


@pytest.fixture(params=list(EXECUTORS))
def executor(request: pytest.FixtureRequest) -> Executor:
    """Each executor in turn."""
    return EXECUTORS[request.param]


TASKS = [VideoTask(f"/films/{n}.mp4", f"{n:032x}", 1000 + n) for n in range(20)]


def _spell(task: VideoTask, report: Report) -> str:
    """A stage: the name backwards; the seventh film is broken."""
    report(StageProgress(task.path, 1, {"spell": 0.5}))
    if task.path == TASKS[7].path:
        raise VideoUnreadableError(f"{task.path}: no video stream")
    return task.path[::-1]


def _ignore(progress: StageProgress) -> None:
    """Nobody watches."""


def _by_path(outcomes: Iterable[StageOutcome[Result]]) -> dict[str, StageOutcome[Result]]:
    listed = list(outcomes)
    found = {outcome.task.path: outcome for outcome in listed}
    assert len(found) == len(listed)
    return found


def test_each_video_has_one_outcome_whatever_the_order(executor: Executor) -> None:
    """The broken one fails with its reason, without its name; all others are done."""
    work = partial(run_stage, _spell)
    for tasks in (TASKS, TASKS[::-1]):
        outcomes = _by_path(executor.run(work, tasks, _ignore))
        assert {task.path for task in TASKS} == set(outcomes)
        assert StageFailed(TASKS[7], "no video stream") == outcomes.pop(TASKS[7].path)
        assert all(isinstance(one, StageDone) and one.result == one.task.path[::-1] for one in outcomes.values())


def test_nothing_to_do_is_no_outcome(executor: Executor) -> None:
    """An empty list ends at once."""
    assert [] == list(executor.run(partial(run_stage, _spell), [], _ignore))


def test_progress_comes_to_the_caller_as_values(executor: Executor) -> None:
    """On the thread that reads the outcomes, all of it, and it does not change any more."""
    told: list[tuple[int, StageProgress]] = []

    def note(progress: StageProgress) -> None:
        told.append((threading.get_ident(), progress))

    list(executor.run(partial(run_stage, _spell), TASKS, note))
    assert {threading.get_ident()} == {thread for thread, _ in told}
    assert sorted(task.path for task in TASKS) == sorted(progress.path for _, progress in told)
    with pytest.raises(AttributeError):
        told[0][1].n_pictures = 5  # type: ignore[misc]


def test_who_closes_the_outcomes_stops_the_work(executor: Executor) -> None:
    """Videos that had not begun never do, and no thread is left."""
    begun: list[str] = []

    def note_begin(task: VideoTask, report: Report) -> str:
        begun.append(task.path)
        return _spell(task, report)

    before = threading.active_count()
    many = [VideoTask(f"/films/more/{n}.mp4", f"{n:032x}", 1) for n in range(2000)]
    with closing(executor.run(partial(run_stage, note_begin), many, _ignore)) as outcomes:
        next(outcomes)
    assert before == threading.active_count()
    assert 1 <= len(begun) < len(many)


def test_what_the_listener_raises_stops_the_work(executor: Executor) -> None:
    """A person who cancels: the error comes out, and no thread is left."""

    def cancel(_: StageProgress) -> None:
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        list(executor.run(partial(run_stage, _spell), TASKS, cancel))
    assert before == threading.active_count()


def test_what_is_no_fault_of_a_video_ends_the_run(executor: Executor) -> None:
    """A model that cannot be loaded fails no video: the error is raised."""

    def load(task: VideoTask, _: Report) -> str:
        raise ModelError(f"there is no model for {task.path}")

    before = threading.active_count()
    with pytest.raises(ModelError, match="there is no model"):
        list(executor.run(partial(run_stage, load), TASKS, _ignore))
    assert before == threading.active_count()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> list[VideoTask]:
    """Two films and one that is none."""
    folder = tmp_path_factory.mktemp("library")
    paths = [
        write_colour_clip(folder / "a.mp4", ["red", "green"], 0.4),
        write_colour_clip(folder / "b.mp4", ["blue", "white", "black"], 0.4),
        folder / "c.mp4",
    ]
    paths[2].write_text("no video")
    return [VideoTask(str(path), f"{n:032x}", path.stat().st_size) for n, path in enumerate(paths)]


def test_index_video_finds_the_same_everywhere(executor: Executor, library: list[VideoTask]) -> None:
    """Shots, frames, vectors and thumbnails; the broken film is an outcome, and all of it can be sent."""
    kept: dict[str, bytes] = {}
    told: list[StageProgress] = []
    encoder = FakeEncoder()
    with EncodingQueue(encoder, batch_size=8, capacity=4) as encoding:
        work = partial(index_video, settings=DecodeSettings(), encoder=encoding, keep_thumbnail=kept.__setitem__)
        outcomes = _by_path(executor.run(work, library, told.append))
    a, b, c = (pickle.loads(pickle.dumps(outcomes[task.path])) for task in library)  # noqa: S301 - our own bytes
    assert StageFailed(library[2], c.reason) == c
    assert c.reason.startswith("not a video that can be read")
    assert 5 == sum(progress.n_pictures for progress in told)
    for outcome, colours in ((a, ["red", "green"]), (b, ["blue", "white", "black"])):
        assert isinstance(outcome, StageDone)
        assert isinstance(outcome.result, IndexedVideo)
        segment = outcome.result.segment
        assert [10] * len(colours) == [round(shot.span.duration * 25) for shot in segment.shots]
        assert colours == [colours[n] for n in np.argmax(segment.embeddings @ encoder.encode_texts(colours).T, 1)]
        assert {frame.thumbnail for frame in segment.frames} <= set(kept)
        assert {"decode", "detect", "shrink", "encode"} == set(outcome.result.seconds)
    assert 5 == len(kept)


def test_an_encoder_that_fails_ends_the_run(executor: Executor, library: list[VideoTask]) -> None:
    """Its error is raised, and no video is taken for broken."""

    class Failing(FakeEncoder):
        def encode_images(self, images: Sequence[RgbImage]) -> Embeddings:
            raise ModelError(f"not even one of {len(images)} pictures fits")

    with EncodingQueue(Failing(), batch_size=8, capacity=4) as encoding:
        work = partial(index_video, settings=DecodeSettings(), encoder=encoding, keep_thumbnail=lambda *_: None)
        with pytest.raises(ModelError, match="not even one of"):
            list(executor.run(work, library[:2], _ignore))
