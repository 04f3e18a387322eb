"""Edit lists, offsets and clocks before zero: a timeline counts the frames that a player shows, from the first."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from indexer.media.decode import VideoReader
from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from search_app.rendering.supercut import render_supercut
from search_app.timelines.timeline import plan_timeline
from tests.counted_video import CountedVideo, read_number, row_of
from tests.integration.search_app.rendering.test_supercut import SMALL, cut, numbers_in

BEFORE_ZERO = "setts=pts=PTS-5*512:dts=DTS-5*512"  # five frames, in ticks of the base file
CLOCKS = {
    "skipped.mp4": "-ss 0.4 -i base.mp4 -c copy",
    "skipped.mov": "-ss 0.4 -i base.mp4 -c copy",
    "unedited.mp4": "-ss 0.4 -i base.mp4 -c copy -use_editlist 0",
    "delayed.mp4": "-i base.mp4 -itsoffset 0.48 -i base.mp4 -map 1:v -map 0:a -c copy",
    "fragments.mp4": "-i base.mp4 -c copy -movflags frag_keyframe+empty_moov",
    "before_zero.mp4": f"-i base.mp4 -map 0:v -c copy -bsf:v {BEFORE_ZERO} -avoid_negative_ts disabled",
    "offset.ts": "-i base.mp4 -c copy -output_ts_offset 5",
}
SKIPPED = {"skipped.mp4": 10, "skipped.mov": 10, "before_zero.mp4": 5}


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


@pytest.fixture(scope="module")
def folder(program: Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file for each clock, all made of one with two B frames in a row."""
    folder = tmp_path_factory.mktemp("clocks")
    CountedVideo("base.mp4", layout="mono", options=(("bf", "2"), ("b_strategy", "0"))).write(folder, program)
    for name, arguments in CLOCKS.items():
        subprocess.run([program.program, "-v", "error", *arguments.split(), name], check=True, cwd=folder)
    return folder


def shown_by_ffmpeg(path: Path, program: Ffmpeg) -> list[tuple[float, int | None]]:
    """When a player shows which number, in seconds from the start of the file."""
    picture = ["-map", "0:v", "-vf", "showinfo=checksum=0,format=gray", "-fps_mode", "passthrough"]
    command: list[str | Path] = [program.program, "-v", "info", "-i", path, *picture, "-f", "rawvideo", "-"]
    with VideoReader(str(path)) as reader:  # a file starts with what comes first, so its sound must be played too
        command += ["-map", "0:a", "-f", "null", "-"] if reader.has_audio else []
    ran = subprocess.run(command, check=True, capture_output=True)
    times = [float(time) for time in re.findall(rb"Parsed_showinfo.* pts_time:(-?[\d.]+)", ran.stderr)]
    pictures = np.frombuffer(ran.stdout, np.uint8).reshape(-1, 96, 128)
    return list(zip(times, map(read_number, pictures), strict=True))


@pytest.mark.parametrize("name", CLOCKS)
def test_frames_are_those_that_a_player_shows(name: str, folder: Path, program: Ffmpeg) -> None:
    """What is shown from a clip's start to its end stands at its numbers, and nothing is lost at the end."""
    path = folder / name
    shown = shown_by_ffmpeg(path, program)
    row, times = row_of(path)
    assert len(shown) == len(times)
    last = len(times)
    cut_list, _ = cut([(path, 3, 11), (path, 0, 1), (path, last - 2, last)])
    plan = plan_timeline(cut_list, "x")
    assert (Fraction(25), last) == (plan.clips[0].source.rate, plan.clips[0].source.n_frames)
    for clip, planned in zip(cut_list.clips, plan.clips, strict=True):
        seen = [number for time, number in shown if _is_in(time, clip.span.start, clip.span.end)]
        assert seen == _numbers(shown, planned.source_in, planned.n_source_frames)
    first = SKIPPED.get(name, 0)
    assert list(range(first, 50)) == _numbers(shown, 0, last)
    late = row.facts.span.start * 25 >= 1
    assert late is any("begin" in note for note in plan.notes)


@pytest.mark.parametrize("name", ["skipped.mp4", "delayed.mp4"])
def test_the_supercut_shows_the_same(name: str, folder: Path, program: Ffmpeg, tmp_path: Path) -> None:
    """Frames that an edit list hides are not shown, and those behind an empty edit are found."""
    cut_list, _ = cut([(folder / name, 3, 11)])
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program)
    first = SKIPPED.get(name, 0)
    assert [list(range(first + 3, first + 11))] == numbers_in(report)


def _is_in(time: float, start: Fraction, end: Fraction) -> bool:
    tick = 0.002  # Matroska counts milliseconds, and the log has six digits
    return float(start) - tick <= time < float(end) - tick


def _numbers(shown: Sequence[tuple[float, int | None]], first: int, n_frames: int) -> list[int | None]:
    return [number for _, number in shown[first : first + n_frames]]
