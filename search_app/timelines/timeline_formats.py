"""A planned timeline as text, in the format that an ending stands for.

All times are whole frames or exact fractions of the plan; only an EDL, which has one count for all, converts them.
"""

from __future__ import annotations

from collections.abc import Callable

from search_app.timelines.edl import edl_text
from search_app.timelines.fcpxml import fcpxml_text
from search_app.timelines.otio_timeline import build_timeline
from search_app.timelines.timeline import TimelinePlan
from search_app.timelines.xmeml import xmeml_text


def otio_text(plan: TimelinePlan) -> str:
    """The timeline as OpenTimelineIO's own JSON."""
    return f"{build_timeline(plan).to_json_string()}\n"


WRITERS: dict[str, Callable[[TimelinePlan], str]] = {
    ".otio": otio_text,
    ".edl": edl_text,
    ".fcpxml": fcpxml_text,
    ".xml": xmeml_text,
}
"""Writers of formats, by the ending of the file."""
