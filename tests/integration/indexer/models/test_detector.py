"""Detectors of transformers: classes, prompts, suppression, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import ModelError
from indexer.models.detector import DetectorOptions, load_detector
from indexer.models.encoder import RgbImage
from indexer.models.picture_features import load_features
from indexer.stages.object_tracks import intersection_over_union
from tests.fixtures.detector_checkpoints import CLASSES, write_d_fine, write_owlv2, write_vit
from tests.fixtures.transformers_checkpoints import WIDTH, write_text_model


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_d_fine(tmp_path_factory.mktemp("closed") / "tiny")


@pytest.fixture(scope="module")
def owl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_owlv2(tmp_path_factory.mktemp("open") / "tiny")


@pytest.fixture(scope="module")
def pictures() -> list[RgbImage]:
    rng = np.random.default_rng(3)
    return [rng.integers(0, 256, (60, 90, 3), np.uint8) for _ in range(3)]


def options(lowest: float, *prompts: str) -> DetectorOptions:
    return DetectorOptions(lowest, prompts, batch_size=2, device="cpu")


def test_a_closed_set_names_its_own_classes(closed: Path, pictures: list[RgbImage]) -> None:
    """Those that are wanted, or all; what it is less sure of is left out."""
    every = load_detector(str(closed), options(0.0)).detect(pictures)
    labels = {one.label for found in every for one in found}
    assert labels <= set(CLASSES) and len(labels) > 1
    label = sorted(labels)[0]
    only = load_detector(str(closed), options(0.0, label)).detect(pictures)
    assert [[one for one in found if one.label == label] for found in every] == [list(found) for found in only]
    median = float(np.median([one.score for found in every for one in found]))
    surer = load_detector(str(closed), options(median)).detect(pictures)
    assert all(one.score > median for found in surer for one in found)
    assert 0 < sum(map(len, surer)) < sum(map(len, every))


def test_an_open_vocabulary_answers_prompts_without_doubles(owl: Path, pictures: list[RgbImage]) -> None:
    """Labels are the prompts; no two boxes of one prompt overlap by half."""
    found = load_detector(str(owl), options(0.0, "red  boat", "dog", "dog")).detect(pictures)
    assert {one.label for detections in found for one in detections} <= {"red boat", "dog"}
    for detections in found:
        for number, one in enumerate(detections):
            for other in detections[number + 1 :]:
                assert one.label != other.label or intersection_over_union(one.box, other.box) <= 0.5 + 1e-6


def test_an_open_vocabulary_needs_prompts(owl: Path) -> None:
    """It knows nothing by itself."""
    with pytest.raises(ModelError, match="give it prompts"):
        load_detector(str(owl), options(0.1))


def test_a_class_that_a_closed_set_does_not_know_is_refused(closed: Path) -> None:
    """With what it knows, and the way out."""
    with pytest.raises(ModelError, match=r"does not know zebra; it knows 4 classes.*open vocabulary"):
        load_detector(str(closed), options(0.1, "dog", "zebra"))


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    """A text model detects nothing; it is not even loaded."""
    folder = write_text_model(tmp_path / "text")
    with pytest.raises(ModelError, match="detects no objects; name a detector") as caught:
        load_detector(str(folder), options(0.1))
    assert "\n" not in str(caught.value)


def test_hostile_class_names_stay_on_one_line(closed: Path, tmp_path: Path, pictures: list[RgbImage]) -> None:
    """Control characters of a stranger's checkpoint do not reach the archive."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    for path in closed.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = dict.fromkeys(config["id2label"], "do\x1b[31mg\n")
    (folder / "config.json").write_text(json.dumps(config))
    found = load_detector(str(folder), options(0.0)).detect(pictures)
    assert {"do [31mg"} == {one.label for detections in found for one in detections}


def test_features_are_of_length_one_and_keep_their_order(tmp_path: Path, pictures: list[RgbImage]) -> None:
    """Batch equals one by one."""
    model = load_features(str(write_vit(tmp_path / "vit")), 2, "cpu")
    rows = model.features(pictures)
    assert (3, WIDTH) == rows.shape and np.float32 == rows.dtype
    np.testing.assert_allclose(np.ones(3), np.linalg.norm(rows, axis=1), atol=1e-5)
    alone = np.concatenate([model.features([picture]) for picture in pictures])
    np.testing.assert_allclose(alone, rows, atol=1e-5)
    assert (0, 0) == model.features([]).shape
    assert not np.allclose(rows[0], rows[1])
