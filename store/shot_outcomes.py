"""Outcomes of a stage for single shots: beside the rows that it found, why it found none or not all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from store.timespan import TimeSpan

MOST_REASON_CHARACTERS: Final = 500


class ShotState(StrEnum):
    """How a stage ended with one shot, or a stretch of a long one."""

    DONE = "done"
    TRUNCATED = "truncated"
    """The model stopped at its limit: the text is there, and not whole."""
    BLOCKED = "blocked"
    """The model refused to answer; asking again gives the same."""
    NOTHING = "nothing there"
    SKIPPED = "skipped"
    ERROR = "error"
    """Nothing is known; the only state that is tried again by the next run."""


@dataclass(frozen=True, slots=True)
class ShotOutcome:
    """Outcome of a stage for a stretch of a video.

    Args:
        span: the stretch: a shot, or a piece of a long one.
        state: how it ended.
        reason: one line for people; empty where there is nothing to say.
    """

    span: TimeSpan
    state: ShotState
    reason: str = ""
