"""Scenes that differ from a given one in a single point."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TypeVar

from indexer.demo.world import (
    COLOURS,
    COUNTS,
    PLACES,
    RELATIONS,
    SHOT_SIZES,
    THINGS,
    Group,
    Relation,
    Scene,
    ShotSize,
    weathers_at,
)

_T = TypeVar("_T")
_COUNTS_OF_TWO_KINDS = (1, 2, 3)


def vary(scene: Scene, rng: random.Random) -> Scene:
    """The scene with one point changed: a thing, colour, count, place, weather, size, relation or a swap."""
    way = rng.choice(_ways_to_vary(scene))
    if way == "place":
        return _vary_place(scene, rng)
    if way == "weather":
        return replace(scene, weather=_other(weathers_at(scene.place), scene.weather, rng))
    if way == "size":
        sizes: tuple[ShotSize, ...] = SHOT_SIZES if _fits_close_up(scene.first, scene.second) else SHOT_SIZES[1:]
        return replace(scene, shot_size=_other(sizes, scene.shot_size, rng))
    if scene.second is None or scene.relation is None:
        first = _vary_group(scene.first, way, rng, avoid="")
        return replace(scene, first=first, shot_size=_size_for(first, scene.shot_size))
    return _vary_two(scene, scene.second, scene.relation, way, rng)


def _ways_to_vary(scene: Scene) -> list[str]:
    ways = ["thing", "colour", "count", "place", "weather", "size"]
    if scene.second is None:
        return [*ways, "count"]
    ways += ["relation", "relation", "relation", "swap things"]
    return ways if scene.first.colour == scene.second.colour else [*ways, "swap colours"]


def _vary_two(scene: Scene, second: Group, relation: Relation, way: str, rng: random.Random) -> Scene:
    """A scene of two kinds with their relation, their order, or one of the two changed."""
    first = scene.first
    if way == "relation":
        return replace(scene, relation=_other(RELATIONS, relation, rng))
    if way == "swap things":
        return replace(scene, first=replace(second, count=first.count), second=replace(first, count=1))
    if way == "swap colours":
        first, second = replace(first, colour=second.colour), replace(second, colour=first.colour)
        return replace(scene, first=first, second=second)
    if way == "count":
        return replace(scene, first=replace(first, count=_other(_COUNTS_OF_TWO_KINDS, first.count, rng)))
    if rng.random() < 0.5:
        return replace(scene, second=_vary_group(second, way, rng, avoid=first.thing))
    return replace(scene, first=_vary_group(first, way, rng, avoid=second.thing))


def _size_for(first: Group, size: ShotSize) -> ShotSize:
    return "medium" if size == "close-up" and not _fits_close_up(first, None) else size


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
