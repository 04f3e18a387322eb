"""The first timecode of QuickTime's timecode track, where FFmpeg does not tell it.

FFmpeg refuses a track that says to drop numbers at a rate that drops none. The number of the first frame stands
all the same; only the flag means nothing.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av.error

_NUMBER_BYTES = 4
_CONTAINER = "mov"
_HANDLER = "timecode"


def read_timecode_track(container: Any, frame_rate: Fraction) -> str | None:
    """The timecode of the first frame, numbers not dropped; None without such a track.

    Args:
        container: an open file of which nothing has been read.
        frame_rate: frames per second of the pictures, after which the track is taken to count.
    """
    if _CONTAINER not in str(container.format.name).split(","):
        return None
    tracks = [stream for stream in container.streams if stream.type == "data" and _is_timecode(stream.metadata)]
    for track in tracks:
        number = _first_number(container, track)
        if number is not None:
            return _name_of(number, max(1, round(frame_rate)))
    return None


def _is_timecode(tags: Any) -> bool:
    handler = str(tags.get("handler_name", "")).lower().replace(" ", "")
    return _HANDLER in handler


def _first_number(container: Any, track: Any) -> int | None:
    try:
        packet = next(packet for packet in container.demux(track) if packet.size)
    except (StopIteration, av.error.FFmpegError):
        return None
    data = bytes(packet)
    return int.from_bytes(data, "big") if len(data) == _NUMBER_BYTES else None


def _name_of(number: int, names_a_second: int) -> str | None:
    seconds, frames = divmod(number, names_a_second)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}:{frames:02d}" if hours < 24 else None
