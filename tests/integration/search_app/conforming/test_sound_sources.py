"""Sound of every kind of source, as it is heard in the supercut."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.media.ffmpeg import Ffmpeg, Stream, combine, draw, find_ffmpeg, save
from search_app.conforming.picture_names import Codec
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import build_cut_list
from search_app.rendering.outcomes import SupercutReport
from search_app.rendering.supercut import render_supercut
from store.timespan import TimeSpan
from tests.counted_video import hit_of, row_of
from tests.patched_video import call_channels_unused
from tests.shared_media import FAULTS, needs_faults

RATE = 48_000


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


def write(path: Path, tracks: list[tuple[str, dict[int, tuple[float, float]], int]], default: int = 0) -> Path:
    """A second of grey with sound tracks: layout, frequency and level by channel, sample rate."""
    container: Any
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuv420p"
        sounds = []
        for layout, _, sample_rate in tracks:
            sound = container.add_stream("flac", rate=sample_rate)
            sound.layout, sound.format = layout, "s16"
            sounds.append(sound)
        for number, sound in enumerate(sounds):
            sound.disposition = av.stream.Disposition.default if number == default else av.stream.Disposition(0)
        for number in range(25):
            grey = np.full((64, 64), 100 + number, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="gray").reformat(format="yuv420p")
            frame.pts = number
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        for sound, (layout, tones, sample_rate) in zip(sounds, tracks, strict=True):
            time = np.arange(sample_rate) / sample_rate
            channels = np.zeros((sample_rate, sound.layout.nb_channels))
            for channel, (hertz, level) in tones.items():
                channels[:, channel] = level * np.sin(2 * np.pi * hertz * time)
            samples = np.round(channels * 32767).astype(np.int16)
            for at in range(0, sample_rate, 1000):
                piece = samples[at : at + 1000].reshape(1, -1)
                block = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), format="s16", layout=layout)
                block.sample_rate, block.pts, block.time_base = sample_rate, at, Fraction(1, sample_rate)
                container.mux(sound.encode(block))
            container.mux(sound.encode(None))
    return path


def render(path: Path, program: Ffmpeg, audio_track: int | None = None) -> SupercutReport:
    """The whole file as a supercut of sound alone, without loss."""
    row, times = row_of(path)
    hit = hit_of(row, TimeSpan(times[0], row.facts.span.end), 1)
    profile = Profile(64, 64, Fraction(25), preset="ultrafast", codec=Codec.SOUND, audio_track=audio_track)
    cut_list = build_cut_list([hit], {row.video_id: row})
    return render_supercut(cut_list, path.with_suffix(".wav"), profile=profile, program=program)


def heard(report: SupercutReport) -> NDArray[np.float64]:
    """(n_samples, 2): what comes out of the speakers, -1 to 1."""
    container: Any
    with av.open(str(report.output)) as container:
        blocks = [frame.to_ndarray().reshape(-1, 2) for frame in container.decode(audio=0)]
    return np.concatenate(blocks).astype(np.float64) / 32767


def level(samples: NDArray[np.float64], hertz: float) -> NDArray[np.float64]:
    """How loud a tone is in each channel: its amplitude."""
    turns = np.exp(-2j * np.pi * hertz * np.arange(len(samples)) / RATE)
    amplitudes: NDArray[np.float64] = np.abs(turns @ samples) * 2 / len(samples)
    return amplitudes


@pytest.mark.parametrize("sample_rate", [8000, 22_050, 44_100, 48_000, 96_000])
def test_mono_of_any_rate_is_as_loud_on_both_sides(sample_rate: int, tmp_path: Path, program: Ffmpeg) -> None:
    """A single channel comes out of both speakers as loud as it is, at the pitch that it has, for its length."""
    path = write(tmp_path / "mono.mkv", [("mono", {0: (1000, 0.5)}, sample_rate)])
    samples = heard(render(path, program))
    assert (RATE, 2) == samples.shape
    assert level(samples, 1000) == pytest.approx([0.5, 0.5], abs=0.01)


def test_stereo_keeps_its_sides(tmp_path: Path, program: Ffmpeg) -> None:
    """What is on the left stays there alone, and so does what is on the right."""
    path = write(tmp_path / "stereo.mkv", [("stereo", {0: (1000, 0.5), 1: (3000, 0.25)}, RATE)])
    samples = heard(render(path, program))
    assert level(samples, 1000) == pytest.approx([0.5, 0], abs=0.01)
    assert level(samples, 3000) == pytest.approx([0, 0.25], abs=0.01)


def test_surround_is_folded_after_the_standard(tmp_path: Path, program: Ffmpeg) -> None:
    """Centre and surrounds come 3 dB below the front, the centre on both sides, the bass not at all."""
    tones = {place: (float(hertz), 0.5) for place, hertz in enumerate((500, 700, 1100, 60, 1300, 1700))}
    samples = heard(render(write(tmp_path / "surround.mkv", [("5.1", tones, RATE)]), program))
    front = level(samples, 500)[0]
    levels = np.array([level(samples, hertz) / front for hertz, _ in tones.values()])
    half = 0.5**0.5
    assert levels == pytest.approx(
        np.array([[1, 0], [0, 1], [half, half], [0, 0], [half, 0], [0, half]]), abs=0.02
    )


def test_surround_at_full_level_does_not_clip(tmp_path: Path, program: Ffmpeg) -> None:
    """Six channels that are as loud as can be, all at once, stay a clean tone."""
    loud = dict.fromkeys(range(6), (1000.0, 1.0))
    samples = heard(render(write(tmp_path / "loud.mkv", [("5.1", loud, RATE)]), program))
    wanted = level(samples, 1000)
    tone = np.sin(2 * np.pi * 1000 * np.arange(len(samples)) / RATE)[:, None] * wanted
    assert np.abs(samples - tone).max() < 0.01
    assert wanted == pytest.approx([1, 1], abs=0.01)


TWO = [("mono", {0: (500.0, 0.5)}, RATE), ("stereo", {0: (1500.0, 0.5), 1: (1500.0, 0.5)}, RATE)]


@pytest.mark.parametrize(
    ("default", "asked", "hertz"), [(0, None, 500), (1, None, 1500), (0, 2, 1500), (1, 1, 500)]
)
def test_the_default_track_is_heard_or_the_one_asked_for(
    default: int, asked: int | None, hertz: int, tmp_path: Path, program: Ffmpeg
) -> None:
    """Of several tracks the file's default one is heard alone, unless another is asked for."""
    report = render(write(tmp_path / "two.mkv", TWO, default), program, asked)
    levels = {tone: float(level(heard(report), tone).mean()) for tone in (500, 1500)}
    assert {500: 0.0, 1500: 0.0} | {hertz: 0.5} == pytest.approx(levels, abs=0.01)


