"""The one interface between sound and words: where speech is, and what is said with the time of each word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

SPEECH_RATE_HZ: Final = 16_000
LONGEST_SECONDS: Final = 30.0
"""Of the sound that a model takes at once: Whisper's own window."""

Sound: TypeAlias = NDArray[np.float32]
"""float32, (n_samples,), 16,000 samples per second, full scale from -1 to 1."""


class Task(StrEnum):
    """What is written of what is said."""

    TRANSCRIBE = "transcribe"
    TRANSLATE = "translate"
    """Into English, whatever is spoken."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """How to listen.

    Args:
        language: ISO 639-1 code of what is spoken; empty to have it detected.
        task: words as they are spoken, or in English.
        hot_words: names and terms that are likely to be said, in the spelling that is wanted.
        beam_size: how many beginnings of a sentence are followed at once.
    """

    language: str = ""
    task: Task = Task.TRANSCRIBE
    hot_words: tuple[str, ...] = ()
    beam_size: int = 5


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word as a model heard it.

    Args:
        text: with the space before it, where its language has one, and with its punctuation.
        start: in seconds from the beginning of the sound; None where the model does not say.
        end: as above; may lie before the start: times are as the model gives them.
        probability: 0 to 1; None where the model does not say.
    """

    text: str
    start: float | None
    end: float | None
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """What a model decoded in one go, and its own doubts.

    Args:
        words: in order.
        no_speech: probability that nothing is said there; None where the model does not say.
        log_probability: mean over the tokens; None as above.
        compression: length of the text over its length when compressed: high where it repeats itself.
    """

    words: tuple[HeardWord, ...]
    no_speech: float | None = None
    log_probability: float | None = None
    compression: float = 1.0

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(word.text for word in self.words).strip()


@dataclass(frozen=True, slots=True)
class Heard:
    """What a model heard in a piece of sound.

    Args:
        passages: in order of time.
        language: ISO 639-1 code of the words.
        language_probability: of the language that was detected; None where none was: it was given, or the model
            knows only one.
    """

    passages: tuple[Passage, ...]
    language: str = ""
    language_probability: float | None = None


class Transcriber(Protocol):
    """Writes down what is said."""

    @property
    def name(self) -> str:
        """The model's name, as a person would type it."""
        ...

    @property
    def revision(self) -> str:
        """Of the model; empty where it is not known."""
        ...

    @property
    def weights_hash(self) -> str:
        """Hex digest of its weights."""
        ...

    @property
    def is_multilingual(self) -> bool:
        """Whether it knows other languages than English, and can tell which is spoken."""
        ...

    def transcribe(self, sound: Sound, hearing: Hearing) -> Heard:
        """The words of at most half a minute of sound; the same sound gives the same words.

        Args:
            sound: at most `LONGEST_SECONDS`; it is left unchanged.
            hearing: how to listen.

        Raises:
            ModelError: the model fails.
        """
        ...


class SpeechFinder(Protocol):
    """Tells speech from everything else (voice activity)."""

    def find_speech(self, sound: Sound) -> Sequence[tuple[float, float]]:
        """The stretches in which somebody speaks, in seconds from the beginning of the sound, in order.

        They are apart by a tenth of a second at least, and none is shorter than that.
        """
        ...
