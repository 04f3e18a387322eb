"""Sentences and words chosen without a model, and prompts that fence data."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from indexer.models.prompt import fenced_prompt
from indexer.stages.extractive import choose_sentences, split_sentences, telling_words_of_parts

STOP = frozenset(["the", "a", "an", "is", "at", "of", "in", "on", "to", "and"])
SENTENCES = [
    "The harbour opens in the morning.",
    "Boats leave the harbour in the morning.",
    "The harbour opens in the morning!",
    "A cook likes onions.",
    "The boats come back to the harbour at night.",
]


def telling(text: str) -> list[str]:
    """Words but for stop words."""
    return [word for word in dict.fromkeys(re.findall(r"\w+", text)) if word.lower() not in STOP]


def test_the_central_sentences_stand_for_all_in_their_order() -> None:
    """What most sentences are about comes in, once; the odd one does not."""
    chosen = choose_sentences(SENTENCES, telling, 14)
    assert chosen == sorted(chosen)
    assert 3 not in chosen
    assert not {0, 2} <= set(chosen)
    assert sum(len(SENTENCES[n].split()) for n in chosen) <= 14


def test_cues_raise_a_sentence_and_one_is_always_given() -> None:
    """As in minutes of a meeting; even where none fits."""
    assert 3 in choose_sentences(SENTENCES, telling, 6, {"onions"})
    assert 1 == len(choose_sentences(SENTENCES, telling, 1))
    assert [] == choose_sentences([], telling, 10)


def test_sentences_are_split_at_their_ends() -> None:
    """Quotes stay with theirs; numbers are not torn."""
    assert ["He said “no.”", "It costs 3.50 today.", "Why?"] == split_sentences(
        "He said “no.” It costs 3.50 today. Why?"
    )


def test_telling_words_are_those_of_one_part() -> None:
    """Words that stand in all parts tell least."""
    parts = ["boat boat harbour", "boat kitchen Kitchen cook", ""]
    assert [["harbour", "boat"], ["kitchen", "cook"], []] == telling_words_of_parts(parts, telling, 2)


@given(st.lists(st.text(), max_size=5), st.text())
def test_nothing_in_data_leaves_its_fence(lines: list[str], question: str) -> None:
    """Every line of data is quoted between two marks that it cannot hold, whatever it is."""
    prompt = fenced_prompt("Do it.", lines, question)
    begin = re.search(r"<<<DATA [0-9a-f]{12}$", prompt, re.MULTILINE)
    assert begin is not None
    inside = prompt[begin.end() + 1 : prompt.index("\n" + begin[0].removeprefix("<<<") + ">>>\n")]
    assert len(lines) == len(inside.splitlines() if lines else [])
    assert all(line.startswith("|") for line in inside.split("\n") if lines)
    assert prompt.startswith("Do it.")
