"""What is said in one window of sound: sentences on the window's clock, and what was taken for invented."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import chain
from typing import TYPE_CHECKING, Final

from indexer.models.transcriber import SPEECH_RATE_HZ
from indexer.stages.sentences import Sentence, cut_sentences, why_invented
from indexer.stages.speech_windows import (
    KEPT_BACK_SECONDS,
    SHORTEST_CUT_SECONDS,
    choose_cut,
    group_channels,
    join_groups,
    leave_out_pauses,
    overlap,
    silence_near,
    sound_alike,
    union,
)
from indexer.stages.word_times import repair_words

if TYPE_CHECKING:
    from indexer.models.transcriber import Heard, Hearing, Passage, SpeechFinder, Transcriber
    from indexer.stages.speech_windows import ChannelGroup, Channels
    from indexer.stages.word_times import Stretches, TimedWord

_COPY_RATIO: Final = 0.7
"""Share of words in common, from which on two sentences at one time are one sentence heard twice."""
_END_WITHIN_SECONDS: Final = 0.3
"""So far from the end of a sentence, as its words tell, the silence may lie in which it ends."""


@dataclass(frozen=True, slots=True)
class SaidSentence:
    """A sentence, and what the model says of it.

    Args:
        sentence: its words, in seconds of the window.
        passage: the model's passage that its first word comes from.
        language: ISO 639-1 code.
        language_probability: of the language that was detected; None where none was.
        channels: of the recording; empty where all channels hold the same.
    """

    sentence: Sentence
    passage: Passage
    language: str
    language_probability: float | None
    channels: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class WindowSpeech:
    """What is said in a window.

    Args:
        end_sample: where the window ends: the next one begins there.
        said: in order of time.
        left_out: why how many passages were taken for invented.
        has_sound: whether any channel is not silent.
    """

    end_sample: int
    said: tuple[SaidSentence, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()
    has_sound: bool = True


class WindowListener:
    """Hears one window at a time; nothing of the windows before is remembered.

    Args:
        transcriber: the speech model.
        finder: tells speech from everything else.
        hearing: how to listen.
    """

    def __init__(self, transcriber: Transcriber, finder: SpeechFinder, hearing: Hearing) -> None:
        self._transcriber = transcriber
        self._finder = finder
        self._hearing = hearing

    def hear(self, sound: Channels, *, is_last: bool) -> WindowSpeech:
        """What is said in a window, up to where it is best cut.

        It ends in silence, where that is possible after a whole sentence: the model hears no half words, and a
        sentence is one row.

        Args:
            sound: at most half a minute.
            is_last: whether the sound ends with it, so that it is not cut.

        Raises:
            ModelError: the model fails.
        """
        n_samples = sound.shape[1]
        groups = group_channels(sound)
        heard = [(group, list(self._finder.find_speech(group.sound))) for group in groups]
        spoken = self._joined([(group, speech) for group, speech in heard if speech])
        if not spoken:
            kept_back = 0 if is_last else min(n_samples // 2, int(KEPT_BACK_SECONDS * SPEECH_RATE_HZ))
            return WindowSpeech(n_samples - kept_back, has_sound=bool(groups))
        together = union(chain.from_iterable(speech for _, speech in spoken))
        cut = n_samples if is_last else round(choose_cut(sound, together) * SPEECH_RATE_HZ)
        said: list[SaidSentence] = []
        left_out: Counter[str] = Counter()
        n_loud = sum(len(group.channels) for group in groups)
        for group, speech in spoken:
            found, invented = self._hear_group(group, speech, cut, is_one=len(group.channels) == n_loud)
            said += found
            left_out.update(invented)
        said = without_copies(sorted(said, key=lambda one: (one.sentence.start, one.channels)))
        if not is_last and len(spoken) == 1:
            cut, said = _up_to_whole_sentence(said, together, cut)
        return WindowSpeech(cut, tuple(said), tuple(left_out.most_common()))

    def _joined(self, spoken: Sequence[tuple[ChannelGroup, Stretches]]) -> list[tuple[ChannelGroup, Stretches]]:
        """The recordings, of which those are one that hold the same while somebody speaks.

        So are the sides of a film whose speakers stand in the middle of wide music.
        """
        joined: list[tuple[ChannelGroup, Stretches]] = []
        for group, speech in spoken:
            for place, (other, heard) in enumerate(joined):
                if sound_alike(group.sound, other.sound, overlap(speech, heard)):
                    whole = join_groups(other, group)
                    joined[place] = whole, list(self._finder.find_speech(whole.sound)) or heard
                    break
            else:
                joined.append((group, speech))
        return joined

    def _hear_group(
        self, group: ChannelGroup, speech: Stretches, cut: int, *, is_one: bool
    ) -> tuple[list[SaidSentence], list[str]]:
        end = cut / SPEECH_RATE_HZ
        inside = [(start, min(stop, end)) for start, stop in speech if start < end]
        if not inside:
            return [], []
        spoken = leave_out_pauses(group.sound[:cut], inside)
        heard = self._transcriber.transcribe(spoken.sound, self._hearing)
        believed: list[Passage] = []
        words: list[TimedWord] = []
        reasons = []
        for passage in heard.passages:
            if reason := why_invented(passage):
                reasons.append(reason)
                continue
            placed = [
                replace(
                    word,
                    start=None if word.start is None else spoken.window_time(word.start),
                    end=None if word.end is None else spoken.window_time(word.end, is_end=True),
                )
                for word in passage.words
            ]
            words += repair_words(placed, inside, end, len(believed))
            believed.append(passage)
        channels = () if is_one else group.channels
        return [_said(one, believed, heard, channels) for one in cut_sentences(_in_order(words))], reasons


def _said(
    sentence: Sentence, passages: Sequence[Passage], heard: Heard, channels: tuple[int, ...]
) -> SaidSentence:
    passage = passages[sentence.words[0].passage]
    return SaidSentence(sentence, passage, heard.language, heard.language_probability, channels)


def _in_order(words: Sequence[TimedWord]) -> list[TimedWord]:
    """The words of all passages; none begins before the one before it has ended."""
    ordered: list[TimedWord] = []
    for word in words:
        start = max(word.start, ordered[-1].end) if ordered else word.start
        ordered.append(replace(word, start=start, end=max(word.end, start)))
    return ordered


def _up_to_whole_sentence(said: list[SaidSentence], speech: Stretches, cut: int) -> tuple[int, list[SaidSentence]]:
    """Where the last whole sentence ends, and the sentences up to there; the next window hears the rest again."""
    if not said or said[-1].sentence.is_finished:
        return cut, said
    for place in range(len(said) - 1, 0, -1):
        last = said[place - 1].sentence
        if last.end < SHORTEST_CUT_SECONDS / 2:
            break
        middle = silence_near(speech, cut / SPEECH_RATE_HZ, last.end, _END_WITHIN_SECONDS)
        if last.is_finished and middle is not None:
            return round(middle * SPEECH_RATE_HZ), said[:place]
    return cut, said


def without_copies(said: Sequence[SaidSentence]) -> list[SaidSentence]:
    """Sentences without copies in other channels: of a voice on two microphones, the surer one stays."""
    kept: list[SaidSentence] = []
    for one in said:
        copies = [place for place, other in enumerate(kept) if _is_copy(one, other)]
        if not copies:
            kept.append(one)
        elif (one.sentence.probability or 0.0) > (kept[copies[0]].sentence.probability or 0.0):
            kept[copies[0]] = one
    return kept


def _is_copy(one: SaidSentence, other: SaidSentence) -> bool:
    if one.channels == other.channels:
        return False
    shared = min(one.sentence.end, other.sentence.end) - max(one.sentence.start, other.sentence.start)
    shorter = min(one.sentence.end - one.sentence.start, other.sentence.end - other.sentence.start)
    words, others = _bare(one.sentence.text), _bare(other.sentence.text)
    return 2 * shared >= shorter and SequenceMatcher(None, words, others, False).ratio() >= _COPY_RATIO


def _bare(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
