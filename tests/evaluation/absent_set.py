"""The benchmark set of "nothing here matches": a library, asked for what it shows and for what it does not.

The library holds 110 held-out shots and lacks the things and places of `ABSENT`, which the encoder knows.

- present: for each shot two sentences that say something about it, in any words (`sample_partial`).
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
PRESENT, MIXTURES = "present", "absent mixtures"
_SHOTS = 110
_SHOTS_PER_FILM = 10
_SENTENCES = 2


def absent_set() -> SearchSet:
    """What is there and what is not."""
    rng = random.Random("absent")
    scenes = sample_scenes(_SHOTS, "absent", without=(*ABSENT_THINGS, *ABSENT_PLACES))
    films = arrange_films("absent", [Take(scene, rng.getrandbits(31)) for scene in scenes], _SHOTS_PER_FILM)
    cases = [
        Case(text, places_where(films, claim.holds_for), kind=PRESENT)
        for scene in scenes
        for text, claim in (sample_partial(scene, rng) for _ in range(_SENTENCES))
    ]
    places = [place for place in PLACES if place not in ABSENT_PLACES]
    cases += _ask_for(UNKNOWN, rng, places, "unknown words")
    cases += _ask_for(ABSENT_THINGS, rng, places, "absent things")
    for place in ABSENT_PLACES:
        claims = [Claim(place=place), *(Claim(place=place, weather=weather) for weather in WEATHERS)]
        cases += [Case(phrase(claim, rng), kind="absent places") for claim in claims]
    cases += islice(_mixtures(scenes, rng), 2 * len(UNKNOWN))
    return SearchSet(tuple(films), tuple(cases))


def _ask_for(things: Sequence[str], rng: random.Random, places: Sequence[str], kind: str) -> list[Case]:
    """Each thing alone, in the plural, in a colour, at a place, and in a colour at a place."""
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
