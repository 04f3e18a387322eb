"""Promises of a file's header, compared with its content."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import Any

from indexer.media.limits import MAX_DURATION

_PROMISING = frozenset({"mov", "matroska", "flv", "mxf", "ivf"})
"""Containers of which the demuxer tells the length that their header says. Of others it tells what is there."""

_SLACK = Fraction(1, 2)
_MICROSECONDS = 1_000_000

_ASF_HEAD_BYTES = 1 << 16
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_FIELDS = struct.Struct("<48xQ8xQI")  # after the object's id: duration in 100 ns, preroll in ms, flags
_ASF_IS_BROADCAST = 1


def promised_seconds(container: Any, stream: Any, path: str) -> Fraction | None:
    """Length that the header of an open file says, None where it says nothing.

    Args:
        container: the open file.
        stream: its video.
        path: where it lies.
    """
    name = str(container.format.name).partition(",")[0]
    rate = stream.average_rate
    if name == "avi":  # the demuxer shortens the length to what is there, but not the number of frames
        return Fraction(stream.frames) / Fraction(rate.numerator, rate.denominator) if rate else None
    if name == "asf":
        return _asf_seconds(path)
    if name in _PROMISING and container.duration:
        return Fraction(container.duration, _MICROSECONDS)
    return None


def broken_promise(promised: Fraction | None, there: Fraction) -> str:
    """One line if a header promises more than there is, else empty.

    Args:
        promised: length in seconds that the header says, None where it says nothing.
        there: where the last packet of any track ends, in seconds from the start.
    """
    if promised is None or promised > MAX_DURATION:  # more than a day is a lie, not a promise
        return ""
    return f"the header says {_text(promised)} s, {_text(there)} s are there" if promised - there > _SLACK else ""


def _asf_seconds(path: str) -> Fraction | None:
    """Length of a Windows Media file by its File Properties Object; the demuxer drops it from files cut short."""
    with open(path, "rb") as file:  # noqa: PTH123  # Path would say nothing more
        head = file.read(_ASF_HEAD_BYTES)
    found = head.find(_ASF_PROPERTIES)
    fields = head[found + len(_ASF_PROPERTIES) :] if found >= 0 else b""
    if len(fields) < _ASF_FIELDS.size:
        return None
    duration, preroll, flags = _ASF_FIELDS.unpack_from(fields)
    if flags & _ASF_IS_BROADCAST:
        return None
    return Fraction(duration, 10_000_000) - Fraction(preroll, 1000)


def _text(seconds: Fraction) -> str:
    return f"{float(seconds):.1f}".removesuffix(".0")
