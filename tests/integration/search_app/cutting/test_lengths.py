"""One length: `cut fit`, `cut show`, a dry run, a film, its manifest, a timeline and a list agree to the frame."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from click.testing import CliRunner

from indexer.demo.drawing import draw_scene
from indexer.media.writer import VideoFormat, write_video
from search_app.cli import main
from tests.e2e.small_archive import SCENES, index_library

pytestmark = pytest.mark.slow

QUERY = "in:*"
SECONDS = "3.7"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of three videos of 24, 25 and 30 frames per second, two shots of about 1.5 s in each."""
    folder = tmp_path_factory.mktemp("lengths")
    (folder / "library").mkdir()
    for number, rate in enumerate((24, 25, 30)):
        pictures = [
            (place * 37 + frame, draw_scene(scene, 192, 108, frame / rate, seed=10 * number + place))
            for place, scene in enumerate(SCENES[number % 2])
            for frame in range(37)
        ]
        form = VideoFormat("libx264", rate, sound_codec=None, options={"preset": "ultrafast"})
        write_video(folder / "library" / f"clip{number}.mp4", pictures, form)
    index_library(folder / "archive", folder / "library")
    return folder / "archive"


def rushes(*arguments: str | Path) -> str:
    """What a command says on stdout."""
    ran = CliRunner().invoke(main, [*map(str, arguments)])
    assert 0 == ran.exit_code, ran.output
    return ran.stdout


def said(*arguments: str | Path) -> Any:
    """The same as plain data."""
    return json.loads(rushes(*arguments, "--json"))


@pytest.mark.parametrize("length", ["--fit", "--max-seconds"])
def test_all_say_the_same_length(archive: Path, tmp_path: Path, length: str) -> None:
    """Of clips of three rates; a fitted film is exactly as long as was asked for, rounded down to a frame."""
    asked = (archive, QUERY, length, SECONDS, "-o")
    told = said("supercut", *asked, tmp_path / "film.mp4", "--dry-run")
    ledger = said("supercut", *asked, tmp_path / "film.mp4")
    rate = Fraction(ledger["profile"]["frame_rate"])
    with av.open(str(tmp_path / "film.mp4")) as film:
        n_frames = sum(1 for _ in film.decode(video=0))
    timeline = said("timeline", *asked, tmp_path / "film.otio")
    listed = said("export", *asked, tmp_path / "film.json")
    assert rate == Fraction(timeline["rate"])
    due = int(Fraction(SECONDS) * rate)
    assert n_frames == due if length == "--fit" else n_frames <= due
    assert [n_frames] * 3 == [told["frames"], ledger["n_frames"], timeline["frames"]]
    assert n_frames == sum(clip["frames"] for clip in listed["clips"])


def test_a_stored_cut_list_says_what_its_film_has(archive: Path, tmp_path: Path) -> None:
    """When it is fitted, when it is shown, of all its clips together and of each."""
    rushes("cut", "new", archive, "all", QUERY)
    fitted = rushes("cut", "fit", archive, "all", SECONDS)
    shown = said("cut", "show", archive, "all")
    ledger = said("cut", "render", archive, "all", "-o", tmp_path / "film.mp4")
    assert int(Fraction(SECONDS) * Fraction(shown["frame_rate"])) == shown["n_frames"] == ledger["n_frames"]
    assert f"({shown['n_frames']} frames at " in fitted
    assert f"({shown['n_frames']} frames at " in rushes("cut", "show", archive, "all")
    assert [clip["n_frames"] for clip in shown["clips"]] == [clip["n_frames"] for clip in ledger["clips"]]
    assert [clip["first_frame"] for clip in shown["clips"]] == [clip["first_frame"] for clip in ledger["clips"]]
