"""Values of cut list commands: places, edges, ranges."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from search_app.errors import QueryError

if TYPE_CHECKING:
    from store.records import VideoFacts

_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")
_ENDS = ("first", "last")
_FRAMES = re.compile(r"(\d{1,12})f")
_TIMECODE = re.compile(r"\d\d:\d\d:\d\d[:;]\d\d\d?")

EDGE_HELP = """
\b
  +12f  -0.5s  +2  +1:02     frames or seconds from where the edge is now
  300f  12.5s  62.5  1:02.5  frames or seconds from the source's first picture
  10:00:04:12  10:00:04;12   the source's own timecode; with ; where names are dropped
"""


def parse_places(text: str, n_clips: int) -> list[int]:
    """Places of clips, from 1, in the order named: `3`, `3-5`, `5-3`, `1,4,7-9`, `all`, `first`, `last`.

    Raises:
        QueryError: it names none, or one that is not there.
    """
    places: list[int] = []
    for part in text.replace(" ", "").split(","):
        match = _RANGE.fullmatch(part)
        if part == "all":
            places += range(1, n_clips + 1)
        elif part in _ENDS and n_clips:
            places.append(1 if part == "first" else n_clips)
        elif match:
            first, last = int(match[1]), int(match[2] or match[1])
            if not (1 <= first <= n_clips and 1 <= last <= n_clips):
                raise QueryError(f"there is no place {part}: the cut list has {n_clips}")
            places += range(first, last + 1) if first <= last else range(first, last - 1, -1)
        else:
            raise QueryError(f"{text!r} names no places; write 3, 3-5, 1,4,7-9, first, last or all")
    return list(dict.fromkeys(places))


def parse_place(text: str, n_clips: int) -> int:
    """The place of one clip, from 1: `3`, `first`, `last`.

    Raises:
        QueryError: it is none, or not there.
    """
    if text not in _ENDS and not text.isdecimal():
        raise QueryError(f"{text!r} names no place; write a number, first or last")
    return parse_places(text, n_clips)[0]


def parse_edge(text: str, facts: VideoFacts, now: int) -> int:
    """The number of a frame of a source, from 0.

    Args:
        text: `+12f`, `-0.5s`, `+1:02`: so much later or earlier than now; `1:02.5`, `62.5`, `1562f`: from the
            beginning of the source; `10:00:04:12`, or `10:00:04;12` with dropped names: its timecode.
        facts: of the source.
        now: the frame that counts now.

    Raises:
        QueryError: it is none of that.
    """
    text = text.strip()
    if _TIMECODE.fullmatch(text):
        return _named_frame(text, facts)
    sign = {"+": 1, "-": -1, "\u2212": -1}.get(text[:1], 0)
    n_frames = _length_in_frames(text[1:] if sign else text, facts)
    return now + sign * n_frames if sign else n_frames


def parse_length(text: str, facts: VideoFacts) -> int:
    """A length in frames of a source: `2s`, `48f`.

    Raises:
        QueryError: it is none, or less than half a frame.
    """
    n_frames = _length_in_frames(text.strip(), facts)
    if not n_frames:
        raise QueryError(f"a length of {text} is no frame: give one of 1f or more")
    return n_frames


def parse_time(text: str, facts: VideoFacts) -> Fraction:
    """An exact time of a source: on a frame for frames and timecode, to the millisecond for seconds."""
    if _TIMECODE.fullmatch(text) or _FRAMES.fullmatch(text):
        return facts.span.start + parse_edge(text, facts, 0) / _rate(facts)
    return _seconds(text)


def _length_in_frames(text: str, facts: VideoFacts) -> int:
    frames = _FRAMES.fullmatch(text)
    if frames:
        return int(frames[1])
    try:
        seconds = _seconds(text)
    except QueryError as error:
        raise QueryError(
            f"{text!r} is no time; write 12f, 0.5s, 1:02.5 or 10:00:04:12, with + or - from now"
        ) from error
    return round(seconds * _rate(facts))


def _seconds(text: str) -> Fraction:
    from search_app.query.values import parse_seconds

    return Fraction(str(parse_seconds(text, 0)))


def _named_frame(text: str, facts: VideoFacts) -> int:
    """The frame of that name: names are counted at the source's rate, frames as often as there are any."""
    from search_app.frame_rates import source_rate
    from search_app.timelines.timecode import as_counted, parse_timecode

    rate = source_rate(facts)
    start = facts.start_timecode or "00:00:00:00"
    try:
        named, first = (parse_timecode(as_counted(one, rate), rate) for one in (text, start))
    except ValueError as error:
        raise QueryError(str(error)) from error
    return round((named - first) * _rate(facts) / rate)


def _rate(facts: VideoFacts) -> Fraction:
    from search_app.frame_rates import mean_rate

    return mean_rate(facts)
