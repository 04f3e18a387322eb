"""Sentences: what they say is true of their scene, and every word is known."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from indexer.demo.lessons import ATTRIBUTES, relation_prompts, truth_table, write_lesson
from indexer.demo.sentences import (
    SEVERAL,
    Claim,
    GroupClaim,
    claim_all,
    describe,
    phrase,
    sample_full,
    sample_partial,
    sample_wrong,
)
from indexer.demo.words import all_words, plural_of
from indexer.demo.world import CONVERSE, RELATIONS, Group, Scene, sample_scene

DOGS = Scene(Group("dog", "red", 2), "field", "rain", "wide", relation="left of", second=Group("house", "blue"))
BOAT = Scene(Group("boat", "red"), "sea", "night", "medium")
SNOWY = Scene(Group("cat", "black"), "snow", "clear", "close-up")


def test_the_full_description_says_everything() -> None:
    """The plainest description names size, counts, colours, things, relation, place and weather."""
    expected = "a wide shot of two red dogs left of a blue house in a field in the rain"
    assert expected == describe(DOGS)
    assert describe(BOAT) == "a medium shot of a red boat on the sea at night"


@pytest.mark.parametrize("sample", [sample_full, sample_partial])
def test_sampled_sentences_are_true_of_their_scene(
    sample: Callable[[Scene, random.Random], tuple[str, Claim]],
) -> None:
    """No description, full or partial, says anything false about its scene."""
    rng = random.Random(1)
    for _ in range(1000):
        scene = sample_scene(rng)
        text, claim = sample(scene, rng)
        assert text.strip()
        assert claim.holds_for(scene), text


def test_wrong_sentences_are_wrong() -> None:
    """A sentence meant to be wrong is never true of its scene."""
    rng = random.Random(2)
    for _ in range(1000):
        scene = sample_scene(rng)
        text, claim = sample_wrong(scene, rng)
        assert not claim.holds_for(scene), text


def test_every_word_of_every_sentence_is_in_the_vocabulary() -> None:
    """Sentences of all kinds use known words only."""
    rng, known, used = random.Random(3), set(all_words()), set()
    for _ in range(3000):
        scene = sample_scene(rng)
        texts = [sample(scene, rng)[0] for sample in (sample_full, sample_partial, sample_wrong)]
        texts += relation_prompts(scene, rng) if scene.second else []
        used |= {word for text in texts for word in text.replace("-", " ").split()}
    for attribute in ATTRIBUTES:
        for _ in range(50):
            used |= {word for text in attribute.prompts(rng) for word in text.replace("-", " ").split()}
    assert used <= known


@pytest.mark.parametrize(
    ("claim", "text", "expected"),
    [
        (Claim((GroupClaim("boat", "red", 1),)), "a red boat", [False, True, False]),
        (
            Claim((GroupClaim("boat"),), place="sea", weather="night"),
            "boat on the sea at night",
            [False, True, False],
        ),
        (
            Claim((GroupClaim("dog", None, 2), GroupClaim("house", None, 1)), "left of"),
            "two dogs left of a house",
            [True, False, False],
        ),
        (
            Claim((GroupClaim("house", None, 1), GroupClaim("dog", None, 2)), "right of"),
            "a house right of two dogs",
            [True, False, False],
        ),
        (
            Claim((GroupClaim("dog", None, 2), GroupClaim("house", None, 1)), "right of"),
            "two dogs right of a house",
            [False, False, False],
        ),
        (Claim((GroupClaim(colour="red"),)), "something red", [True, True, False]),
        (Claim((GroupClaim("dog", None, SEVERAL),)), "dogs", [True, False, False]),
        (Claim((GroupClaim("dog", None, 1),)), "a dog", [False, False, False]),
        (Claim((GroupClaim(count=2),)), "two things", [True, False, False]),
        (Claim((GroupClaim("house"), GroupClaim("dog"))), "house and dog", [True, False, False]),
        (Claim(weather="rain"), "rain", None),
        (Claim(snowy=True), "snow", [False, False, True]),
        (Claim(place="harbour"), "a harbour", [False, False, False]),
        (Claim(shot_size="wide"), "a wide shot", [True, False, False]),
    ],
)  # fmt: skip
def test_claims_have_their_words_and_their_truth(claim: Claim, text: str, expected: list[bool] | None) -> None:
    """A claim is true of the right scenes, and its plainest sentence reads as people write."""
    if expected is not None:
        assert expected == truth_table([claim], [DOGS, BOAT, SNOWY])[0].astype(bool).tolist()
    expected_words = {"a clear day"} if claim.weather == "clear" else {text}
    assert phrase(claim) in expected_words


def test_a_relation_is_true_in_both_directions() -> None:
    """What is left of a house has the house to its right, and in no other relation."""
    for relation in RELATIONS:
        claim = Claim((GroupClaim("house"), GroupClaim("dog")), relation)
        assert claim.holds_for(DOGS) == (relation == CONVERSE["left of"])


def test_the_truth_of_attributes_is_shared_among_true_values() -> None:
    """A shot with two colours is half each; a shot with two kinds has no count."""
    by_name = {attribute.name: attribute for attribute in ATTRIBUTES}
    colour = by_name["colour"].truth([DOGS])[0]
    assert sorted(colour)[-2:] == [0.5, 0.5]
    assert by_name["count"].truth([DOGS]).sum() == 0
    assert by_name["count"].truth([BOAT])[0].tolist() == [1, 0, 0, 0]


def test_every_scene_is_described_by_its_own_claim() -> None:
    """In a lesson, every scene has at least one true sentence."""
    rng = random.Random(5)
    scenes = [sample_scene(rng) for _ in range(16)]
    lesson = write_lesson(scenes, rng, 4)
    assert (lesson.full_truth.diagonal() == 1).all()
    assert (lesson.partial_truth.diagonal() == 1).all()
    assert len(lesson.relations) == len(RELATIONS) * len(lesson.related)
    assert all(claim_all(scene).holds_for(scene) for scene in scenes)


def test_plurals() -> None:
    """Regular, irregular and two-word nouns."""
    assert ["buses", "people", "palm trees", "cacti", "aircraft"] == [
        plural_of(noun) for noun in ("bus", "person", "palm tree", "cactus", "aircraft")
    ]
