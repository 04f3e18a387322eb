"""Sources that need more than cutting: pictures made of two fields, and sound that does not decode."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from search_app.conforming.source_frames import look_at
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import CutList, build_cut_list
from search_app.rendering.outcomes import ClipStatus
from search_app.rendering.supercut import render_supercut
from store.timespan import TimeSpan
from tests.counted_video import CountedVideo, burst_times, hit_of, join_files, row_of

PAL = Profile(320, 240, Fraction(25), preset="ultrafast")
FIELD_STEP_PX = 6


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


def bars(field: int) -> NDArray[np.uint8]:
    """Upright bars as they stand at the time of a field; every row is the same."""
    row = np.where((np.arange(320) - FIELD_STEP_PX * field) // 40 % 2, 200, 50).astype(np.uint8)
    return np.repeat(row[None], 240, axis=0)


def write_bars(path: Path, *, interlaced: bool) -> Path:
    """Bars that move from field to field; interlaced, upper field first, or whole pictures."""
    container: Any
    options = {"flags": "+ilme+ildct", "field_order": "tt", "x264-params": "tff=1"} if interlaced else {}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "12", **options})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(50):
            picture = bars(2 * number)
            if interlaced:
                picture[1::2] = bars(2 * number + 1)[1::2]
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p"))
            )
        container.mux(stream.encode(None))
    return path


def combing(path: Path) -> float:
    """Mean difference between neighbouring rows, in grey levels of 255: none in a picture of upright bars."""
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="gray").astype(np.int16) for frame in container.decode(video=0)]
    return float(np.mean([np.abs(np.diff(picture, axis=0)).mean() for picture in pictures]))


def cut_of(path: Path, first: int, end: int) -> CutList:
    """A cut list of one clip."""
    row, times = row_of(path)
    return build_cut_list([hit_of(row, TimeSpan(times[first], times[end]), 1)], {row.video_id: row})


def test_interlaced_pictures_are_made_whole(tmp_path: Path, program: Ffmpeg) -> None:
    """Fields of different times show as combs in the source and without the filter, and not in the supercut."""
    path = write_bars(tmp_path / "fields.mp4", interlaced=True)
    cut_list = cut_of(path, 10, 40)
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=PAL, program=program)
    assert (30, True) == (report.n_frames, report.is_exact)
    assert combing(path) > 15
    assert combing(report.output) < 2


def test_pictures_that_are_interlaced_from_mid_file_on_are_made_whole(tmp_path: Path, program: Ffmpeg) -> None:
    """It does not depend on which clip of a file comes first, nor on where in a clip the fields begin."""
    halves = [write_bars(tmp_path / f"{half}.ts", interlaced=half) for half in (False, True)]
    path = join_files(halves, tmp_path / "changing.ts", program)
    row, times = row_of(path)
    spans = [TimeSpan(times[first], times[end]) for first, end in ((10, 20), (60, 70), (45, 55))]
    cut_list = build_cut_list([hit_of(row, span, i) for i, span in enumerate(spans, 1)], {row.video_id: row})
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=PAL, program=program)
    assert (3, ((), (), ())) == (report.n_exact, tuple(clip.warnings for clip in report.clips))
    assert combing(report.output) < 2


def test_whole_pictures_are_left_alone(tmp_path: Path, program: Ffmpeg) -> None:
    """Pictures that are not interlaced are not taken for such, however fast they move."""
    path = write_bars(tmp_path / "whole.mp4", interlaced=False)
    cut_list = cut_of(path, 10, 40)
    assert not look_at(program, cut_list.clips[0], path).interlaced
    assert render_supercut(cut_list, tmp_path / "out.mp4", profile=PAL, program=program).is_exact


def spoil_sound(path: Path) -> None:
    """Overwrite every packet of sound; its track keeps its place and its lengths."""
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(audio=0) if packet.size]
    with path.open("r+b") as stream:
        for at, size in places:
            stream.seek(at or 0)
            stream.write(b"\xff" * size)


def rename_codec(path: Path) -> None:
    """Say that the sound is of a kind that nobody knows."""
    data = path.read_bytes()
    assert 1 == data.count(b"A_OPUS")
    path.write_bytes(data.replace(b"A_OPUS", b"A_ZZZZ"))


@pytest.mark.parametrize(("name", "damage"), [("spoilt.mp4", spoil_sound), ("unknown.mkv", rename_codec)])
def test_sound_that_does_not_decode_becomes_silence(
    name: str, damage: Callable[[Path], None], tmp_path: Path, program: Ffmpeg
) -> None:
    """The clip stays, with silence in its place, its outcome says so, and the next clip is heard in time."""
    broken = CountedVideo(name, n_frames=50, layout="stereo").write(tmp_path, program)
    damage(broken)
    good = CountedVideo("good.mp4", n_frames=50, layout="stereo").write(tmp_path, program)
    hits, videos = [], {}
    for rank, path in enumerate((broken, good), start=1):
        row, times = row_of(path)
        assert row.facts.has_audio
        videos[row.video_id] = row
        hits.append(hit_of(row, TimeSpan(times[10], times[35]), rank))
    profile = Profile(128, 96, Fraction(25), preset="ultrafast")
    cut_list = build_cut_list(hits, videos)
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=profile, program=program)
    silent, heard = report.clips
    assert (ClipStatus.DONE, 25) == (silent.status, silent.n_frames)
    assert ["its sound cannot be read, silence instead"] == [warning.split(":")[0] for warning in silent.warnings]
    assert () == heard.warnings
    # Frame 10 is at 0.4 s: the bursts at 0.5 s and 1.0 s come 0.1 s and 0.6 s into the second clip.
    assert burst_times(report.output) == pytest.approx([1.1, 1.6], abs=0.02)
