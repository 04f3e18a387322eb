"""Timelines of mixed sources are read by programs that are not ours: rates, channels and names come back."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pytest

from search_app.cutting.cut_list import CutList
from search_app.timelines.fcpxml import fcpxml_text
from search_app.timelines.timeline import TimelinePlan, plan_timeline
from search_app.timelines.timeline_export import compare_timeline
from search_app.timelines.timeline_formats import WRITERS
from search_app.timelines.xmeml import xmeml_text
from tests.golden.write_timelines import clip_of

NTSC = Fraction(30_000, 1001)
SOURCES: tuple[tuple[str, Fraction, str | None, tuple[int, ...]], ...] = (
    ("stereo take 1.mov", Fraction(24_000, 1001), "01:00:00:00", (2,)),
    ("Zoë & 東京.mov", Fraction(25), "10:00:00:24", (1,)),
    ("drop.mov", NTSC, "00:59:59;28", (1, 1)),
    ("PAL 50.mov", Fraction(50), None, ()),
    ("A001_C004_0101XY.mov", 2 * NTSC, "09:59:59:59", (6,)),
    ("lapse.mov", Fraction(1), None, ()),
)


def mixed_plan(rates: Fraction | None = None) -> TimelinePlan:
    """One clip of each source, all of one rate if that is given."""
    clips = [
        clip_of(f"/my footage/{name}", rates or rate, None if rates else start, 7, 40, sound=bool(of), channels=of)
        for name, rate, start, of in SOURCES
    ]
    return plan_timeline(CutList(tuple(clips)), "mixed")


@pytest.mark.parametrize("ending", WRITERS)
def test_a_mixed_timeline_is_read_back(ending: str) -> None:
    """By all readers that we have."""
    plan = mixed_plan()
    compare_timeline(plan, WRITERS[ending](plan), Path(f"x{ending}"))


def test_final_cut_7_xml_has_a_track_for_every_channel() -> None:
    """Six tracks, on each the clips that have so many channels, at the places of their pictures."""
    plan = mixed_plan()
    timeline = otio.adapters.read_from_string(xmeml_text(plan), "fcp_xml")
    (pictures,) = timeline.video_tracks()
    places = {clip.name: clip.range_in_parent().start_time.to_seconds() for clip in pictures.find_clips()}
    assert [name for name, *_ in SOURCES] == list(places)
    heard: Counter[str] = Counter()
    for track in timeline.audio_tracks():
        for clip in track.find_clips():
            heard[clip.name] += 1
            assert places[clip.name] == pytest.approx(clip.range_in_parent().start_time.to_seconds(), abs=1e-6)
    assert {name: sum(of) for name, _, _, of in SOURCES if of} == heard
    assert 6 == len(timeline.audio_tracks())


def test_fcpxml_is_read_at_a_whole_rate() -> None:
    """The adapter counts whole rates only; names, frames and sources come back."""
    plan = mixed_plan(Fraction(50))
    (timeline,) = otio.adapters.read_from_string(fcpxml_text(plan), "fcpx_xml")
    clips = list(timeline.find_clips())
    assert [(clip.source.name, 7, 40) for clip in plan.clips] == [
        (clip.name, clip.source_range.start_time.value, clip.source_range.duration.value) for clip in clips
    ]
