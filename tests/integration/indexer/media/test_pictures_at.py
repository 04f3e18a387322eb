"""Pictures on request are those that a decoder shows which starts at the beginning, bit for bit."""

from __future__ import annotations

import gc
import random
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.errors import VideoUnreadableError
from indexer.media.decode import VideoReader
from indexer.media.ffmpeg import find_ffmpeg
from indexer.media.pictures import PictureMaker
from indexer.media.pictures_at import PictureRequest, RequestedPicture, read_pictures, run_read_pictures
from store.records import VideoFacts
from tests.counted_video import CountedVideo, row_of
from tests.shared_media import FAULTS, needs_faults

B_FRAMES = (("bf", "3"), ("b-adapt", "0"), ("preset", "veryfast"))
CLIPS: dict[str, CountedVideo] = {
    "closed groups": CountedVideo(
        "closed.mp4", n_frames=120, options=(("x264-params", "keyint=24:scenecut=0"), *B_FRAMES)
    ),
    "open groups": CountedVideo(
        "open.mp4", n_frames=120, options=(("x264-params", "keyint=24:open-gop=1:scenecut=0"), *B_FRAMES)
    ),
    "one group": CountedVideo(
        "one.mkv", n_frames=100, options=(("x264-params", "keyint=1000:scenecut=0"), *B_FRAMES)
    ),
    "open groups in a transport stream": CountedVideo(
        "open.ts",
        n_frames=120,
        start=Fraction(7),
        options=(("x264-params", "keyint=24:open-gop=1:scenecut=0"), *B_FRAMES),
    ),
    "variable rate": CountedVideo(
        "vfr.mkv",
        times=tuple(Fraction(n * n, 90) + n * Fraction(1, 30) for n in range(60)),
        options=(("x264-params", "keyint=12:scenecut=0"), *B_FRAMES),
    ),
    "turned": CountedVideo("turned.mp4", n_frames=60, turn=90, options=(("g", "10"), *B_FRAMES)),
    "wide pixels": CountedVideo(
        "wide.mov", n_frames=60, pixel_aspect=Fraction(4, 3), options=(("g", "10"), *B_FRAMES)
    ),
    "MPEG-2 in a program stream": CountedVideo("old.mpg", n_frames=60, codec="mpeg2video", options=(("bf", "2"),)),
    "only decoding times": CountedVideo("old.avi", n_frames=60, codec="mpeg4", options=(("g", "12"),)),
    "gradual refresh": CountedVideo(
        "refresh.mp4",
        n_frames=90,
        options=(("x264-params", "keyint=15:intra-refresh=1:scenecut=0:bframes=0"), ("preset", "veryfast")),
    ),
    "HEVC with open groups": CountedVideo(
        "open-hevc.mp4",
        n_frames=90,
        codec="libx265",
        options=(("x265-params", "keyint=20:open-gop=1:scenecut=0:bframes=4:log-level=0"), ("preset", "veryfast")),
    ),
    "VP9": CountedVideo(
        "vp9.webm",
        n_frames=50,
        codec="libvpx-vp9",
        options=(("g", "12"), ("deadline", "realtime"), ("cpu-used", "8")),
    ),
    "Flash": CountedVideo("flash.flv", n_frames=60, options=(("g", "12"), *B_FRAMES)),
    "intra only": CountedVideo("intra.mov", n_frames=30, codec="prores_ks", size=(64, 48)),
}


