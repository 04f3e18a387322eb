"""Half-open spans of exact time."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, order=True)
class TimeSpan:
    """A piece of a video's time line: from `start` up to, and not including, `end`.

    Times are exact seconds counted from the container's start time, which is what `ffmpeg -ss` counts from.

    Args:
        start: first instant, in seconds.
        end: first instant after it, in seconds; always greater than `start`.
    """

    start: Fraction
    end: Fraction

    def __post_init__(self) -> None:
        """Refuse spans that are empty or run backwards."""
        if not self.start < self.end:
            raise ValueError(f"a span must end after it starts, got {self.start} to {self.end}")

    @property
    def start_seconds(self) -> float:
        """First instant, in seconds."""
        return float(self.start)

    @property
    def end_seconds(self) -> float:
        """First instant after the span, in seconds."""
        return float(self.end)

    @property
    def duration(self) -> Fraction:
        """Length in seconds, exact."""
        return self.end - self.start

    @property
    def duration_seconds(self) -> float:
        """Length in seconds."""
        return float(self.duration)

    def overlaps(self, other: TimeSpan) -> bool:
        """Whether the two spans share an instant."""
        return self.start < other.end and other.start < self.end
