"""The benchmark set of "nothing here matches": a library, asked for what it shows and for what it does not.

The library holds 110 held-out shots and lacks the things and places of `ABSENT`, which the encoder knows.

- present: for each shot two of: its thing alone, in its colour, at its place, all of these with the count.
- present, in any words: for each shot a sentence of any kind that is true of it (`sample_partial`), such as "a
  medium shot" or "a photo of something rosy". Measured, and not part of the aim.
- unknown words: things that the drawn world does not have at all, alone, with a colour, or at a place.
- absent things, absent places: of `ABSENT`, in the same ways.
- absent mixtures: a thing in a colour at a place, of which the library shows each, but never together. They are
  measured, and not part of the aim: no single word of them is missing.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from indexer.demo.sentences import Claim, GroupClaim, phrase, sample_partial
from indexer.demo.world import COLOURS, PLACES, THINGS, WEATHERS, Scene
from tests.evaluation.drawn_films import Take, arrange_films, sample_scenes
from tests.evaluation.search_cases import Case, SearchSet, places_where

ABSENT_THINGS: Final = (
    "robot", "guitar", "kite", "castle", "helicopter", "bus", "horse", "mushroom", "clock", "tent",
)  # fmt: skip
ABSENT_PLACES: Final = ("harbour", "desert")
UNKNOWN: Final = (
    "saxophone", "volcano", "elephant", "microscope", "waterfall", "bride", "surgeon", "tractor", "violin",
    "penguin", "skyscraper", "pizza", "chess", "hospital", "tiger", "ballerina", "tank", "carrot", "keyboard",
    "football", "staircase", "candle", "spider", "newspaper", "mirror",
)  # fmt: skip
PRESENT, ANY_WORDS, MIXTURES = "present", "present, in any words", "absent mixtures"
_SHOTS = 110
_SHOTS_PER_FILM = 10
_SENTENCES = 2


def absent_set() -> SearchSet:
    """What is there and what is not."""
    rng = random.Random("absent")
    scenes = sample_scenes(_SHOTS, "absent", without=(*ABSENT_THINGS, *ABSENT_PLACES))
    films = arrange_films("absent", [Take(scene, rng.getrandbits(31)) for scene in scenes], _SHOTS_PER_FILM)
    cases = []
    for scene in scenes:
        asked = [(phrase(claim), claim) for claim in rng.sample(_claims(scene, rng), _SENTENCES)]
        cases += [Case(text, places_where(films, claim.holds_for), kind=PRESENT) for text, claim in asked]
        text, claim = sample_partial(scene, rng)
        cases.append(Case(text, places_where(films, claim.holds_for), kind=ANY_WORDS))
    places = [place for place in PLACES if place not in ABSENT_PLACES]
    cases += _ask_for(UNKNOWN, rng, places, "unknown words")
    cases += _ask_for(ABSENT_THINGS, rng, places, "absent things")
    for place in ABSENT_PLACES:
        claims = [Claim(place=place), *(Claim(place=place, weather=weather) for weather in WEATHERS)]
        cases += [Case(phrase(claim, rng), kind="absent places") for claim in claims]
    cases += islice(_mixtures(scenes, rng), 2 * len(UNKNOWN))
    return SearchSet(tuple(films), tuple(cases))


def _claims(scene: Scene, rng: random.Random) -> list[Claim]:
    """What is asked of a shot: one of its things alone, in its colour, at its place, and all of these counted."""
    group = rng.choice(scene.groups)
    thing, coloured = GroupClaim(group.thing), GroupClaim(group.thing, group.colour)
    counted = GroupClaim(group.thing, group.colour, group.count)
    return [
        Claim((thing,)),
        Claim((coloured,)),
        Claim((thing,), place=scene.place),
        Claim((counted,), place=scene.place),
    ]


def _ask_for(things: Sequence[str], rng: random.Random, places: Sequence[str], kind: str) -> list[Case]:
    """Each thing alone, at a place, in a colour, and two of them in a colour at a place."""
    texts = []
    for thing in things:
        colour, place = rng.choice(COLOURS), phrase(Claim((GroupClaim("dog"),), place=rng.choice(places)))
        where = place.removeprefix("dog ")
        texts += [f"a {thing}", f"{thing} {where}", f"a {colour} {thing}", f"two {colour} {thing}s {where}"]
    return [Case(text, kind=kind) for text in texts]


def _mixtures(scenes: Sequence[Scene], rng: random.Random) -> Iterator[Case]:
    """Things in colours at places that no scene shows together."""
    things = sorted({group.thing for scene in scenes for group in scene.groups} & set(THINGS))
    while True:
        scene = rng.choice(scenes)
        claim = Claim((GroupClaim(rng.choice(things), rng.choice(COLOURS)),), place=scene.place)
        if not any(claim.holds_for(other) for other in scenes):
            yield Case(phrase(claim, rng), kind=MIXTURES)
