"""Contrasts of a question: its parts, and for each part the rivals that a shot may show instead.

"three red boats left of a house" says three and not one, two or many; red and not blue; left of and not above. An
encoder that gives a shot a high score for a question may give it a higher one for "two red boats left of a house",
and then the shot shows that. Words of the closed classes below are exchanged inside the question; all other words,
in groups as they stand together, are compared with everyday texts of their own class (`neutral.CLASSES`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from search_app.confidence.neutral import EMPTY_WORDS, LIGHT_WORDS


class Aspect(StrEnum):
    """Topic of a part of a question."""

    SUBJECT = "subject"
    PLACE = "place"
    LIGHT = "light"
    COLOUR = "colour"
    COUNT = "count"
    RELATION = "relation"
    FRAMING = "framing"


@dataclass(frozen=True, slots=True)
class Contrast:
    """A part of a question.

    Args:
        words: the part as it was asked.
        text: what a shot that shows it scores high for.
        rivals: what it would show instead; empty if everyday texts of the same class are the rivals.
        aspect: what it speaks about; None if that follows from the class of its nearest everyday text.
    """

    words: str
    text: str
    rivals: tuple[str, ...] = ()
    aspect: Aspect | None = None


COLOURS: Final = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white")
_SHADES: Final = {
    **{colour: colour for colour in COLOURS},
    "scarlet": "red", "crimson": "red", "amber": "orange", "golden": "yellow", "emerald": "green", "azure": "blue",
    "violet": "purple", "rosy": "pink", "tan": "brown", "jet black": "black", "whitish": "white",
}  # fmt: skip
_COUNTS: Final = {
    1: ("a single", "one", "single", "1"),
    2: ("a pair of", "a couple of", "both", "two", "2"),
    3: ("a trio of", "three", "3"),
    4: ("a lot of", "lots of", "a group of", "a crowd of", "dozens of", "several", "many"),
}
_FRAMINGS: Final = {
    "close-up": ("close-up", "close up", "closeup", "close shot", "close view"),
    "medium shot": ("medium shot", "medium view", "mid shot"),
    "wide shot": ("wide shot", "wide view", "long shot", "distant view", "establishing shot"),
}
_LARGE_NUMBERS: Final = (
    "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "twenty", "hundred", "4", "5", "6",
    "7", "8", "9", "10", "11", "12", "20", "100",
)  # fmt: skip
_RELATIONS: Final = {
    "left of": ("to the left of", "on the left of", "at the left side of", "left of"),
    "right of": ("to the right of", "on the right of", "at the right side of", "right of"),
    "above": ("high above", "on top of", "above", "over"),
    "below": ("underneath", "beneath", "below", "under"),
    "in front of": ("in front of", "partly hiding", "before"),
    "behind": ("at the back of", "partly hidden by", "behind"),
}


def _any_of(words: Sequence[str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(f'(?ai:{re.escape(word)})' for word in longest_first)})(?!\w)")


_COLOUR: Final = _any_of(list(_SHADES))
_COUNT: Final = _any_of([word for words in _COUNTS.values() for word in words])
_LARGE: Final = _any_of(_LARGE_NUMBERS)
_RELATION: Final = _any_of([word for words in _RELATIONS.values() for word in words])
_FRAMING: Final = _any_of([word for words in _FRAMINGS.values() for word in words])
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")  # noqa: RUF001 - an apostrophe of word processors


def large_numbers(text: str) -> list[str]:
    """Words and digits of a text that say four or more, each once."""
    return list(dict.fromkeys(match[0] for match in _LARGE.finditer(text)))


def say_many(text: str, numbers: Sequence[str]) -> str:
    """The text with `many` instead of these numbers: an encoder that never learnt six may know many."""
    return _any_of(numbers).sub("many", text) if numbers else text


def contrasts_of(text: str, telling: Sequence[str]) -> list[Contrast]:
    """The parts of a question, in no order that matters.

    Args:
        text: the question.
        telling: its words that are no stop words.
    """
    return [*_colours(text), *_counts(text), *_relations(text), *_framings(text), *_chunks(text, telling)]


def words_of_subjects(text: str, telling: Sequence[str]) -> list[str]:
    """The words that name things, places and weathers: all that are no colour, count, relation or framing."""
    return list(dict.fromkeys(word for chunk in _chunks(text, telling) for word in chunk.text.split()))


def _colours(text: str) -> list[Contrast]:
    return [
        Contrast(
            found[0],
            text,
            tuple(_exchanged(text, found, colour) for colour in COLOURS if colour != _SHADES[found[0].casefold()]),
            Aspect.COLOUR,
        )
        for found in _COLOUR.finditer(text)
    ]


def _counts(text: str) -> list[Contrast]:
    """A count, with the other counts; four and more are one count, since encoders hardly tell them apart."""
    contrasts = []
    for found in (*_COUNT.finditer(text), *_LARGE.finditer(text)):
        word = found[0].casefold()
        own = next((n for n, words in _COUNTS.items() if word in words), 4)
        rivals = []
        for n, name in ((1, "one"), (2, "two"), (3, "three"), (4, "many")):
            if n != own:
                rival = _exchanged(text, found, name)
                rivals.append(_one_of(rival, found.start() + len(name)) if n == 1 else rival)
        contrasts.append(Contrast(found[0], text, tuple(rivals), Aspect.COUNT))
    return contrasts


def _one_of(text: str, start: int) -> str:
    """The text with the last word before the next function word in the singular, as well as that is known."""
    words = list(_WORD.finditer(text, start))
    nouns = []
    for word in words:
        if word[0].casefold() in _BETWEEN or _RELATION.match(text, word.start()):
            break
        nouns.append(word)
    if not nouns:
        return text
    noun = nouns[-1]
    return f"{text[: noun.start()]}{singular_of(noun[0])}{text[noun.end() :]}"


_BETWEEN: Final = frozenset(
    {
        "a", "an", "the", "and", "with", "of", "in", "on", "at", "by", "near", "over", "under", "above", "below",
        "behind", "before", "to", "from", "while", "during", "among", "beside", "into", "left", "right", "after",
    }
)  # fmt: skip
_SINGULARS: Final = {"people": "person", "men": "man", "women": "woman", "children": "child", "cacti": "cactus"}
_PLURALS_IN_ES: Final = ("ses", "ches", "shes", "xes")
_ENDINGS_IN_SS: Final = ("ss", "us")
_SHORTEST_PLURAL: Final = 4


def singular_of(noun: str) -> str:
    """An English noun in the singular, by its ending."""
    if noun.casefold() in _SINGULARS:
        return _SINGULARS[noun.casefold()]
    if noun.endswith("ies") and len(noun) > _SHORTEST_PLURAL:
        return f"{noun[:-3]}y"
    if noun.endswith(_PLURALS_IN_ES):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") and not noun.endswith(_ENDINGS_IN_SS) else noun


def _relations(text: str) -> list[Contrast]:
    """A relation between two things; "over the city" and the like, with nothing before it, is none."""
    contrasts = []
    for found in _RELATION.finditer(text):
        if not text[: found.start()].strip():
            continue
        own = next(name for name, words in _RELATIONS.items() if found[0].casefold() in words)
        rivals = tuple(_exchanged(text, found, name) for name in _RELATIONS if name != own)
        contrasts.append(Contrast(found[0], text, rivals, Aspect.RELATION))
    return contrasts


def _framings(text: str) -> list[Contrast]:
    """Distance of the camera."""
    contrasts = []
    for found in _FRAMING.finditer(text):
        own = next(name for name, words in _FRAMINGS.items() if found[0].casefold() in words)
        rivals = tuple(_exchanged(text, found, name) for name in _FRAMINGS if name != own)
        contrasts.append(Contrast(found[0], text, rivals, Aspect.FRAMING))
    return contrasts


def _exchanged(text: str, found: re.Match[str], word: str) -> str:
    return f"{text[: found.start()]}{word}{text[found.end() :]}"


def _chunks(text: str, telling: Sequence[str]) -> list[Contrast]:
    """Groups of telling words that stand together, without colours, counts, relations and empty words.

    Words of light and weather are a group of their own: a dark forest is a forest and dark.
    """
    told = {word.casefold() for word in telling} - EMPTY_WORDS
    classes = (_COLOUR, _COUNT, _LARGE, _RELATION, _FRAMING)
    taken = [found.span() for pattern in classes for found in pattern.finditer(text)]
    words = [
        found
        for found in _WORD.finditer(text)
        if found[0].casefold() in told and not any(start <= found.start() < end for start, end in taken)
    ]
    groups: list[list[re.Match[str]]] = [[words[0]]] if words else []
    for before, word in pairwise(words):
        is_next = not text[before.end() : word.start()].strip(" -")
        is_alike = (before[0].casefold() in LIGHT_WORDS) == (word[0].casefold() in LIGHT_WORDS)
        if is_next and is_alike:
            groups[-1].append(word)
        else:
            groups.append([word])
    chunks = dict.fromkeys(text[group[0].start() : group[-1].end()] for group in groups)
    return [Contrast(chunk, chunk) for chunk in chunks]
