"""`--model starter`: from the command line to an answer, asked lean, and what is said where it is missing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from indexer.errors import ModelError
from indexer.media.writer import VideoFormat, write_video
from indexer.models import imagenet_classifier, starter_encoder
from indexer.models.asking import load_asking_encoder
from indexer.models.hub import say_ways_out
from indexer.models.imagenet_classifier import load_imagenet_classifier
from indexer.models.open_clip_encoder import load_encoder_of, require_model
from indexer.models.package_files import PackageFile
from search_app.cli import main
from store.errors import SpaceMismatchError
from tests.offline_models import needs_starter, sentence_encoder
from tests.offline_models import starter_encoder as real_starter

TEXTS = ("a dog", "", "an old church at night", "zxqv")


@needs_starter
def test_questions_are_asked_without_torch() -> None:
    """The lean text side gives the vectors of the whole encoder, and kept lists stay the same."""
    space = real_starter().space
    asking = load_asking_encoder(space)
    np.testing.assert_allclose(asking.encode_texts(TEXTS), real_starter().encode_texts(TEXTS), atol=1e-4)
    many = [f"thing {i}" for i in range(60)]
    np.testing.assert_array_equal(asking.encode_texts(many), asking.encode_texts(many))
    assert 260 == asking.image_size_px


@needs_starter
def test_kept_entries_are_those_of_the_encoder() -> None:
    """The file of vectors belongs to the words and the weights; a few are made again."""
    kept = starter_encoder._read_entries()
    assert kept is not None, "write it again: python -m indexer.models.starter_encoder"
    texts = starter_encoder.entry_texts()
    assert (len(texts), 384) == kept.shape
    some = range(0, len(texts), 97)
    made = sentence_encoder().encode_texts([texts[i] for i in some])
    np.testing.assert_allclose(made, kept[list(some)], atol=2e-3)


@needs_starter
def test_another_starter_is_refused() -> None:
    """An archive of a starter encoder with other words or weights is not read with this one."""
    with pytest.raises(SpaceMismatchError, match="starter"):
        load_encoder_of(replace(real_starter().space, weights_hash="0" * 32), device="cpu")


@needs_starter
def test_from_a_file_to_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`rushes index --model starter`, `models list` and `search`."""
    noise = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)
    form = VideoFormat("libx264", 12, sound_codec=None, options={"preset": "ultrafast"})
    write_video(tmp_path / "films.mp4", [(i, noise) for i in range(12)], form)
    monkeypatch.setattr(starter_encoder, "load_starter_encoder", lambda **_: real_starter())
    archive = str(tmp_path / "archive")
    made = CliRunner().invoke(main, ["index", archive, str(tmp_path / "films.mp4"), "--model", "starter"])
    assert 0 == made.exit_code, made.output
    listed = json.loads(CliRunner().invoke(main, ["models", "list", archive, "--json"]).stdout)
    assert [("starter", True)] == [(one["model"], one["answers"]) for one in listed]
    found = json.loads(CliRunner().invoke(main, ["search", archive, "a pattern", "--json"]).stdout)
    assert [str(tmp_path / "films.mp4")] == [one["video"] for one in found]


def test_where_it_is_missing_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named; torch is not imported to find that out."""
    monkeypatch.setattr(imagenet_classifier, "WEIGHTS", PackageFile("no_such_package", "x.pth", "0" * 64))
    assert not starter_encoder.is_starter_installed()
    with pytest.raises(ModelError, match=r"no-such-package.*rushes\[offline\]"):
        require_model("starter", None)
    assert "--model starter" in say_ways_out(has_starter=True)
    assert "pip install 'rushes[offline]'" in say_ways_out(has_starter=False)


def test_a_pickle_of_other_things_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with the right digest that holds code, or another network, is not run."""
    import hashlib
    import pickle
    import sys

    import torch

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return eval, ("1/0",)

    package = tmp_path / "made_up_weights"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (package / "bomb.pth").write_bytes(pickle.dumps(Bomb()))
    torch.save({"weight": torch.zeros(3)}, package / "other.pth")
    for name, said in (("bomb.pth", "cannot read the weights"), ("other.pth", "another network")):
        digest = hashlib.sha256((package / name).read_bytes()).hexdigest()
        with pytest.raises(ModelError, match=said):
            load_imagenet_classifier(PackageFile("made_up_weights", name, digest), device="cpu")
