"""How a clip's own frames say that they are stored, against what was seen of their source first."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from search_app.conforming.source_frames import FrameLog, Storage
from search_app.conforming.stream_format import change_note, clip_look, differences
from store.records import VideoFacts
from store.timespan import TimeSpan

SPAN = TimeSpan(Fraction(0), Fraction(9))
FACTS = VideoFacts("mov", "h264", 640, 360, 0, None, Fraction(1, 25), Fraction(0), SPAN, 225, True)
PLAIN = Storage(
    interlaced=False,
    pixel_format="yuv420p",
    color_range="unknown",
    matrix="unknown",
    primaries="unknown",
    transfer="unknown",
)
LOOK = FrameLog([0], pixel_format="yuv420p", runs=[(0, PLAIN)])


def seen(*runs: tuple[int, Storage]) -> FrameLog:
    """The look of a clip of frames 10 to 19, of which these were told."""
    return clip_look(FrameLog(runs=list(runs)), LOOK, range(10, 20), FACTS)


@pytest.mark.parametrize("runs", [(), ((0, PLAIN),), ((0, replace(PLAIN, color_range="pc")), (10, PLAIN))])
def test_what_lies_outside_a_clip_does_not_matter(runs: tuple[tuple[int, Storage], ...]) -> None:
    """A clip whose frames are stored as was seen first is cut once, whatever comes before it."""
    assert LOOK == seen(*runs)
    assert {} == differences(seen(*runs), LOOK)


def test_a_clip_has_the_look_of_its_own_frames() -> None:
    """What begins before the clip and lasts through it is told as the difference from the first look."""
    full = replace(PLAIN, color_range="pc", interlaced=True)
    own = seen((0, PLAIN), (10, full), (20, PLAIN))
    assert {"color_range": "pc", "interlaced": True} == differences(own, LOOK)
    assert own == replace(LOOK, **differences(own, LOOK))
    assert "" == change_note(own)


@pytest.mark.parametrize(
    ("told", "note"),
    [
        ({"color_range": "tv", "matrix": "smpte170m", "primaries": "bt709", "transfer": "bt709"}, ""),
        ({"color_range": "pc"}, "range: unknown, pc"),
        ({"matrix": "bt709"}, "matrix: unknown, bt709"),
        ({"transfer": "smpte2084"}, "curve: unknown, smpte2084"),
        ({"interlaced": True}, ""),
    ],
)
def test_only_a_change_of_meaning_within_a_clip_is_told(told: dict[str, str], note: str) -> None:
    """Frames that name what untagged ones are taken for anyway need nothing else; others do."""
    own = seen((0, PLAIN), (15, replace(PLAIN, **told)))  # type: ignore[arg-type]
    assert note in change_note(own)
    assert bool(note) == bool(own.changes)
    kept = json.loads(json.dumps(differences(own, LOOK)))  # as the record of an interrupted render holds it
    assert own == replace(LOOK, **kept)


def test_frames_that_say_nothing_are_what_their_file_says() -> None:
    """ProRes names its colours in the file alone; a cut of it is not made twice."""
    named = replace(LOOK, matrix="bt709", file_colors=("unknown", "bt709", "unknown", "unknown"))
    assert named == clip_look(FrameLog(runs=[(0, PLAIN)]), named, range(10, 20), FACTS)
