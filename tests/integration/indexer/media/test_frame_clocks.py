"""Time goes on: clocks that start again or jump, pauses, time lapses, and rates that are only a mean."""

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from indexer.media.clock import clock_expression
from indexer.media.decode import VideoReader
from indexer.media.ffmpeg import discard, find_ffmpeg, open_own, save
from indexer.visual.decode_pass import DecodeResult, DecodeSettings, decode_pass
from store.records import Boundary
from store.truth.segments import facts_from_plain, facts_to_plain
from tests.counted_video import CountedVideo, read_number
from tests.shared_media import FAULTS, needs_faults
from tests.shown_pictures import shown_at

FRAME = Fraction(1, 25)


def _decode(path: Path) -> DecodeResult:
    *_, result = decode_pass(str(path), DecodeSettings(), image_size_px=32)
    assert isinstance(result, DecodeResult)
    return result


def _shots(result: DecodeResult) -> list[tuple[float, float]]:
    """Spans of the shots, from the first frame on."""
    start = result.facts.span.start
    return [(float(shot.span.start - start), float(shot.span.end - start)) for shot in result.shots]


def _times(path: Path) -> list[Fraction]:
    with VideoReader(str(path)) as reader:
        return [timed.time for timed in reader.frames() if timed is not None]


def _number_at(path: Path, *times: Fraction) -> list[int | None]:
    return [read_number(image.mean(axis=2).astype(np.uint8)) for image in shown_at(str(path), times)]


def _joined(folder: Path, ending: str, starts: list[int], n_frames: int = 50) -> Path:
    """Recordings one after the other in one file, byte for byte; each clock starts where `starts` says."""
    codec = "libx264" if ending == "ts" else "mpeg2video"
    joined = folder / f"joined.{ending}"
    with joined.open("wb") as file:
        for i, start in enumerate(starts):
            video = CountedVideo(
                f"part{i}.{'ts' if ending == 'ts' else 'vob'}",
                n_frames=n_frames,
                codec=codec,
                start=Fraction(start),
                layout="stereo",
                first_number=i * n_frames,
            )
            file.write(video.write(folder, find_ffmpeg()).read_bytes())
    return joined


@needs_faults
@pytest.mark.parametrize("name", ["clock-restarts.ts", "clock-jumps-10min.ts"])
def test_shared_clocks_that_start_again_or_jump(name: str) -> None:
    """100 frames, 4 seconds, 4 shots of a second, and the jump is said."""
    result = _decode(FAULTS / name)
    assert (100, Fraction(4)) == (result.facts.n_frames, result.facts.span.duration)
    assert [(0, 1), (1, 2), (2, 3), (3, 4)] == _shots(result)
    assert any("clock" in line for line in result.facts.warnings)


@pytest.mark.parametrize("ending", ["ts", "mpg"])
@pytest.mark.parametrize("starts", [[0, 0], [5, 0], [0, 700], [3, 3, 3], [0, 400, 7]])
def test_time_goes_on_in_recordings_put_together(tmp_path: Path, ending: str, starts: list[int]) -> None:
    """Every frame of every recording, one frame apart, and the picture at a time is the one of that time."""
    path = _joined(tmp_path, ending, starts)
    times = _times(path)
    n_frames = 50 * len(starts)
    assert n_frames == len(times)
    assert {FRAME} == {later - earlier for earlier, later in itertools.pairwise(times)}
    facts = _decode(path).facts
    # A decoder of MPEG-2 gives a frame the stamp of the packet after it, be that of the new clock.
    assert all(50 * i - jump.n_frames in (0, 1) for i, jump in enumerate(facts.clock_jumps, 1))
    assert len(starts) - 1 == len(facts.clock_jumps)
    assert [times[jump.n_frames] for jump in facts.clock_jumps] == [jump.time for jump in facts.clock_jumps]
    wanted = [10, 49, 50, 77, n_frames - 1]
    assert wanted == _number_at(path, *(times[number] for number in wanted))
    assert facts == facts_from_plain(facts_to_plain(facts))


@pytest.mark.parametrize("ending", ["ts", "mpg"])
@pytest.mark.parametrize("starts", [[5, 0], [3, 3, 3], [0, 400, 7]])
def test_the_program_gets_the_same_times_by_the_expression(tmp_path: Path, ending: str, starts: list[int]) -> None:
    """What cuts sees every frame on our line, in ticks that mean the same from the first frame to the last."""
    path = _joined(tmp_path, ending, starts)
    facts = _decode(path).facts
    ticks: list[int] = []

    def take(line: str) -> None:
        if "pts:" in line and "Parsed_showinfo" in line:
            ticks.append(int(line.partition("pts:")[2].split()[0]))

    pictures = open_own(path, copyts=None)["v:0"]
    shown = pictures.filter("setpts", clock_expression(facts.clock_jumps, facts.start_pts_offset, facts.time_base))
    find_ffmpeg().run(discard([shown.filter("showinfo", checksum=0)], fps_mode="passthrough"), on_line=take)
    assert _times(path) == [(tick - facts.start_pts_offset) * facts.time_base for tick in ticks]


