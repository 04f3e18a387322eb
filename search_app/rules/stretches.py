"""Sets of time: sorted spans that neither touch nor overlap, and what joins, meets and takes away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TypeAlias

from store.timespan import TimeSpan

Stretches: TypeAlias = tuple[TimeSpan, ...]
"""Spans in order of time, apart from each other."""


def join(spans: Iterable[TimeSpan]) -> Stretches:
    """All time that any of some spans covers."""
    joined: list[TimeSpan] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            joined[-1] = TimeSpan(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return tuple(joined)


def meet(one: Sequence[TimeSpan], other: Sequence[TimeSpan]) -> Stretches:
    """All time that both cover."""
    starts_and_ends = ((max(a.start, b.start), min(a.end, b.end)) for a in one for b in other if a.overlaps(b))
    return join(TimeSpan(start, end) for start, end in starts_and_ends)


def take_away(one: Sequence[TimeSpan], other: Sequence[TimeSpan]) -> Stretches:
    """All time of the first that the second does not cover."""
    left: list[TimeSpan] = []
    gone = join(other)
    for span in join(one):
        at = span.start
        for hole in gone:
            if not hole.overlaps(span):
                continue
            if at < hole.start:
                left.append(TimeSpan(at, hole.start))
            at = max(at, hole.end)
        if at < span.end:
            left.append(TimeSpan(at, span.end))
    return tuple(left)


def length(spans: Iterable[TimeSpan]) -> Fraction:
    """Seconds that spans cover which lie apart, exact."""
    return sum((span.duration for span in spans), Fraction(0))
