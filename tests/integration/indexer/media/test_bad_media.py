"""Broken, hostile and awkward files, each with the outcome that its manifest names."""

import itertools
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from indexer.config import IndexSettings
from indexer.pipeline import index_videos
from store.archive import Archive
from store.records import Outcome, Status
from tests.colour_clips import write_colour_clip
from tests.fakes import FakeEncoder
from tests.shared_media import BAD_MEDIA, needs_bad_media, read_manifest

ENCODER = FakeEncoder()


def _index(folder: Path, *inputs: Path) -> dict[str, Outcome]:
    with Archive.create(folder) as archive:
        archive.claim_space(ENCODER.space, source="fake")
        outcomes = index_videos(archive, inputs, ENCODER, IndexSettings(), lambda _: None)
        return {outcome.path: outcome for outcome in outcomes}


@needs_bad_media
@pytest.mark.parametrize("entry", read_manifest(BAD_MEDIA), ids=lambda entry: str(entry["file"]))
def test_every_bad_file_ends_as_its_manifest_says(entry: dict[str, Any], tmp_path: Path) -> None:
    """Rejected with a reason that names it, indexed in part with a warning, or indexed; within 30 seconds."""
    path = BAD_MEDIA / entry["file"]
    started = time.monotonic()
    (outcome,) = _index(tmp_path / "archive", path).values()
    assert time.monotonic() - started < 30
    expected = entry["expected"]
    if expected == "reject":
        assert Status.FAILED == outcome.status
        assert outcome.reason
        assert "\n" not in outcome.reason
    else:
        assert Status.INDEXED == outcome.status
    if expected == "index_partial":
        assert outcome.partial
        assert outcome.warnings
    with Archive.open(tmp_path / "archive") as archive:
        spans = [row.shot.span for row in archive.snapshot().shots()]
    assert all(span.start >= 0 for span in spans)
    assert all(one.end <= other.start for one, other in itertools.pairwise(spans))
    if expected == "reject":
        assert [] == spans
    assert all(span.end < 60 for span in spans)


@needs_bad_media
def test_bad_files_do_not_stop_the_good_ones(tmp_path: Path) -> None:
    """A folder of all of them is one run, in which each has an outcome."""
    outcomes = _index(tmp_path / "archive", BAD_MEDIA)
    listed = {str(BAD_MEDIA / entry["file"]) for entry in read_manifest(BAD_MEDIA)}
    assert set() == listed - set(outcomes)


NAMES = (
    "name with  two spaces.mp4",
    'it\'s a "quoted" name.mp4',
    "line one\nline two.mp4",
    "ünïcödé 日本語 🎬.mp4",
    "-leading-dash.mp4",
    "100% %d %03d %s.mp4",
    "a:b.mp4",
    "concat:x.mp4",
    "[in];movie=x.mp4",
)


def test_difficult_names_are_ordinary_names(tmp_path: Path) -> None:
    """Each is indexed and shown as it is written."""
    clip = write_colour_clip(tmp_path / "plain.mp4", ["red", "green"])
    names = list(NAMES)
    if (BAD_MEDIA / "names.json").exists():
        names += json.loads((BAD_MEDIA / "names.json").read_text(encoding="utf-8"))["names"]
    library = tmp_path / "library"
    library.mkdir()
    for number, name in enumerate(dict.fromkeys(names)):
        shutil.copyfile(clip, library / name)
        with (library / name).open("ab") as stream:
            stream.write(bytes([0, 0, 0, 9]) + b"free" + bytes([number]))  # other content, same pictures
    outcomes = _index(tmp_path / "archive", library)
    assert {str(library / name): Status.INDEXED for name in names} == {
        path: outcome.status for path, outcome in outcomes.items()
    }
    with Archive.open(tmp_path / "archive") as archive:
        assert {str(library / name) for name in names} == {video.path for video in archive.snapshot().videos()}


def test_a_playlist_never_opens_its_neighbour(tmp_path: Path) -> None:
    """Whatever it is called: following references out of a file is refused."""
    library = tmp_path / "lib"
    write_colour_clip(library / "secret.mp4", ["red", "green"])
    for name in ("list.ffconcat", "list.mp4", "list.mkv"):
        (library / name).write_text("ffconcat version 1.0\nfile secret.mp4\n")
    for name in ("play.m3u8", "play.mp4"):
        (library / name).write_text("#EXTM3U\n#EXTINF:1,\nsecret.mp4\n#EXT-X-ENDLIST\n")
    outcomes = {Path(path).name: outcome.status for path, outcome in _index(tmp_path / "archive", library).items()}
    assert Status.INDEXED == outcomes.pop("secret.mp4")
    assert {Status.FAILED} == set(outcomes.values())
