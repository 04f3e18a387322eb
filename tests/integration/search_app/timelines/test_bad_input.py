"""Whatever names, texts, clips and targets come: a timeline says them as they are, or one line says why not."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from search_app.cutting.cut_list import Clip, CutList
from search_app.errors import TimelineError
from search_app.timelines.timeline import TimelinePlan, plan_timeline
from search_app.timelines.timeline_export import export_timeline
from search_app.timelines.timeline_formats import WRITERS
from store.timespan import TimeSpan
from tests.golden.write_timelines import N_FRAMES, clip_of

HOSTILE = (
    "line one\nline two\r\n001  AX  V  C  00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00.mov",
    'it\'s "quoted" & <b>bold</b> ]]> <!-- &amp; %00 %s %{pts} $(id) `id` ; [in] \\.mov',
    "\u202egnp.\u05e9\u05dc\u05d5\u05dd.mov",
    "family \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f3ac.mov",
    "a\u3000b\u00a0c\u2028d\x85e\x0bf\x00g\ufffeh.mov",
    os.fsdecode(b"latin\xe9 \xff\xfe.mov"),
    "* FROM CLIP NAME: x.mov",
    "..",
)
RATE = Fraction(25)


def piece(first: int, n_frames: int, name: str = "a.mov") -> Clip:
    """A clip of a made-up file."""
    return clip_of(f"/footage/{name}", RATE, "01:00:00:00", first, n_frames, sound=True)


def plan_of(*clips: Clip, text: str = "x") -> TimelinePlan:
    """The plan of these clips, with the text wherever there is one."""
    captions = {shot: text for clip in clips for shot in clip.shot_ids}
    return plan_timeline(CutList(clips), text, question=text, captions=captions)


@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize("hostile", HOSTILE)
def test_names_and_texts_are_only_names_and_texts(hostile: str, ending: str, tmp_path: Path) -> None:
    """No sign ends a line, an element or a field; the address is the file's name byte for byte."""
    plan = plan_of(piece(0, 5, hostile), piece(3, 9), text=hostile)
    target = tmp_path / f"out{ending}"
    export_timeline(plan, target)
    assert os.fsencode(f"/footage/{hostile}") == unquote_to_bytes(plan.clips[0].source.url.removeprefix("file://"))
    assert [target.name] == [path.name for path in tmp_path.iterdir()]


def test_signs_that_can_be_written_are_kept() -> None:
    """Joined emoji, text from right to left and wide spaces stand in names as they do on the disk."""
    names = [plan_of(piece(0, 5, name)).clips[0].source.name for name in HOSTILE[2:4]]
    assert [*HOSTILE[2:4]] == names


@pytest.mark.parametrize("ending", WRITERS)
def test_overlapping_repeated_and_one_frame_clips_are_written_as_they_are(ending: str, tmp_path: Path) -> None:
    """A cut list may show the same twice, in any order, and a single frame."""
    plan = plan_of(piece(10, 30), piece(20, 30), piece(20, 30), piece(0, 1), piece(N_FRAMES - 1, 1))
    export_timeline(plan, tmp_path / f"x{ending}")
    assert [(90_010, 30), (90_020, 30), (90_020, 30), (90_000, 1), (90_499, 1)] == [
        (clip.source_in, clip.n_frames) for clip in plan.clips
    ]


def test_a_clip_past_the_end_is_refused_or_shortened() -> None:
    """What has no picture cannot be written; what runs over the end ends with it, and that is said."""
    clip = piece(490, 10)
    beyond = replace(clip, span=TimeSpan(Fraction(20), Fraction(21)))
    with pytest.raises(
        TimelineError, match=r"clip 2 lies at 20.000 s, but /footage/a.mov has pictures from 0.000"
    ):
        plan_of(clip, beyond)
    plan = plan_of(replace(clip, span=TimeSpan(Fraction(490, 25), Fraction(22))))
    assert (10, 90_490) == (plan.clips[0].n_frames, plan.clips[0].source_in)
    assert "1 clip runs over the end of its source and ends with it: clip 1, a.mov (2.000 s)" in plan.notes


@pytest.mark.slow
def test_more_clips_than_an_edl_holds(tmp_path: Path) -> None:
    """A thousand clips and more are written and read back; an EDL says that it cannot hold them."""
    plan = plan_of(*(piece(n % 400, 1 + n % 50, f"{n % 40}.mov") for n in range(1100)))
    for ending in (".otio", ".fcpxml", ".xml"):
        export_timeline(plan, tmp_path / f"x{ending}")
    with pytest.raises(TimelineError, match=r"1,?100 clips, but an EDL holds 999"):
        export_timeline(plan, tmp_path / "x.edl")
    assert ["x.fcpxml", "x.otio", "x.xml"] == sorted(path.name for path in tmp_path.iterdir())


@contextlib.contextmanager
def small_files() -> Iterator[None]:
    """No file may grow beyond 100 bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """What cannot be written whole is not there at all, and the file that had the name is as it was."""
    target = tmp_path / "x.otio"
    target.write_text("mine")
    with pytest.raises(TimelineError, match=r"cannot write .*x\.otio"), small_files():
        export_timeline(plan_of(piece(0, 5)), target, overwrite=True)
    assert ["x.otio"] == [path.name for path in tmp_path.iterdir()]
    assert "mine" == target.read_text()


def test_targets_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    """A name that is too long, a device, a source by any of its names, a folder that takes no files."""
    source = tmp_path / "source.mov"
    source.write_bytes(b"footage")
    (tmp_path / "null.edl").symlink_to("/dev/null")
    (tmp_path / "soft.edl").symlink_to(source)
    (tmp_path / "hard.edl").hardlink_to(source)
    (tmp_path / "loop.edl").symlink_to("loop.edl")
    plan = plan_of(piece(0, 5))
    for target, reason in (
        (tmp_path / f"{'x' * 300}.edl", "File name too long"),
        (tmp_path / "null.edl", "is no ordinary file"),
        (tmp_path / "soft.edl", "is one of the sources"),
        (tmp_path / "hard.edl", "is one of the sources"),
        (tmp_path / "loop.edl", "is no ordinary file"),
        (Path("/dev/null"), "cannot tell the format"),
        (Path("/proc/x.edl"), "cannot write /proc/x.edl"),
        (source / "x.edl", "Not a directory"),
    ):
        with pytest.raises(TimelineError, match=reason):
            export_timeline(plan, target, sources=[str(source)], overwrite=True)
    assert b"footage" == source.read_bytes()
    assert 5 == len([*tmp_path.iterdir()])
