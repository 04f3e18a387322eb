"""Sources whose clocks, tracks and codecs are unusual: a clip shows exactly the frames of its span."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from indexer.media.ffmpeg import draw, find_ffmpeg, open_own, save
from search_app.conforming.modes import Mode
from search_app.cutting.cut_list import Clip, CutList
from search_app.rendering.supercut import render_supercut
from store.timespan import TimeSpan
from tests.counted_video import CountedVideo, burst_times, hit_of, read_numbers, row_of
from tests.integration.search_app.rendering.test_display import MODES, clip_of, render
from tests.player_frames import film_frames, nearest_frames, player_frames
from tests.sampled import sampled_product
from tests.shared_media import FAULTS, needs_faults

FRAME = Fraction(1, 25)
SIZE = (128, 96)


def span_of(path: Path, start: Fraction, end: Fraction) -> Clip:
    """A stretch of a video, whatever frames lie in it."""
    row, _ = row_of(path)
    span = TimeSpan(start, end)
    return Clip(row.video_id, (str(path),), span, (hit_of(row, span, 1),), row.facts)


def shown(film: Path) -> list[int | None]:
    """Numbers of the frames of a film."""
    return read_numbers(film, [SIZE])


def joined(folder: Path, ending: str, starts: list[int]) -> Path:
    """Recordings of two seconds, byte for byte one after the other; each clock starts where `starts` says."""
    codec = "libx264" if ending == "ts" else "mpeg2video"
    path = folder / f"joined.{ending}"
    with path.open("wb") as file:
        for i, start in enumerate(starts):
            video = CountedVideo(
                f"part{i}.{ending}", codec=codec, start=Fraction(start), layout="stereo", first_number=50 * i
            )
            file.write(video.write(folder, find_ffmpeg()).read_bytes())
    return path


@pytest.mark.parametrize("ending", ["mkv", "mp4"])
@pytest.mark.parametrize("mode", MODES)
def test_short_frames_before_cuts(ending: str, mode: Mode, tmp_path: Path) -> None:
    """A cut that comes before the frame has lasted half its time: each clip has its own frames, each once."""
    times = tuple(n * FRAME - Fraction(26, 1000) * (n in {25, 50}) for n in range(75))
    options = (("g", "25"), ("keyint_min", "25"))
    path = CountedVideo(f"short.{ending}", times=times, options=options).write(tmp_path, find_ffmpeg())
    clips = [clip_of(path, first, first + 25, first + 1) for first in (0, 25, 50)]
    assert list(range(75)) == shown(render(tmp_path / "film.mp4", *clips, mode=mode).output)
    for clip in clips:
        film = render(tmp_path / f"{clip.hits[0].rank}.mp4", clip, mode=mode)
        assert 25 == film.n_frames


@pytest.mark.parametrize(("early", "late"), [(5, 5), (35, 5), (5, 35), (35, 35), (0, 1), (39, 39)])
def test_clips_hold_the_frames_that_begin_in_them(early: int, late: int, tmp_path: Path) -> None:
    """However short the last one is seen, and however late the first one comes."""
    path = CountedVideo("source.mp4").write(tmp_path, find_ffmpeg())
    start, end = 10 * FRAME + Fraction(early, 1000), 20 * FRAME + Fraction(late, 1000)
    numbers = [n for n in range(50) if start <= n * FRAME < end]
    assert numbers == shown(render(tmp_path / "film.mp4", span_of(path, start, end)).output)


@needs_faults
@pytest.mark.parametrize("mode", MODES)
def test_the_shared_short_frames(mode: Mode, tmp_path: Path) -> None:
    """0-24, 25-49, 50-74."""
    path = FAULTS / "short-frame-before-cut.mkv"
    film = render(tmp_path / "film.mp4", *(clip_of(path, n, n + 25, n + 1) for n in (0, 25, 50)), mode=mode)
    assert list(range(75)) == nearest_frames(film_frames(film.output), player_frames(path, (192, 108)))


@pytest.mark.parametrize(
    ("ending", "starts", "mode"), sampled_product(["ts", "vob"], [[5, 0], [3, 3, 3], [0, 400]], MODES, every=3)
)
def test_clocks_that_start_again_or_jump(ending: str, starts: list[int], mode: Mode, tmp_path: Path) -> None:
    """Before, behind and across the place each frame is the right one, and sound stays with its pictures."""
    path = joined(tmp_path, ending, starts)
    spans = [(5, 20), (30, 70), (60, 90), (50 * len(starts) - 10, 50 * len(starts))]
    film = render(
        tmp_path / "film.mp4", *(clip_of(path, *span, rank) for rank, span in enumerate(spans)), mode=mode
    )
    assert [n for span in spans for n in range(*span)] == shown(film.output)
    whole = render(tmp_path / "whole.mp4", clip_of(path, 0, 50 * len(starts)), mode=mode)
    heard = [time for time in burst_times(whole.output) if time > 0.2]
    late = [abs(time - round(time * 2) / 2) for time in heard]
    assert len(starts) * 4 - 2 <= len(heard) <= len(starts) * 4
    assert max(late) < 0.06, heard


@needs_faults
@pytest.mark.parametrize("name", ["clock-restarts.ts", "clock-jumps-10min.ts"])
def test_the_shared_clocks(name: str, tmp_path: Path) -> None:
    """Four seconds, a hundred frames, each once."""
    path = FAULTS / name
    film = render(tmp_path / "film.mp4", clip_of(path, 0, 100))
    assert (100, Fraction(4)) == (film.n_frames, film.duration)
    assert list(range(100)) == nearest_frames(film_frames(film.output), player_frames(path, (192, 108)))


@pytest.mark.parametrize(("pause", "is_exact"), [(3, True), (40, False)])
def test_a_pause_is_never_filled_silently(pause: int, is_exact: bool, tmp_path: Path) -> None:
    """It is said of the clip and by verification, and a long one is not called exact."""
    times = tuple(n * FRAME + (pause if n >= 25 else 0) for n in range(50))
    path = CountedVideo("pause.mkv", times=times).write(tmp_path, find_ffmpeg())
    report = render_supercut(CutList((clip_of(path, 5, 45),)), tmp_path / "film.mp4")
    (clip,) = report.done
    assert any(f"its picture stands still for {pause}.0 s" in warning for warning in clip.warnings)
    assert is_exact == report.is_exact
    assert is_exact == ("stands still" not in report.verification_line())
    assert ("film.mp4" if is_exact else "film.inexact.mp4") == report.output.name


@needs_faults
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("name", "stream"), [("still-track-first.mp4", "v:1"), ("streams-71.mkv", "v:0")])
def test_the_shared_tracks(name: str, stream: str, mode: Mode, tmp_path: Path) -> None:
    """The track that moves is cut, and attachments cost nothing."""
    path = FAULTS / name
    film = render(tmp_path / "film.mp4", clip_of(path, 7, 33), mode=mode)
    source = player_frames(path, (192, 108), stream)
    assert list(range(7, 33)) == nearest_frames(film_frames(film.output), source)


@pytest.mark.parametrize("mode", MODES)
def test_the_track_that_the_index_saw_is_cut(mode: Mode, tmp_path: Path) -> None:
    """Behind a still track in other colours and a smaller one that moves."""
    program = find_ffmpeg()
    video = open_own(CountedVideo("video.mp4").write(tmp_path, program))["v:0"]
    still = draw("color=red:size=600x600:rate=25").filter("trim", end_frame=1)
    path = tmp_path / "tracks.mp4"
    default = {"disposition:v:0": "0", "disposition:v:1": "default"}
    program.run(save([still, video], path, **{"c:v": "libx264", "pix_fmt": "yuv420p", **default}))
    assert list(range(7, 33)) == shown(render(tmp_path / "film.mp4", clip_of(path, 7, 33), mode=mode).output)


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("source.mov", "png", "rgb24"),
        ("source.avi", "png", "rgb24"),
        ("source.mov", "jpeg2000", "yuv420p"),
        ("source.avi", "jpeg2000", "yuv420p"),
        ("source.mov", "magicyuv", "yuv444p"),
        ("source.avi", "magicyuv", "yuv420p"),
    ],
)
def test_camera_and_archive_formats(name: str, codec: str, pixels: str, tmp_path: Path) -> None:
    """Whole pictures, each coded by itself: cut and proven by both decoders."""
    program, path = find_ffmpeg(), tmp_path / name
    plain = CountedVideo("plain.mp4", n_frames=20).write(tmp_path, program)
    program.run(save([open_own(plain)["v:0"]], path, **{"c:v": codec, "pix_fmt": pixels}))
    assert list(range(5, 15)) == shown(render(tmp_path / "film.mp4", clip_of(path, 5, 15)).output)


@pytest.mark.parametrize("name", ["gap.mp4", "gap.mkv", "gap.ts"])
def test_sound_that_is_missing_for_a_second_stays_in_time(name: str, tmp_path: Path) -> None:
    """What follows the gap comes when it was recorded."""
    video = CountedVideo(name, n_frames=100, layout="stereo", sound_gap=(Fraction(1), Fraction(2)))
    path = video.write(tmp_path, find_ffmpeg())
    film = render(tmp_path / "film.mp4", clip_of(path, 10, 100))
    heard = [time + 0.4 for time in burst_times(film.output)]
    assert [2.0, 2.5, 3.0, 3.5] == pytest.approx([time for time in heard if time > 1.2], abs=0.03)
    assert [] == [time for time in heard if 1.2 < time < 1.9]


def test_facts_of_older_archives_still_cut(tmp_path: Path) -> None:
    """A video that was indexed before crops, mirrors and tracks were looked at."""
    path = CountedVideo("old.mp4").write(tmp_path, find_ffmpeg())
    clip = clip_of(path, 7, 33)
    old = replace(clip.facts, crop=None, video_track=None, usual_rate=None)
    assert list(range(7, 33)) == shown(render(tmp_path / "film.mp4", replace(clip, facts=old)).output)
