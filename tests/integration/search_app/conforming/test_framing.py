"""Pictures of another shape than the profile's, looked at in the supercut."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from search_app.conforming.picture_names import Framing
from search_app.conforming.saliency import find_focus
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import CutList, build_cut_list
from search_app.rendering.outcomes import SupercutReport
from search_app.rendering.supercut import render_supercut
from store.timespan import TimeSpan
from tests.counted_video import CountedVideo, hit_of, read_numbers, row_of

WIDTH, HEIGHT = 192, 96
TALL = (72, 128)
Pictures = NDArray[np.uint8]


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


def planted(left: int) -> Pictures:
    """25 dim pictures of even grain, over which a yellow square moves down near a place."""
    grain = np.kron(np.random.default_rng(3).integers(70, 110, (16, 32, 3)), np.ones((6, 6, 1)))
    pictures = np.repeat(grain[None].astype(np.uint8), 25, axis=0)
    for number, picture in enumerate(pictures):
        picture[20 + 2 * number :][:18, left : left + 18] = (240, 220, 60)
    return pictures


def write(path: Path, pictures: Pictures, **options: str) -> Path:
    """A video of pictures; options are for the encoder."""
    container: Any
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10", **options})
        stream.height, stream.width = pictures.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def cut_of(path: Path) -> CutList:
    """A cut list of one clip, the whole file."""
    row, times = row_of(path)
    return build_cut_list([hit_of(row, TimeSpan(times[0], row.facts.span.end), 1)], {row.video_id: row})


def render(path: Path, target: Path, framing: Framing, program: Ffmpeg) -> SupercutReport:
    """A portrait of a landscape."""
    profile = Profile(*TALL, Fraction(25), crf=10, preset="ultrafast", framing=framing)
    return render_supercut(cut_of(path), target, profile=profile, program=program)


def shown(path: Path) -> Pictures:
    """All pictures of a file."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def yellow_part(pictures: Pictures) -> float:
    """Which part of all pixels is yellow."""
    red, _, blue = np.moveaxis(pictures.astype(np.int16), 3, 0)
    return float((red - blue > 100).mean())


@pytest.mark.parametrize("left", [6, WIDTH - 24])
def test_smart_framing_keeps_what_the_middle_loses(left: int, tmp_path: Path, program: Ffmpeg) -> None:
    """A bright thing that moves at one side is in the smart crop whole, and not in the crop of the middle."""
    path = write(tmp_path / "planted.mp4", planted(left))
    smart = render(path, tmp_path / "smart.mp4", Framing.SMART, program)
    middle = render(path, tmp_path / "middle.mp4", Framing.CROP, program)
    whole = (18 / HEIGHT) * (18 / (HEIGHT * TALL[0] / TALL[1]))
    assert yellow_part(shown(smart.output)) == pytest.approx(whole, rel=0.15)
    assert 0 == yellow_part(shown(middle.output))
    assert (True, True) == (smart.is_exact, middle.is_exact)


def test_smart_framing_sees_clips_in_the_middle_of_long_groups(tmp_path: Path, program: Ffmpeg) -> None:
    """Where a file has no index and the seek comes too late, it looks again from farther back."""
    path = write(tmp_path / "long.ts", np.concatenate([planted(6)] * 4), g="250", sc_threshold="0")
    row, times = row_of(path)
    cut_list = build_cut_list([hit_of(row, TimeSpan(times[75], row.facts.span.end), 1)], {row.video_id: row})
    profile = Profile(*TALL, Fraction(25), crf=10, preset="ultrafast", framing=Framing.SMART)
    report = render_supercut(cut_list, tmp_path / "smart.mp4", profile=profile, program=program)
    whole = (18 / HEIGHT) * (18 / (HEIGHT * TALL[0] / TALL[1]))
    assert yellow_part(shown(report.output)) == pytest.approx(whole, rel=0.15)


def test_pictures_in_which_nothing_stands_out_keep_their_middle() -> None:
    """Without anything to follow the crop stays where a person would put it."""
    plain = np.full((5, 54, 96, 3), 90, np.uint8)
    assert (0.5, 0.5) == find_focus(plain, (Fraction(1, 3), Fraction(1)))
    assert (0.5, 0.5) == find_focus(plain[:0], (Fraction(1, 3), Fraction(1)))


