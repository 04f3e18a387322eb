"""EDLs are valid CMX 3600 for readers that are not ours, whatever rates meet: one count, every name exists."""

from __future__ import annotations

import io
import itertools
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pycmx
import pytest

from search_app.cutting.cut_list import Clip, CutList
from search_app.frame_rates import PROGRAM_RATES
from search_app.timelines.edl import count_edl, edl_notes, edl_rate, edl_text
from search_app.timelines.timeline import TimelinePlan, plan_timeline
from search_app.timelines.timeline_export import compare_timeline
from tests.golden.write_timelines import clip_of

NTSC = Fraction(30_000, 1001)
NAMES = ("A001_C004_0101XY", "my clip", "東京", "Zoë", "b" * 40, "BL")
SOURCES = [
    *((rate, "10:59:58:05") for rate in PROGRAM_RATES),
    *((rate, "10:59:58;05") for rate in (NTSC, 2 * NTSC)),
    *((rate, "10:59:58:00") for rate in (Fraction(1), Fraction(20), Fraction(240), Fraction(15_000, 1001))),
]
COUNTINGS = [*((rate, False) for rate in PROGRAM_RATES), (NTSC, True), (2 * NTSC, True)]


def mixed_plan(
    counting: tuple[Fraction, bool] | None, pieces: Sequence[tuple[int, int]] = ((7, 33),)
) -> TimelinePlan:
    """Clips of every rate, mono, stereo, 5.1 and silent, with difficult names."""
    clips: list[Clip] = []
    for number, (rate, start) in enumerate(SOURCES):
        channels = ((1,), (2,), (6,), (1, 1))[number % 4]
        path = f"/footage/{NAMES[number % len(NAMES)]} {number}.mov"
        clips += [clip_of(path, rate, start, *piece, sound=number % 5 > 0, channels=channels) for piece in pieces]
    return plan_timeline(CutList(tuple(clips)), "everything", counting=counting)


def events_of(text: str) -> list[pycmx.Edit]:
    """The events as pycmx reads them."""
    edl = pycmx.parse_cmx3600(io.StringIO(text))
    assert {""} == {statement.content for statement in edl.unrecognized_statements}  # empty lines
    return [edit for event in edl.events for edit in event.edits]


def parts_of(name: str) -> tuple[int, int, int, int]:
    """Hours, minutes, seconds and frames of a timecode."""
    hours, minutes, seconds, frames = (int(part) for part in name.replace(";", ":").split(":"))
    return hours, minutes, seconds, frames


@pytest.mark.parametrize("counting", COUNTINGS, ids=lambda one: f"{float(one[0]):.5g}{'df' if one[1] else ''}")
def test_every_timecode_exists_in_the_one_count(counting: tuple[Fraction, bool]) -> None:
    """Frames are below the count, no dropped name is told under DROP FRAME, and events touch."""
    plan = mixed_plan(counting)
    text = edl_text(plan)
    compare_timeline(plan, text, Path("x.edl"))
    count = round(edl_rate(counting[0]))
    assert count in (24, 25, 30)
    (mode,) = [line for line in text.splitlines() if line.startswith("FCM:")]
    drop = mode == "FCM: DROP FRAME"
    edits = events_of(text)
    assert len(SOURCES) == len(edits)
    for edit in edits:
        for name in (edit.source_in, edit.source_out, edit.record_in, edit.record_out):
            hours, minutes, seconds, frames = parts_of(name)
            assert name[8] == (";" if drop else ":")
            assert hours < 24 and minutes < 60 and seconds < 60 and frames < count
            assert not (drop and seconds == 0 and minutes % 10 and frames < 2)
    assert [edit.record_out for edit in edits[:-1]] == [edit.record_in for edit in edits[1:]]


@pytest.mark.parametrize("counting", COUNTINGS, ids=lambda one: f"{float(one[0]):.5g}{'df' if one[1] else ''}")
def test_edges_are_exact_to_less_than_a_frame(counting: tuple[Fraction, bool]) -> None:
    """A source begins at its own second and so many frames of the count, the record where the plan has it."""
    plan = mixed_plan(counting)
    edl = count_edl(plan)
    for clip, edit in zip(plan.clips, events_of(edl_text(plan)), strict=True):
        own, told = parts_of(clip.source.timecode(clip.source_in)), parts_of(edit.source_in)
        assert own[:3] == told[:3]
        places = Fraction(own[3], round(clip.source.rate)), Fraction(told[3], round(edl.rate))
        assert 0 <= places[0] - places[1] < Fraction(1, round(edl.rate))
    for clip, event in zip(plan.clips, edl.events, strict=True):
        assert abs(clip.record_in / plan.rate - event.record_in / edl.rate) < 1 / edl.rate
        assert abs(clip.n_source_frames / clip.source.rate - event.n_frames / edl.rate) <= (
            1 / edl.rate + 1 / plan.rate + 1 / clip.source.rate
        )


