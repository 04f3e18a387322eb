"""Colours of every kind of source, as a player shows them in the supercut."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from search_app.conforming.modes import Mode
from search_app.conforming.picture_names import Codec
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import CutList, build_cut_list
from search_app.rendering.supercut import render_supercut
from store.timespan import TimeSpan
from tests.coloured_video import PATCHES, SIZE, Colours, Stored, as_rec709, hlg, pq, shown_colours, stripes, to_xyz
from tests.counted_video import hit_of, join_files, row_of

SMALL = Profile(*SIZE, Fraction(25), crf=6, preset="ultrafast")
CLOSE = 0.02
"""Two of a hundred: what rounding to eight bits and coding cost."""


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


def cut_of(path: Path) -> CutList:
    """A cut list of one clip, the whole file."""
    row, times = row_of(path)
    return build_cut_list([hit_of(row, TimeSpan(times[0], row.facts.span.end), 1)], {row.video_id: row})


STORED = [
    Stored("limited.mkv"),
    Stored("full.mkv", is_full_range=True),
    Stored("motion.avi", "yuvj420p", "bt601", primaries="", curve="", is_full_range=True, codec="mjpeg"),
    Stored("ntsc.mkv", matrix="bt601", primaries="525"),
    Stored("pal.mkv", matrix="bt601", primaries="625"),
    Stored("uhd.mkv", "yuv420p10le", matrix="bt2020", primaries="bt2020"),
    Stored("ten_bits.mkv", "yuv420p10le"),
    Stored("prores.mov", "yuv422p10le", codec="prores_ks"),
    Stored("half.mkv", "yuv422p"),
    Stored("whole.mkv", "yuv444p"),
    Stored("whole_ten.mkv", "yuv444p10le"),
    Stored("rgb_ten.mkv", "gbrp10le", is_full_range=True),
]


@pytest.mark.parametrize("stored", STORED, ids=lambda stored: stored.name)
def test_colours_are_shown_as_in_the_source(stored: Stored, tmp_path: Path, program: Ffmpeg) -> None:
    """Whatever range, matrix, primaries and depth a source has, the supercut shows the same light."""
    path = stored.write(tmp_path, [stripes()] * 5)
    report = render_supercut(cut_of(path), tmp_path / "out.mp4", profile=SMALL, program=program)
    expected = as_rec709(PATCHES, stored.primaries or "bt709")
    assert shown_colours(report.output) == pytest.approx(expected, abs=CLOSE)
    assert report.is_exact


@pytest.mark.parametrize("codec", [Codec.PRORES])
def test_ten_bits_stay_ten_bits(codec: Codec, tmp_path: Path, program: Ffmpeg) -> None:
    """Steps finer than eight bits can hold are still there in a ten-bit supercut."""
    steps = np.repeat(np.arange(400.0, 406.0)[:, None] / 876, 3, axis=1)
    path = Stored("steps.mkv", "yuv422p10le").write(tmp_path, [stripes(steps)] * 3)
    profile = Profile(*SIZE, Fraction(25), codec=codec)
    report = render_supercut(cut_of(path), tmp_path / "out.mov", profile=profile, program=program)
    shown = shown_colours(report.output).mean(axis=1)
    assert np.all(np.diff(shown) > 0)
    assert shown == pytest.approx(steps[:, 0], abs=0.0005)


NITS = np.array([1.0, 20, 100, 203, 500, 1000])


@pytest.mark.parametrize(("curve", "code"), [("pq", pq), ("hlg", hlg)])
def test_high_range_is_tone_mapped(
    curve: str, code: Callable[[Colours], Colours], tmp_path: Path, program: Ffmpeg
) -> None:
    """From darkness over the white of paper (203 cd/m2) to 1,000 cd/m2 each step shows, and grey is grey."""
    greys = np.repeat(code(NITS)[:, None], 3, axis=1)
    stored = Stored(f"{curve}.mkv", "yuv420p10le", "bt2020", "bt2020", curve)
    path = stored.write(tmp_path, [stripes(greys)] * 3)
    report = render_supercut(cut_of(path), tmp_path / "out.mp4", profile=SMALL, program=program)
    shown = shown_colours(report.output)
    assert np.ptp(shown, axis=1) == pytest.approx(np.zeros(6), abs=CLOSE)
    levels = shown.mean(axis=1)
    assert np.all(np.diff(levels) > 0.03)
    assert levels[0] == pytest.approx((1 / 203) ** (1 / 2.4), abs=CLOSE)  # dark light is not changed
    assert 0.8 < levels[3] < 0.9
    assert levels[5] == pytest.approx(1.0, abs=CLOSE)
    assert report.is_exact


def test_colours_of_high_range_are_those_of_the_scene(tmp_path: Path, program: Ffmpeg) -> None:
    """Colours of BT.709 stored in PQ and BT.2020 come out with the hue that they were, not washed out."""
    light = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0.5, 0.3, 0.2]]) * 100
    wide = np.clip(light @ np.linalg.solve(to_xyz("bt2020"), to_xyz("bt709")).T, 0, None)
    stored = Stored("colours.mkv", "yuv444p10le", "bt2020", "bt2020", "pq")
    path = stored.write(tmp_path, [stripes(pq(wide))] * 3)
    report = render_supercut(cut_of(path), tmp_path / "out.mp4", profile=SMALL, program=program)
    shown = np.clip(shown_colours(report.output), 0, 1) ** 2.4
    assert shown / shown.max(axis=1, keepdims=True) == pytest.approx(light / light.max(axis=1)[:, None], abs=0.04)


@pytest.mark.parametrize(
    "stored",
    [
        Stored("animation.mov", "argb", primaries="", curve="", codec="qtrle", opacity=0.5),
        Stored("prores_4444.mov", "yuva444p10le", codec="prores_ks", opacity=0.5),
        Stored("layer.webm", "yuva420p", codec="libvpx-vp9", opacity=0.5),
    ],
    ids=lambda stored: stored.name,
)
def test_transparent_pictures_lie_over_black(stored: Stored, tmp_path: Path, program: Ffmpeg) -> None:
    """Half transparent colours are half as bright, whether colours and transparency lie in one picture or two."""
    path = stored.write(tmp_path, [stripes()] * 3)
    report = render_supercut(cut_of(path), tmp_path / "out.mp4", profile=SMALL, program=program)
    assert shown_colours(report.output) == pytest.approx(PATCHES / 2, abs=0.03)
    assert report.is_exact


def changing(folder: Path, name: str, parts: list[Stored], program: Ffmpeg) -> Path:
    """A video of the same stripes, stored anew each 50 pictures."""
    return join_files([part.write(folder, [stripes()] * 50) for part in parts], folder / name, program)


def cut_at(path: Path, *spans: tuple[int, int]) -> CutList:
    """A cut list of clips from one frame to another."""
    row, times = row_of(path)
    hits = [hit_of(row, TimeSpan(times[first], times[end]), rank) for rank, (first, end) in enumerate(spans, 1)]
    return build_cut_list(hits, {row.video_id: row})


LIMITED = Stored("limited.ts", codec="libx264")
FULL = Stored("full.ts", codec="libx264", is_full_range=True)
OTHER_MATRIX = Stored("pal.ts", codec="libx264", matrix="bt601")


@pytest.mark.parametrize("second", [FULL, OTHER_MATRIX], ids=["range", "matrix"])
@pytest.mark.parametrize("ending", ["ts", "mkv", "mp4"])
def test_colours_that_change_in_mid_file_are_right_in_every_clip(
    second: Stored, ending: str, tmp_path: Path, program: Ffmpeg
) -> None:
    """A clip behind the change has its own colours, whichever was looked at first and wherever decoding begins."""
    path = changing(tmp_path, f"changing.{ending}", [LIMITED, second], program)
    report = render_supercut(
        cut_at(path, (10, 20), (55, 65)), tmp_path / "out.mp4", profile=SMALL, program=program
    )
    before, behind = (shown_colours(report.output, frame_number=number) for number in (5, 15))
    assert before == pytest.approx(PATCHES, abs=CLOSE)
    assert behind == pytest.approx(PATCHES, abs=CLOSE)
    assert (2, ()) == (report.n_exact, report.clips[0].warnings + report.clips[1].warnings)


def test_a_copy_behind_a_change_of_colours_is_compared_in_its_own(tmp_path: Path, program: Ffmpeg) -> None:
    """Partly copied, it keeps its matrix, and is not called wrong for having another than the first clip."""
    path = changing(tmp_path, "changing.mkv", [LIMITED, OTHER_MATRIX, OTHER_MATRIX], program)
    report = render_supercut(
        cut_at(path, (10, 20), (90, 120)), tmp_path / "out.mp4", profile=SMALL, program=program, mode=Mode.FAST
    )
    assert 0 < report.clips[1].n_copied_frames < 30
    assert "2/2 cuts exact" == report.verification_line()


def test_colours_that_change_within_a_clip_are_converted_and_told(tmp_path: Path, program: Ffmpeg) -> None:
    """Each picture has its own colours, and people are told to look at the clip."""
    path = changing(tmp_path, "changing.mkv", [LIMITED, FULL], program)
    report = render_supercut(cut_at(path, (40, 60)), tmp_path / "out.mp4", profile=SMALL, program=program)
    before, behind = (shown_colours(report.output, frame_number=number) for number in (5, 15))
    assert before == pytest.approx(PATCHES, abs=CLOSE)
    assert behind == pytest.approx(PATCHES, abs=CLOSE)
    (clip,) = report.clips
    told = "how its pictures are stored changes in mid clip (range: tv, pc): see whether its colours are right"
    assert (told,) == clip.warnings
    assert report.is_exact
