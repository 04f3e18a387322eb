"""Ways to make one supercut: `python -m tests.benchmarks.supercut_ways WAY CUT FILM`, a process for each.

Prints as JSON what it took: seconds and processor seconds without start and imports, and the peak memory of the
process and its children.
"""

from __future__ import annotations

import json
import pickle
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from indexer.media.ffmpeg import find_ffmpeg
from search_app.conforming.modes import Mode
from search_app.conforming.target_profile import Profile, choose_profile
from search_app.cutting.cut_list import Clip, CutList
from tests.benchmarks.contest import cpu_seconds
from tests.benchmarks.peak import PeakWatch

BATCH_CLIPS = 20
"""As many as videogrep gives to MoviePy at once."""


def exact(cut_list: CutList, film: Path, verify: bool = False, mode: Mode = Mode.EXACT) -> None:
    """Every frame encoded anew."""
    from search_app.rendering.supercut import render_supercut

    report = render_supercut(cut_list, film, mode=mode, verify=verify)
    if verify and not report.is_exact:
        raise RuntimeError(f"nothing to time: {report.verification_line()}")


def exact_verified(cut_list: CutList, film: Path) -> None:
    """The same, and compared with the sources."""
    exact(cut_list, film, verify=True)


def fast(cut_list: CutList, film: Path) -> None:
    """Groups of pictures copied."""
    exact(cut_list, film, mode=Mode.FAST)


def fast_verified(cut_list: CutList, film: Path) -> None:
    """The same, and compared with the sources."""
    exact(cut_list, film, verify=True, mode=Mode.FAST)


def preview(cut_list: CutList, film: Path) -> None:
    """Small and rough."""
    exact(cut_list, film, mode=Mode.PREVIEW)


def moviepy(cut_list: CutList, film: Path) -> None:
    """The usual script: subclips, concatenated, written with the same quality and preset."""
    _moviepy(cut_list.clips, film)


def moviepy_batches(cut_list: CutList, film: Path) -> None:
    """As videogrep does with many clips: batches written one by one, then joined by writing once more."""
    from moviepy import VideoFileClip

    parts = []
    for place in range(0, len(cut_list.clips), BATCH_CLIPS):
        parts.append(film.with_suffix(f".{place}.mp4"))
        _moviepy(cut_list.clips[place : place + BATCH_CLIPS], parts[-1])
    _write([VideoFileClip(str(part)) for part in parts], film, _profile(cut_list.clips))


def ffmpeg_concat(cut_list: CutList, film: Path) -> None:
    """One ffmpeg command with an input for each clip and the concat filter."""
    import ffmpeg

    profile, streams = _profile(cut_list.clips), []
    for clip in cut_list.clips:
        source = ffmpeg.input(
            clip.paths[0], ss=f"{clip.span.start_seconds:.6f}", t=f"{float(clip.span.duration):.6f}"
        )
        streams += [source["v"], source["a"]]
    joined = ffmpeg.concat(*streams, v=1, a=1).node
    options = {"c:v": "libx264", "preset": profile.preset, "crf": profile.crf, "c:a": "aac", "b:a": "192k"}
    ffmpeg.output(joined[0], joined[1], str(film), **options).run(cmd=find_ffmpeg().program, quiet=True)


WAYS: dict[str, Callable[[CutList, Path], None]] = {
    "MoviePy": moviepy,
    "MoviePy in batches of 20, as videogrep": moviepy_batches,
    "one ffmpeg command, concat filter": ffmpeg_concat,
    "Rushes exact, unverified": exact,
    "Rushes exact, verified": exact_verified,
    "Rushes fast, unverified": fast,
    "Rushes fast, verified": fast_verified,
    "Rushes preview": preview,
}


def _profile(clips: Sequence[Clip]) -> Profile:
    return choose_profile([clip.facts for clip in clips])


def _moviepy(clips: Sequence[Clip], film: Path) -> None:
    from moviepy import VideoFileClip

    sources = {clip.paths[0]: VideoFileClip(clip.paths[0]) for clip in clips}
    parts = [sources[clip.paths[0]].subclipped(clip.span.start_seconds, clip.span.end_seconds) for clip in clips]
    _write(parts, film, _profile(clips))
    for source in sources.values():
        source.close()


def _write(parts: Sequence[object], film: Path, profile: Profile) -> None:
    from moviepy import concatenate_videoclips

    concatenate_videoclips(list(parts)).write_videofile(
        str(film),
        preset=profile.preset,
        audio_codec="aac",
        audio_bitrate=str(profile.audio_bits_per_second),
        ffmpeg_params=["-crf", str(profile.crf)],
        logger=None,
    )


def main(way: str, cut: str, film: str) -> None:
    """Make the film in one way, and print what it took."""
    import moviepy  # noqa: F401 - loaded by all, so that nobody's clock pays for it

    import search_app.rendering.supercut  # noqa: F401 - likewise

    cut_list = pickle.loads(Path(cut).read_bytes())  # noqa: S301 - our own file
    started, cpu_started = time.perf_counter(), cpu_seconds()
    with PeakWatch() as watch:
        WAYS[way](cut_list, Path(film))
    answer = {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": cpu_seconds() - cpu_started,
        "before": watch.before,
        "peak": watch.peak,
    }
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
