"""The plan as a CMX 3600 edit decision list: one count of 24, 25 or 30 frames a second for all of its timecodes.

An EDL does not say its rate, only whether names are dropped: a reader counts all fields alike. So a timeline of 50
or 59.94 frames a second is told in every second frame, at 25 or 29.97, and every timecode of a source of another
rate has the hours, minutes and seconds of its own name, and its frames as so many of the list's. An edge is
exact to less than a frame of the list; what a converted source really says stands in comments: `SOURCE RATE`, and
its two names in `SOURCE TIMECODE`. Lengths in source and record are always equal, as readers ask for.

Names are dropped in the whole list or nowhere: dropped names are only told if all clips begin at names that exist
there; without dropping, every name exists.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from search_app.errors import TimelineError
from search_app.timelines.reels import SHORT_REEL_LENGTH
from search_app.timelines.sources import describe_rate, one_line
from search_app.timelines.timecode import (
    DROP_RATES,
    format_timecode,
    is_dropped,
    nominal_rate,
    parse_timecode,
)
from search_app.timelines.timeline import RECORD_START_HOURS, TimelineClip, TimelinePlan, comment_of
from store.wording import n_of

MAX_EDL_EVENTS = 999
"""Event numbers of CMX 3600 have three digits."""

_COUNTS = (30, 25, 24)
_FEWEST_CHANNELS = {0: "V", 1: "B"}
_MORE_CHANNELS = "AA/V"


@dataclass(frozen=True, slots=True)
class EdlEvent:
    """An event: a clip in frames of the list.

    Args:
        clip: the clip.
        reel: its tape.
        channels: `V`, with sound `B` (one channel) or `AA/V` (two).
        source_in: its first frame, counted from 00:00:00:00.
        record_in: where it begins, in frames from the beginning of the timeline.
        n_frames: how many frames of the list it lasts, in source and record.
    """

    clip: TimelineClip
    reel: str
    channels: str
    source_in: int
    record_in: int
    n_frames: int


@dataclass(frozen=True, slots=True)
class EdlList:
    """A timeline in the one count of an EDL.

    Args:
        rate: frames per second of every timecode.
        drop: whether names are dropped.
        events: one for each clip.
    """

    rate: Fraction
    drop: bool
    events: tuple[EdlEvent, ...]

    @property
    def record_start(self) -> int:
        """Number of the first frame of the timeline, counted from timecode 00:00:00:00."""
        return parse_timecode(f"{RECORD_START_HOURS:02d}:00:00{';' if self.drop else ':'}00", self.rate)


def count_edl(plan: TimelinePlan) -> EdlList:
    """The clips of a plan in the one count of its EDL."""
    rate = edl_rate(plan.rate)
    names = [_source_name(clip, rate) for clip in plan.clips]
    drop = plan.drop and rate in DROP_RATES and not any(map(is_dropped, names))
    edges = _record_edges(plan, rate)
    events = tuple(
        EdlEvent(
            clip,
            clip.source.short_reel if plan.short_reels else clip.source.reel,
            _FEWEST_CHANNELS.get(clip.source.n_channels, _MORE_CHANNELS),
            parse_timecode(f"{name[:8]}{';' if drop else ':'}{name[9:]}", rate),
            start,
            end - start,
        )
        for clip, name, start, end in zip(plan.clips, names, edges[:-1], edges[1:], strict=True)
    )
    return EdlList(rate, drop, events)


def edl_notes(plan: TimelinePlan) -> list[str]:
    """Remarks on an EDL that counts otherwise than its sources, and on what it has no room for, for people."""
    rate = edl_rate(plan.rate)
    converted = {clip.source.name for clip in plan.clips if clip.source.rate != rate}
    notes = []
    if plan.drop and not count_edl(plan).drop:
        notes.append("the EDL drops no names: a clip begins at a name that drop-frame counting leaves out")
    if rate != plan.rate:
        notes.append(
            f"an EDL counts 24, 25 or 30 frames a second: this one counts at {describe_rate(rate)}, "
            f"its timeline runs at {describe_rate(plan.rate)}"
        )
    if converted:
        notes.append(
            f"timecodes of {n_of(len(converted), 'source')} are converted to {describe_rate(rate)}; "
            "their own stand in comments"
        )
    crowded = {clip.source.name for clip in plan.clips if clip.source.n_channels > len(_FEWEST_CHANNELS)}
    if crowded:
        names = ", ".join(sorted(crowded))
        notes.append(f"of more than two channels of sound an EDL names the first two: {names}")
    return notes


def edl_rate(rate: Fraction) -> Fraction:
    """The rate of an EDL's count for a timeline: its own, or the nearest part or multiple of it."""
    nominal = nominal_rate(rate)
    count = next((count for count in _COUNTS if nominal % count == 0 or count % nominal == 0), _COUNTS[1])
    return rate * Fraction(count, nominal)


