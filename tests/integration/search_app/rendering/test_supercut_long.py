"""A supercut of a thousand clips: `make soak`."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from indexer.media.ffmpeg import find_ffmpeg
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import CutList, build_cut_list
from search_app.rendering.supercut import render_supercut
from store.records import VideoRow
from store.timespan import TimeSpan
from tests.benchmarks.peak import PeakWatch
from tests.counted_video import CountedVideo, hit_of, read_numbers, row_of

MORE_MEBIBYTES = 100
"""What ten times as many clips may take; two small pictures of each are kept until the end."""


def cut_many(row: VideoRow, times: list[Fraction], n_clips: int) -> CutList:
    """Clips of three frames, all over a video, in no order."""
    starts = [(37 * n) % (len(times) - 4) for n in range(n_clips)]
    hits = [hit_of(row, TimeSpan(times[at], times[at + 3]), rank) for rank, at in enumerate(starts, start=1)]
    clips = [build_cut_list([hit], {row.video_id: row}).clips[0] for hit in hits]
    return CutList(tuple(clips))


@pytest.mark.optin
@pytest.mark.timeout(3600)
def test_a_thousand_clips_take_no_more_memory_than_a_hundred(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Every frame of 1,000 clips is the right one, every cut is verified, and memory stays flat."""
    program = find_ffmpeg()
    row, times = row_of(CountedVideo("long.mkv", n_frames=500, layout="stereo").write(tmp_path, program))
    profile = Profile(128, 96, Fraction(25), preset="ultrafast")
    peaks = {}
    for n_clips in (100, 1000):
        cut_list = cut_many(row, times, n_clips)
        started = time.monotonic()
        with PeakWatch() as watch:
            report = render_supercut(cut_list, tmp_path / f"{n_clips}.mp4", profile=profile, program=program)
        peaks[n_clips] = watch.peak
        record_property(f"clips_{n_clips}", f"{time.monotonic() - started:.0f} s, peak {watch.peak:.0f} MiB")
        assert f"{n_clips}/{n_clips} cuts exact" == report.verification_line()
        expected = [times.index(clip.span.start) + i for clip in cut_list.clips for i in range(3)]
        assert expected == read_numbers(report.output, [(128, 96)])
    assert peaks[1000] < peaks[100] + MORE_MEBIBYTES