def test_recordings_of_other_recorders_go_on_in_one_track(tmp_path: Path) -> None:
    """The second one numbers its tracks otherwise. One frame is lost: the demuxer delivers it at the end."""
    parts = []
    for number, pid in enumerate((256, 800)):
        part = CountedVideo(f"part{number}.ts", layout="stereo", first_number=50 * number)
        made = open_own(part.write(tmp_path, find_ffmpeg()))
        renumbered = tmp_path / f"renumbered{number}.ts"
        find_ffmpeg().run(save([made["v:0"], made["a:0"]], renumbered, c="copy", mpegts_start_pid=pid))
        parts.append(renumbered.read_bytes())
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(parts))
    facts = _decode(path).facts
    assert (99, 1) == (facts.n_frames, len(facts.warnings))
    times = _times(path)
    assert [0, 48, 50, 98] == _number_at(path, times[0], times[48], times[49], times[97])


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_shot_ends_where_pictures_pause(tmp_path: Path, ending: str) -> None:
    """40 seconds without a picture belong to no shot, and are said; nothing is partial."""
    times = tuple(n * FRAME + (40 if n >= 50 else 0) for n in range(100))
    result = _decode(CountedVideo(f"pause.{ending}", times=times).write(tmp_path, find_ffmpeg()))
    first, second, *_, last = [(round(start, 2), round(end, 2)) for start, end in _shots(result)]
    assert ((0, 2), 42, 44) == (first, second[0], last[1])
    assert [Boundary.START, Boundary.CUT] == [shot.boundary for shot in result.shots[:2]]
    assert not result.facts.partial
    (notice,) = result.facts.warnings
    assert "40.0 s from 0:01.96" in notice
    assert {*range(len(result.shots))} == set(result.sample_shots)


def test_a_hole_in_which_sound_goes_on_is_a_pause_and_no_jump(tmp_path: Path) -> None:
    """Sound shows that a transport stream's clock is right; time is believed."""
    times = tuple(n * FRAME + (20 if n >= 50 else 0) for n in range(100))
    video = CountedVideo("hole.ts", times=times, layout="stereo", sound_seconds=Fraction(24))
    result = _decode(video.write(tmp_path, find_ffmpeg()))
    assert () == result.facts.clock_jumps
    first, second, *_ = _shots(result)
    assert ((0, 2), 22) == (first, second[0])


def test_pictures_that_are_always_far_apart_do_not_pause(tmp_path: Path) -> None:
    """One frame in 12 seconds is a time lapse: its shots touch."""
    result = _decode(CountedVideo("slow.mkv", rate=Fraction(1, 12), n_frames=6).write(tmp_path, find_ffmpeg()))
    assert () == result.facts.warnings
    assert all(
        one.span.end == other.span.start for one, other in zip(result.shots, result.shots[1:], strict=False)
    )


@needs_faults
def test_the_shared_time_lapse_has_its_cuts() -> None:
    """Three shots at one frame a second."""
    assert [(0, 16), (16, 32), (32, 48)] == _shots(_decode(FAULTS / "timelapse-1fps.mp4"))


@needs_faults
def test_a_short_frame_before_a_cut_belongs_to_its_shot() -> None:
    """Frames 0 to 24, 25 to 49 and 50 to 74, though the last of a shot lasts less than half a frame."""
    path = FAULTS / "short-frame-before-cut.mkv"
    times = _times(path)
    result = _decode(path)
    assert [[25, 25, 25]] == [
        [sum(shot.span.start <= time < shot.span.end for time in times) for shot in result.shots]
    ]


@needs_faults
@pytest.mark.parametrize(("name", "rate"), [("mean-30.02fps.mp4", 30), ("h264-in-avi-25fps.avi", 25)])
def test_the_usual_rate_is_that_of_most_distances(name: str, rate: int) -> None:
    """Not the mean, and not what a header makes up."""
    result = _decode(FAULTS / name)
    assert result.facts.usual_rate is not None
    assert rate == round(float(result.facts.usual_rate), 1)
    assert [1, 1, 1] == [round(float(shot.span.duration), 2) for shot in result.shots]
