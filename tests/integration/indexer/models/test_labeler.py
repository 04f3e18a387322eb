"""Labelers: tiny checkpoints by the normal path, the classifier of the extra, the fallback, bad folders."""

from __future__ import annotations

import logging
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import ModelError
from indexer.models import imagenet_classifier, labeler
from indexer.models.imagenet_classes import imagenet_classes
from indexer.models.labeler import OFFLINE_LABELER, Labeler, load_labeler
from indexer.models.package_files import PackageFile
from indexer.stages.label_settings import LabelSettings
from indexer.stages.labels import ClassifierLabels
from indexer.stages.stage import ShownStretch, Stretch
from store.records import Boundary, Shot, ShotRow
from store.shot_outcomes import ShotState
from store.timespan import TimeSpan
from tests.fixtures.tiny_transformers import write_tiny_bert, write_tiny_vit
from tests.offline_models import needs_starter, starter_encoder

COLOURS = ("red, reddish", "green", "blue", "grey")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_vit(tmp_path_factory.mktemp("vit"), COLOURS)


@pytest.fixture(scope="module", params=["tiny", pytest.param("offline", marks=needs_starter)])
def made(request: pytest.FixtureRequest, folder: Path) -> Labeler:
    if request.param == "tiny":
        return load_labeler(str(folder), device="cpu", batch_size=3)
    return labeler.ImageNetLabeler(starter_encoder()._classifier, 16)


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    sizes = [(36, 64), (64, 36), (16, 16), (1, 1), (200, 3), (3, 200), (36, 64)]
    return [rng.integers(0, 256, (*size, 3), np.uint8) for size in sizes]


def test_a_batch_is_as_one_by_one(made: Labeler, pictures: list[np.ndarray]) -> None:
    """Rows are distributions, belong to their pictures in any order and company, and are the same each time."""
    rows = made.probabilities(pictures)
    assert (len(pictures), made.vocabulary.n_classes) == rows.shape and np.float32 == rows.dtype
    np.testing.assert_allclose(np.ones(len(pictures)), rows.sum(axis=1), atol=1e-4)
    alone = np.concatenate([made.probabilities([picture]) for picture in pictures])
    np.testing.assert_allclose(alone, rows, atol=1e-5)
    np.testing.assert_allclose(made.probabilities(pictures[::-1])[::-1], rows, atol=1e-5)
    np.testing.assert_array_equal(made.probabilities(pictures), rows)
    assert (0, made.vocabulary.n_classes) == made.probabilities([]).shape


def test_the_words_are_those_of_the_checkpoint(folder: Path) -> None:
    """The first of several names; weights and folder identify the model."""
    tiny = load_labeler(str(folder), device="cpu")
    assert ("red", "green", "blue", "grey") == tiny.vocabulary.words
    assert (str(folder), 32) == (tiny.name, tiny.size_px) and len(tiny.weights_hash) == 32


def test_classes_of_imagenet_are_said_in_plain_words(tmp_path: Path) -> None:
    """A checkpoint with ImageNet's 1,000 names gets the words for what they are."""
    names = [f"{one.plain_name}, other name" for one in imagenet_classes()]
    tiny = load_labeler(str(write_tiny_vit(tmp_path / "vit", names)), device="cpu")
    assert {"dog", "animal", "ladybug"} <= set(tiny.vocabulary.words)


def test_labels_that_exclude_nothing_may_all_hold(tmp_path: Path) -> None:
    """Of a checkpoint for several labels each is for itself."""
    tiny = load_labeler(str(write_tiny_vit(tmp_path / "vit", COLOURS, several=True)), device="cpu")
    row = tiny.probabilities([np.zeros((40, 40, 3), np.uint8)])[0]
    assert ((row > 0.2) & (row < 0.8)).all() and row.sum() > 1.2  # untrained: all near a half


