"""From words with times to sentences, and what a model invented where nobody speaks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from indexer.models.transcriber import Passage
    from indexer.stages.word_times import TimedWord

PAUSE_SECONDS: Final = 1.5
"""After so long a pause a new sentence begins, whatever the punctuation says."""
LONGEST_SECONDS: Final = 20.0
"""A sentence that lasts longer is divided at its longest pauses."""
MOST_REPETITION: Final = 2.4
"""Whisper's own bound on the length of a text over its length when compressed."""
LEAST_LOG_PROBABILITY: Final = -1.0
"""Whisper's own bound on the mean of its tokens, below which it takes what it wrote for failed."""
MOST_NO_SPEECH: Final = 0.6
"""Whisper's own bound on the probability that nothing is said."""
LEAST_PROBABILITY: Final = 0.25
"""Mean over the words: of a passage in which every word is a guess."""
UNSURE_PROBABILITY: Final = 0.65
UNSURE_LOG_PROBABILITY: Final = -0.7
"""Both together are doubt enough: tiny.en on German, on crosstalk and on music stays below, on English above."""
_SILENT_PROBABILITY: Final = 0.5

_UNSURE: Final = "the model is not sure of it"
_ENDS: Final = ".!?\u2026\u3002\uff01\uff1f\u061f\u0964"
_CLOSERS: Final = "\"')]}\u201d\u2019\u00bb\u300d\u300f"
_ABBREVIATIONS: Final = frozenset(
    {"mr", "mrs", "ms", "dr", "prof", "st", "vs", "etc", "no", "jr", "sr", "inc", "ca", "bzw", "nr", "bspw"}
)  # fmt: skip
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ufffd]+")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, or what was said between two pauses.

    Args:
        words: at least one.
        is_finished: whether it ends with punctuation that ends sentences, or before a pause.
    """

    words: tuple[TimedWord, ...]
    is_finished: bool = True

    @property
    def text(self) -> str:
        """The words as they are written, on one line."""
        return clean("".join(word.text for word in self.words))

    @property
    def start(self) -> float:
        """When the first word begins, in seconds."""
        return self.words[0].start

    @property
    def end(self) -> float:
        """When the last word ends, in seconds."""
        return self.words[-1].end

    @property
    def probability(self) -> float | None:
        """Mean over the words; None where the model does not say."""
        return mean_probability(self.words)


def clean(text: str) -> str:
    """Text without control characters and broken letters, with single spaces."""
    return " ".join(_CONTROL.sub(" ", text).split())


def mean_probability(words: Sequence[TimedWord]) -> float | None:
    """Mean probability of the words of which the model says one; None where there is none."""
    known = [word.probability for word in words if word.probability is not None]
    return sum(known) / len(known) if known else None


def why_invented(passage: Passage) -> str:
    """Why a passage is taken for invented, for people; empty for one that is believed.

    The rules of Whisper's own decoding, after the one that comes before them all: where nobody speaks (voice
    activity), nothing is transcribed. No list of phrases: what Whisper invents can also be said.
    """
    if not clean(passage.text):
        return "no word"
    if passage.compression > MOST_REPETITION:
        return "the model repeats itself"
    known = [word.probability for word in passage.words if word.probability is not None]
    sure = sum(known) / len(known) if known else 1.0
    if passage.no_speech is not None and passage.no_speech > MOST_NO_SPEECH and sure < _SILENT_PROBABILITY:
        return "probably nothing is said"
    doubt = 0.0 if passage.log_probability is None else passage.log_probability
    is_unsure = sure < UNSURE_PROBABILITY and doubt < UNSURE_LOG_PROBABILITY
    return _UNSURE if is_unsure or doubt < LEAST_LOG_PROBABILITY or sure < LEAST_PROBABILITY else ""


def cut_sentences(words: Sequence[TimedWord]) -> list[Sentence]:
    """The words in sentences, in order; none lasts longer than `LONGEST_SECONDS` if it has a second word."""
    sentences: list[Sentence] = []
    held: list[TimedWord] = []
    for index, word in enumerate(words):
        held.append(word)
        following = words[index + 1] if index + 1 < len(words) else None
        ends = _ends_sentence(word, following)
        pauses = following is not None and following.start - word.end >= PAUSE_SECONDS
        if ends or pauses or following is None:
            sentences += _divided(held, is_finished=ends or pauses)
            held = []
    return [one for one in sentences if one.text]


def _ends_sentence(word: TimedWord, following: TimedWord | None) -> bool:
    text = word.text.strip().rstrip(_CLOSERS)
    if not text or text[-1] not in _ENDS:
        return False
    if text[-1] != "." or following is None:
        return True
    bare = text.lstrip(_CLOSERS + "([{\u201c\u2018\u00ab").lower()
    if bare.rstrip(".") in _ABBREVIATIONS or _INITIALS.fullmatch(bare):
        return False
    # "3." before "5 million", "approx. two": a sentence does not begin with a small letter.
    begins = following.text.strip()[:1]
    return following.text[:1].isspace() and not begins.islower()


def _divided(words: Sequence[TimedWord], *, is_finished: bool) -> Iterator[Sentence]:
    """A sentence in pieces that are short enough, divided where the pauses are longest, after commas first."""
    if words[-1].end - words[0].start <= LONGEST_SECONDS or len(words) < 2:
        yield Sentence(tuple(words), is_finished)
        return
    low, high = (words[0].start + share * (words[-1].end - words[0].start) for share in (0.25, 0.75))
    inside = [at for at in range(1, len(words)) if low <= words[at - 1].end <= high] or range(1, len(words))

    def worth(at: int) -> tuple[bool, float]:
        return words[at - 1].text.rstrip().endswith((",", ";", ":", "\u2014")), words[at].start - words[at - 1].end

    place = max(inside, key=worth)
    yield from _divided(words[:place], is_finished=True)
    yield from _divided(words[place:], is_finished=is_finished)
