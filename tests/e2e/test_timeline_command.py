"""`rushes timeline` as a user types it."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from indexer.media.ffmpeg import find_ffmpeg
from tests.e2e.small_archive import draw_library, index_library
from tests.e2e.test_commands import _refusal, _rushes, _server  # noqa: F401  # a fixture that all tests here use


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two drawn videos, one of which has a start timecode."""
    folder = tmp_path_factory.mktemp("library")
    plain, timed = draw_library(folder)
    command = [find_ffmpeg().program, "-v", "error", "-i", str(timed), "-c", "copy", "-timecode", "10:00:00:00"]
    subprocess.run([*command, str(folder / "timed.mov")], check=True)
    timed.unlink()
    assert plain.exists()
    return folder


@pytest.fixture(scope="module")
def archive(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of them."""
    folder = tmp_path_factory.mktemp("archives") / "archive"
    assert [""] * 2 == [outcome.reason for outcome in index_library(folder, library)]
    return folder


def test_a_timeline_has_the_timecode_of_its_sources(archive: Path, tmp_path: Path) -> None:
    """From the file's tag through the archive into the list; what lacks one is named on stderr."""
    target = tmp_path / "castle.edl"
    ran = _rushes("timeline", archive, "a pink castle", "-o", target, "--limit", "4", "--nearest", "--json")
    said = json.loads(ran.stdout)
    assert "1 source has no timecode: clip0.mp4 (frames counted" in ran.stderr
    clips = {Path(clip["media"]).name: clip for clip in said["clips"]}
    assert {"clip0.mp4", "timed.mov"} == set(clips)
    starts = sorted(clip["source_in"] for clip in said["clips"])
    assert ["00:00:00:00", "00:00:01:06", "10:00:00:00", "10:00:01:06"] == starts
    own = [line.split()[-2:] for line in target.read_text().splitlines() if "* SOURCE TIMECODE:" in line]
    assert [[clip["source_in"], clip["source_out"]] for clip in said["clips"]] == own
    starts = sorted(re.findall(r"C {8}(\S+)", target.read_text()))  # at 24, the sources have 12
    assert ["00:00:00:00", "00:00:01:12", "10:00:00:00", "10:00:01:12"] == starts
    assert 4 == len(json.loads(_rushes("search", archive, "used:ever", "--json").stdout))
    assert "exists already" in _refusal("timeline", archive, "a pink castle", "-o", target, "--nearest", status=1)


def test_footage_is_never_written_over(archive: Path, library: Path, tmp_path: Path) -> None:
    """Not even by another name of it, and not when overwriting is allowed."""
    (tmp_path / "cut.edl").symlink_to(library / "clip0.mp4")
    before = (library / "clip0.mp4").read_bytes()
    refused = _refusal("timeline", archive, "a bus", "-o", tmp_path / "cut.edl", "--overwrite", status=2)
    assert "is a video of this archive" in refused
    assert before == (tmp_path / "cut.edl").read_bytes()


def test_paths_lead_to_another_machine(archive: Path, library: Path, tmp_path: Path) -> None:
    """A path map renames the folder of the sources; a map that cannot be read is a usage error."""
    target = tmp_path / "bus.xml"
    _rushes(
        "timeline",
        archive,
        "a bus",
        "-o",
        target,
        "--limit",
        "1",
        "--nearest",
        "--path-map",
        f"{library}=D:\\my media",
    )
    (url,) = re.findall("<pathurl>(.*)</pathurl>", target.read_text())
    assert url in ("file:///D:/my%20media/timed.mov", "file:///D:/my%20media/clip0.mp4")
    refused = _refusal("timeline", archive, "a bus", "-o", tmp_path / "x.edl", "--path-map", "nothing", status=2)
    assert "FROM=TO" in refused


def test_shots_are_chosen_and_counted_as_asked(archive: Path, tmp_path: Path) -> None:
    """The options of a supercut fit and order the clips, a rate counts their frames, and conversions are said."""
    target = tmp_path / "short.edl"
    options = ("--fit", "1", "--min-clip", "0.2", "--order", "source", "--rate", "29.97df", "--json")
    ran = _rushes("timeline", archive, "a pink castle", "-o", target, "--nearest", *options)
    said = json.loads(ran.stdout)
    assert ("30000/1001", True) == (said["rate"], said["drop_frame"])
    assert 0 < said["frames"] <= 31
    assert "FCM: DROP FRAME" in target.read_text()
    assert "play at their own speed in a timeline of 29.97 fps" in ran.stderr
    media = [clip["media"] for clip in said["clips"]]
    assert sorted(media) == media
    refused = _refusal("timeline", archive, "a bus", "-o", tmp_path / "x.edl", "--seed", "3", status=2)
    assert "only with --order random" in refused
