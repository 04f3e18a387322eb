"""`rushes objects`: what is where in a video file, crops of it, and shots found by a crop."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from indexer.config import IndexSettings, PipelineSettings
from indexer.media.writer import VideoFormat, write_video
from indexer.models.crops import pad_box
from indexer.pipeline import index_videos
from indexer.stages.objects import ObjectSettings, ObjectStage
from search_app.cli import main
from search_app.search.search import search
from search_app.use_cases.find_objects import FoundStretch, find_objects, prepare_folder, save_crops
from store.archive import Archive
from store.errors import ConfigError
from tests.fake_readers import FakeDetector
from tests.fakes import COLOURS, FakeEncoder
from tests.fixtures.detector_checkpoints import CLASSES, write_d_fine, write_owlv2

RATE = 10
SHOTS = (("red", "white"), ("blue", "white"), ("green", "white"))
"""A block of the first colour on the second, for a second each."""


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("videos") / "../videos of; blocks.mp4"
    path.parent.mkdir(exist_ok=True)

    def draw(number: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
        block, ground = SHOTS[number // RATE]
        picture = np.full((120, 160, 3), COLOURS[ground], np.uint8)
        picture[40:100, 32:96] = COLOURS[block]
        return picture

    form = VideoFormat("libx264", RATE, sound_codec=None, options={"qp": "10"})
    write_video(path, ((number, draw(number)) for number in range(RATE * len(SHOTS))), form)
    return path.resolve()


@pytest.fixture(scope="module")
def found(video: Path) -> list[FoundStretch]:
    return list(find_objects(video, ObjectStage(FakeDetector(), ObjectSettings())))


def test_each_shot_gets_its_objects(found: list[FoundStretch]) -> None:
    """In order of time, with the box where it was drawn."""
    assert [["red"], ["blue"], ["green"]] == [[row.text for row in one.result.rows] for one in found]
    assert [0, 1, 2] == [one.ordinal for one in found]
    for one in found:
        assert pytest.approx((0.2, 1 / 3, 0.4, 0.5), abs=0.02) == one.result.rows[0].box


def test_crops_are_padded_and_say_what_they_are(video: Path, found: list[FoundStretch], tmp_path: Path) -> None:
    """The picture holds the block and a margin; the JSON beside it names video, time, box and score."""
    (saved, *_) = save_crops(video, found[0], tmp_path, "fake", 0.25)
    pixels = np.asarray(Image.open(saved.picture)).astype(int)
    assert pytest.approx((60 * 1.5, 64 * 1.5), abs=6) == pixels.shape[:2]
    assert np.abs(pixels[pixels.shape[0] // 2, pixels.shape[1] // 2] - COLOURS["red"]).max() < 20
    assert np.abs(pixels[3, 3] - COLOURS["white"]).max() < 20
    told = json.loads(Path(saved.picture).with_suffix(".json").read_text(encoding="utf-8"))
    assert (str(video), "red", "fake", 0) == (told["video"], told["label"], told["model"], told["shot"])
    assert Path(saved.picture).name == told["picture"]
    assert 0 <= told["time_seconds"] < 1 and 0.5 < told["score"] <= 1
    assert pytest.approx((0.2, 1 / 3, 0.4, 0.5), abs=0.02) == told["box"]


def test_names_are_safe_and_nothing_is_written_over(
    video: Path, found: list[FoundStretch], tmp_path: Path
) -> None:
    """Letters, digits and hyphens alone; a second run writes beside the first."""
    first = save_crops(video, found[0], tmp_path, "fake", 0.1)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    second = save_crops(video, found[0], tmp_path, "fake", 0.1)
    assert not {one.picture for one in first} & {one.picture for one in second}
    assert all(path.read_bytes() == data for path, data in before.items())
    for path in tmp_path.iterdir():
        assert path.stem.replace("-", "").replace(".", "").isalnum() and path.name.startswith("videos-of-blocks-")


def test_a_folder_inside_an_archive_is_refused(tmp_path: Path) -> None:
    """Nothing is written there."""
    with Archive.create(tmp_path / "archive"):
        pass
    with pytest.raises(ConfigError, match="lies inside the archive"):
        prepare_folder(tmp_path / "archive" / "crops")
    assert not (tmp_path / "archive" / "crops").exists()


def test_a_crop_finds_its_shot(video: Path, found: list[FoundStretch], tmp_path: Path) -> None:
    """`like:` takes the crop as any picture."""
    with Archive.create(tmp_path / "archive") as archive:
        archive.claim_space(FakeEncoder().space, "fake")
        settings = IndexSettings(pipeline=PipelineSettings(jobs=1))
        list(index_videos(archive, [video], FakeEncoder(), settings, lambda _: None))
        for ordinal, stretch in enumerate(found):
            (crop, *_) = save_crops(video, stretch, tmp_path, "fake", 0.0)
            hits = search(archive, f'like:"{crop.picture}"', encoder=FakeEncoder(), limit=1).hits
            assert [ordinal] == [hit.shot.shot.ordinal for hit in hits]


def test_padding_stops_at_the_edge() -> None:
    """A box in a corner grows to two sides only."""
    assert pytest.approx((0.0, 0.0, 0.3, 0.6)) == pad_box((0.0, 0.0, 0.2, 0.4), 0.5)
    assert pytest.approx((0.7, 0.4, 0.3, 0.6)) == pad_box((0.8, 0.6, 0.2, 0.4), 0.5)


def _rushes(*arguments: object, status: int = 0) -> str:
    done = CliRunner().invoke(main, ["objects", *map(str, arguments)])
    assert status == done.exit_code, done.output
    return done.output


def test_the_command_with_a_checkpoint_of_each_kind(video: Path, tmp_path: Path) -> None:
    """A closed set and an open vocabulary through the whole command; every box has its crop."""
    closed = write_d_fine(tmp_path / "closed")
    told = json.loads(_rushes(video, "--model", closed, "--min-score", 0, "--device", "cpu", "--json"))
    assert {line["label"] for line in told["objects"]} <= set(CLASSES) and [] == told["crops"]
    owl = write_owlv2(tmp_path / "open")
    crops = tmp_path / "new" / "crops"
    told = json.loads(
        _rushes(
            video, "--model", owl, "--label", "dog", "--save-crops", crops, "--device", "cpu",
            "--json",
        )
    )  # fmt: skip
    assert {"dog"} == {line["label"] for line in told["objects"]}
    assert told["crops"] and all(Path(crop["picture"]).is_file() for crop in told["crops"])
    assert 2 * len(told["crops"]) == len(list(crops.iterdir()))
    assert Fraction(0) <= min(Fraction(crop["time_seconds"]) for crop in told["crops"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--label", " "], "a --label is empty"),
        (["--padding", "nan"], "padding"),
        (["--label", "x"] * 1001, "more than 1,000 prompts"),
        (["--model", "/no/such/folder"], "there is no model in /no/such/folder"),
    ],
)
def test_wrong_use_is_one_line(video: Path, arguments: list[str], said: str) -> None:
    """What, and what to do."""
    done = CliRunner().invoke(main, ["objects", str(video), *arguments])
    assert done.exit_code != 0
    assert said in done.output and 1 == done.output.strip().count("\n") + 1
