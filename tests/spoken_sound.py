"""Sound in which words are numbers: each is a stretch of one loudness, which a made-up model reads back."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from indexer.models.transcriber import SPEECH_RATE_HZ, Heard, HeardWord, Hearing, Passage, Sound

_STEP = 1000.0


def speak(words: Sequence[tuple[int, float, float]], seconds: float) -> Sound:
    """Sound with the words, numbers from 1 to 900, from and to their seconds; silence between them."""
    sound = np.zeros(round(seconds * SPEECH_RATE_HZ), np.float32)
    for number, start, end in words:
        sound[round(start * SPEECH_RATE_HZ) : round(end * SPEECH_RATE_HZ)] = number / _STEP
    return sound


def word_of(number: int) -> str:
    """The word of a number; every tenth ends a sentence."""
    return f"W{number}." if number % 10 == 0 else f"W{number}"


def _runs(sound: Sound) -> list[tuple[int, int, int]]:
    """Number, first and last sample of every stretch of one loudness that is no silence."""
    numbers = np.rint(np.abs(sound) * _STEP).astype(int)
    edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
    return [
        (int(numbers[first]), first, last)
        for first, last in itertools.pairwise(edges)
        if last > first and numbers[first] > 0
    ]


class FakeFinder:
    """Takes everything for speech that is not silent for a tenth of a second."""

    def find_speech(self, sound: Sound) -> list[tuple[float, float]]:
        joined: list[list[float]] = []
        for _, first, last in _runs(sound):
            start, end = first / SPEECH_RATE_HZ, last / SPEECH_RATE_HZ
            if joined and start - joined[-1][1] < 0.1:
                joined[-1][1] = end
            else:
                joined.append([start, end])
        return [(start, end) for start, end in joined]


@dataclass
class FakeTranscriber:
    """Reads the words back.

    Args:
        doubts: what it says of its passage.
        languages: the language of a sound by the number of its first word; English for others.
        heard_seconds: how long each sound was that it was given.
    """

    doubts: Passage = field(default_factory=lambda: Passage(()))
    languages: dict[int, str] = field(default_factory=dict)
    heard_seconds: list[float] = field(default_factory=list)
    name: str = "made-up"
    revision: str = "1"
    weights_hash: str = "00"
    is_multilingual: bool = True

    def transcribe(self, sound: Sound, hearing: Hearing) -> Heard:
        self.heard_seconds.append(len(sound) / SPEECH_RATE_HZ)
        runs = _runs(sound)
        words = tuple(
            HeardWord(f" {word_of(number)}", first / SPEECH_RATE_HZ, last / SPEECH_RATE_HZ, 0.9)
            for number, first, last in runs
        )
        if not words:
            return Heard((), "en", 0.5)
        language = hearing.language or self.languages.get(runs[0][0], "en")
        passage = Passage(words, self.doubts.no_speech, self.doubts.log_probability, self.doubts.compression)
        return Heard((passage,), language, None if hearing.language else 0.9)
