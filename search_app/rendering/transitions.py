"""Transitions between pieces of a supercut: cut, cross-dissolve, or dip to black."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

N_CLEAR = 2
"""Frames of a piece that must show nothing but itself: its first and its last are compared with the source."""


class Transition(StrEnum):
    """Picture between two pieces."""

    CUT = "cut"
    DISSOLVE = "dissolve"
    DIP = "dip"


@dataclass(frozen=True, slots=True)
class Blend:
    """The transition of a supercut, in frames.

    Args:
        kind: what is seen.
        n_frames: over how many frames of each of two neighbours; 0 for a cut. A dissolve shows those of both at
            once, a dip those of one after those of the other.
    """

    kind: Transition = Transition.CUT
    n_frames: int = 0

    def between(self, n_before: int, n_after: int) -> int:
        """Over how many frames pieces of these lengths blend: all, or none where one of them is too short."""
        return self.n_frames if min(n_before, n_after) >= 2 * self.n_frames + N_CLEAR else 0


def plan_blend(kind: Transition, seconds: Fraction, frame_rate: Fraction) -> Blend:
    """The transition that takes so many seconds; at least one frame, unless it is a cut."""
    if kind is Transition.CUT:
        return Blend()
    share = Fraction(1, 2) if kind is Transition.DIP else 1
    return Blend(kind, max(1, round(seconds * share * frame_rate)))
