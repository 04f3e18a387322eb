"""A supercut against MoviePy: the same clips in the same order, x264 at the same quality and preset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from indexer.models.open_clip_encoder import load_encoder
from search_app.cutting.cut_list import CutList, build_cut_list
from search_app.cutting.supercut import render_supercut
from search_app.cutting.target_profile import choose_profile
from search_app.search import search
from store.archive import Archive
from tests.benchmarks.contest import compete, table
from tests.benchmarks.footage import real_clip, write_footage
from tests.benchmarks.index_speed import index_into


def bench_supercut(folder: Path, quick: bool) -> Iterator[str]:
    """Rendering with and without verification, against MoviePy."""
    drawn = write_footage(folder / "clip.mp4", 20 if quick else 60, (1280, 720), 2)
    clips = {"drawn 720p24 H.264": drawn}
    if real := real_clip():
        clips[f"real: {real.name}"] = real
    for number, (title, clip) in enumerate(clips.items()):
        home = folder / str(number)
        home.mkdir()
        cut_list = _cut(home, clip, limit=5 if quick else 20)
        contestants: dict[str, Callable[[str], object]] = {
            "MoviePy": partial(_moviepy, clip, cut_list, home),
            "Rushes, unverified": partial(_ours, cut_list, home, False),
            "Rushes, each cut verified": partial(_ours, cut_list, home, True),
        }
        timings = compete(contestants, n_rounds=3)
        yield from table(f"{len(cut_list.clips)} clips of {title}, with sound", timings, "MoviePy")
        yield ""


def _cut(home: Path, clip: Path, limit: int) -> CutList:
    encoder = load_encoder("demo", device="cpu")
    index_into(home / "archive", [clip], encoder)
    with Archive.open(home / "archive") as archive:
        hits = search(archive, "something red", encoder=encoder, limit=limit).hits
        return build_cut_list(hits, {video.video_id: video for video in archive.snapshot().videos()})


def _ours(cut_list: CutList, home: Path, verify: bool, turn: str) -> None:
    report = render_supercut(cut_list, home / f"{turn}.mp4", verify=verify)
    if verify and not report.is_exact:
        raise RuntimeError(f"nothing to time: {report.verification_line()}")


def _moviepy(clip: Path, cut_list: CutList, home: Path, turn: str) -> None:
    from moviepy import VideoFileClip, concatenate_videoclips

    profile = choose_profile([cut.facts for cut in cut_list.clips])
    with VideoFileClip(str(clip)) as source:
        parts = [source.subclipped(cut.span.start_seconds, cut.span.end_seconds) for cut in cut_list.clips]
        concatenate_videoclips(parts).write_videofile(
            str(home / f"{turn}.mp4"),
            preset=profile.preset,
            audio_codec="aac",
            audio_bitrate=str(profile.audio_bits_per_second),
            ffmpeg_params=["-crf", str(profile.crf)],
            logger=None,
        )
