"""FFmpeg's printed description of streams, where PyAV hands out nothing, or what breaks it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_STREAM = re.compile(r"  Stream #\d+:(\d+)\b.*")
_LAYOUT = re.compile(r".*: Audio: .*, \d+ Hz, ([^,]+?)(?:,.*)?")
_COUNTED = re.compile(r"(\d{1,3}) channels?\b.*")

Described = Mapping[int, Sequence[str]]
"""The lines of each stream, by its index."""


def describe_streams(container: Any) -> Described:
    """FFmpeg's description of each stream of an open file, its side data included."""
    import av.logging

    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        text = container.dumps_format()
    finally:
        av.logging.set_level(level)
    described: dict[int, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if stream := _STREAM.fullmatch(line):
            lines = described.setdefault(int(stream[1]), [])
        lines.append(line)
    return described


def count_channels(lines: Sequence[str]) -> int:
    """Number of channels of a sound stream, 0 where that is not said.

    PyAV is not asked: its copy of a layout whose channels have no names, or unusual ones, frees memory twice.
    """
    found = next(filter(None, map(_LAYOUT.fullmatch, lines)), None)
    if found is not None and (counted := _COUNTED.fullmatch(found[1])):
        return int(counted[1])
    return len(channel_names(lines))


def channel_names(lines: Sequence[str]) -> tuple[str, ...]:
    """FFmpeg's names of the channels of a sound stream, such as `FL` and `FR`; empty where they have none."""
    from av import AudioLayout

    found = next(filter(None, map(_LAYOUT.fullmatch, lines)), None)
    if found is None or _COUNTED.fullmatch(found[1]):
        return ()
    try:
        return tuple(channel.name for channel in AudioLayout(found[1]).channels)  # of names that FFmpeg has: safe
    except ValueError:
        return ()
