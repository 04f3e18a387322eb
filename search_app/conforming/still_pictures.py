"""Pictures that stand still because their source has no others: said, never silent."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import median_low

from search_app.conforming.source_frames import tick_seconds, tick_span
from search_app.cutting.cut_list import Clip
from search_app.frame_rates import mean_rate

TOLD_SECONDS = Fraction(1)
"""A picture that stands still for longer than this is told, if that is also `TOLD_DISTANCES` usual distances."""

TOLD_DISTANCES = 5
MAX_SECONDS = Fraction(10)
"""For longer than this no film is called exact: what it shows there, its source does not have."""


def longest_standstill(inside: Sequence[int], clip: Clip) -> tuple[Fraction, Fraction]:
    """Begin of the longest standstill in a clip, in seconds of the source, and its length.

    Args:
        inside: time stamps of the frames in the clip, in order; at least one.
        clip: the clip.

    Returns:
        A length of 0 where no picture stays for long, compared with the others.
    """
    facts = clip.facts
    first, end = tick_span(clip.span, facts)
    lengths = [(after - tick, tick) for tick, after in pairwise([first, *inside, end])]
    longest, begin = max(lengths, key=lambda one: one[0])
    distances = sorted(after - tick for tick, after in pairwise(inside))
    usual = median_low(distances) if distances else 1 / mean_rate(facts) / facts.time_base
    seconds = longest * facts.time_base
    if seconds <= TOLD_SECONDS or longest < TOLD_DISTANCES * usual:
        return tick_seconds(begin, facts), Fraction(0)
    return tick_seconds(begin, facts), seconds


def standstill_note(inside: Sequence[int], clip: Clip) -> str:
    """Notices about pictures that stand still; empty if none does."""
    begin, seconds = longest_standstill(inside, clip)
    if not seconds:
        return ""
    return (
        f"its picture stands still for {float(seconds):.1f} s: its source has no other between "
        f"{float(begin):.2f} and {float(begin + seconds):.2f} s"
    )
