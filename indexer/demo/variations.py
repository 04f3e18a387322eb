"""Scenes that differ from a given one in a single point."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TypeVar

from indexer.demo.world import (
    COLOURS,
    COUNTS,
    MANY,
    PLACES,
    RELATIONS,
    SHOT_SIZES,
    THINGS,
    Group,
    Scene,
    ShotSize,
    weathers_at,
)

_T = TypeVar("_T")


def vary(scene: Scene, rng: random.Random) -> Scene:
    """The scene with one point changed: a thing, colour, count, place, weather, size, relation or a swap."""
    ways = ["thing", "colour", "count", "place", "weather", "size"]
    if scene.second is not None:
        ways += ["relation", "relation", "relation", "swap colours", "swap things"]
    else:
        ways += ["count"]
    way = rng.choice(ways)
    if way == "place":
        return _vary_place(scene, rng)
    if way == "weather":
        return replace(scene, weather=_other(weathers_at(scene.place), scene.weather, rng))
    if way == "size":
        sizes: tuple[ShotSize, ...] = SHOT_SIZES if _fits_close_up(scene.first, scene.second) else SHOT_SIZES[1:]
        return replace(scene, shot_size=_other(sizes, scene.shot_size, rng))
    if scene.second is not None and scene.relation is not None:
        if way == "relation":
            return replace(scene, relation=_other(RELATIONS, scene.relation, rng))
        if way == "swap things":
            swapped = replace(scene.second, count=scene.first.count)
            return replace(scene, first=swapped, second=replace(scene.first, count=1))
        if way == "swap colours":
            one, other = scene.first, scene.second
            return replace(
                scene,
                first=replace(one, colour=other.colour),
                second=replace(other, colour=one.colour),
            )
        if way != "count" and rng.random() < 0.5:
            return replace(scene, second=_vary_group(scene.second, way, rng, scene.first.thing))
    avoid = "" if scene.second is None else scene.second.thing
    first = _vary_group(scene.first, way, rng, avoid)
    if scene.second is not None and first.count == MANY:
        first = replace(first, count=1 if scene.first.count != 1 else 2)
    size = scene.shot_size
    if size == "close-up" and not _fits_close_up(first, scene.second):
        size = "medium"
    return replace(scene, first=first, shot_size=size)


def _fits_close_up(first: Group, second: Group | None) -> bool:
    return first.count == 1 and second is None


def _vary_place(scene: Scene, rng: random.Random) -> Scene:
    places = tuple(place for place in PLACES if scene.weather in weathers_at(place))
    return replace(scene, place=_other(places, scene.place, rng))


def _vary_group(group: Group, way: str, rng: random.Random, avoid: str) -> Group:
    if way == "thing":
        return replace(group, thing=_other(tuple(t for t in THINGS if t != avoid), group.thing, rng))
    if way == "count":
        return replace(group, count=_other(COUNTS, group.count, rng))
    return replace(group, colour=_other(COLOURS, group.colour, rng))


def _other(values: tuple[_T, ...], present: _T, rng: random.Random) -> _T:
    return rng.choice([value for value in values if value != present])