@pytest.mark.parametrize("counting", COUNTINGS, ids=lambda one: f"{float(one[0]):.5g}{'df' if one[1] else ''}")
def test_opentimelineio_reads_every_event(counting: tuple[Fraction, bool]) -> None:
    """Lengths in source and record are equal, as its reader asks for, and names and reels come back."""
    plan = mixed_plan(counting, pieces=((7, 33), (34, 35), (100, 133)))
    rate = edl_rate(plan.rate)
    timeline = otio.adapters.read_from_string(edl_text(plan), "cmx_3600", rate=float(rate))
    clips = list(timeline.video_tracks()[0].find_clips())
    assert [(clip.source.name, clip.source.reel) for clip in plan.clips] == [
        (clip.name, clip.metadata["cmx_3600"]["reel"]) for clip in clips
    ]
    first, second = (
        [clip for track in timeline.audio_tracks() if track.name == name for clip in track.find_clips()]
        for name in ("A1", "A2")
    )
    assert len(first) == sum(clip.source.n_channels > 0 for clip in plan.clips)
    assert len(second) == sum(clip.source.n_channels > 1 for clip in plan.clips)


def test_channels_are_those_of_the_source() -> None:
    """Silent `V`, one channel `B`, two and more `AA/V`; of more than two it is said."""
    counts = ((), (1,), (2,), (1, 1), (6,))
    clips = [
        clip_of(f"/m/{n}.mov", Fraction(25), None, 0, 5, sound=bool(of), channels=of)
        for n, of in enumerate(counts)
    ]
    plan = plan_timeline(CutList(tuple(clips)), "x")
    edits = events_of(edl_text(plan))
    heard = [(edit.channels.v, edit.channels.a1, edit.channels.a2) for edit in edits]
    assert [(True, len(of) > 0, sum(of) > 1) for of in counts] == heard
    assert ["of more than two channels of sound an EDL names the first two: 4.mov"] == edl_notes(plan)


def test_a_name_that_is_not_dropped_makes_the_list_non_drop() -> None:
    """A clip that begins at a name which drop-frame counting leaves out is told by it all the same."""
    dropping = [clip_of(f"/m/{n}.mov", NTSC, "01:00:00;00", 0, 90, sound=False) for n in range(2)]
    plain = clip_of("/m/plain.mov", NTSC, "01:00:59:29", 1, 30, sound=False)
    plan = plan_timeline(CutList((*dropping, plain)), "x")
    assert plan.drop
    text = edl_text(plan)
    assert "FCM: NON-DROP FRAME" in text.splitlines()
    assert "01:01:00:00 01:01:01:00" in text
    compare_timeline(plan, text, Path("x.edl"))
    assert any("drops no names" in note for note in edl_notes(plan))


def test_short_reels_are_asked_for() -> None:
    """Up to 32 characters stand as they are; the strict form has eight, in upper case, each its own."""
    names = ("A001_C004_0101XY", "A001_C004_0102ZZ", "clip-a")
    clips = [clip_of(f"/m/{name}.mov", Fraction(25), None, 0, 5, sound=True) for name in names]
    whole = plan_timeline(CutList(tuple(clips)), "x")
    assert [*names] == [edit.source for edit in events_of(edl_text(whole))]
    strict = replace(whole, short_reels=True)
    compare_timeline(strict, edl_text(strict), Path("x.edl"))
    reels = [edit.source for edit in events_of(edl_text(strict))]
    assert 3 == len({*reels})
    assert {True} == {reel.isupper() and len(reel) <= 8 for reel in reels}


def test_many_short_clips_do_not_drift() -> None:
    """Clips of five frames at 59.94, each two and a half of the list's, end where the timeline ends."""
    clips = [clip_of("/m/a.mov", 2 * NTSC, None, n, 5, sound=False) for n in range(200)]
    plan = plan_timeline(CutList(tuple(clips)), "x")
    edl = count_edl(plan)
    last = edl.events[-1]
    assert (1000, 500) == (plan.n_frames, last.record_in + last.n_frames)
    assert all(one.record_in + one.n_frames == two.record_in for one, two in itertools.pairwise(edl.events))
