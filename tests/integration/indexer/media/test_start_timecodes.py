"""The timecode of the first frame on its way from real files into the archive."""

import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from indexer.config import IndexSettings
from indexer.media.decode import VideoReader
from indexer.media.ffmpeg import find_ffmpeg
from indexer.pipeline import index_videos
from store.archive import Archive
from store.records import VideoFacts
from store.timespan import TimeSpan
from store.truth.segments import facts_from_plain, facts_to_plain
from tests.colour_clips import write_colour_clip
from tests.fakes import FakeEncoder
from tests.shared_media import FAULTS, needs_faults

CODECS = {"mov": "mpeg4", "mp4": "libx264", "mkv": "libx264", "mxf": "mpeg2video", "avi": "mpeg4"}


def write_timecode_clip(path: Path, rate: str, start: str | None, *tags: str) -> None:
    """Ten frames in a file that says which timecode the first one has, if any."""
    command = [find_ffmpeg().program, "-v", "error", "-f", "lavfi", "-i", f"testsrc=s=64x64:r={rate}:d=10"]
    command += ["-frames:v", "10", "-c:v", CODECS[path.suffix[1:]], "-pix_fmt", "yuv420p", "-map_metadata", "-1"]
    command += [] if start is None else ["-timecode", start]
    subprocess.run([*command, *tags, str(path)], check=True)


@pytest.mark.parametrize("ending", CODECS)
@pytest.mark.parametrize(
    ("rate", "start"),
    [
        ("25", "01:00:00:00"),
        ("30000/1001", "00:59:59;28"),
        ("30000/1001", "00:59:59:28"),
        ("24000/1001", "23:59:59:20"),
        ("60000/1001", "10:00:00;04"),
    ],
)
def test_every_container_tells_its_start_timecode(tmp_path: Path, ending: str, rate: str, start: str) -> None:
    """QuickTime's timecode track, the tags of Matroska and the fields of MXF say the same."""
    path = tmp_path / f"clip.{ending}"
    write_timecode_clip(path, rate, start)
    with VideoReader(str(path)) as reader:
        assert start == reader.start_timecode


@pytest.mark.parametrize("ending", [ending for ending in CODECS if ending != "mxf"])  # MXF always has one
def test_a_file_without_timecode_has_none(tmp_path: Path, ending: str) -> None:
    """None is invented."""
    path = tmp_path / f"clip.{ending}"
    write_timecode_clip(path, "25", None)
    with VideoReader(str(path)) as reader:
        assert reader.start_timecode is None


@pytest.mark.parametrize("ending", ["mov", "mkv", "mxf"])
def test_the_name_of_the_tape_is_read(tmp_path: Path, ending: str) -> None:
    """It stands beside the timecode: on QuickTime's timecode track, among the tags, on the stream."""
    path = tmp_path / f"clip.{ending}"
    write_timecode_clip(
        path, "25", "01:00:00:00", "-metadata", "reel_name=A001 C3", "-metadata:s:v", "reel_name=A001 C3"
    )
    with VideoReader(str(path)) as reader:
        assert ("A001 C3", "01:00:00:00") == (reader.reel_name, reader.start_timecode)


@pytest.mark.parametrize("ending", ["mov", "mkv"])
@pytest.mark.parametrize(("own", "expected"), [(None, "01:00:00:00"), ("02:00:00:00", "02:00:00:00")])
def test_sound_of_a_recorder_brings_its_clock(tmp_path: Path, ending: str, own: str | None, expected: str) -> None:
    """Broadcast Wave put beside pictures keeps its time reference; a timecode of the pictures goes before it."""
    ffmpeg = [find_ffmpeg().program, "-v", "error"]
    sound, pictures, path = tmp_path / "sound.wav", tmp_path / "pictures.mp4", tmp_path / f"clip.{ending}"
    write_timecode_clip(pictures, "25", own)
    stamped = ["-write_bext", "1", "-metadata", f"time_reference={3600 * 48_000}"]
    made = ["-f", "lavfi", "-i", "sine=d=1:sample_rate=48000", "-c:a", "pcm_s16le", *stamped, str(sound)]
    subprocess.run([*ffmpeg, *made], check=True)
    both = ["-i", str(sound), "-i", str(pictures), "-map", "1:v", "-map", "0:a", "-c", "copy"]
    subprocess.run([*ffmpeg, *both, "-movflags", "use_metadata_tags", str(path)], check=True)
    with VideoReader(str(path)) as reader:
        assert expected == reader.start_timecode


def set_drop_flag(path: Path) -> None:
    """Let a QuickTime timecode track say that it drops numbers."""
    content = bytearray(path.read_bytes())
    entry = content.index(b"tmcd", content.index(b"stsd", content.index(b"TimeCodeHandler")))
    content[entry + 19] |= 1  # flags: 4 bytes behind format, reserved bytes and index, and 4 reserved ones
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("rate", "start"),
    [("24", "19:36:10:05"), ("25", "10:00:00:24"), ("24000/1001", "23:59:59:23"), ("50", "01:00:00:49")],
)
def test_a_drop_flag_at_a_rate_that_cannot_drop_is_ignored(tmp_path: Path, rate: str, start: str) -> None:
    """FFmpeg refuses such a track; its numbers stand, and where there is no flag they are the same."""
    path = tmp_path / "clip.mov"
    write_timecode_clip(path, rate, start)
    set_drop_flag(path)
    with VideoReader(str(path)) as reader:
        assert (None, start) == (reader._tags()[-1].get("timecode"), reader.start_timecode)


@needs_faults
def test_a_camera_file_with_a_wrong_drop_flag_has_its_timecode() -> None:
    """The file that showed it."""
    with VideoReader(str(FAULTS / "tmcd-dropflag-24fps.mov")) as reader:
        assert "19:36:10:05" == reader.start_timecode


def test_the_archive_keeps_it(tmp_path: Path) -> None:
    """It is among the facts of the video, and None for a file without."""
    (tmp_path / "lib").mkdir()
    write_timecode_clip(tmp_path / "lib/dropped.mov", "30000/1001", "00:59:59;28")
    write_colour_clip(tmp_path / "lib/none.mp4", ["red"])
    encoder = FakeEncoder()
    with Archive.create(tmp_path / "arch") as archive:
        archive.claim_space(encoder.space, source="fake")
        list(index_videos(archive, [tmp_path / "lib"], encoder, IndexSettings(), lambda _: None))
        videos = {Path(video.path).stem: video.facts for video in archive.snapshot().videos()}
    assert {"dropped": "00:59:59;28", "none": None} == {name: one.start_timecode for name, one in videos.items()}


def test_segments_written_before_it_was_read_still_open() -> None:
    """Facts that lack the field have no timecode."""
    span = TimeSpan(Fraction(0), Fraction(4))
    shape = ("mov", "h264", 640, 360, 0)
    times = (Fraction(25), Fraction(1, 90_000), Fraction(0), span, 100)
    facts = VideoFacts(*shape, *times, has_audio=True, start_timecode="01:00:00:00")
    plain = facts_to_plain(facts)
    assert facts == facts_from_plain(plain)
    del plain["start_timecode"]
    assert replace(facts, start_timecode=None) == facts_from_plain(plain)
