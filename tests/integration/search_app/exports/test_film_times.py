"""The film of the lists is the film that is rendered, to the frame; other programs read what we write."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from search_app.conforming.target_profile import Profile
from search_app.exports.export import export_cut_list
from search_app.exports.film import plan_film
from search_app.rendering.supercut import render_supercut
from tests.counted_video import CountedVideo
from tests.integration.search_app.rendering.test_supercut import NTSC, NTSC_FILM, UNEVEN, cut, leftovers

SOURCES = (
    CountedVideo("film.mp4", NTSC_FILM),
    CountedVideo("pal.mkv", Fraction(25)),
    CountedVideo("ntsc.mkv", NTSC),
    CountedVideo("late.ts", Fraction(25), start=Fraction(7), codec="mpeg2video"),
    CountedVideo("uneven.mp4", times=UNEVEN),
    CountedVideo("motion.avi", Fraction(25), codec="mjpeg"),
)


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


@pytest.mark.parametrize("handles", [0, 0.13])
@pytest.mark.parametrize("rate", [Fraction(25), NTSC])
def test_clips_lie_where_the_supercut_has_them(
    rate: Fraction, handles: float, tmp_path: Path, program: Ffmpeg
) -> None:
    """Of every container, at its own rate and another, with handles and without, to the frame."""
    paths = [video.write(tmp_path, program) for video in SOURCES]
    cut_list, _ = cut([(path, 11, 31) for path in paths], handles_seconds=handles)
    profile = Profile(64, 64, rate, preset="ultrafast")
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=profile, program=program, verify=False)
    film = plan_film(cut_list, "x", rate=rate)
    rendered = [(clip.source.name, clip.first_frame, clip.n_frames) for clip in report.clips]
    assert rendered == [(clip.source.name, clip.first_frame, clip.n_frames) for clip in film.clips]
    assert report.profile.frame_rate == film.rate


def test_ffmpeg_reads_the_chapters(tmp_path: Path, program: Ffmpeg) -> None:
    """Exact to the frame, at a rate that no decimal holds, with every sign of the format in a title."""
    path = CountedVideo("a=b;#\\c.mkv", NTSC).write(tmp_path, program)
    cut_list, _ = cut([(path, 0, 10), (path, 20, 31)])
    export_cut_list(cut_list, tmp_path / "x.ffmetadata")
    with av.open(str(tmp_path / "x.ffmetadata"), format="ffmetadata") as container:
        chapters = container.chapters()
    bases = [one["time_base"] or 0 for one in chapters]
    times = [(one["start"] * base, one["end"] * base) for one, base in zip(chapters, bases, strict=True)]
    assert [(0, 10 / NTSC), (10 / NTSC, 21 / NTSC)] == times
    assert ["a=b;#\\c.mkv"] * 2 == [one["metadata"]["title"] for one in chapters]
    assert [] == leftovers(tmp_path)
