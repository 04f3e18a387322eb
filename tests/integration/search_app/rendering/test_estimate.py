"""What is told before a supercut is rendered, against what it becomes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from indexer.media.ffmpeg import find_ffmpeg
from search_app.conforming.picture_names import Codec
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import build_cut_list
from search_app.rendering.estimate import estimate_supercut
from search_app.rendering.film_options import FilmOptions
from search_app.rendering.supercut import render_supercut
from search_app.rendering.transitions import Transition
from store.timespan import TimeSpan
from tests.counted_video import CountedVideo, hit_of, row_of


def test_length_is_exact_size_is_near_and_bad_sources_are_named(tmp_path: Path) -> None:
    """Nothing is written; a source that is gone or has changed is told with its place."""
    program = find_ffmpeg()
    good = CountedVideo("good.mp4", n_frames=150).write(tmp_path, program)
    gone = CountedVideo("gone.mp4", n_frames=10).write(tmp_path, program)
    row, times = row_of(good)
    lost, lost_times = row_of(gone)
    spans = [(row, TimeSpan(times[50 * n], times[50 * n + 40])) for n in range(2)]
    spans.insert(1, (lost, TimeSpan(lost_times[2], lost_times[8])))
    hits = [hit_of(one, span, rank) for rank, (one, span) in enumerate(spans, start=1)]
    cut_list = build_cut_list(hits, {row.video_id: row, lost.video_id: lost})
    gone.unlink()
    film, profile = FilmOptions(Transition.DISSOLVE, 0.2), Profile(128, 96, Fraction(25), preset="ultrafast")
    before = sorted(tmp_path.iterdir())
    told = estimate_supercut(cut_list, tmp_path / "out.mp4", profile=profile, film=film, program=program)
    assert before == sorted(tmp_path.iterdir())
    assert ((2, gone, "is missing"),) == told.unusable
    report = render_supercut(
        cut_list, tmp_path / "out.mp4", profile=profile, film=film, program=program, skip_missing=True
    )
    assert (2, report.n_frames) == (told.n_clips, told.n_frames)
    assert report.output.stat().st_size == pytest.approx(told.size_bytes, rel=0.5)
    assert "2 of 3 clips, 3.00 s" in told.summary()


@pytest.mark.parametrize(("codec", "name"), [(Codec.PRORES, "out.mov"), (Codec.SOUND, "out.wav")])
def test_uncompressed_sound_counts_as_it_is(codec: Codec, name: str, tmp_path: Path) -> None:
    """A film whose sound is PCM is as large as told, and of sound alone no pictures are counted."""
    program = find_ffmpeg()
    row, times = row_of(CountedVideo("heard.mp4", layout="stereo").write(tmp_path, program))
    cut_list = build_cut_list([hit_of(row, TimeSpan(times[0], times[40]), 1)], {row.video_id: row})
    profile = Profile(128, 96, Fraction(25), codec=codec)
    told = estimate_supercut(cut_list, tmp_path / name, profile=profile, program=program)
    report = render_supercut(cut_list, tmp_path / name, profile=profile, program=program, verify=False)
    assert report.output.stat().st_size == pytest.approx(told.size_bytes, rel=0.1)


def test_what_cannot_be_measured_is_unknown(tmp_path: Path) -> None:
    """Where no piece can be encoded, neither size nor time is told, least of all as nothing."""
    program = find_ffmpeg()
    row, times = row_of(CountedVideo("cut_off.mp4", n_frames=100).write(tmp_path, program))
    cut_list = build_cut_list([hit_of(row, TimeSpan(times[70], times[80]), 1)], {row.video_id: row})
    CountedVideo("cut_off.mp4", n_frames=60).write(tmp_path, program)
    told = estimate_supercut(
        cut_list, tmp_path / "out.mp4", profile=Profile(128, 96, Fraction(25)), program=program
    )
    assert "size and time unknown" in told.summary()
    assert (None, None) == (told.entries()["size_bytes"], told.entries()["render_seconds"])
