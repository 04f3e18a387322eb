"""The timecode in the lower third, read back from the pictures: every frame bears the name of its source frame."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from search_app.conforming.modes import Mode
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import CutList, build_cut_list
from search_app.rendering.film_options import FilmOptions, LowerThird
from search_app.rendering.lettering import draw_cells
from search_app.rendering.overlays import SAFE, THIRD_SIZE
from search_app.rendering.supercut import render_supercut
from search_app.rendering.transitions import Transition
from search_app.timelines.timecode import format_timecode, parse_timecode
from store.timespan import TimeSpan
from tests.counted_video import CountedVideo, hit_of, read_numbers, row_of

NTSC = Fraction(30_000, 1001)
SIZE = (640, 360)
SHAPE = Profile(*SIZE, NTSC, preset="ultrafast", crf=8)
LETTER_PX = round(SIZE[1] * THIRD_SIZE)
SIGNS = "0123456789:;"
N_SIGNS = len("00:00:00:00")


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


def clip_of(folder: Path, program: Ffmpeg, video: CountedVideo, timecode: str | None, first: int) -> CutList:
    """Twenty frames of a video that says it begins at a timecode."""
    row, times = row_of(video.write(folder, program))
    row = replace(row, facts=replace(row.facts, start_timecode=timecode))
    return build_cut_list([hit_of(row, TimeSpan(times[first], times[first + 20]), 1)], {row.video_id: row})


def burnt_in(film: Path) -> list[str]:
    """What the box at the lower left says in each frame."""
    with av.open(str(film)) as container:
        return [_read(frame.to_ndarray(format="gray").astype(np.uint8)) for frame in container.decode(video=0)]


def _read(picture: NDArray[np.uint8]) -> str:
    cells = {sign: np.asarray(cell.getchannel("A")) > 128 for sign, cell in draw_cells(SIGNS, LETTER_PX).items()}
    height, width = cells["0"].shape
    margin = LETTER_PX // 2
    left, box_height = round(SIZE[0] * SAFE) + margin, height + margin
    top = SIZE[1] - round(SIZE[1] * SAFE) - box_height + margin // 2
    letters = picture[top : top + height, left : left + N_SIGNS * width] > 160
    shown = (letters[:, place * width : (place + 1) * width] for place in range(N_SIGNS))
    return "".join(min(SIGNS, key=lambda sign: int((cell ^ cells[sign]).sum())) for cell in shown)


@pytest.mark.parametrize(
    ("rate", "timecode", "mode"),
    [
        (NTSC, "00:00:59;20", Mode.EXACT),
        (NTSC, "09:59:59:20", Mode.FAST),
        (Fraction(24), "10:00:00:00", Mode.EXACT),
        (Fraction(50), "23:59:59:40", Mode.EXACT),
        (Fraction(12), None, Mode.EXACT),
    ],
    ids=["drop", "fast", "slower", "faster", "none"],
)
def test_every_frame_bears_the_name_of_its_source_frame(
    rate: Fraction, timecode: str | None, mode: Mode, tmp_path: Path, program: Ffmpeg
) -> None:
    """Over the end of a minute and of a day, at any rate; cuts stay exact, and a missing timecode is said."""
    video = CountedVideo("source.mp4", rate=rate, n_frames=60, size=SIZE)
    cut_list = clip_of(tmp_path, program, video, timecode, 5)
    film = FilmOptions(lower_third=LowerThird.TIMECODE)
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=SHAPE, film=film, mode=mode, program=program)
    assert "1/1 cuts exact" == report.verification_line()
    plain = render_supercut(cut_list, tmp_path / "plain.mp4", profile=SHAPE, program=program, verify=False)
    drop, start = ";" in (timecode or ""), parse_timecode(timecode or "00:00:00:00", rate)
    numbers = read_numbers(plain.output, [SIZE])
    expected = [format_timecode(start + number, rate, drop=drop) for number in numbers if number is not None]
    assert len(numbers) == len(expected)
    assert expected == burnt_in(report.output)
    assert (timecode is None) == ("has no timecode" in report.summary())


def test_timecodes_dissolve_with_their_clips(tmp_path: Path, program: Ffmpeg) -> None:
    """A dissolve takes the frames of both clips with their names, and clear frames are named as before."""
    row, times = row_of(CountedVideo("source.mp4", rate=NTSC, n_frames=60, size=SIZE).write(tmp_path, program))
    hits = [hit_of(row, TimeSpan(times[30 * n], times[30 * n + 20]), n + 1) for n in range(2)]
    cut_list = build_cut_list(hits, {row.video_id: row})
    film = FilmOptions(Transition.DISSOLVE, 0.2, lower_third=LowerThird.TIMECODE)
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=SHAPE, film=film, program=program)
    assert (34, "2/2 cuts exact") == (report.n_frames, report.verification_line())
    assert report.summary().endswith(
        "\nclip 1: has no timecode (frames counted from 00:00:00:00)"
        "\nclip 2: has no timecode (frames counted from 00:00:00:00)"
    )
    many = replace(report, clips=2 * report.clips)
    assert many.summary().endswith("\n4 clips: has no timecode (frames counted from 00:00:00:00)")
    names = burnt_in(report.output)
    assert [f"00:00:00:{n:02d}" for n in range(14)] == names[:14]
    assert [format_timecode(30 + n, NTSC) for n in range(6, 20)] == names[20:]
