"""How sure an answer is, in words: what a probability is called, and from when on a shot counts as a match."""

from __future__ import annotations

from enum import StrEnum

MEDIUM_FROM = 0.5
"""From this confidence on, a shot is more likely right than wrong: it counts as a match."""

HIGH_FROM = 0.8
"""From this confidence on, at least four of five such shots are right."""


class Certainty(StrEnum):
    """A confidence in words."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNKNOWN = "unknown"
    """The archive holds too little to say what a score means in it."""


def certainty_of(confidence: float | None) -> Certainty:
    """The word for a confidence.

    Args:
        confidence: 0 to 1, or None where none could be measured.
    """
    if confidence is None:
        return Certainty.UNKNOWN
    if confidence >= HIGH_FROM:
        return Certainty.HIGH
    return Certainty.MEDIUM if confidence >= MEDIUM_FROM else Certainty.LOW