def _record_edges(plan: TimelinePlan, rate: Fraction) -> list[int]:
    """Begins of clips, and the end of the last: the nearest frames, none of them without length."""
    edges = [0]
    for end in accumulate(clip.n_frames for clip in plan.clips):
        edges.append(max(edges[-1] + 1, math.floor(end / plan.rate * rate + Fraction(1, 2))))
    return edges


def _source_name(clip: TimelineClip, rate: Fraction) -> str:
    """The name of a clip's first frame in the list's count: of the frame that holds it."""
    source = clip.source
    name = source.timecode(clip.source_in)
    frames = int(name[9:]) * nominal_rate(rate) // nominal_rate(source.rate)
    return f"{name[:8]}:{frames:02d}"


def edl_text(plan: TimelinePlan) -> str:
    """The timeline as a CMX 3600 edit decision list.

    Raises:
        TimelineError: the format has no room for so many clips.
    """
    if len(plan.clips) > MAX_EDL_EVENTS:
        raise TimelineError(
            f"{len(plan.clips)} clips, but an EDL holds {MAX_EDL_EVENTS}: write .otio, .fcpxml or .xml"
        )
    edl = count_edl(plan)
    lines = [f"TITLE: {plan.name}", f"FCM: {'' if edl.drop else 'NON-'}DROP FRAME", ""]
    width = max(SHORT_REEL_LENGTH, *(len(event.reel) for event in edl.events))
    for number, event in enumerate(edl.events, start=1):
        lines += _event_lines(edl, number, event, width)
    return "\n".join(lines) + "\n"


def _event_lines(edl: EdlList, number: int, event: EdlEvent, width: int) -> list[str]:
    clip, source = event.clip, event.clip.source
    record_in = edl.record_start + event.record_in
    times = [
        format_timecode(first + n, edl.rate, drop=edl.drop)
        for first in (event.source_in, record_in)
        for n in (0, event.n_frames)
    ]
    lines = [
        f"{number:03d}  {event.reel:<{width}} {event.channels:<5} C        {' '.join(times)}",
        f"* FROM CLIP NAME:  {source.name}",
        f"* SOURCE FILE: {one_line(source.path).strip()}",
    ]
    if source.rate != edl.rate or source.drop is not edl.drop:
        ends = (clip.source_in, clip.source_in + clip.n_source_frames)
        names = map(source.timecode, ends)
        lines += [f"* SOURCE RATE: {source.rate}", f"* SOURCE TIMECODE: {' '.join(names)}"]
    if comment := comment_of(clip):
        lines.append(f"* COMMENT: {one_line(comment)}")
    if clip.note:
        inside = (clip.marker - clip.source_in) * event.n_frames // clip.n_source_frames
        lines.append(f"* LOC: {format_timecode(record_in + inside, edl.rate, drop=edl.drop)} GREEN   {clip.note}")
    return [*lines, ""]
