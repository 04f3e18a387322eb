"""The content of the drawn world, and scenes drawn from it by chance.

A scene is one kind of thing (or two kinds and their relation) with colours and counts, at a place, in some
weather or light, seen in a shot of some size. Every choice is a plain word from the tuples below, so that a
scene can be compared with what a sentence says about it.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from typing import Final, Literal

Relation = Literal["left of", "right of", "above", "below", "in front of", "behind"]
ShotSize = Literal["close-up", "medium", "wide"]

THINGS: Final[tuple[str, ...]] = (
    "car", "bus", "truck", "train", "bicycle", "boat", "plane", "helicopter", "rocket", "balloon",
    "house", "castle", "windmill", "lighthouse", "tent",
    "tree", "palm", "flower", "mushroom", "cactus",
    "person", "dog", "cat", "horse", "bird", "duck", "fish", "butterfly",
    "ball", "flag", "moon", "star", "umbrella", "chair", "lamp", "clock", "cup", "kite", "guitar", "robot",
)  # fmt: skip
COLOURS: Final = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white")
PLACES: Final = (
    "sea", "field", "desert", "city", "sky", "snow", "room", "road", "forest", "beach", "mountains", "harbour",
)  # fmt: skip
WEATHERS: Final = ("clear", "rain", "fog", "snow", "dusk", "night")
SHOT_SIZES: Final[tuple[ShotSize, ...]] = ("close-up", "medium", "wide")
RELATIONS: Final[tuple[Relation, ...]] = ("left of", "right of", "above", "below", "in front of", "behind")
MANY: Final = 4
"""The count that stands for "many": five to eight are drawn."""
COUNTS: Final = (1, 2, 3, MANY)

CONVERSE: Final[dict[Relation, Relation]] = {
    "left of": "right of",
    "right of": "left of",
    "above": "below",
    "below": "above",
    "in front of": "behind",
    "behind": "in front of",
}
FLYING: Final = frozenset(
    {"plane", "helicopter", "rocket", "balloon", "bird", "butterfly", "moon", "star", "kite"}
)
"""Things that hang in the air; all others stand, roll or swim."""

_WEATHERS_INDOORS: Final = ("clear", "dusk", "night")
_WEATHERS_ON_SNOW: Final = ("clear", "fog", "snow", "dusk", "night")
_HELD_OUT_EVERY: Final = 8
_RELATION_SHARE: Final = 0.4


@dataclass(frozen=True, slots=True)
class Group:
    """Things of one kind and colour; `count` is 1, 2, 3 or `MANY`."""

    thing: str
    colour: str
    count: int = 1

    def __post_init__(self) -> None:
        if self.thing not in THINGS or self.colour not in COLOURS or self.count not in COUNTS:
            raise ValueError(f"not in the drawn world: {self.count} {self.colour} {self.thing}")


@dataclass(frozen=True, slots=True)
class Scene:
    """Content of one shot. `first` stands in `relation` to `second`; both are None in a shot of one kind."""

    first: Group
    place: str
    weather: str = "clear"
    shot_size: ShotSize = "medium"
    relation: Relation | None = None
    second: Group | None = None

    def __post_init__(self) -> None:
        if self.weather not in weathers_at(self.place):
            raise ValueError(f"the drawn world has no {self.weather!r} at {self.place!r}")
        if self.shot_size not in SHOT_SIZES:
            raise ValueError(f"unknown shot size: {self.shot_size!r}")
        if (self.relation is None) != (self.second is None):
            raise ValueError("a relation needs a second thing, and a second thing a relation")

    @property
    def groups(self) -> tuple[Group, ...]:
        """The one or two groups of things, first one first."""
        return (self.first,) if self.second is None else (self.first, self.second)


def weathers_at(place: str) -> tuple[str, ...]:
    """The weathers that exist at a place: it does not rain in a room, nor on snow."""
    if place not in PLACES:
        raise ValueError(f"the drawn world has no place {place!r}")
    if place == "room":
        return _WEATHERS_INDOORS
    return _WEATHERS_ON_SNOW if place == "snow" else WEATHERS


def is_held_out_combination(thing: str, colour: str, place: str) -> bool:
    """Whether this thing in this colour at this place is kept for testing: about one combination in eight."""
    digest = hashlib.blake2b(f"{thing}|{colour}|{place}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") % _HELD_OUT_EVERY == 0


def is_held_out(scene: Scene) -> bool:
    """Whether any of the scene's things is a held-out combination; training never draws such a scene."""
    return any(is_held_out_combination(group.thing, group.colour, scene.place) for group in scene.groups)


def sample_scene(rng: random.Random, held_out: bool = False) -> Scene:
    """A scene by chance, from the training combinations or from the held-out ones.

    In a held-out scene every thing is a held-out combination of thing, colour and place.
    """
    place = rng.choice(PLACES)
    weather = rng.choice(weathers_at(place))
    if rng.random() < _RELATION_SHARE:
        relation = rng.choice(RELATIONS)
        first, second = _sample_pair(rng, relation, place, held_out)
        size: ShotSize = rng.choice(("medium", "wide"))
        return Scene(first, place, weather, size, relation, second)
    count = rng.choice((1, 1, 2, 3, MANY))
    thing, colour = _sample_combination(rng, THINGS, place, held_out)
    size = rng.choice(SHOT_SIZES if count == 1 else ("medium", "wide"))
    return Scene(Group(thing, colour, count), place, weather, size)


def _sample_pair(rng: random.Random, relation: Relation, place: str, held_out: bool) -> tuple[Group, Group]:
    """Two groups of different kinds; what is above is mostly something that flies."""
    first_from, second_from = THINGS, THINGS
    if rng.random() < 0.6:
        flying = tuple(thing for thing in THINGS if thing in FLYING)
        first_from = flying if relation == "above" else THINGS
        second_from = flying if relation == "below" else THINGS
    thing, colour = _sample_combination(rng, first_from, place, held_out)
    first = Group(thing, colour, rng.choice((1, 1, 1, 2, 3)))
    while True:
        thing, colour = _sample_combination(rng, second_from, place, held_out)
        if thing != first.thing:
            return first, Group(thing, colour, 1)


def _sample_combination(
    rng: random.Random, things: tuple[str, ...], place: str, held_out: bool
) -> tuple[str, str]:
    while True:
        thing, colour = rng.choice(things), rng.choice(COLOURS)
        if is_held_out_combination(thing, colour, place) == held_out:
            return thing, colour
