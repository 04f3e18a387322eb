"""Sound on request lies on the time line of the pictures: sample n is heard at n / rate."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from indexer.errors import NoAudioError, VideoUnreadableError
from indexer.media.audio import AudioBlock, AudioRequest, read_audio, run_read_audio
from indexer.media.audio_blocks import Samples
from indexer.media.ffmpeg import find_ffmpeg
from store.records import VideoFacts
from tests.counted_video import CountedVideo, bursts, row_of
from tests.shared_media import FAULTS, needs_faults

RATE = 16_000


def _read(path: Path, request: AudioRequest, facts: VideoFacts | None = None) -> tuple[Samples, list[int]]:
    """All of the sound, read without the cost of a child, and the lengths of its blocks."""
    jumps = None if facts is None else [(str(jump.time), jump.tick) for jump in facts.clock_jumps]
    first = round(request.start * request.rate_hz)
    end = None if request.end is None else round(request.end * request.rate_hz)
    blocks, expected = [], first
    for header, blobs in run_read_audio(
        str(path), request.rate_hz, request.is_mono, request.track, first, end, jumps
    ):
        if header:
            assert expected == header["first"]
            blocks.append(np.frombuffer(blobs[0], np.float32).reshape(header["n_channels"], -1))
            expected += blocks[-1].shape[1]
    return np.concatenate(blocks, axis=1), [block.shape[1] for block in blocks]


def _burst_times(samples: Samples, rate: int) -> list[float]:
    loud = np.flatnonzero(np.abs(samples[0]) > 0.1)
    return [float(at / rate) for at in loud[np.diff(loud, prepend=-rate) > rate // 10]]


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.ts", "a.avi", "a.mpg"])
@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_sound_is_heard_when_it_was_recorded(tmp_path: Path, name: str, rate: int) -> None:
    """A burst at each half second, in every container, though its clock starts at seven seconds."""
    codec = {"avi": "mpeg4", "mpg": "mpeg2video"}.get(name[2:], "libx264")
    start = Fraction(7 if name[2:] in {"ts", "mpg"} else 0)
    video = CountedVideo(name, n_frames=75, codec=codec, layout="stereo", start=start)
    path = video.write(tmp_path, find_ffmpeg())
    samples, lengths = _read(path, AudioRequest(rate), row_of(path)[0].facts)
    assert {rate} == set(lengths[:-1])
    # The pictures of a container begin up to 0.03 s behind its sound, which an encoder starts before time.
    assert [0, 0.5, 1, 1.5, 2, 2.5] == pytest.approx(_burst_times(samples, rate), abs=0.035)


def test_uncompressed_sound_comes_sample_for_sample(tmp_path: Path) -> None:
    """At its own rate; and at another as one resampler makes of the whole."""
    path = CountedVideo("a.mov", n_frames=50, layout="stereo").write(tmp_path, find_ffmpeg())
    written = bursts(2.0, 48_000)
    same, _ = _read(path, AudioRequest(48_000, is_mono=False))
    assert (2, len(written)) == same.shape
    np.testing.assert_allclose(same, np.stack([written, written]), atol=2 / 2**15)
    resampler = av.AudioResampler("fltp", "mono", RATE)
    frame = av.AudioFrame.from_ndarray(same[:1].copy(), "fltp", "mono")
    frame.sample_rate = 48_000
    whole = np.concatenate(
        [one.to_ndarray() for given in (frame, None) for one in resampler.resample(given)], axis=1
    )
    np.testing.assert_allclose(whole, _read(path, AudioRequest(RATE))[0], atol=1e-5)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_gaps_and_late_starts_are_silence(tmp_path: Path, ending: str) -> None:
    """Nothing moves forward because something is missing before it."""
    for gap, expected in (
        ((Fraction(0), Fraction(6, 5)), [1.5, 2, 2.5]),
        ((Fraction(4, 5), Fraction(9, 5)), [0, 0.5, 2, 2.5]),
    ):
        video = CountedVideo(f"{float(gap[0])}.{ending}", n_frames=75, layout="stereo", sound_gap=gap)
        samples, _ = _read(video.write(tmp_path, find_ffmpeg()), AudioRequest(RATE))
        assert expected == pytest.approx(_burst_times(samples, RATE), abs=0.035)


@pytest.mark.parametrize("starts", [(0, 0), (5, 0), (0, 700), (3, 3, 3)])
def test_sound_goes_on_with_the_pictures_where_clocks_jump(tmp_path: Path, starts: tuple[int, ...]) -> None:
    """Recordings put together, 48 frames and 80 packets of sound each, with what the index knows and without."""
    path = tmp_path / "joined.ts"
    with path.open("wb") as file:
        for number, start in enumerate(starts):
            part = CountedVideo(f"{number}.ts", n_frames=48, start=Fraction(start), layout="stereo")
            file.write(part.write(tmp_path, find_ffmpeg()).read_bytes())
    row, times = row_of(path)
    assert len(starts) - 1 == len(row.facts.clock_jumps)
    for facts in (row.facts, None):
        samples, _ = _read(path, AudioRequest(RATE), facts)
        heard = _burst_times(samples, RATE)
        begins = [float(times[48 * number]) for number in range(len(starts))]
        assert [at + half / 2 for at in begins for half in range(4)] == pytest.approx(heard, abs=0.035)


def test_a_part_is_that_part_of_the_whole(tmp_path: Path) -> None:
    """Cut at any sample, also where it ends before a block does, or behind the sound."""
    path = CountedVideo("a.mkv", n_frames=75, layout="stereo").write(tmp_path, find_ffmpeg())
    whole, _ = _read(path, AudioRequest(RATE))
    for start, end in (
        (Fraction(1, 3), Fraction(2, 3)),
        (Fraction(1, 2), Fraction(5, 2)),
        (Fraction(2), Fraction(9)),
    ):
        part, _ = _read(path, AudioRequest(RATE, start=start, end=end))
        np.testing.assert_array_equal(whole[:, round(start * RATE) : round(end * RATE)], part)


def _write_channels(path: Path, layout: str, levels: list[float], name: str = "flt") -> None:
    """A second of PCM with a constant in each channel."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("mpeg4", rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = 32, 32, "yuv420p"
        codec = {"flt": "pcm_f32le", "s16": "pcm_s16le", "u8": "pcm_u8", "s32": "pcm_s32le", "dbl": "pcm_f64le"}[
            name
        ]
        sound: Any = container.add_stream(codec, rate=8000)
        sound.layout = layout
        for _ in range(25):
            container.mux(pictures.encode(av.VideoFrame(32, 32, "yuv420p")))
        samples = np.repeat(np.array(levels, np.float64)[:, None], 8000, axis=1)
        dtype, scale, middle = {
            "flt": (np.float32, 1, 0),
            "dbl": (np.float64, 1, 0),
            "s16": (np.int16, 2**15, 0),
            "s32": (np.int32, 2**31, 0),
            "u8": (np.uint8, 128, 128),
        }[name]
        packed = np.ascontiguousarray((samples * scale + middle).astype(dtype).T.reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(packed, name, layout)
        frame.sample_rate, frame.pts, frame.time_base = 8000, 0, Fraction(1, 8000)
        container.mux(sound.encode(frame))
        for stream in (pictures, sound):
            container.mux(stream.encode(None))


@pytest.mark.parametrize("name", ["flt", "s16", "u8", "s32", "dbl"])
def test_channels_come_apart_or_mixed(tmp_path: Path, name: str) -> None:
    """Whatever the format: each on its own, or their mean, which never clips."""
    path = tmp_path / "a.mov"
    _write_channels(path, "stereo", [0.5, -0.25], name)
    apart, _ = _read(path, AudioRequest(8000, is_mono=False))
    np.testing.assert_allclose(np.array([[0.5], [-0.25]]) * np.ones((2, 8000)), apart, atol=0.01)
    mixed, _ = _read(path, AudioRequest(8000))
    np.testing.assert_allclose(np.full((1, 8000), 0.125), mixed, atol=0.01)


def test_speech_in_the_middle_is_the_loudest_in_the_mix(tmp_path: Path) -> None:
    """Of 5.1 sound the centre counts most, low frequencies not at all, and full scale stays full scale."""
    mixed = {}
    for place, name in enumerate(("FL", "FR", "FC", "LFE", "SL", "SR")):
        _write_channels(tmp_path / f"{name}.mov", "5.1(side)", [float(n == place) for n in range(6)])
        mixed[name] = float(_read(tmp_path / f"{name}.mov", AudioRequest(8000))[0][0, 4000])
    assert 1 == pytest.approx(sum(mixed.values()), abs=1e-5)
    assert mixed["FC"] > mixed["FL"] == mixed["FR"] > mixed["SL"] == mixed["SR"] > mixed["LFE"] == 0


@needs_faults
def test_channels_without_names_are_read() -> None:
    """All four of them, though their layout is one that breaks PyAV; in a child, as ever."""
    path = str(FAULTS / "sound-channels-unused.mov")
    first = next(read_audio(path, AudioRequest(RATE, is_mono=False)))
    assert (4, 7680) == first.samples.shape  # 0.48 s
    assert np.abs(first.samples).max() > 0.01
    (mixed, *_) = read_audio(path, AudioRequest(RATE))
    np.testing.assert_allclose(first.samples.mean(axis=0), mixed.samples[0], atol=1e-4)


def test_blocks_come_from_a_child_with_their_times(tmp_path: Path) -> None:
    """A second each, the last shorter, without gaps."""
    path = CountedVideo("a.mov", n_frames=60, layout="mono").write(tmp_path, find_ffmpeg())
    blocks = list(read_audio(str(path), AudioRequest(RATE, start=Fraction(1, 4))))
    assert all(isinstance(block, AudioBlock) and block.samples.dtype == np.float32 for block in blocks)
    assert [Fraction(1, 4), Fraction(5, 4), Fraction(9, 4)] == [block.time for block in blocks]
    assert [RATE, RATE, round(0.15 * RATE)] == [block.samples.shape[1] for block in blocks]


def test_a_video_without_sound_says_so(tmp_path: Path) -> None:
    """So does one without the track that is asked for; what is no video is refused, as is nonsense."""
    silent = CountedVideo("a.mp4", n_frames=5).write(tmp_path, find_ffmpeg())
    with pytest.raises(NoAudioError, match=r"a\.mp4: the video has no sound"):
        list(read_audio(str(silent), AudioRequest()))
    loud = CountedVideo("b.mp4", n_frames=5, layout="mono").write(tmp_path, find_ffmpeg())
    with pytest.raises(NoAudioError, match="has 1 sound track, so there is no track 1"):
        list(read_audio(str(loud), AudioRequest(track=1)))
    (tmp_path / "c.mp4").write_text("no video")
    with pytest.raises(VideoUnreadableError):
        list(read_audio(str(tmp_path / "c.mp4"), AudioRequest()))
    for wrong in ({"rate_hz": 0}, {"start": Fraction(-1)}, {"start": Fraction(2), "end": Fraction(1)}):
        with pytest.raises(ValueError, match="sound"):
            AudioRequest(**wrong)
