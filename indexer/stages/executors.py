"""Executors of stages: in the caller's thread, or on several videos at once. Both promise the same.

Each video gets one outcome, in whatever order they end. One that fails stops no other. A run is stopped by closing
the iterator or by raising in `report`: then no outcome follows, and nothing goes on working.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from typing import Generic, Protocol, TypeAlias, TypeVar

from indexer.stages.run_stage import Report, StageDone, StageFailed, StageOutcome, StageProgress, VideoTask

Result = TypeVar("Result")

Work: TypeAlias = Callable[[VideoTask, Report], StageOutcome[Result]]
"""Gives the outcome for one video: `run_stage` with its stage, or `index_video` with its services."""

_Said: TypeAlias = StageProgress | StageOutcome[Result] | BaseException | None
_WAITING = 64
_PATIENCE_SECONDS = 0.2


class Executor(Protocol):
    """Runs work on many videos."""

    def run(
        self, work: Work[Result], tasks: Sequence[VideoTask], report: Report
    ) -> Generator[StageOutcome[Result]]:
        """One outcome for each video, as they end.

        Args:
            work: called once for each video, perhaps on several threads or machines.
            tasks: the videos, begun in this order.
            report: called on the caller's thread with the progress of all videos.

        Raises:
            ArchiveError: whatever `work` or `report` raises, after all work has ended.
        """
        ...


class InProcess:
    """One video after the other, in the caller's thread."""

    def run(
        self, work: Work[Result], tasks: Sequence[VideoTask], report: Report
    ) -> Generator[StageOutcome[Result]]:
        """One outcome for each video, in the order given; see `Executor`."""
        for task in tasks:
            yield work(task, report)


class LocalPool:
    """Several videos at once, each on a thread that has its decoder in a child process.

    Args:
        jobs: how many videos at the same time.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs

    def run(
        self, work: Work[Result], tasks: Sequence[VideoTask], report: Report
    ) -> Generator[StageOutcome[Result]]:
        """One outcome for each video, as they end; see `Executor`."""
        workers = _Workers(work, tasks, min(self._jobs, len(tasks)))
        try:
            for said in workers.said():
                if isinstance(said, StageProgress):
                    report(said)
                else:
                    yield said
        finally:
            workers.stop()


class _StoppedError(Exception):
    """The outcome is not wanted any more."""


class _Workers(Generic[Result]):
    """Threads that work on videos and say what they do through one bounded queue."""

    def __init__(self, work: Work[Result], tasks: Sequence[VideoTask], n_threads: int) -> None:
        self._work = work
        self._tasks = iter(list(tasks))
        self._next = threading.Lock()
        self._stopping = threading.Event()
        self._said: queue.Queue[StageProgress | StageOutcome[Result] | BaseException | None] = queue.Queue(
            _WAITING
        )
        self._threads = [
            threading.Thread(target=self._run, name=f"stage-{n}", daemon=True) for n in range(n_threads)
        ]
        for thread in self._threads:
            thread.start()

    def said(self) -> Iterator[StageProgress | StageOutcome[Result]]:
        """Progress and outcomes of all videos, until every thread has ended."""
        n_working = len(self._threads)
        while n_working:
            said = self._said.get()
            if said is None:
                n_working -= 1
            elif isinstance(said, StageProgress | StageDone | StageFailed):
                yield said
            else:
                raise said

    def stop(self) -> None:
        """Let no video begin, end those that are worked on, and wait for the threads."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        with suppress(_StoppedError):
            try:
                while (task := self._take()) is not None:
                    self._say(self._work(task, self._say))
            except _StoppedError:
                return
            except BaseException as error:  # raised again where the outcomes are read
                self._say(error)
            self._say(None)

    def _take(self) -> VideoTask | None:
        with self._next:
            return next(self._tasks, None)

    def _say(self, what: _Said[Result]) -> None:
        """Hand something over, waiting for room.

        Raises:
            _StoppedError: nobody listens any more.
        """
        while not self._stopping.is_set():
            try:
                self._said.put(what, timeout=_PATIENCE_SECONDS)
            except queue.Full:
                continue
            return
        raise _StoppedError
