"""Drawn libraries with questions of every kind, and the truth of every question for every shot.

A world is a library of scenes by chance. In every second world each third scene is followed by one that differs
from it in one point, so that what is nearly right is met as often as what is plainly wrong. Some things, one place
and one weather are missing from each world.

Questions are asked as people ask, present or not: every thing, place and weather by its name, and by chance things
in colours, counts, relations, at places and in weathers, as they are in a scene and changed in one point; each of
these without something (`boat -rain`), and two of them in order of time. What is true of a shot follows from its
scene (`Claim.holds_for`), never from looking at results. A number from four on means the count that the drawn
world calls many: five to eight.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from indexer.demo.sentences import SEVERAL, Claim, GroupClaim, phrase, sample_full, sample_partial
from indexer.demo.variations import vary
from indexer.demo.words import SINGULARS, all_words, plural_of
from indexer.demo.world import (
    COLOURS,
    MANY,
    PLACES,
    RELATIONS,
    THINGS,
    WEATHERS,
    Scene,
    sample_scene,
)
from tests.evaluation.absent_set import UNKNOWN

KINDS: Final = ("thing", "count", "relation", "place", "weather", "minus", "then")
"""The kinds of question whose confidence is measured; `words` and `unknown` are asked beside them."""
WORDS, UNKNOWN_WORDS = "words", "unknown"
_NUMBERS: Final = ("four", "five", "six", "seven", "eight", "5", "6", "7")
_MISSING_THINGS: Final = 8
_PER_KIND: Final = 60


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what is true of a shot that answers it.

    Args:
        kind: one of `KINDS`, `WORDS` or `UNKNOWN_WORDS`.
        text: as it is typed.
        wanted: what each step claims; None for what no shot shows.
        unwanted: of a question with a minus, what no answer shows.
    """

    kind: str
    text: str
    wanted: tuple[Claim | None, ...]
    unwanted: Claim | None = None

    def holds_for(self, scene: Scene | None, step: int = 0) -> bool:
        """Whether a shot of the scene is right, as a step of the question."""
        claim = self.wanted[step]
        if scene is None or claim is None or not claim.holds_for(scene):
            return False
        return self.unwanted is None or not self.unwanted.holds_for(scene)


def sample_world(seed: str, n_shots: int, *, held_out: bool, decoys: bool) -> list[Scene]:
    """Scenes by chance, some of which differ from another in one point."""
    rng = random.Random(f"world {seed}")
    missing = {*rng.sample(THINGS, _MISSING_THINGS), rng.choice(PLACES), rng.choice(WEATHERS[1:])}
    scenes: list[Scene] = []
    while len(scenes) < n_shots:
        scene = sample_scene(rng, held_out=held_out)
        if {*(group.thing for group in scene.groups), scene.place, scene.weather} & missing:
            continue
        scenes.append(scene)
        if decoys and len(scenes) % 3 == 0:
            scenes.append(vary(scene, rng))
    return scenes[:n_shots]


def ask(scenes: Sequence[Scene], seed: str, n: int = _PER_KIND) -> list[Question]:
    """Questions of every kind, about `n` of each but of names, which are all asked."""
    rng = random.Random(f"questions {seed}")
    questions = [*_names(rng)]
    for _ in range(n):
        scene = rng.choice(scenes)
        kinds = {
            "thing": _thing(scene, rng),
            "count": _count(scene, rng),
            "relation": _relation(rng.choice([one for one in scenes if one.second is not None]), rng),
            "place": _place(scene, rng),
            "weather": _weather(scene, rng),
        }
        questions += [Question(kind, text, (claim,)) for kind, (text, claim) in kinds.items()]
        sampled = rng.choice((sample_partial, sample_partial, sample_full))(scene, rng)
        questions.append(Question(WORDS, sampled[0], (sampled[1],)))
        questions.append(_minus(scenes, rng))
        questions.append(_then(scenes, rng))
    for word in UNKNOWN:
        if f"{word}s" in all_words():  # the drawn world has skyscrapers, if no skyscraper
            continue
        texts = (f"a {word}", f"a {rng.choice(COLOURS)} {word}", f"two {word}s")
        questions.append(Question(UNKNOWN_WORDS, rng.choice(texts), (None,)))
    unique = {question.text: question for question in questions}
    return list(unique.values())


def _names(rng: random.Random) -> Iterator[Question]:
    for thing in THINGS:
        noun = rng.choice(SINGULARS[thing])
        text = rng.choice((noun, noun, f"a {noun}"))
        yield Question("thing", text, (Claim((GroupClaim(thing),)),))
    for place in PLACES:
        claim = Claim(place=place)
        yield Question("place", phrase(claim, rng), (claim,))
    for weather in WEATHERS:
        claim = Claim(weather=weather)
        yield Question("weather", phrase(claim, rng), (claim,))
    for weather in WEATHERS[1:]:
        yield Question("weather", weather if weather != "snow" else "falling snow", (Claim(weather=weather),))


