"""One stage on one video: the call that the local pool, the tests and a cluster share, and its outcome as a value.

Task and outcome can be pickled. Progress is a value too, handed to a callback.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from indexer.errors import MediaError

Result_co = TypeVar("Result_co", covariant=True)


@dataclass(frozen=True, slots=True)
class VideoTask:
    """A video that a stage is to work on.

    Args:
        path: where the file lies.
        fingerprint: its content identity, 32 hex digits.
        size_bytes: its size.
    """

    path: str
    fingerprint: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class StageProgress:
    """Progress of a stage on a video since its last report.

    Args:
        path: the file.
        n_pictures: pictures that a model has taken.
        seconds: time spent, by part of the work.
    """

    path: str
    n_pictures: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StageDone(Generic[Result_co]):
    """The result of a stage on one video.

    Args:
        task: the video.
        result: what the stage found; can be pickled.
        seconds: time on the clock from beginning to end.
    """

    task: VideoTask
    result: Result_co
    seconds: float


@dataclass(frozen=True, slots=True)
class StageFailed:
    """Why a stage has no result for one video.

    Args:
        task: the video.
        reason: for people, one line, without the file's name.
    """

    task: VideoTask
    reason: str


StageOutcome: TypeAlias = StageDone[Result_co] | StageFailed
Report: TypeAlias = Callable[[StageProgress], None]
"""Called by a stage every few seconds of its work. What it raises ends the stage: so a run is stopped."""

Stage: TypeAlias = Callable[[VideoTask, Report], Result_co]
"""Gives the result for one video. Raises `MediaError` where the video is at fault; all else ends the run."""


def run_stage(stage: Stage[Result_co], task: VideoTask, report: Report) -> StageOutcome[Result_co]:
    """The outcome of a stage on one video.

    Args:
        stage: what is to be done.
        task: the video.
        report: called with the progress, on this thread.

    Raises:
        ArchiveError: whatever ends the whole run, such as a model that cannot be loaded or a full disk.
    """
    started = time.perf_counter()
    try:
        result = stage(task, report)
    except MediaError as error:
        return StageFailed(task, str(error).removeprefix(f"{task.path}: "))
    return StageDone(task, result, time.perf_counter() - started)
