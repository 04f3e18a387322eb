"""Stages and their runs as the archive knows them: coverage, rows with all they carry, what is passed over."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from store.records import TextRow
from store.stages import Run
from store.timespan import TimeSpan

BY_HAND: Final = "by hand"
"""What stands in place of a run's key in the rows of people."""


class CoverageState(StrEnum):
    """Coverage of a video by a run."""

    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Coverage:
    """Coverage of a video by a run.

    Args:
        state: done, partial, failed, or missing.
        reason: why it failed; empty otherwise.
        spans: the stretches of the parts that are there, in order; none where there is a whole result.
    """

    state: CoverageState
    reason: str = ""
    spans: tuple[TimeSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as the catalog knows it.

    Args:
        run: stage, key, model, revision, weights hash and parameters.
        space_id: embedding space of its vectors; empty if it has none.
        is_chosen: whether it is the one of its stage that was asked for last.
        chosen_ns: when it was last asked for; None if it never was.
        written_ns: when its latest segment was written; None if there is none.
        seconds: what its results cost together; None where that was not measured.
        size_bytes: size of its segments.
        n_rows: rows of its segments: sampled frames or texts.
        n_done: videos with a complete result.
        n_partial: videos with some parts of one.
        n_failed: videos with which it failed.
        n_missing: videos that it has not met.
        n_live: videos of which its result is the one that answers.
    """

    run: Run
    space_id: str
    is_chosen: bool
    chosen_ns: int | None
    written_ns: int | None
    seconds: float | None
    size_bytes: int
    n_rows: int
    n_done: int
    n_partial: int
    n_failed: int
    n_missing: int
    n_live: int


@dataclass(frozen=True, slots=True)
class StageRow:
    """A row of a stage, with all that it carries.

    Args:
        row_id: stable id, derived from content.
        video_id: fingerprint of its video.
        stage: name of the stage.
        run_key: key of the run that wrote it; `by hand` for what a person wrote.
        row: span, text, score, language, box, words, count and payload.
    """

    row_id: int
    video_id: str
    stage: str
    run_key: str
    row: TextRow

    @property
    def is_by_hand(self) -> bool:
        """Whether a person wrote it."""
        return self.run_key == BY_HAND


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person put in place of what stages found.

    Args:
        stage: the kind of text.
        span: the stretch that it is about.
        old_text: what it corrects; empty for a text of the person's own.
        text: what it says; empty where the text was removed.
    """

    stage: str
    span: TimeSpan
    old_text: str
    text: str


@dataclass(frozen=True, slots=True)
class PassedSegment:
    """A segment that is kept and passed over, because only a later version understands it.

    Args:
        name: its file name.
        format: its format; 0 where the stage is unknown and the file was not opened.
        size_bytes: size of the file.
    """

    name: str
    format: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class SpaceHit:
    """A shot found in a space that does not answer searches.

    Args:
        video_id: fingerprint of the video.
        span: the shot.
        time: the frame that was found.
        score: cosine similarity, -1 to 1.
    """

    video_id: str
    span: TimeSpan
    time: Fraction
    score: float
