"""What every detector promises, whichever model is behind it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from indexer.models.detector import Detection, Detector, DetectorOptions, load_detector
from indexer.models.encoder import RgbImage
from tests.fake_readers import FakeDetector
from tests.fixtures.detector_checkpoints import write_d_fine, write_grounding_dino, write_owlv2, write_rt_detr

CLOSED: dict[str, Callable[[Path], Path]] = {"D-FINE": write_d_fine, "RT-DETRv2": write_rt_detr}
OPEN: dict[str, Callable[[Path], Path]] = {"OWLv2": write_owlv2, "Grounding DINO": write_grounding_dino}
PROMPTS = ("dog", "red boat")


@pytest.fixture(scope="module", params=["fake", *CLOSED, *OPEN])
def detector(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Detector:
    if request.param == "fake":
        return FakeDetector()
    folder = (CLOSED | OPEN)[request.param](tmp_path_factory.mktemp("detector") / "tiny")
    prompts = PROMPTS if request.param in OPEN else ()
    return load_detector(str(folder), DetectorOptions(0.0, prompts, batch_size=2, device="cpu"))


@pytest.fixture(scope="module")
def pictures() -> list[RgbImage]:
    rng = np.random.default_rng(0)
    made = [
        rng.integers(0, 256, (*size, 3), np.uint8) for size in ((48, 80), (80, 48), (64, 64), (48, 80), (30, 31))
    ]
    for picture in made:
        picture[5:25, 5:25] = (220, 30, 30)
    return made


def _require_close(one: tuple[Detection, ...], other: tuple[Detection, ...]) -> None:
    assert len(one) == len(other)
    for mine, theirs in zip(one, other, strict=True):
        assert mine.label == theirs.label
        assert pytest.approx(mine.score, abs=1e-4) == theirs.score
        assert pytest.approx(mine.box, abs=1e-3) == theirs.box


def test_boxes_lie_inside_their_picture(detector: Detector, pictures: list[RgbImage]) -> None:
    """As shares of it, whatever its shape; the surest come first."""
    found = detector.detect(pictures)
    assert len(pictures) == len(found) and all(found)
    for detections in found:
        scores = [one.score for one in detections]
        assert scores == sorted(scores, reverse=True) and 0 <= min(scores) <= max(scores) <= 1
        for left, top, width, height in (one.box for one in detections):
            assert 0 <= left <= left + width <= 1 + 1e-6 and 0 <= top <= top + height <= 1 + 1e-6


def test_order_and_company_make_no_difference(detector: Detector, pictures: list[RgbImage]) -> None:
    """A picture's objects are its own, whatever else is in the batch, and the same each time."""
    together = detector.detect(pictures)
    for picture, detections in zip(pictures, together, strict=True):
        _require_close(detections, detector.detect([picture])[0])
    for detections, again in zip(together, detector.detect(pictures[::-1])[::-1], strict=True):
        _require_close(detections, again)


def test_no_picture_gives_nothing(detector: Detector) -> None:
    """And is no error."""
    assert [] == list(detector.detect([]))


def test_pictures_are_left_alone(detector: Detector, pictures: list[RgbImage]) -> None:
    """They may be read-only."""
    before = [picture.copy() for picture in pictures]
    for picture in pictures:
        picture.setflags(write=False)
    detector.detect(pictures)
    for picture, copy in zip(pictures, before, strict=True):
        np.testing.assert_array_equal(copy, picture)


def test_the_model_has_a_name_and_a_hash(detector: Detector) -> None:
    """By which a run is known."""
    assert detector.name and int(detector.weights_hash, 16) >= 0
