"""Bounds on the child process of a decoder, and on the video it opens."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction

MAX_STREAMS = 1000
"""Streams of any kind that a demuxer may open: fonts and subtitles cost nothing. FFmpeg's own number."""

MAX_TRACKS = 64
"""A file with more tracks of pictures and sound than this is an attack on the demuxer, not a video."""

MAX_SIDE_PX = 16_384
"""Longest allowed picture side; area is bounded separately by `MAX_PICTURE_PX`."""

MAX_PICTURE_PX = 40_000_000
"""Largest allowed picture: 8K (33 million pixels) fits, a decompression bomb does not."""

MAX_DURATION = Fraction(24 * 3600)
"""Decoded time beyond this is taken for a lie of the clock, and left out."""


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """Resources of one limited child process before it is stopped.

    Args:
        memory_bytes: address space of the child.
        wall_seconds: time we are willing to wait for the child in total; our own work between its messages
            does not count.
        stall_seconds: longest wait for its next sign of life.
        cpu_seconds: processor time over all its threads.
    """

    memory_bytes: int = 3 * 2**30
    wall_seconds: float = 6 * 3600.0
    stall_seconds: float = 30.0
    cpu_seconds: int = 24 * 3600

    def __post_init__(self) -> None:
        """Refuse limits that would stop every child at once."""
        for name in (field.name for field in fields(self)):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be greater than 0, got {getattr(self, name)}")
