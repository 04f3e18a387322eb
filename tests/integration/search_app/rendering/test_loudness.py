"""How loud a film is, measured in the finished file, and music under it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg, open_source, save
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import CutList, build_cut_list
from search_app.errors import RenderError
from search_app.rendering.film_options import FilmOptions
from search_app.rendering.loudness import Loudspeaker
from search_app.rendering.supercut import render_supercut
from tests.counted_video import CountedVideo, burst_times, hit_of, row_of

SMALL = Profile(128, 96, Fraction(25), preset="ultrafast")
RATE = 48_000


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory, program: Ffmpeg) -> CutList:
    """Four seconds of bursts, and four of silence."""
    folder = tmp_path_factory.mktemp("sources")
    videos = [CountedVideo("loud.mp4", n_frames=100, layout="stereo"), CountedVideo("mute.mp4", n_frames=100)]
    rows = [row_of(video.write(folder, program))[0] for video in videos]
    hits = [hit_of(row, row.facts.span, rank) for rank, row in enumerate(rows, 1)]
    return build_cut_list(hits, {row.video_id: row for row in rows})


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of a tone of 300 Hz, with a difficult name."""
    path = tmp_path_factory.mktemp("music") / "it's [a] %d.wav"
    tone = 0.3 * np.sin(2 * np.pi * 300 * np.arange(3 * RATE) / RATE)
    container: Any
    with av.open(f"file:{path}", "w") as container:
        sound = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray((tone * 32767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        for packet in (*sound.encode(frame), *sound.encode(None)):
            container.mux(packet)
    return path


def samples_of(path: Path, folder: Path, program: Ffmpeg) -> Path:
    """The sound of a film as raw samples."""
    target = folder / "heard.s16le"
    program.run(save([open_source(path)["a:0"]], target, format="s16le", ac=2, ar=RATE))
    return target


def tone_level(samples: Path, start_seconds: float, end_seconds: float) -> float:
    """How strong 300 Hz is in a stretch."""
    heard: NDArray[np.float64] = np.fromfile(samples, "<i2").reshape(-1, 2)[:, 0] / 32768
    piece = heard[round(start_seconds * RATE) : round(end_seconds * RATE)]
    wave = np.exp(-2j * np.pi * 300 * np.arange(len(piece)) / RATE)
    return float(2 * abs(np.mean(piece * wave)))


def test_a_clip_whose_sound_cannot_be_measured_is_kept_and_said(
    clips: CutList, tmp_path: Path, program: Ffmpeg, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pictures are in the film already: it is listed, as loud as it was."""

    def fail(*_: object) -> float:
        raise FfmpegError("no measure")

    monkeypatch.setattr(Loudspeaker, "level_gain", fail)
    options: dict[str, Any] = {"film": FilmOptions(loudness=-23.0), "skip_missing": True, "verify": False}
    report = render_supercut(clips, tmp_path / "out.mp4", profile=SMALL, program=program, **options)
    assert (2, report.n_frames) == (len(report.done), sum(clip.n_frames for clip in report.done))
    assert all("cannot be measured" in " ".join(clip.warnings) for clip in report.done)


@pytest.mark.parametrize("target", [-30.0, -20.0])
def test_the_film_is_as_loud_as_asked_for(target: float, clips: CutList, tmp_path: Path, program: Ffmpeg) -> None:
    """Measured again in the finished file it is within 1 LU; nothing moves, and no peak passes -0.5 dBTP."""
    film = FilmOptions(loudness=target)
    report = render_supercut(clips, tmp_path / "out.mp4", profile=SMALL, film=film, program=program)
    now = Loudspeaker(program, SMALL).measure(samples_of(report.output, tmp_path, program))
    assert target == pytest.approx(now.integrated_lufs, abs=1)
    assert now.true_peak_db < -0.5
    assert report.loudness is not None
    assert f"{report.loudness.integrated_lufs:.1f} LUFS" in report.summary()
    assert [n / 2 for n in range(8)] == pytest.approx(burst_times(report.output)[:8], abs=0.01)


def test_music_is_looped_ducked_and_faded_out(
    clips: CutList, music: Path, tmp_path: Path, program: Ffmpeg
) -> None:
    """Three seconds last for eight; where clips are silent it is louder; at the end it is gone."""
    report = render_supercut(
        clips, tmp_path / "out.mp4", profile=SMALL, film=FilmOptions(music=music), program=program
    )
    heard = samples_of(report.output, tmp_path, program)
    ducked, alone, last = (tone_level(heard, *ends) for ends in ((0.53, 0.63), (5.0, 5.5), (7.9, 8.0)))
    assert ducked < 0.7 * alone
    assert alone > 0.03
    assert last < 0.2 * alone
    assert 200 == report.n_frames


def test_music_is_the_same_each_time(music: Path, tmp_path: Path, program: Ffmpeg) -> None:
    """The mix of one film and one bed of music is the same to the last sample, however often it is made."""
    n_samples = 8 * RATE + 1
    noise = np.random.default_rng(0).normal(0, 3000, (n_samples, 2)).astype("<i2")
    samples, mixes = tmp_path / "film.s16le", set()
    for _ in range(8):
        noise.tofile(samples)
        Loudspeaker(program, SMALL).add_music(samples, music, n_samples)
        mixes.add(samples.read_bytes())
    assert 1 == len(mixes)
    assert n_samples * 4 == len(mixes.pop())


def test_music_that_is_none_or_would_be_lost_is_refused(
    clips: CutList, music: Path, tmp_path: Path, program: Ffmpeg
) -> None:
    """A playlist, a video without sound, and music that the film would replace."""
    fake = tmp_path / "list.m3u8"
    fake.write_text(f"#EXTM3U\n#EXTINF:1,\n{music}\n")
    mute = Path(clips.clips[1].paths[0])
    mine = tmp_path / "mine.mp4"
    mine.write_bytes(music.read_bytes())
    for path, target, reason in (
        (fake, tmp_path / "out.mp4", "cannot read the music"),
        (mute, tmp_path / "out.mp4", "cannot read the music"),
        (mine, mine, "one of the sources"),
    ):
        with pytest.raises(RenderError, match=reason):
            render_supercut(clips, target, film=FilmOptions(music=path), program=program, overwrite=True)
    assert music.read_bytes() == mine.read_bytes()
    assert ["list.m3u8", "mine.mp4"] == sorted(path.name for path in tmp_path.iterdir())
