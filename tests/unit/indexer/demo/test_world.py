"""The drawn world: which scenes there are, and which are kept for testing."""

from __future__ import annotations

import random

import pytest

from indexer.demo.objects import DRAWINGS
from indexer.demo.pictures import sample_pair
from indexer.demo.places import PAINTERS
from indexer.demo.variations import vary
from indexer.demo.world import (
    COLOURS,
    PLACES,
    THINGS,
    Group,
    Scene,
    is_held_out,
    is_held_out_combination,
    sample_scene,
)


def test_the_world_is_as_large_as_promised() -> None:
    """At least 32 things, 10 colours and 12 places, and a drawing for each."""
    assert len(THINGS) >= 32
    assert len(COLOURS) >= 10
    assert len(PLACES) >= 12
    assert set(THINGS) == set(DRAWINGS)
    assert set(PLACES) == set(PAINTERS)


def test_training_never_sees_a_held_out_combination() -> None:
    """Sampled training scenes, and the variations of them that training draws, are never held out."""
    rng = random.Random(1)
    assert not any(is_held_out(sample_scene(rng)) for _ in range(2000))
    assert not any(is_held_out(scene) for i in range(500) for scene in sample_pair(7, i))


def test_held_out_scenes_consist_of_held_out_combinations() -> None:
    """Every thing of a held-out scene is a combination that training never drew."""
    rng = random.Random(2)
    scenes = [sample_scene(rng, held_out=True) for _ in range(500)]
    assert all(
        is_held_out_combination(group.thing, group.colour, scene.place)
        for scene in scenes
        for group in scene.groups
    )


def test_about_one_combination_in_eight_is_held_out() -> None:
    """The split is neither empty nor everything, for every thing, colour and place."""
    kept = {
        (thing, colour, place)
        for thing in THINGS
        for colour in COLOURS
        for place in PLACES
        if is_held_out_combination(thing, colour, place)
    }
    share = len(kept) / (len(THINGS) * len(COLOURS) * len(PLACES))
    assert 0.1 < share < 0.15
    assert {thing for thing, _, _ in kept} == set(THINGS)
    assert {colour for _, colour, _ in kept} == set(COLOURS)
    assert {place for _, _, place in kept} == set(PLACES)


def test_sampling_repeats_with_its_seed() -> None:
    """The same seed gives the same scenes."""
    one = [sample_scene(random.Random(5)) for _ in range(3)]
    other = [sample_scene(random.Random(5)) for _ in range(3)]
    assert one == other


def test_a_variation_differs_from_its_scene() -> None:
    """A variation is another valid scene."""
    rng = random.Random(3)
    for _ in range(1000):
        scene = sample_scene(rng)
        assert vary(scene, rng) != scene


@pytest.mark.parametrize(
    ("thing", "colour", "place", "weather"),
    [("dragon", "red", "sea", "clear"), ("dog", "mauve", "sea", "clear"), ("dog", "red", "attic", "clear"),
     ("dog", "red", "room", "rain")],
)  # fmt: skip
def test_what_the_world_does_not_have_is_refused(thing: str, colour: str, place: str, weather: str) -> None:
    """Unknown words and rain indoors are errors, not odd pictures."""
    with pytest.raises(ValueError, match="drawn world"):
        Scene(Group(thing, colour), place, weather)


def test_a_relation_needs_two_things() -> None:
    """A relation without a second thing is refused."""
    with pytest.raises(ValueError, match="second thing"):
        Scene(Group("dog", "red"), "sea", relation="above")
