"""Stream format inside one clip, where it differs from the source's first picture.

One picture of each source is looked at before anything is encoded. Broadcasts and edited files change midway:
fields after whole pictures, full range after limited. Every frame that is decoded says how it is stored, so it is
known after a clip was cut, at no cost; where it matters, the clip is cut once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from search_app.conforming.colours import HIGH_RANGE, matrix_of
from search_app.conforming.source_frames import UNNAMED, FrameLog, Storage
from store.records import VideoFacts

COLOURS = ("color_range", "matrix", "primaries", "transfer")
_NAMES = dict(zip(COLOURS, ("range", "matrix", "primaries", "curve"), strict=True))
_CHANGEABLE = ("interlaced", "pixel_format", *COLOURS, "changes")


def clip_look(log: FrameLog, look: FrameLog, inside: Sequence[int], facts: VideoFacts) -> FrameLog:
    """Stream format inside a clip.

    Args:
        log: what the frames said while the clip was cut.
        look: how the source is stored elsewhere, and all that does not change within a file.
        inside: time stamps of the clip's frames, in order.
        facts: of the source.
    """
    ends = [*(tick for tick, _ in log.runs[1:]), inside[-1] + 1]
    runs = zip(log.runs, ends, strict=False)  # without runs nothing was told
    kinds = [kind for (tick, kind), end in runs if tick <= inside[-1] and end > inside[0]]
    if not kinds:
        return look
    told = {name: _told(name, kinds, look) for name in COLOURS}
    changes = {
        name: list(dict.fromkeys(values))
        for name, values in told.items()
        if any(_meaning(name, one, facts) != _meaning(name, other, facts) for one, other in pairwise(values))
    }
    return replace(
        look,
        **named_colours(kinds, look),
        # Whole pictures pass the filter for fields unchanged, and opaque ones that for transparency.
        interlaced=look.interlaced or any(kind.interlaced for kind in kinds),
        pixel_format=_widest(look, kinds),
        changes=changes,
    )


def named_colours(kinds: Sequence[object], look: FrameLog) -> dict[str, Any]:
    """The first name of each kind that pictures give their colours, else the name that their file gives."""
    told = {name: _told(name, kinds, look) for name in COLOURS}
    return {name: next((one for one in values if one not in UNNAMED), values[0]) for name, values in told.items()}


def _told(name: str, kinds: Sequence[object], look: FrameLog) -> list[str]:
    of_file = look.file_colors[COLOURS.index(name)]
    return [of_file if value in UNNAMED else value for value in (getattr(kind, name) for kind in kinds)]


def _meaning(name: str, value: str, facts: VideoFacts) -> object:
    """A player's reading of a name: equal readings need the same conversion."""
    if name == "color_range":
        return value == "pc"
    if name == "matrix":
        return matrix_of(facts, value)
    if name == "transfer":
        return HIGH_RANGE.get(value)
    return "bt709" if value in UNNAMED else value


def _widest(look: FrameLog, kinds: Sequence[Storage]) -> str:
    formats = [kind.pixel_format for kind in kinds]
    return next((name for name in formats if replace(look, pixel_format=name).is_transparent), formats[0])


def differences(own: FrameLog, look: FrameLog) -> dict[str, Any]:
    """Changes of a source's format that give a clip's own; JSON can hold them."""
    return {name: getattr(own, name) for name in _CHANGEABLE if getattr(own, name) != getattr(look, name)}


def change_note(own: FrameLog) -> str:
    """Notices about colours that change in the middle of a clip; empty if they do not."""
    if not own.changes:
        return ""
    named = "; ".join(f"{_NAMES[name]}: {', '.join(values)}" for name, values in own.changes.items())
    return f"how its pictures are stored changes in mid clip ({named}): see whether its colours are right"
