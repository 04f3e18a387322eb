"""The parts of a question, and what each could have said instead."""

from __future__ import annotations

import pytest

from search_app.confidence.contrasts import (
    Aspect,
    contrasts_of,
    large_numbers,
    say_many,
    singular_of,
    words_of_subjects,
)
from store.words.index import telling_words


def parts_of(text: str) -> dict[str, Aspect | None]:
    """The words of each part, and what it speaks about."""
    return {part.words: part.aspect for part in contrasts_of(text, telling_words(text, []))}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("boat", {"boat": None}),
        ("a hot air balloon in the sky at dusk", {"hot air balloon": None, "sky": None, "dusk": None}),
        ("three red boats", {"three": Aspect.COUNT, "red": Aspect.COLOUR, "boats": None}),
        ("six dogs", {"six": Aspect.COUNT, "dogs": None}),
        ("a dog to the left of a house", {"to the left of": Aspect.RELATION, "dog": None, "house": None}),
        ("over the city", {"city": None}),
        ("a dark forest", {"dark": None, "forest": None}),
        ("something red", {"red": Aspect.COLOUR}),
        ("a close-up", {"close-up": Aspect.FRAMING}),
        (
            "a close up of a beautiful old jet black cat",
            {"close up": Aspect.FRAMING, "jet black": Aspect.COLOUR, "cat": None},
        ),
        ("heavy rain", {"rain": None}),
        ("a picture of something", {}),
        ("", {}),
    ],
)
def test_a_question_has_parts(text: str, parts: dict[str, Aspect | None]) -> None:
    """Counts, colours and relations by their words, all else in groups; words without a picture are none."""
    assert parts == parts_of(text)


def test_a_count_could_be_another() -> None:
    """The other counts stand in its place, and one has its noun in the singular."""
    (count, _) = contrasts_of("three butterflies at night", ["three", "butterflies", "night"])[:2]
    assert ("one butterfly at night", "two butterflies at night", "many butterflies at night") == count.rivals
    (count, *_) = contrasts_of("6 red dogs left of a house", ["6", "red", "dogs"])[1:2]
    assert "one red dog left of a house" == count.rivals[0]


def test_a_colour_and_a_relation_could_be_any_other() -> None:
    """Never the same one in another word."""
    colour, relation, *_ = contrasts_of("a crimson ball over a car", ["crimson", "ball", "car"])
    assert 9 == len(colour.rivals)
    assert "a red ball over a car" not in colour.rivals
    assert ["left of", "right of", "below", "in front of", "behind"] == [
        rival.removeprefix("a crimson ball ").removesuffix(" a car") for rival in relation.rivals
    ]


def test_large_numbers_can_be_read_as_many() -> None:
    """Only those that are named: an encoder may know six."""
    assert ["six", "12"] == large_numbers("six dogs, 12 cats, six birds, three cars")
    assert "many dogs, 12 cats, many birds" == say_many("six dogs, 12 cats, six birds", ["six"])
    assert "six dogs" == say_many("six dogs", [])


def test_words_that_name_things_are_no_colours_or_counts() -> None:
    """What an encoder has to know to find anything."""
    text = "two purple saxophones left of a hot air balloon in the sky"
    assert ["saxophones", "hot", "air", "balloon", "sky"] == words_of_subjects(text, telling_words(text, []))


@pytest.mark.parametrize(
    ("noun", "one"),
    [
        ("dogs", "dog"), ("butterflies", "butterfly"), ("buses", "bus"), ("people", "person"), ("bus", "bus"),
        ("glass", "glass"), ("pies", "pie"), ("dog", "dog"),
    ],
)  # fmt: skip
def test_nouns_in_the_singular(noun: str, one: str) -> None:
    """By their endings, as well as that goes."""
    assert one == singular_of(noun)
