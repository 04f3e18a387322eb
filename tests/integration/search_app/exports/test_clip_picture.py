"""The small picture of a clip is from inside it, whatever the archive has."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from indexer.media.ffmpeg import find_ffmpeg
from indexer.media.fingerprint import fingerprint
from search_app.cutting.cut_list import CutList, build_cut_list
from search_app.exports.clip_picture import clip_picture
from search_app.exports.film import plan_film
from store.timespan import TimeSpan
from tests.counted_video import CountedVideo, hit_of, read_number, row_of


@pytest.mark.parametrize("name", ["source.mp4", "source.mkv", "source.ts"])
@pytest.mark.parametrize("frames", [(30, 50), (40, 41), (88, 90)])
def test_without_a_thumbnail_inside_a_frame_is_decoded(name: str, frames: tuple[int, int], tmp_path: Path) -> None:
    """A trimmed clip, be it one frame long, has a picture of its own frames, and of no other."""
    rate = Fraction(30_000, 1001)
    path = CountedVideo(name, rate=rate, n_frames=90).write(tmp_path, find_ffmpeg())
    row, times = row_of(path)
    row = replace(row, video_id=fingerprint(path))
    end = times[frames[1]] if frames[1] < len(times) else row.facts.span.end
    hit = replace(hit_of(row, TimeSpan(times[frames[0]], end), 1), thumbnail="")
    (clip,) = plan_film(build_cut_list([hit], {row.video_id: row}), "harbour").clips
    picture = clip_picture(clip)
    assert picture is not None
    assert read_number(picture.mean(axis=2)) in range(*frames)
    path.unlink()
    assert clip_picture(clip) is None


def test_halves_of_a_split_clip_have_pictures_of_their_own(tmp_path: Path) -> None:
    """Each shows its own frames, though both were found by one."""
    path = CountedVideo("source.mp4", n_frames=90).write(tmp_path, find_ffmpeg())
    row, times = row_of(path)
    row = replace(row, video_id=fingerprint(path))
    whole = replace(hit_of(row, TimeSpan(times[10], times[70]), 1), thumbnail="")
    (clip,) = build_cut_list([whole], {row.video_id: row}).clips
    halves = [replace(clip, span=TimeSpan(times[first], times[end])) for first, end in ((10, 40), (40, 70))]
    numbers = []
    for one in plan_film(CutList(tuple(halves)), "harbour").clips:
        picture = clip_picture(one)
        assert picture is not None
        numbers.append(read_number(picture.mean(axis=2)))
    assert [True, True] == [numbers[0] in range(10, 40), numbers[1] in range(40, 70)]