def test_a_crop_shows_the_middle_of_the_picture(tmp_path: Path, program: Ffmpeg) -> None:
    """Filling a square with a landscape leaves out as much left as right, and nothing is squeezed."""
    ramp = np.broadcast_to(np.arange(WIDTH, dtype=np.uint8)[None, None, :, None], (5, HEIGHT, WIDTH, 3))
    path = write(tmp_path / "ramp.mp4", np.ascontiguousarray(ramp))
    profile = Profile(HEIGHT, HEIGHT, Fraction(25), crf=6, preset="ultrafast", framing=Framing.CROP)
    report = render_supercut(cut_of(path), tmp_path / "out.mp4", profile=profile, program=program)
    row = shown(report.output)[2, HEIGHT // 2, :, 0].astype(float)
    assert row == pytest.approx(np.arange(HEIGHT) + (WIDTH - HEIGHT) / 2, abs=4)
    assert report.is_exact


def test_a_blurred_copy_fills_what_would_be_black(tmp_path: Path, program: Ffmpeg) -> None:
    """Above and below the whole picture lies its own light, without its edges; bars would be black."""
    path = write(tmp_path / "planted.mp4", planted(WIDTH // 2))
    blurred = render(path, tmp_path / "blur.mp4", Framing.BLUR, program)
    padded = render(path, tmp_path / "pad.mp4", Framing.PAD, program)
    above, bar = (shown(report.output)[:, :40].astype(float) for report in (blurred, padded))
    assert 0 == pytest.approx(bar.mean(), abs=1)
    assert 85 < above.mean() < 130
    assert np.abs(np.diff(above, axis=2)).mean() < 3
    inside = slice(TALL[1] // 2 - 16, TALL[1] // 2 + 16)
    one, other = (shown(report.output)[:, inside].astype(float) for report in (blurred, padded))
    assert np.abs(one - other).mean() < 3
    assert blurred.is_exact


@pytest.mark.parametrize("framing", list(Framing))
def test_odd_sizes_are_framed_exactly(framing: Framing, tmp_path: Path, program: Ffmpeg) -> None:
    """Sides that no codec of a supercut can hold are no trouble in any framing."""
    path = CountedVideo("odd.mkv", n_frames=10, size=(127, 95), codec="ffv1").write(tmp_path, program)
    profile = Profile(128, 96, Fraction(25), preset="ultrafast", framing=framing)
    report = render_supercut(cut_of(path), tmp_path / "out.mp4", profile=profile, program=program)
    assert (list(range(10)), True) == (read_numbers(report.output, [(128, 96)]), report.is_exact)


@pytest.mark.parametrize("framing", list(Framing))
def test_a_size_that_changes_in_mid_file_changes_nothing(
    framing: Framing, tmp_path: Path, program: Ffmpeg
) -> None:
    """Where pictures become larger in the middle of a clip, every frame is there, and fills the same place."""
    path = tmp_path / "changing.avi"
    container: Any
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        larger: Any = av.CodecContext.create("mjpeg", "w")
        larger.width, larger.height, larger.pix_fmt = 128, 96, "yuvj420p"
        larger.time_base, larger.framerate = Fraction(1, 25), Fraction(25)
        counted = CountedVideo("counted.mp4", n_frames=40).write(tmp_path, program)
        with av.open(str(counted)) as source:
            for number, frame in enumerate(source.decode(video=0)):
                encoder = stream if number < 20 else larger
                picture = frame.reformat(width=encoder.width, height=encoder.height, format="yuvj420p")
                picture.pts, picture.time_base, picture.pict_type = number, Fraction(1, 25), 0
                packets = encoder.encode(picture)
                if number == 19:
                    packets += stream.encode(None)
                _mux(container, stream, packets)
            _mux(container, stream, larger.encode(None))
    profile = Profile(128, 96, Fraction(25), preset="ultrafast", framing=framing)
    report = render_supercut(cut_of(path), tmp_path / "out.mp4", profile=profile, program=program)
    assert list(range(40)) == read_numbers(report.output, [(128, 96)])
    assert report.is_exact


def _mux(container: Any, stream: Any, packets: list[Any]) -> None:
    for packet in packets:
        packet.stream = stream
        container.mux(packet)
