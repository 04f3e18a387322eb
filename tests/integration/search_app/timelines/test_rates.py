"""The rate of real files: in the index, probed of archives of earlier versions, and in films and timelines."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from indexer.media.fingerprint import fingerprint
from indexer.media.stream_probe import probe_streams
from indexer.visual.decode_pass import DecodeResult, DecodeSettings, decode_pass
from search_app.conforming.target_profile import choose_profile
from search_app.cutting.cut_list import Clip, CutList
from search_app.cutting.measured import measure_sources
from search_app.frame_rates import source_rate
from search_app.rendering.supercut import render_supercut
from search_app.timelines.edl import edl_text
from search_app.timelines.fcpxml import fcpxml_text
from search_app.timelines.timeline import plan_timeline
from store.records import VideoFacts
from tests.counted_video import CountedVideo, hit_of, row_of
from tests.integration.search_app.rendering.test_supercut import cut, numbers_in
from tests.shared_media import FAULTS, needs_faults

NTSC = Fraction(30_000, 1001)


def at(*steps: int, base: int = 90_000) -> tuple[Fraction, ...]:
    """Times of frames, so many ticks apart."""
    times = [0]
    for step in steps:
        times.append(times[-1] + step)
    return tuple(Fraction(time, base) for time in times)


STRAYING = tuple(3002 if n % 11 < 7 else 2991 for n in range(89))
PHONE = tuple((2910, 3000, 3000, 3000, 3210)[n % 5] for n in range(89))
UNEVEN = tuple((2700, 3300, 2900, 3100, 3001)[n % 5] for n in range(89))
VIDEOS: dict[str, tuple[CountedVideo, Fraction | int]] = {
    "strays.mp4": (CountedVideo("strays.mp4", times=at(*STRAYING)), 30),
    "phone.mp4": (CountedVideo("phone.mp4", times=at(*PHONE)), 30),
    "uneven.mp4": (CountedVideo("uneven.mp4", times=at(*UNEVEN)), 30),
    "one long frame.mp4": (CountedVideo("one long frame.mp4", times=at(*[3000] * 40, 90_000, *[3000] * 40)), 30),
    "mean of 29.5.mov": (CountedVideo("mean of 29.5.mov", times=at(*[*[3000] * 29, 4500] * 3)), 30),
    "dark.mkv": (CountedVideo("dark.mkv", times=at(*[3003] * 60, *[6006] * 40)), NTSC),
    "seventeen.mp4": (CountedVideo("seventeen.mp4", times=at(*[3600] * 45, *[9000] * 30)), 25),
    "ticks of 90000.ts": (CountedVideo("ticks of 90000.ts", rate=Fraction(50)), 50),
    "lapse.mp4": (CountedVideo("lapse.mp4", rate=Fraction(1), n_frames=20), 1),
    **{
        f"b frames {rate}.avi": (
            CountedVideo(f"b frames {rate}.mp4", rate=Fraction(rate), options=(("bf", "2"),)),
            rate,
        )
        for rate in (24, 25, 30)
    },
}


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


@pytest.fixture(scope="module")
def folder(program: Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file for each kind of rate; H.264 in AVI is copied there, as cameras and programs do."""
    folder = tmp_path_factory.mktemp("rates")
    for name, (video, _) in VIDEOS.items():
        made = video.write(folder, program)
        if made.name != name:
            subprocess.run(
                [program.program, "-v", "error", "-i", str(made), "-c", "copy", str(folder / name)], check=True
            )
    return folder


def facts_of(path: Path) -> VideoFacts:
    """What indexing finds."""
    (result,) = (one for one in decode_pass(str(path), DecodeSettings(), 64) if isinstance(one, DecodeResult))
    return result.facts


def whole(path: Path, facts: VideoFacts) -> Clip:
    """All of a file as a clip."""
    row = replace(row_of(path)[0], video_id=fingerprint(path), facts=facts)
    return Clip(row.video_id, (str(path),), facts.span, (hit_of(row, facts.span, 1),), facts)


@pytest.mark.parametrize("name", VIDEOS)
def test_the_rate_is_that_of_most_distances(name: str, folder: Path) -> None:
    """Indexed and probed without decoding alike, and film and timeline run at a rate that programs know."""
    path, rate = folder / name, Fraction(VIDEOS[name][1])
    facts = facts_of(path)
    assert rate == source_rate(facts)
    earlier = whole(path, replace(facts, usual_rate=None, audio_channels=None))
    (clip,) = measure_sources(CutList((earlier,))).clips
    assert rate == source_rate(clip.facts)
    plan = plan_timeline(CutList((clip,)), "x")
    wanted = Fraction(24) if rate == 1 else rate
    assert wanted == plan.rate == choose_profile([facts]).frame_rate
    assert '"1/17s"' not in fcpxml_text(plan)
    assert "FCM: NON-DROP FRAME" in edl_text(plan)


@pytest.mark.parametrize("name", ["strays.mp4", "b frames 25.avi"])
def test_a_film_shows_every_frame_once(name: str, folder: Path, program: Ffmpeg, tmp_path: Path) -> None:
    """Neither doubled nor left out, as at a rate that is not the source's."""
    path = folder / name
    cut_list, _ = cut([(path, 5, 25)])
    report = render_supercut(cut_list, tmp_path / "out.mp4", program=program)
    assert [list(range(5, 25))] == numbers_in(report)
    plan = plan_timeline(cut_list, "x")
    assert (5, 20, report.profile.frame_rate) == (plan.clips[0].source_in, plan.clips[0].n_frames, plan.rate)


def test_a_probe_reads_many_files_and_passes_over_bad_ones(folder: Path, tmp_path: Path, program: Ffmpeg) -> None:
    """One process for all; what is no video, or gone, is left out."""
    (tmp_path / "no.mp4").write_bytes(b"no video")
    sound = CountedVideo("sound.mkv", layout="5.1").write(tmp_path, program)
    good = folder / "strays.mp4"
    found = probe_streams([str(tmp_path / "no.mp4"), str(good), str(tmp_path / "gone.mp4"), str(sound)])
    assert {str(good): (), str(sound): (6,)} == {path: one.audio_channels for path, one in found.items()}
    assert {None} == {one.usual_rate for one in probe_streams([str(good)], rates=False).values()}
    assert {} == probe_streams([])


def test_what_is_sure_is_not_probed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A known rate that the counted frames have costs nothing, nor does what was measured."""
    monkeypatch.setattr("search_app.cutting.measured.probe_streams", lambda *_, **__: pytest.fail("was probed"))
    path = folder / "ticks of 90000.ts"
    clip = whole(path, replace(facts_of(path), usual_rate=None))
    measured = whole(folder / "seventeen.mp4", facts_of(folder / "seventeen.mp4"))
    cut_list = CutList((clip, measured))
    assert cut_list == measure_sources(cut_list)


@needs_faults
@pytest.mark.parametrize(
    ("name", "rate", "film"),
    [
        ("mean-30.02fps.mp4", 30, 30),
        ("h264-in-avi-25fps.avi", 25, 25),
        ("timelapse-1fps.mp4", 1, 24),
        ("tmcd-dropflag-24fps.mov", 24, 24),
    ],
)
def test_faults_have_their_rates(name: str, rate: int, film: int) -> None:
    """The files that showed wrong rates."""
    facts = facts_of(FAULTS / name)
    assert rate == source_rate(facts)
    plan = plan_timeline(CutList((whole(FAULTS / name, facts),)), "x")
    assert film == plan.rate == choose_profile([facts]).frame_rate
