"""Repair of word times: attention, by which Whisper places its words, strays where nobody speaks.

A word has no time, or none but an instant; it lasts over a pause; it begins before the one before it has ended.
What is known better is when somebody speaks at all (voice activity), and about how long a word can last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from indexer.models.transcriber import HeardWord

Stretches: TypeAlias = Sequence[tuple[float, float]]
"""When somebody speaks: seconds, in order, apart from each other."""

LONGEST_WORD_SECONDS: Final = 1.0
_SECONDS_PER_LETTER: Final = 0.09
"""Of words of more than eleven letters."""
_SECONDS_PER_DIGIT: Final = 0.4
"""1984 is two words when spoken, and 1,234,567 is eleven: numbers last as long as their digits."""
_LONGEST_NUMBER_SECONDS: Final = 5.0
_SHORTEST_SECONDS: Final = 0.02
_NEAR_SECONDS: Final = 0.5
"""A word over silence is moved to speech that is so near; further away there is none to move it to."""
_MOVED_SECONDS: Final = 0.3
_DIGIT = re.compile(r"\d")
_SPOKEN = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word with times that can be.

    Args:
        text: with the space before it and its punctuation.
        start: in seconds.
        end: after the start, and not after the start of the next word.
        probability: 0 to 1; None where the model does not say.
        passage: which of the model's passages it comes from.
    """

    text: str
    start: float
    end: float
    probability: float | None = None
    passage: int = 0


def repair_words(words: Sequence[HeardWord], speech: Stretches, end: float, passage: int = 0) -> list[TimedWord]:
    """The words, in their order, with times that can be.

    Args:
        words: as a model gave them, on one clock with the speech.
        speech: when somebody speaks.
        end: of the sound, in seconds.
        passage: which passage they come from.
    """
    timed = _fill_times(words, end, passage)
    repaired: list[TimedWord] = []
    before = 0.0
    for index, word in enumerate(timed):
        after = timed[index + 1].start if index + 1 < len(timed) else end
        moved = _onto_speech(word, speech, before, max(after, word.end))
        moved = replace(moved, end=min(moved.end, moved.start + longest_seconds(word.text)))
        start = max(moved.start, before)
        repaired.append(replace(moved, start=start, end=max(moved.end, start + _SHORTEST_SECONDS)))
        before = repaired[-1].end
    return repaired


def longest_seconds(text: str) -> float:
    """About the longest that a word can last when it is spoken."""
    n_digits = len(_DIGIT.findall(text))
    if n_digits:
        return min(_LONGEST_NUMBER_SECONDS, max(LONGEST_WORD_SECONDS, 0.5 + _SECONDS_PER_DIGIT * n_digits))
    return max(LONGEST_WORD_SECONDS, _SECONDS_PER_LETTER * len(_SPOKEN.findall(text)))


def _fill_times(words: Sequence[HeardWord], end: float, passage: int) -> list[TimedWord]:
    """Times for words that have none, or only an instant, between those of their neighbours."""
    filled: list[TimedWord] = []
    index, before = 0, 0.0
    while index < len(words):
        run = index
        while run < len(words) and not _has_length(words[run], before):
            run += 1
        if run == index:
            word = words[index]
            start = max(before, min(word.start or 0.0, end))
            filled.append(TimedWord(word.text, start, min(word.end or end, end), word.probability, passage))
            before, index = filled[-1].end, index + 1
            continue
        known = words[run] if run < len(words) else None
        first = next((one.start for one in words[index:run] if one.start is not None), before)
        start = min(max(before, first), end)
        # They share the time up to the next word; where that leaves none, they share its time, too.
        stop, group = (known.start or start, list(words[index:run])) if known else (end, list(words[index:run]))
        if known is not None and stop - start < _SHORTEST_SECONDS * len(group):
            stop, group, run = min(known.end or end, end), [*group, known], run + 1
        room = sum(longest_seconds(one.text) for one in group)
        stop = min(stop, start + room) if known is None else stop
        filled += _share(group, start, max(stop, start), passage)
        before, index = filled[-1].end, run
    return filled


def _has_length(word: HeardWord, before: float) -> bool:
    if word.start is None or word.end is None:
        return False
    return word.end - max(word.start, before) >= _SHORTEST_SECONDS


def _share(words: Sequence[HeardWord], start: float, stop: float, passage: int) -> list[TimedWord]:
    """Words one after the other, each as long as it takes to say it, as far as there is room."""
    weights = [len(_SPOKEN.findall(one.text)) + 4 * len(_DIGIT.findall(one.text)) + 1 for one in words]
    step = (stop - start) / sum(weights)
    timed = []
    for word, weight in zip(words, weights, strict=True):
        timed.append(TimedWord(word.text, start, start + step * weight, word.probability, passage))
        start = timed[-1].end
    return timed


def _onto_speech(word: TimedWord, speech: Stretches, before: float, after: float) -> TimedWord:
    """The part of a word over which somebody speaks; a word over silence moves to speech that is near."""
    overlaps = [(min(word.end, end) - max(word.start, start), start, end) for start, end in speech]
    shared, start, end = max(overlaps, default=(0.0, 0.0, 0.0))
    if shared >= min(_SHORTEST_SECONDS, word.end - word.start) > 0:
        return replace(word, start=max(word.start, start), end=min(word.end, end))
    later = [one for one, _ in speech if 0 <= one - word.end <= _NEAR_SECONDS and one < after]
    if later:
        return replace(word, start=later[0], end=min(later[0] + _MOVED_SECONDS, max(after, later[0])))
    sooner = [one for _, one in speech if 0 <= word.start - one <= _NEAR_SECONDS and one > before]
    if sooner:
        return replace(word, start=max(before, sooner[-1] - _MOVED_SECONDS), end=sooner[-1])
    return word
