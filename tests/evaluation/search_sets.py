"""Benchmark sets for searching: small libraries of drawn films, and questions whose answers are known.

Protocol. Scenes are sampled from the held-out combinations of thing, colour and place, which training never draws.
Each is filmed as a moving shot of 1.5 s (320x180, 12 frames a second, every camera with its own blur and grain),
several to a file, coded in H.264, and indexed by the real indexer with the demo encoder. Which shots answer a
question follows from the scenes (`Claim.holds_for`), never from looking at results.

- plain: 100 shots; the full description of each has one right answer.
- composition: 30 scenes, each with three decoys that differ from it in one point (thing, colour, count, place,
  weather, size, relation, or two colours or things swapped); the full description has one right answer.
- negation: "boat -red" and the like: for each of 24 questions two shots with the unwanted and two without.
- order: "A THEN B" in one film, with decoys of the same scenes in the wrong order, and in different films; five
  questions say WITHIN, and have a decoy in the right order but too far apart.
- pan: shots of 8 s that show the thing only at their end, so that one sampled frame of three shows it.
- duplicates: each of 12 shots also re-encoded, smaller, in another file, and as another take; with decoys that
  differ in one point, and black shots.
- absent: the library of plain, asked for things that it does not show, and for things that it does.

`python -m tests.evaluation.search_sets FOLDER` writes every set with its archive and queries.json, for
`rushes eval FOLDER/NAME/archive FOLDER/NAME/queries.json`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from indexer.demo.sentences import Claim, GroupClaim, claim_all, describe, phrase
from indexer.demo.variations import vary
from indexer.demo.world import COLOURS, THINGS, Scene, sample_scene
from tests.evaluation.drawn_films import (
    MPEG4,
    Film,
    Place,
    Take,
    arrange_films,
    insert_fillers,
    retake,
    sample_scenes,
)

ABSENT_THINGS: Final = (
    "robot", "guitar", "kite", "castle", "helicopter", "bus", "horse", "mushroom", "clock", "tent",
)  # fmt: skip
_SHOTS_PER_FILM: Final = 10
_DECOYS: Final = 3
_NEGATED: Final = {
    **{colour: Claim((GroupClaim(colour=colour),)) for colour in COLOURS},
    **{place: Claim(place=place) for place in ("sea", "desert", "forest", "beach", "mountains")},
    **{weather: Claim(weather=weather) for weather in ("night", "rain", "fog", "dusk")},
    **{thing: Claim((GroupClaim(thing=thing),)) for thing in ("dog", "tree", "car", "person", "house")},
}
"""What is asked not to be shown, by its word."""
_CHAIN_CASES: Final = 20
_WITHIN_EVERY: Final = 4
_WITHIN_SECONDS: Final = 4
_DUPLICATED: Final = 12
_BLACK_FILMS: Final = 4


@dataclass(frozen=True, slots=True)
class Case:
    """A question, and the shots that it is about.

    Args:
        query: the question.
        right: shots that answer it; of A THEN B those of A. Empty if nothing does.
        wrong: shots that must not be among the answers.
        then: of A THEN B, the shots of B, in the order of `right`.
        plain: the question without its minus.
    """

    query: str
    right: tuple[Place, ...] = ()
    wrong: tuple[Place, ...] = ()
    then: tuple[Place, ...] = ()
    plain: str = ""


@dataclass(frozen=True, slots=True)
class SearchSet:
    """Films and questions about them.

    Args:
        films: the library.
        cases: the questions.
        groups: shots that show the same picture; one group for each picture.
    """

    films: tuple[Film, ...]
    cases: tuple[Case, ...]
    groups: tuple[tuple[Place, ...], ...] = ()

    def shots(self) -> list[tuple[Place, Take]]:
        """Every shot of the library."""
        return [pair for film in self.films for pair in zip(film.places, film.takes, strict=True)]


def places_where(films: Iterable[Film], holds: Callable[[Scene], bool]) -> tuple[Place, ...]:
    """The shots of which something is true."""
    return tuple(
        place
        for film in films
        for place, take in zip(film.places, film.takes, strict=True)
        if take.scene is not None and holds(take.scene)
    )


def plain_set() -> SearchSet:
    """Each shot by its full description."""
    scenes = sample_scenes(100, "plain", without=ABSENT_THINGS)
    films = arrange_films("plain", [Take(scene, seed) for seed, scene in enumerate(scenes)], _SHOTS_PER_FILM)
    return SearchSet(tuple(films), tuple(_described(films, scene) for scene in scenes))


def _described(films: Sequence[Film], scene: Scene) -> Case:
    return Case(describe(scene), places_where(films, claim_all(scene).holds_for))


def composition_set() -> SearchSet:
    """Each shot by its full description, among shots that differ from it in one point."""
    rng = random.Random("composition")
    scenes = sample_scenes(30, "composition")
    claims = [claim_all(scene) for scene in scenes]
    takes = []
    for scene in scenes:
        takes.append(Take(scene, rng.getrandbits(31)))
        decoys = 0
        while decoys < _DECOYS:
            decoy = vary(scene, rng)
            if not any(claim.holds_for(decoy) for claim in claims):
                takes.append(Take(decoy, rng.getrandbits(31)))
                decoys += 1
    films = arrange_films("composition", takes, _SHOTS_PER_FILM)
    return SearchSet(tuple(films), tuple(_described(films, scene) for scene in scenes))


def negation_set() -> SearchSet:
    """A thing without a colour, a place, a weather or another thing."""
    rng = random.Random("negation")
    scenes, wanted = [], {}
    for word, unwanted in _NEGATED.items():
        claim = wanted[word] = Claim((GroupClaim(rng.choice([thing for thing in THINGS if thing != word])),))
        for shown in (True, True, False, False):
            scenes.append(_sample(rng, claim, unwanted, shown))
    films = arrange_films("negation", [Take(scene, seed) for seed, scene in enumerate(scenes)], _SHOTS_PER_FILM)
    cases = []
    for word, claim in wanted.items():
        wrong = places_where(films, _NEGATED[word].holds_for)
        right = tuple(place for place in places_where(films, claim.holds_for) if place not in wrong)
        cases.append(Case(f"{phrase(claim)} -{word}", right, wrong, plain=phrase(claim)))
    return SearchSet(tuple(films), tuple(cases))


def _sample(rng: random.Random, wanted: Claim, other: Claim, shown: bool) -> Scene:
    """A held-out scene of which one claim is true, and another is or is not."""
    while True:
        scene = sample_scene(rng, held_out=True)
        if wanted.holds_for(scene) and other.holds_for(scene) == shown:
            return scene


def order_set() -> SearchSet:
    """Two scenes in order of time inside one film."""
    scenes = sample_scenes(2 * _CHAIN_CASES, "order")
    claims = [claim_all(scene) for scene in scenes]
    pairs = list(zip(scenes[::2], scenes[1::2], strict=True))
    films: list[Film] = []

    def add(name: str, number: int, *shown: Scene, far: bool = False) -> Film:
        seeds = random.Random(f"{name} {number}")
        takes = [Take(scene, seeds.getrandbits(31)) for scene in shown]
        for _ in range(2 if far else 1):  # every pass puts a shot between any two: 1, then 3
            takes = insert_fillers(takes, claims, f"{name} {number}")
        films.append(Film(f"{name}{number}.mp4", tuple(takes)))
        return films[-1]

    cases = []
    for number, (first, second) in enumerate(pairs):
        _, other_second = pairs[(number + 1) % len(pairs)]
        forward = add("forward", number, first, second)
        add("backward", number, second, first)
        add("parted", number, first, other_second)
        query = f"{describe(first)} THEN {describe(second)}"
        if number % _WITHIN_EVERY == 0:
            add("far", number, first, second, far=True)
            query += f" WITHIN {_WITHIN_SECONDS}s"
        cases.append(Case(query, (forward.places[0],), then=(forward.places[-1],)))
    return SearchSet(tuple(films), tuple(cases))


def pan_set() -> SearchSet:
    """Shots that show what is asked for only at their end, among others of the same places."""
    scenes = sample_scenes(16, "pan", single=True)
    rng = random.Random("pan")
    takes = [Take(scene, rng.getrandbits(31), pans=True) for scene in scenes]
    claims = [claim_all(scene) for scene in scenes]
    for scene in scenes:
        decoy = scene
        while any(claim.holds_for(decoy) for claim in claims):
            decoy = vary(scene, rng)
        takes.append(Take(decoy, rng.getrandbits(31)))
    films = arrange_films("pan", takes, _SHOTS_PER_FILM)
    return SearchSet(tuple(films), tuple(_described(films, scene) for scene in scenes))


def duplicates_set() -> SearchSet:
    """The same shots again: re-encoded, and as other takes; with look-alikes and black shots that are not."""
    rng = random.Random("duplicates")
    scenes = sample_scenes(_DUPLICATED, "duplicates")
    originals = [Take(scene, rng.getrandbits(31)) for scene in scenes]
    decoys = [Take(vary(scene, rng), rng.getrandbits(31)) for scene in scenes]
    films = arrange_films("original", originals, _SHOTS_PER_FILM)
    copies = [Film(f"copy-{film.name}", film.takes, MPEG4, is_small=True) for film in films]
    others = [
        Film(f"take-{film.name}", tuple(retake(take, number + 1) for number, take in enumerate(film.takes)))
        for film in films
    ]
    alike = arrange_films("alike", decoys, _SHOTS_PER_FILM)
    black = [
        Film(f"black{number}.mp4", (Take(None, number), replace(decoys[number], seed=number)))
        for number in range(_BLACK_FILMS)
    ]
    groups: list[tuple[Place, ...]] = []
    cases: list[Case] = []
    for film in films:
        for number, take in enumerate(film.takes):
            group = tuple((f"{kind}{film.name}", number) for kind in ("", "copy-", "take-"))
            groups.append(group)
            if take.scene is not None:
                cases.append(Case(describe(take.scene), group))
    return SearchSet((*films, *copies, *others, *alike, *black), tuple(cases), tuple(groups))
