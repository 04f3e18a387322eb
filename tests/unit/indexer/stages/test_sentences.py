"""Sentences, and what a model invented."""

from dataclasses import replace

import pytest

from indexer.models.transcriber import HeardWord, Passage
from indexer.stages.sentences import LONGEST_SECONDS, cut_sentences, why_invented
from indexer.stages.word_times import TimedWord


def words(text: str, pauses: dict[int, float] | None = None, each: float = 0.3) -> list[TimedWord]:
    """Words of a text, one after the other, with pauses before some."""
    timed, at = [], 0.0
    for number, word in enumerate(text.split()):
        at += (pauses or {}).get(number, 0.0)
        timed.append(TimedWord(f" {word}", at, at + each, 0.9))
        at += each
    return timed


def texts(text: str, pauses: dict[int, float] | None = None) -> list[str]:
    return [one.text for one in cut_sentences(words(text, pauses))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We leave. They stay!", ["We leave.", "They stay!"]),
        ('He said: "Go." And went?', ['He said: "Go."', "And went?"]),
        ("Dr. Smith met J. F. Kennedy. Then he left", ["Dr. Smith met J. F. Kennedy.", "Then he left"]),
        ("It is 3.5 m long. Yes", ["It is 3.5 m long.", "Yes"]),
        ("approx. two of them", ["approx. two of them"]),
        ("no end at all", ["no end at all"]),
    ],
)
def test_sentences_end_where_people_end_them(text: str, expected: list[str]) -> None:
    """Abbreviations, initials and decimals end none."""
    assert expected == texts(text)


def test_a_long_pause_ends_a_sentence() -> None:
    """Whatever the punctuation says; a short one does not."""
    assert ["one two", "three"] == texts("one two three", {2: 2.0})
    assert ["one two three"] == texts("one two three", {2: 0.5})


def test_the_last_one_may_be_unfinished() -> None:
    """That is how a window knows that the sentence goes on."""
    assert [True, False] == [one.is_finished for one in cut_sentences(words("We go. They"))]


def test_a_very_long_sentence_is_divided_after_a_comma() -> None:
    """And no word is lost."""
    text = " ".join(f"w{n}{',' if n in (40, 47) else ''}" for n in range(100))
    found = cut_sentences(words(text))
    assert text == " ".join(one.text for one in found)
    assert all(one.end - one.start <= LONGEST_SECONDS for one in found)
    assert any(one.text.endswith(",") for one in found)


def test_control_characters_and_broken_letters_go() -> None:
    """A byte-level tokenizer may give half a letter; a row takes no control character."""
    assert ["a b"] == [one.text for one in cut_sentences([TimedWord(" a\x15", 0, 1), TimedWord(" b\ufffd", 1, 2)])]


REAL = Passage((HeardWord(" Hello", 0, 1, 0.95), HeardWord(" there.", 1, 2, 0.9)), 0.05, -0.2, 1.1)


def sure(probability: float) -> tuple[HeardWord, ...]:
    return tuple(replace(word, probability=probability) for word in REAL.words)


@pytest.mark.parametrize(
    ("passage", "reason"),
    [
        (REAL, ""),
        (replace(REAL, no_speech=0.9), ""),
        (replace(REAL, no_speech=0.94, log_probability=-0.79, words=sure(0.09)), "probably nothing is said"),
        (replace(REAL, compression=23.6, no_speech=0.43, log_probability=-0.16), "the model repeats itself"),
        (replace(REAL, log_probability=-1.07), "the model is not sure of it"),
        (replace(REAL, log_probability=-0.84, words=sure(0.55)), "the model is not sure of it"),
        (replace(REAL, log_probability=-0.6, words=sure(0.55)), ""),
        (replace(REAL, words=sure(0.2)), "the model is not sure of it"),
        (replace(REAL, words=()), "no word"),
    ],
)
def test_what_a_model_invents_is_told_by_its_own_doubts(passage: Passage, reason: str) -> None:
    """The same words are believed or not: no list of phrases decides. Numbers are those of real recordings."""
    assert reason == why_invented(passage)
