"""What `rushes supercut` makes beside the film, and what it says when that fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NoReturn

import pytest
from PIL import Image

from search_app.errors import ExportError
from search_app.exports import manifest
from tests.e2e.small_archive import draw_library, index_library
from tests.integration.search_app.commands.test_render_again import run

QUESTION = "a pink castle"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Four shots in two videos."""
    draw_library(tmp_path / "library")
    index_library(tmp_path / "archive", tmp_path / "library")
    return tmp_path / "archive"


def test_a_poster_lies_beside_the_film(archive: Path, tmp_path: Path) -> None:
    """Of a film, of a stored cut list and of a manifest; never over footage, into an archive, or alone."""
    ask = ("supercut", archive, QUESTION, "-o", tmp_path / "film.mp4", "--limit", "2", "--nearest")
    said = run(*ask, "--poster", tmp_path / "film.jpg", "--title", "Castles")
    assert "2 clips, 6.00 s (3.00 s of it cards), 192x108" in said
    assert "2 of 2 clips, 6.00 s (3.00 s of it cards)" in said
    with Image.open(tmp_path / "film.jpg") as picture:
        assert ("JPEG", (192, 108)) == (picture.format, picture.size)
    again = ("supercut", "--from", tmp_path / "film.mp4.json", "-o", tmp_path / "again.mp4")
    run(*again, "--poster", tmp_path / "again.png", "--poster-at", "1.5")
    run("cut", "new", archive, "mine", QUESTION, "--limit", "1")
    run("cut", "render", archive, "mine", "-o", tmp_path / "mine.mp4", "--poster", tmp_path / "mine.png")
    assert (tmp_path / "again.png").exists()
    assert (tmp_path / "mine.png").exists()
    before = sorted(tmp_path.rglob("*"))
    new = ("supercut", archive, QUESTION, "-o", tmp_path / "new.mp4", "--nearest")
    assert "exists already" in run(*new, "--poster", tmp_path / "film.jpg", status=1)
    assert "inside the archive" in run(*new, "--poster", archive / "x.jpg", status=2)
    assert "only with --poster" in run(*new, "--poster-at", "1", status=2)
    assert "not together with --each" in run(*new, "--each", "--poster", tmp_path / "x.jpg", status=2)
    assert before == sorted(tmp_path.rglob("*"))


@pytest.mark.parametrize("stop", [ExportError("the disk is gone"), KeyboardInterrupt()])
@pytest.mark.parametrize("each", [False, True])
def test_what_was_used_is_remembered_whatever_follows(
    each: bool, stop: BaseException, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the manifest cannot be sealed, or Ctrl-C comes then, the film is there and used; the loss is said."""

    def fail(*_: object) -> NoReturn:
        raise stop

    monkeypatch.setattr(manifest, "film_checksums", fail)
    target = tmp_path / ("clips" if each else "film.mp4")
    options = ["--each"] if each else []
    status = 130 if isinstance(stop, KeyboardInterrupt) else 1
    said = run("supercut", archive, QUESTION, "-o", target, "--limit", "1", "--nearest", *options, status=status)
    assert "is made, but its manifest has no seal" in " ".join(said.split())
    assert target.exists()
    assert 1 == len(json.loads(run("search", archive, "used:ever", "--json")))


def test_files_of_sound_alone_have_nothing_to_be_compared(archive: Path, tmp_path: Path) -> None:
    """The verdict says so, and not that no cut is exact."""
    said = run(
        "supercut", archive, "in:*", "-o", tmp_path / "clips", "--each", "--preset", "audio-only", "--limit", "2"
    )
    assert "2 of 2 clips, sound alone: it has no pictures that could be compared" in said
    assert "exact" not in said
