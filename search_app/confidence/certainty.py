"""Certainty in words: names of probabilities, and the bound from which a shot counts as a match."""

from __future__ import annotations

from enum import StrEnum

DOUBTFUL = 0.1
"""From this confidence on, a frame may show what no answer may show."""

POSSIBLE_FROM = 0.4
"""Below this confidence of the best shot, nothing matches."""

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


def percent_of(confidence: float) -> str:
    """A confidence as a whole number of per cent; what is not quite certain is never called so."""
    percent = round(100 * confidence)
    if percent == 0 and confidence > 0:
        return "<1 %"
    return ">99 %" if percent == 100 and confidence < 1 else f"{percent} %"


def words_of(confidence: float | None, *, is_calibrated: bool, sure: str = "") -> str:
    """A confidence as people read it: `93 %, high`, or the word alone where the number would be made up.

    Args:
        confidence: 0 to 1, or None where none could be measured.
        is_calibrated: whether the number was fitted for the archive's encoder.
        sure: what follows the number, such as ` sure`.
    """
    certainty = certainty_of(confidence)
    if confidence is None or not is_calibrated:
        return str(certainty)
    return f"{percent_of(confidence)}{sure}, {certainty}"
