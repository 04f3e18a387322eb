"""Videos that an older Rushes indexed in a way that today's rules would not: they are indexed again."""

from __future__ import annotations

from fractions import Fraction

from store.records import VideoFacts

_SLOW = Fraction(16, 5)
"""Frames per second below which version 1 saw no cuts: it compared too few frames."""
_LONGEST_HOLE = Fraction(10)
_MAY_JUMP = frozenset({"mpegts", "mpeg", "ogg"})


def is_outdated(facts: VideoFacts) -> bool:
    """Whether facts of version 1 show by themselves that version 2 finds other frames or shots.

    Clocks that start again lost frames, holes were filled with one frozen picture, and time lapses had one shot.
    Mirrors, crops and still tracks beside the video do not show in such facts.
    """
    duration = facts.span.duration
    if facts.n_frames > 1 and facts.n_frames / duration < _SLOW:
        return True
    if facts.container in _MAY_JUMP and any("clock" in line or "24 hours" in line for line in facts.warnings):
        return True
    rate = facts.frame_rate
    return rate is not None and duration - facts.n_frames / rate > _LONGEST_HOLE
