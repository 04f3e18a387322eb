"""Transitions between clips, judged by the numbers and the brightness of rendered frames."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import CutList, build_cut_list
from search_app.rendering.film_options import FilmOptions
from search_app.rendering.outcomes import SupercutReport
from search_app.rendering.supercut import render_supercut
from search_app.rendering.transitions import Transition
from store.timespan import TimeSpan
from tests.counted_video import CountedVideo, frame_times, hit_of, read_numbers, row_of

SMALL = Profile(128, 96, Fraction(25), preset="ultrafast")
TENTH = FilmOptions(Transition.DISSOLVE, 0.2)
DIP = FilmOptions(Transition.DIP, 0.4)


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, program: Ffmpeg) -> Path:
    """Two seconds with sound."""
    return CountedVideo("source.mp4", layout="stereo").write(tmp_path_factory.mktemp("source"), program)


def cut(path: Path, *ends: tuple[int, int]) -> CutList:
    """Clips of one video from one frame up to and without another."""
    row, times = row_of(path)
    edges = [*times, row.facts.span.end]
    hits = [hit_of(row, TimeSpan(edges[first], edges[end]), rank) for rank, (first, end) in enumerate(ends, 1)]
    return build_cut_list(hits, {row.video_id: row})


def render(cut_list: CutList, target: Path, film: FilmOptions, program: Ffmpeg) -> SupercutReport:
    """Small and quick."""
    return render_supercut(cut_list, target, profile=SMALL, film=film, program=program)


def greys(path: Path) -> NDArray[np.int16]:
    """(n_frames, height, width): the luma of every frame."""
    with av.open(f"file:{path}") as container:
        pictures = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    return np.array(pictures).astype(np.int16)


def sound(path: Path) -> NDArray[np.float32]:
    """All samples of the first channel."""
    container: Any
    with av.open(f"file:{path}") as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=48_000)
        pieces = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
    return np.concatenate([piece.to_ndarray().ravel() for piece in pieces])


def test_a_dissolve_shows_both_clips_in_equal_steps_and_every_other_frame_once(
    source: Path, tmp_path: Path, program: Ffmpeg
) -> None:
    """Five frames of both neighbours are one on the other; the film is shorter by just these, and verified."""
    cut_list = cut(source, (0, 15), (20, 40), (42, 50))
    report = render(cut_list, tmp_path / "out.mp4", TENTH, program)
    numbers = read_numbers(report.output, [(128, 96)])
    assert 15 + 20 - 5 + 8 == report.n_frames
    assert [0, 10, 30] == [clip.first_frame for clip in report.done]
    assert [*range(10), *range(25, 40), *range(42, 50)] == [*numbers[:10], *numbers[15:]]
    assert [n / Fraction(25) for n in range(report.n_frames)] == frame_times(report.output)
    assert "3/3 cuts exact" == report.verification_line()
    assert ("no dissolve after it: it or the next one is too short for it",) == report.done[1].warnings
    alone = render(cut_list, tmp_path / "cut.mp4", FilmOptions(), program)
    seen, plain = greys(report.output), greys(alone.output)
    for k in range(5):
        mixed = plain[10 + k] * (5 - k) / 6 + plain[15 + k] * (k + 1) / 6
        assert np.abs(seen[10 + k] - mixed).mean() < 4


def test_a_dip_goes_into_black_and_comes_out_of_it(source: Path, tmp_path: Path, program: Ffmpeg) -> None:
    """Half of the dip darkens the first clip, half of it brings up the second; the length stays."""
    cut_list = cut(source, (0, 15), (20, 40))
    report = render(cut_list, tmp_path / "out.mp4", DIP, program)
    plain = greys(render(cut_list, tmp_path / "cut.mp4", FilmOptions(), program).output).mean(axis=(1, 2))
    light = greys(report.output).mean(axis=(1, 2)) / plain
    assert 35 == report.n_frames
    assert [1, 0.8, 0.6, 0.4, 0.2] == pytest.approx(light[10:15].tolist(), abs=0.08)
    assert [0, 0.2, 0.4, 0.6, 0.8] == pytest.approx(light[15:20].tolist(), abs=0.08)
    assert [*range(10), *range(25, 40)] == [
        number for place, number in enumerate(read_numbers(report.output, [(128, 96)])) if not 10 <= place < 20
    ]
    assert "2/2 cuts exact" == report.verification_line()


def test_sound_is_cross_faded_over_the_frames_that_dissolve(tmp_path: Path, program: Ffmpeg) -> None:
    """What begins in the middle of a dissolve is heard as loud as a quarter of a sine says."""
    path = CountedVideo("bursts.mp4", n_frames=75, layout="stereo").write(tmp_path, program)
    cut_list = cut(path, (10, 26), (36, 60))
    report = render(cut_list, tmp_path / "out.mp4", TENTH, program)
    heard = np.abs(sound(report.output))
    frame = 48_000 // 25
    assert 35 == report.n_frames
    # Bursts of the source at 0.5 s, in frames 2 and 3 of the first clip, and at 1.5 s, in frame 1 of the second.
    loudest = heard[2 * frame : 4 * frame].max()
    assert loudest > 0.4
    assert 0.4 < heard[12 * frame : 14 * frame].max() / loudest < 0.65  # sin(pi / 2 * 2 / 5) = 0.59
    assert heard[20 * frame : 22 * frame].max() < 0.05


def test_a_clip_that_comes_twice_dissolves_twice(source: Path, tmp_path: Path, program: Ffmpeg) -> None:
    """Frames held back at its first place are used up there, and made again for its second."""
    first, second, short, last = cut(source, (0, 12), (12, 24), (24, 27), (27, 39)).clips
    cut_list = CutList((first, second, short, first, last))
    report = render(cut_list, tmp_path / "out.mp4", TENTH, program)
    numbers = read_numbers(report.output, [(128, 96)])
    assert [0, 7, 19, 22, 29] == [clip.first_frame for clip in report.done]
    assert [*range(7), *range(17, 27), *range(7)] == [*numbers[:7], *numbers[12:29]]
    assert "5/5 cuts exact" == report.verification_line()


def test_frames_held_back_for_a_clip_that_fails_are_not_lost(
    source: Path, tmp_path: Path, program: Ffmpeg
) -> None:
    """When the clip that they should dissolve into cannot be cut, they end the film as they are."""
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(source.read_bytes())
    cut_list = CutList((*cut(source, (0, 15)).clips, *cut(bad, (20, 40)).clips))

    def spoil(progress: object) -> None:
        if getattr(progress, "stage", "") == "clips":
            bad.write_bytes(b"no video any more")

    report = render_supercut(
        cut_list,
        tmp_path / "out.mp4",
        profile=SMALL,
        film=TENTH,
        program=program,
        skip_missing=True,
        on_progress=spoil,
    )
    assert list(range(15)) == read_numbers(report.output, [(128, 96)])
    assert ["done", "skipped"] == [clip.status for clip in report.clips]
