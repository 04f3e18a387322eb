"""Benchmark sets for searching: small libraries of drawn films, and questions whose answers are known.

Protocol. Scenes are sampled from the held-out combinations of thing, colour and place, which training never draws.
Each is filmed as a moving shot of 1.5 s (320x180, 12 frames a second, every camera with its own blur and grain),
several to a file, coded in H.264, and indexed by the real indexer with the demo encoder. Which shots answer a
question follows from the scenes (`Claim.holds_for`), never from looking at results.

- plain: 100 shots; the full description of each has one right answer.
- composition: 30 scenes, each with three decoys that differ from it in one point (thing, colour, count, place,
  weather, size, relation, or two colours or things swapped); the full description has one right answer.
- negation: "boat -red" and the like: two questions for each of 24 unwanted words; for each question at least two
  shots with the unwanted and two without.
- order: "A THEN B" in one film, with decoys of the same scenes in the wrong order, and in different films; five
  questions say WITHIN, and have a decoy in the right order but too far apart.
- pan: shots of 8 s that show the thing only at their end, so that one sampled frame shows it and others do not;
  with a shot of 1.5 s for each that differs in one point.
- duplicates: each of 24 shots also re-encoded, smaller, in another file, and as another take; with decoys that
  differ in one point, and black shots.
- like, absent: see `like_set` and `absent_set`.

`python -m tests.evaluation.search_sets FOLDER` writes every set with its archive and queries.json, for
`rushes eval FOLDER/NAME/archive FOLDER/NAME/queries.json`.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from indexer.demo.sentences import Claim, GroupClaim, claim_all, describe, phrase
from indexer.demo.variations import vary
from indexer.demo.world import COLOURS, Scene, sample_scene
from indexer.models.open_clip_encoder import load_encoder
from tests.evaluation.absent_set import absent_set
from tests.evaluation.drawn_films import (
    MPEG4,
    Film,
    Take,
    arrange_films,
    insert_fillers,
    retake,
    sample_scenes,
)
from tests.evaluation.like_set import like_set
from tests.evaluation.search_cases import Case, SearchSet, places_where
from tests.evaluation.set_archives import write_set

_SHOTS_PER_FILM: Final = 10
_DECOYS: Final = 3
_NEGATED: Final = {
    **{colour: Claim((GroupClaim(colour=colour),)) for colour in COLOURS},
    **{place: Claim(place=place) for place in ("sea", "desert", "forest", "beach", "mountains")},
    **{weather: Claim(weather=weather) for weather in ("night", "rain", "fog", "dusk")},
    **{thing: Claim((GroupClaim(thing=thing),)) for thing in ("dog", "tree", "car", "person", "house")},
}
"""What is asked not to be shown, by its word."""
_NEGATIONS: Final = 2
_CHAIN_CASES: Final = 20
_WITHIN_EVERY: Final = 4
_WITHIN_SECONDS: Final = 4
_DUPLICATED: Final = 24
_BLACK_FILMS: Final = 4


def plain_set() -> SearchSet:
    """Each shot by its full description."""
    scenes = sample_scenes(100, "plain")
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
    scenes, asked = [], []
    for word, unwanted in _NEGATED.items():
        for _ in range(_NEGATIONS):
            wanted = _shown_beside(rng, word, unwanted)
            asked.append((word, wanted))
            for shown in (True, True, False, False):
                scenes.append(_sample(rng, wanted, unwanted, shown))
    films = arrange_films("negation", [Take(scene, seed) for seed, scene in enumerate(scenes)], _SHOTS_PER_FILM)
    cases = []
    for word, wanted in asked:
        wrong = places_where(films, _NEGATED[word].holds_for)
        right = tuple(place for place in places_where(films, wanted.holds_for) if place not in wrong)
        cases.append(Case(f"{phrase(wanted)} -{word}", right, wrong, plain=phrase(wanted)))
    return SearchSet(tuple(films), tuple(cases))


def _shown_beside(rng: random.Random, word: str, unwanted: Claim) -> Claim:
    """A thing that some held-out scene shows beside what is unwanted: there has to be something to leave out."""
    while True:
        scene = sample_scene(rng, held_out=True)
        things = [group.thing for group in scene.groups if group.thing != word]
        if unwanted.holds_for(scene) and things:
            return Claim((GroupClaim(rng.choice(things)),))


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
    copies = [Film(f"copy-{film.name}", film.takes, MPEG4, scale=0.75) for film in films]
    others = [
        Film(f"take-{film.name}", tuple(retake(take, number + 1) for number, take in enumerate(film.takes)))
        for film in films
    ]
    alike = arrange_films("alike", decoys, _SHOTS_PER_FILM)
    after_black = sample_scenes(_BLACK_FILMS, "after black")
    black = [
        Film(f"black{number}.mp4", (Take(None, number), Take(scene, number)))
        for number, scene in enumerate(after_black)
    ]
    groups = {
        film.takes[number]: tuple((f"{kind}{film.name}", number) for kind in ("", "copy-", "take-"))
        for film in films
        for number in range(len(film.takes))
    }
    cases = [Case(describe(take.scene), group) for take, group in groups.items() if take.scene is not None]
    return SearchSet((*films, *copies, *others, *alike, *black), tuple(cases), tuple(groups.values()))


SETS: Final[Mapping[str, Callable[[], SearchSet]]] = {
    "plain": plain_set,
    "composition": composition_set,
    "negation": negation_set,
    "order": order_set,
    "pan": pan_set,
    "duplicates": duplicates_set,
    "like": like_set,
    "absent": absent_set,
}
"""Every set by its name."""


def main() -> None:
    """Write every set into a folder."""
    parser = argparse.ArgumentParser(description="Writes the benchmark sets with their archives and questions.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", choices=SETS, action="append", help="just this set; may be given several times")
    options = parser.parse_args()
    encoder = load_encoder("demo")
    for name in options.only or SETS:
        write_set(options.folder / name, SETS[name](), encoder)


if __name__ == "__main__":
    main()