class Clip:
    """A clip with noise, what the index knows of it, and all of its pictures."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facts: VideoFacts = row_of(path)[0].facts
        self.pictures: list[tuple[Fraction, NDArray[np.uint8]]] = []
        with VideoReader(str(path)) as reader:
            maker = PictureMaker(reader.pixel_aspect, reader.crop)
            for timed in reader.frames():
                if timed is not None:
                    self.pictures.append((timed.time, maker.rgb_picture(timed.frame, 48)))

    def at(self, time: Fraction) -> tuple[Fraction, NDArray[np.uint8]]:
        """What a full decode shows at a time."""
        earlier = [one for one in self.pictures if one[0] <= time]
        return earlier[-1] if earlier else self.pictures[0]


_FOLDER = TemporaryDirectory(prefix="rushes-clips-")


@cache
def _clip(name: str) -> Clip:
    return Clip(CLIPS[name].write(Path(_FOLDER.name), find_ffmpeg()))


def _in_process(
    path: Path, times: Sequence[Fraction], *, is_steady: bool | None
) -> dict[int, tuple[Fraction, NDArray[np.uint8]]]:
    """What the child sends, without the cost of a child."""
    found = {}
    for header, blobs in run_read_pictures(str(path), [(str(time), 48) for time in times], is_steady):
        if header:
            picture = np.frombuffer(blobs[0], np.uint8).reshape(*header["shape"], 3)
            found[header["number"]] = (Fraction(header["time"]), picture)
    return found


def _check(clip: Clip, times: Sequence[Fraction], *, is_steady: bool | None) -> None:
    found = _in_process(clip.path, times, is_steady=is_steady)
    assert set(range(len(times))) == set(found)
    for number, time in enumerate(times):
        shown_time, picture = clip.at(time)
        assert shown_time == found[number][0]
        np.testing.assert_array_equal(picture, found[number][1])


@pytest.mark.parametrize("name", CLIPS)
def test_every_frame_alone_is_that_of_a_full_decode(name: str) -> None:
    """At its time, just before the next, and in the middle, whatever was asked for before."""
    clip = _clip(name)
    ends = [time for time, _ in clip.pictures[1:]] + [clip.facts.span.end]
    chosen = list(zip(clip.pictures, ends, strict=True))[:: max(1, len(ends) // 12)]
    for (start, _), end in chosen:
        _check(clip, [start], is_steady=True)
        _check(clip, [end - Fraction(1, 100_000)], is_steady=None)


@pytest.mark.parametrize("name", CLIPS)
@given(shares=st.lists(st.floats(-0.1, 1.2), min_size=1, max_size=8), is_known=st.booleans())
@settings(max_examples=12)
def test_random_times_give_the_frames_of_a_full_decode(name: str, shares: list[float], is_known: bool) -> None:
    """In any order, some twice, before the first frame and behind the last."""
    clip = _clip(name)
    times = [Fraction(share) * clip.facts.span.end for share in shares]
    _check(clip, [*times, times[0]], is_steady=True if is_known else None)


@needs_faults
@pytest.mark.parametrize(
    "name", ["clock-restarts.ts", "clock-jumps-10min.ts", "h264-in-avi-25fps.avi", "turned-45.mp4"]
)
def test_clocks_that_jump_are_followed_from_the_beginning(name: str) -> None:
    """With what the index knows, and without."""
    clip = Clip(FAULTS / name)
    chance = random.Random(5)
    times = [Fraction(chance.random()) * clip.facts.span.end for _ in range(12)]
    _check(clip, times, is_steady=not clip.facts.clock_jumps)
    _check(clip, times, is_steady=None)


def test_pictures_come_from_a_child_one_by_one_in_order_of_time() -> None:
    """Each with the number of its request, its size, and the exact time at which it began to be shown."""
    clip = _clip("turned")
    requests = [
        PictureRequest(Fraction(2), 24),
        PictureRequest(Fraction(1, 2), 48),
        PictureRequest(Fraction(2), None),
        PictureRequest(Fraction(-5), 1000),
    ]
    pictures = list(read_pictures(str(clip.path), requests, clip.facts))
    assert [3, 1, 0, 2] == [one.number for one in pictures]
    assert [Fraction(0), Fraction(12, 25), Fraction(2), Fraction(2)] == [one.time for one in pictures]
    assert [(128, 96, 3), (64, 48, 3), (32, 24, 3), (128, 96, 3)] == [one.picture.shape for one in pictures]
    np.testing.assert_array_equal(clip.at(Fraction(1, 2))[1], pictures[1].picture)
    first = next(read_pictures(str(clip.path), requests))
    assert isinstance(first, RequestedPicture)
    assert [] == list(read_pictures("/nowhere.mp4", []))


def test_only_the_groups_that_are_needed_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three pictures out of five groups of 24: one in the middle of each of three groups, half a group each."""
    clip = _clip("closed groups")
    n_decoded = 0

    class Counting(VideoReader):
        def frames(self):  # type: ignore[no-untyped-def]
            nonlocal n_decoded
            for timed in super().frames():
                n_decoded += 1
                yield timed

    monkeypatch.setattr("indexer.media.decode.VideoReader", Counting)
    middles = [(Fraction(24 * group + 12) / 25) for group in (0, 2, 4)]
    _check_count = len(_in_process(clip.path, middles, is_steady=True))
    assert 3 == _check_count
    assert n_decoded <= 3 * 14
    n_decoded = 0
    assert 12 == len(_in_process(clip.path, [Fraction(n, 25) for n in range(12)], is_steady=True))
    assert n_decoded <= 14


def test_what_cannot_be_read_says_so(tmp_path: Path) -> None:
    """In one line with the file's name; sizes that are none are refused at once."""
    path = tmp_path / "no.mp4"
    path.write_text("no video")
    with pytest.raises(VideoUnreadableError, match=r"no\.mp4: not a video that can be read"):
        list(read_pictures(str(path), [PictureRequest(Fraction(0))]))
    for size in (0, -1, 1 << 20):
        with pytest.raises(ValueError, match="shorter side"):
            PictureRequest(Fraction(0), size)


def test_the_largest_picture_fits_into_a_message(tmp_path: Path) -> None:
    """8192 x 4320 in RGB: 101 MiB."""
    path = tmp_path / "8k.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 8192, 4320, "yuvj420p"
        frame = av.VideoFrame(8192, 4320, "yuvj420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    (one,) = read_pictures(str(path), [PictureRequest(Fraction(0))])
    assert (4320, 8192, 3) == one.picture.shape


def test_a_frame_is_freed_as_soon_as_its_picture_is_made() -> None:
    """None waits for the collector: frames are megabytes, and a long film has many."""

    def n_frames() -> int:
        return sum(type(one) is av.VideoFrame for one in gc.get_objects())  # asking lazy objects warns

    clip = _clip("turned")
    gc.collect()
    before = n_frames()
    gc.disable()
    try:
        assert 30 == len(_in_process(clip.path, [Fraction(n, 15) for n in range(30)], is_steady=True))
        assert n_frames() <= before  # fewer where an earlier test held some
    finally:
        gc.enable()