def stretch(number: int) -> Stretch:
    span = TimeSpan(Fraction(number), Fraction(number + 1))
    return Stretch(ShotRow(f"{number:016x}", "v", "/v.mp4", Shot(number, span, Boundary.CUT), ""), span)


def test_labels_stay_with_their_stretches(made: Labeler, pictures: list[np.ndarray]) -> None:
    """The stage gives each stretch what it gets alone, in any order and company."""
    stage = ClassifierLabels(made, LabelSettings(n_frames=2, lowest_score=0))
    shown = [
        ShownStretch(stretch(i), (Fraction(i), Fraction(i)), (pictures[i], pictures[i + 1])) for i in range(5)
    ]
    together = stage.read(shown)
    backwards = stage.read(shown[::-1])[::-1]
    for one, found, again in zip(shown, together, backwards, strict=True):
        alone = stage.read([one])[0]
        words = [row.text for row in found.rows]
        assert words and words == [row.text for row in alone.rows] == [row.text for row in again.rows]
        assert {one.stretch.span} == {row.span for row in found.rows}
        assert all(row.score is not None and 0 <= row.score <= 1 for row in found.rows)
    assert ShotState.NOTHING is stage.read([ShownStretch(stretch(0), (), ())])[0].state


def test_blank_pictures_have_no_labels(made: Labeler, pictures: list[np.ndarray]) -> None:
    """A black shot gets none, and says why; one black picture of two changes nothing."""
    stage = ClassifierLabels(made, LabelSettings(lowest_score=0))
    black, seen = np.full((90, 160, 3), 16, np.uint8), pictures[0]
    times = (Fraction(0), Fraction(1, 2))
    blank, mixed, alone = stage.read(
        [
            ShownStretch(stretch(0), times, (black, black)),
            ShownStretch(stretch(0), times, (black, seen)),
            ShownStretch(stretch(0), times[1:], (seen,)),
        ]
    )
    assert (ShotState.NOTHING, (), "the pictures are blank") == (blank.state, blank.rows, blank.reason)
    assert [row.text for row in alone.rows] == [row.text for row in mixed.rows]


def test_times_part_the_stretch(made: Labeler) -> None:
    """Three pictures are those of the quarters, exactly."""
    stage = ClassifierLabels(made, LabelSettings())
    assert [Fraction(9, 4), Fraction(5, 2), Fraction(11, 4)] == list(stage.times(stretch(2)))


@needs_starter
def test_without_a_hub_the_extra_takes_over_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No name and no hub: EfficientNet-Lite2, with a warning; a name that was given is never replaced."""

    def fail(model: str) -> None:
        raise ModelError(f"{model} is not here")

    monkeypatch.setattr(labeler, "find_checkpoint", fail)
    with caplog.at_level(logging.WARNING):
        assert OFFLINE_LABELER == load_labeler(device="cpu").name
    assert f"labels come from {OFFLINE_LABELER}" in caplog.text
    with pytest.raises(ModelError, match="org/other is not here"):
        load_labeler("org/other", device="cpu")
    monkeypatch.setattr(imagenet_classifier, "WEIGHTS", PackageFile("no_such_package", "x.pth", "0" * 64))
    with pytest.raises(ModelError, match=r"rushes\[offline\]"):
        load_labeler(device="cpu")


def test_folders_that_are_no_classifier_are_refused(folder: Path, tmp_path: Path) -> None:
    """Another architecture, a pickle, missing weights: one line each."""
    bert = write_tiny_bert(tmp_path / "bert")
    pickled, short = tmp_path / "pickled", tmp_path / "short"
    for copy in (pickled, short):
        shutil.copytree(folder, copy)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    (short / "model.safetensors").write_bytes((short / "model.safetensors").read_bytes()[:1000])
    for path, said in ((bert, "no image classifier"), (pickled, "pickled"), (short, "cannot load")):
        with pytest.raises(ModelError, match=said) as raised:
            load_labeler(str(path), device="cpu")
        assert 1 == len(str(raised.value).splitlines())