def _varied(scene: Scene, rng: random.Random) -> Scene:
    """The scene, or one time in three another that differs in one point."""
    return vary(scene, rng) if rng.random() < 1 / 3 else scene


def _thing(scene: Scene, rng: random.Random) -> tuple[str, Claim]:
    group = rng.choice(_varied(scene, rng).groups)
    claim = Claim((GroupClaim(group.thing, group.colour if rng.random() < 0.6 else None),))
    return phrase(claim, rng if rng.random() < 0.5 else None), claim


def _count(scene: Scene, rng: random.Random) -> tuple[str, Claim]:
    group = rng.choice(_varied(scene, rng).groups)
    count = group.count if group.count > 1 or rng.random() < 0.4 else rng.choice((2, 3, MANY))
    colour = group.colour if rng.random() < 0.4 else None
    claim = Claim((GroupClaim(group.thing, colour, count),))
    if count == MANY and rng.random() < 0.6:
        nouns = plural_of(rng.choice(SINGULARS[group.thing]))
        return " ".join(word for word in (rng.choice(_NUMBERS), colour or "", nouns) if word), claim
    if count == 1:
        text = phrase(claim)
        return text.replace("a ", "one ", 1) if text.startswith("a ") else text.replace("an ", "one ", 1), claim
    return phrase(claim, rng if rng.random() < 0.5 else None), claim


def _relation(scene: Scene, rng: random.Random) -> tuple[str, Claim]:
    scene = _varied(scene, rng)
    if scene.second is None:
        relation, other = rng.choice(RELATIONS), GroupClaim(rng.choice(THINGS))
    else:
        relation, other = scene.relation or "left of", GroupClaim(scene.second.thing)
    if rng.random() < 0.2:
        relation = rng.choice(RELATIONS)
    one = GroupClaim(scene.first.thing, scene.first.colour if rng.random() < 0.4 else None)
    claim = Claim((one, other), relation)
    return phrase(claim, rng if rng.random() < 0.5 else None), claim


def _place(scene: Scene, rng: random.Random) -> tuple[str, Claim]:
    place = rng.choice(PLACES) if rng.random() < 0.3 else scene.place
    claim = Claim((_loose(scene, rng),), place=place)
    return phrase(claim, rng if rng.random() < 0.5 else None), claim


def _weather(scene: Scene, rng: random.Random) -> tuple[str, Claim]:
    weather = rng.choice(WEATHERS) if rng.random() < 0.3 else scene.weather
    groups = (_loose(scene, rng),) if rng.random() < 0.6 else ()
    place = scene.place if not groups or rng.random() < 0.2 else None
    claim = Claim(groups, place=place, weather=weather)
    return phrase(claim, rng if rng.random() < 0.5 else None), claim


def _loose(scene: Scene, rng: random.Random) -> GroupClaim:
    group = rng.choice(scene.groups)
    count = SEVERAL if group.count > 1 and rng.random() < 0.3 else None
    return GroupClaim(group.thing, group.colour if rng.random() < 0.3 else None, count)


def _minus(scenes: Sequence[Scene], rng: random.Random) -> Question:
    """A thing or a place without a colour, a place, a weather or another thing that shots with it show."""
    scene = rng.choice(scenes)
    wanted = Claim((GroupClaim(rng.choice(scene.groups).thing),))
    if rng.random() < 0.25:
        wanted = Claim(place=scene.place)
    other = rng.choice([one for one in scenes if wanted.holds_for(one)]) if rng.random() < 0.8 else scene
    group = rng.choice(other.groups)
    choices = {
        group.thing: Claim((GroupClaim(group.thing),)),
        group.colour: Claim((GroupClaim(colour=group.colour),)),
        other.place: Claim(place=other.place),
        other.weather: Claim(weather=other.weather),
    }
    choices.pop("clear", None)
    choices.pop("snow", None)  # a place and a weather of one name
    choices = {word: claim for word, claim in choices.items() if claim != wanted}
    word = rng.choice(sorted(choices))
    return Question("minus", f"{phrase(wanted)} -{word}", (wanted,), choices[word])


def _then(scenes: Sequence[Scene], rng: random.Random) -> Question:
    claims = []
    start = rng.randrange(max(1, len(scenes) - 3))
    for scene in (scenes[start], scenes[min(len(scenes) - 1, start + rng.choice((1, 1, 2)))]):
        group = rng.choice(scene.groups)
        simple = Claim((GroupClaim(group.thing),))
        claims.append(
            rng.choice(
                (
                    simple,
                    Claim((GroupClaim(group.thing, group.colour),)),
                    replace(simple, place=scene.place),
                    Claim(place=scene.place),
                    replace(simple, weather=scene.weather),
                )
            )
        )
    return Question("then", " THEN ".join(phrase(claim) for claim in claims), tuple(claims))
