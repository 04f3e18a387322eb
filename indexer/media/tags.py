"""Tags of a video file: recording time, start timecode, tape.

Tags are written by anybody; what cannot be understood says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction

# Phones write their local time into the first, and the time in Greenwich into the second.
_CREATION_TAGS = ("com.apple.quicktime.creationdate", "creation_time")
_CLOCK_NEVER_SET = 1980
_TIMECODE = re.compile(r"(\d\d:[0-5]\d:[0-5]\d)([:;.,])(\d\d\d?)")
_SAMPLES = re.compile(r"[0-9]{1,15}")
_DAY_SECONDS = 24 * 60 * 60


def read_recorded_at(tags: Mapping[str, str]) -> str | None:
    """Recording time by a file's tags, ISO 8601; None where they have none, or the clock was never set."""
    for name in _CREATION_TAGS:
        try:
            recorded = datetime.fromisoformat(tags.get(name, "").strip())
        except ValueError:
            continue
        if recorded.year > _CLOCK_NEVER_SET:
            return recorded.isoformat(timespec="seconds")
    return None


def read_start_timecode(tags: Mapping[str, str]) -> str | None:
    """The timecode of the first frame, `;` before the frames where it drops numbers; None where there is none.

    Whether it fits the frame rate is for whoever counts frames to say.
    """
    for name, value in tags.items():
        if name.lower() == "timecode" and (found := _TIMECODE.fullmatch(value.strip())):
            return f"{found[1]}{':' if found[2] == ':' else ';'}{found[3]}"
    return None


def read_reel_name(tags: Mapping[str, str]) -> str | None:
    """The name of the tape or card, None where there is none."""
    return next(
        (value.strip() for name, value in tags.items() if name.lower() == "reel_name" and value.strip()), None
    )


def read_sound_timecode(
    tags: Mapping[str, str], sample_rate: int, frame_rate: Fraction, picture_delay: Fraction
) -> str | None:
    """The timecode of the first frame by the clock of the sound recorder, numbers not dropped; None without one.

    Broadcast Wave (EBU Tech 3285) counts samples from midnight to the first one, as `time_reference`; programs
    that put such sound beside pictures keep the tag.

    Args:
        tags: of the file or the sound.
        sample_rate: samples per second.
        frame_rate: frames per second.
        picture_delay: seconds from the first sample to the first frame.
    """
    found = next((value.strip() for name, value in tags.items() if name.lower() == "time_reference"), "")
    if not _SAMPLES.fullmatch(found):
        return None
    since_midnight = Fraction(int(found), sample_rate) + picture_delay
    if not 0 < since_midnight < _DAY_SECONDS:  # 0 is written by programs that have no clock
        return None
    seconds, frames = divmod(round(since_midnight * frame_rate), max(1, round(frame_rate)))
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}:{frames:02d}"