def test_a_track_that_is_not_there_is_silence_and_said(tmp_path: Path, program: Ffmpeg) -> None:
    """Another track is not taken in its place without a word: the clip is silent, and its outcome says why."""
    report = render(write(tmp_path / "two.mkv", TWO), program, 3)
    assert 0 == np.abs(heard(report)).max()
    assert ("its sound cannot be read, silence instead: the file has no sound track 3, only 2",) == report.clips[
        0
    ].warnings


def without_speakers(path: Path, n_channels: int, program: Ffmpeg) -> Path:
    """A QuickTime file with one track of so many channels, each with its own tone and all called unused."""
    tones = [draw_tone(500 + 200 * place) for place in range(n_channels)]
    layout = {2: "stereo", 3: "2.1", 4: "4.0", 6: "5.1"}[n_channels]
    places = "|".join(map(str, range(n_channels)))
    mixed = combine(tones, "amerge", inputs=n_channels).filter("channelmap", places, layout)
    pictures = draw("testsrc=size=64x64:rate=25:duration=1")
    program.run(save([pictures, mixed], path, **{"c:v": "libx264", "pix_fmt": "yuv420p", "c:a": "pcm_s16le"}))
    return call_channels_unused(path, n_channels)


def draw_tone(hertz: int) -> Stream:
    """A second of a tone at an eighth of the full level."""
    return draw(f"sine=frequency={hertz}:sample_rate=48000:duration=1", "a:0")


@pytest.mark.parametrize("n_channels", [3, 4, 6])
def test_channels_without_speakers_are_heard(n_channels: int, tmp_path: Path, program: Ffmpeg) -> None:
    """In turn on the left and on the right, an odd last one on both sides, and never so loud that they clip."""
    samples = heard(render(without_speakers(tmp_path / "nameless.mov", n_channels, program), program))
    share = 0.125 / -(-n_channels // 2)
    for place in range(n_channels):
        is_odd = n_channels % 2 and place == n_channels - 1
        sides = [share, share] if is_odd else [share * (place % 2 == 0), share * (place % 2 == 1)]
        assert level(samples, 500 + 200 * place) == pytest.approx(sides, abs=0.004)


@needs_faults
def test_the_shared_unused_channels_are_heard(program: Ffmpeg, tmp_path: Path) -> None:
    """Four channels that the file calls unused."""
    path = tmp_path / "sound.mov"
    path.write_bytes((FAULTS / "sound-channels-unused.mov").read_bytes())
    assert [True, True] == list(np.abs(heard(render(path, program))).max(axis=0) > 0.5)


@pytest.mark.parametrize(
    ("name", "options", "sides"),
    [
        ("camera.mov", {"disposition:a": "default"}, [(0.125, 0), (0, 0.125)]),
        ("camera.mxf", {}, [(0.125, 0), (0, 0.125)]),
        ("alternatives.mkv", {}, [(0.125, 0.125), (0, 0)]),
        ("second.mov", {"disposition:a:0": "0", "disposition:a:1": "default"}, [(0, 0), (0.125, 0.125)]),
        (
            "languages.mov",
            {"disposition:a": "default", "metadata:s:a:0": "language=eng", "metadata:s:a:1": "language=fre"},
            [(0.125, 0.125), (0, 0)],
        ),
    ],
)
def test_mono_tracks_of_a_camera_are_heard_together(
    name: str, options: dict[str, str], sides: list[tuple[float, float]], tmp_path: Path, program: Ffmpeg
) -> None:
    """A microphone in each track; tracks of other languages, and those beside a default one, are alternatives."""
    path, pictures = tmp_path / name, draw("testsrc=size=64x64:rate=25:duration=1")
    coded = {"c:v": "mpeg2video" if name.endswith("mxf") else "libx264", "pix_fmt": "yuv420p", "c:a": "pcm_s16le"}
    program.run(save([pictures, draw_tone(500), draw_tone(700)], path, **coded, **options))
    samples = heard(render(path, program))
    assert level(samples, 500) == pytest.approx(sides[0], abs=0.004)
    assert level(samples, 700) == pytest.approx(sides[1], abs=0.004)
