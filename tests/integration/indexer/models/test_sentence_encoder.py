"""The encoder of sentences: real weights in torch and in numpy, meaning, and files that cannot be used."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import ModelError
from indexer.models import sentence_encoder as module
from indexer.models.asking import load_asking_text_encoder
from indexer.models.open_clip_encoder import load_encoder
from indexer.models.package_files import PackageFile
from indexer.models.sentence_encoder import SENTENCE_MODEL, load_sentence_encoder, load_text_encoder_of
from indexer.models.sentence_tower import SentenceTower
from indexer.models.transformers_files import find_checkpoint
from store.errors import SpaceMismatchError
from tests.fixtures.tiny_transformers import write_tiny_bert
from tests.offline_models import needs_sentences, sentence_encoder

TEXTS = ("", "a dog runs", "Zwei Hunde, ein Café - naïve!", "δύο σκύλοι", "dog 🐕 & <cat>", "long " * 600)


@needs_sentences
def test_numpy_gives_the_vectors_of_torch() -> None:
    """The lean side that questions use is the same to 1e-5, on texts of all kinds and lengths."""
    expected = sentence_encoder().encode_texts(TEXTS)
    np.testing.assert_allclose(SentenceTower().encode_texts(TEXTS), expected, atol=1e-5)


@needs_sentences
def test_what_means_the_same_is_near() -> None:
    """Sentences that share no word with their meaning are nearer than others."""
    rows = sentence_encoder().encode_texts(["a canine", "a dog runs", "a bowl of soup", "stock markets fell"])
    assert rows[0] @ rows[1] > 0.5 > max(rows[0] @ rows[2], rows[0] @ rows[3])


@needs_sentences
def test_a_recorded_space_is_loaded_again() -> None:
    """The very encoder that an archive records, in torch or numpy; another one of that name is refused."""
    space = sentence_encoder().space
    assert (SENTENCE_MODEL, 384) == (space.name, space.dim)
    assert load_text_encoder_of(space, device="cpu").space == space
    assert load_asking_text_encoder(space).space == space
    other = replace(space, weights_hash="0" * 32)
    for load in (load_text_encoder_of, load_asking_text_encoder):
        with pytest.raises(SpaceMismatchError, match="embed its texts again"):
            load(other)


def test_a_space_of_pictures_is_loaded_by_its_own_encoder() -> None:
    """An archive without a space of texts embeds them with its own encoder."""
    space = load_encoder("demo").space
    assert load_text_encoder_of(space, device="cpu").space == space
    assert load_asking_text_encoder(space).space == space


def test_numpy_gives_the_vectors_of_a_tiny_model(tmp_path: Path) -> None:
    """Without the extra the same two paths agree on a tiny checkpoint."""
    folder = write_tiny_bert(tmp_path / "bert")
    torch_side = load_sentence_encoder(folder, device="cpu", batch_size=2)
    tower = SentenceTower(find_checkpoint(str(folder)))
    assert tower.space == torch_side.space
    np.testing.assert_allclose(tower.encode_texts(TEXTS), torch_side.encode_texts(TEXTS), atol=1e-5)


def test_a_missing_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line names the package and the extra."""
    monkeypatch.setattr(module, "TOKENIZER", PackageFile("no_such_package", "model/tokenizer.json", "0" * 64))
    assert not module.is_sentence_encoder_installed()
    with pytest.raises(ModelError, match=r"no-such-package.*rushes\[offline\]"):
        load_sentence_encoder()


@needs_sentences
def test_another_file_than_the_tested_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights whose SHA-256 differs are not loaded."""
    monkeypatch.setattr(module, "TOKENIZER", replace(module.TOKENIZER, sha256="0" * 64))
    with pytest.raises(ModelError, match="SHA-256 differs"):
        load_sentence_encoder()


def test_folders_that_are_no_such_model_are_refused(tmp_path: Path) -> None:
    """A pickle, a missing file and another architecture each give one line."""
    folder = write_tiny_bert(tmp_path / "bert")
    pickled, bare, other = (tmp_path / name for name in ("pickled", "bare", "other"))
    for copy in (pickled, bare, other):
        shutil.copytree(folder, copy)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    (bare / "config.json").unlink()
    config = (other / "config.json").read_text(encoding="utf-8").replace('"bert"', '"gpt2"')
    (other / "config.json").write_text(config, encoding="utf-8")
    cases = {pickled: "pickled", bare: "config.json", other: "not a bert", tmp_path / "none": "no model"}
    for path, said in cases.items():
        with pytest.raises(ModelError, match=said) as raised:
            load_sentence_encoder(path, device="cpu")
        assert 1 == len(str(raised.value).splitlines())
