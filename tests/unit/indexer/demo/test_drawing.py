"""Drawing: the same shot for the same seed, at any size, moving smoothly, damaged as video is."""

from __future__ import annotations

import random

import numpy as np
import pytest

from indexer.demo.degrade import compress, degrade_picture
from indexer.demo.drawing import draw_scene
from indexer.demo.layout import lay_out
from indexer.demo.world import MANY, PLACES, RELATIONS, THINGS, Group, Scene, sample_scene, weathers_at

SCENE = Scene(Group("boat", "red", 2), "sea", "night", "wide")


def test_the_same_seed_draws_the_same_picture() -> None:
    """Drawing depends on its arguments alone."""
    assert np.array_equal(draw_scene(SCENE, 160, 90, 1.5, 3), draw_scene(SCENE, 160, 90, 1.5, 3))


def test_another_seed_draws_another_view() -> None:
    """Two shots of one scene are not the same picture."""
    assert not np.array_equal(draw_scene(SCENE, 160, 90, 1.5, 3), draw_scene(SCENE, 160, 90, 1.5, 4))


@pytest.mark.parametrize(("width", "height"), [(640, 360), (90, 160), (96, 96), (161, 91)])
def test_pictures_have_the_size_asked_for(width: int, height: int) -> None:
    """Landscape, portrait, square and odd sizes are all drawn as RGB."""
    picture = draw_scene(SCENE, width, height, 0.0, 1)
    assert picture.shape == (height, width, 3)
    assert picture.dtype == np.uint8


def test_shots_move_smoothly() -> None:
    """Frames a 24th of a second apart differ, and differ less than frames of different scenes."""
    for seed in range(8):
        here = draw_scene(SCENE, 160, 90, 1.0, seed).astype(int)
        soon = draw_scene(SCENE, 160, 90, 1.0 + 1 / 24, seed).astype(int)
        assert 0 < np.abs(here - soon).mean() < 8


def test_every_thing_and_place_can_be_drawn() -> None:
    """Each thing, and each place in each of its weathers, gives a picture that is not plain."""
    for seed, thing in enumerate(THINGS):
        assert draw_scene(Scene(Group(thing, "red"), "field"), 96, 54, 0.5, seed).std() > 10
    for place in PLACES:
        for weather in weathers_at(place):
            assert draw_scene(Scene(Group("dog", "red"), place, weather), 96, 54, 0.5, 1).std() > 5


def test_things_stand_in_the_frame_and_in_their_relation() -> None:
    """Every thing's middle is inside the frame; left is left of right, and above is above below."""
    rng = random.Random(4)
    for seed in range(300):
        scene = sample_scene(rng)
        placed = lay_out(scene, 16 / 9, seed)
        assert all(0 < thing.x < 1 and 0 < thing.foot - thing.height / 2 < 1 for thing in placed)
        assert len(placed) in (range(5, 9) if scene.first.count == MANY else [_n_things(scene)])


@pytest.mark.parametrize("relation", RELATIONS)
def test_relations_can_be_seen(relation: str) -> None:
    """What is left, above or in front lies left, higher, or nearer (drawn later and lower)."""
    name = next(known for known in RELATIONS if known == relation)
    scene = Scene(Group("dog", "red"), "field", relation=name, second=Group("house", "blue"))
    for seed in range(40):
        placed = lay_out(scene, 16 / 9, seed)
        dog = next(thing for thing in placed if thing.thing == "dog")
        house = next(thing for thing in placed if thing.thing == "house")
        seen = {
            "left of": dog.x < house.x,
            "right of": dog.x > house.x,
            "above": dog.foot < house.foot,
            "below": dog.foot > house.foot,
            "in front of": placed[-1] is dog and dog.foot > house.foot,
            "behind": placed[-1] is house and house.foot > dog.foot,
        }
        assert seen[relation]


def test_damage_keeps_size_and_type_and_repeats() -> None:
    """Degrading gives a picture of the same shape, the same one for the same chance."""
    picture = draw_scene(SCENE, 160, 90, 0.0, 1)
    for seed in range(20):
        one = degrade_picture(picture, random.Random(seed))
        assert one.shape == picture.shape
        assert one.dtype == np.uint8
        assert np.array_equal(one, degrade_picture(picture, random.Random(seed)))


def test_compression_loses_more_at_lower_quality() -> None:
    """The picture is changed, and changed more when fewer bytes are allowed."""
    picture = draw_scene(SCENE, 160, 90, 0.0, 1).astype(int)
    losses = [np.abs(compress(picture.astype(np.uint8), quality) - picture).mean() for quality in (90, 20)]
    assert 0 < losses[0] < losses[1]


def _n_things(scene: Scene) -> int:
    return sum(group.count for group in scene.groups)
