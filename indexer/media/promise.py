"""What a file's header promises, compared with what is there."""

from __future__ import annotations

from fractions import Fraction

from indexer.media.limits import MAX_DURATION

_PROMISING = frozenset({"mov", "matroska", "avi", "flv", "asf", "mxf", "ivf"})
"""Containers whose length is written in a header; of others the demuxer guesses it from what is there."""

_SLACK = Fraction(1, 2)


def broken_promise(container: str, promised: Fraction | None, there: Fraction) -> str:
    """One line if a header promises more than there is, else empty.

    Args:
        container: short name of the container format.
        promised: length in seconds that the header says, None where it says nothing.
        there: where the last packet of any track ends, in seconds from the start.
    """
    if container not in _PROMISING or promised is None or promised > MAX_DURATION:
        return ""  # more than a day is a lie, not a promise
    if promised - there <= _SLACK:
        return ""
    return f"the header says {_seconds(promised)} s, {_seconds(there)} s are there"


def _seconds(value: Fraction) -> str:
    return f"{float(value):.1f}".removesuffix(".0")
