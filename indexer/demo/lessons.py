"""Sentences to learn from for a batch of scenes, and which of them are true of which scene.

The prompts of an attribute ("a car", "a bus", ...; "something red", "something blue", ...) differ only in the
value they name, so choosing among them teaches - and measures - that attribute alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from indexer.demo.sentences import Claim, GroupClaim, phrase, sample_full, sample_partial, sample_wrong
from indexer.demo.world import (
    COLOURS,
    COUNTS,
    PLACES,
    RELATIONS,
    SHOT_SIZES,
    THINGS,
    WEATHERS,
    Relation,
    Scene,
)

Truth = NDArray[np.float32]
_UNKNOWN_WORDS: Final = ("zeppelin", "quietly", "beautiful", "my", "old", "big", "cinematic", "4k")


@dataclass(frozen=True, slots=True)
class Attribute:
    """One thing that can be asked about a shot: its values, the claim of each, and the values true of a scene."""

    name: str
    values: tuple[str | int, ...]
    claim_of: Callable[[str | int], Claim]
    true_values: Callable[[Scene], tuple[str | int, ...]]

    def prompts(self, rng: random.Random | None = None) -> list[str]:
        """One sentence for each value: the plainest, or with `rng` any paraphrase."""
        return [phrase(self.claim_of(value), rng) for value in self.values]

    def truth(self, scenes: Sequence[Scene]) -> Truth:
        """Shares of shape (n_scenes, n_values) that add up to 1, or to 0 where the attribute is undefined."""
        table = np.zeros((len(scenes), len(self.values)), dtype=np.float32)
        for row, scene in zip(table, scenes, strict=True):
            true = self.true_values(scene)
            for value in true:
                row[self.values.index(value)] = 1 / len(true)
        return table


def _unique(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


ATTRIBUTES: Final = (
    Attribute(
        "thing",
        THINGS,
        lambda value: Claim((GroupClaim(thing=str(value)),)),
        lambda scene: _unique([group.thing for group in scene.groups]),
    ),
    Attribute(
        "colour",
        COLOURS,
        lambda value: Claim((GroupClaim(colour=str(value)),)),
        lambda scene: _unique([group.colour for group in scene.groups]),
    ),
    Attribute("place", PLACES, lambda value: Claim(place=str(value)), lambda scene: (scene.place,)),
    Attribute("weather", WEATHERS, lambda value: Claim(weather=str(value)), lambda scene: (scene.weather,)),
    Attribute(
        "count",
        COUNTS,
        lambda value: Claim((GroupClaim(count=int(value)),)),
        lambda scene: (scene.first.count,) if scene.second is None else (),
    ),
    Attribute(
        "shot size",
        SHOT_SIZES,
        lambda value: Claim(shot_size=next(size for size in SHOT_SIZES if size == value)),
        lambda scene: (scene.shot_size,),
    ),
)


def relation_prompts(scene: Scene, rng: random.Random | None = None) -> list[str]:
    """The six sentences that put the two things of a scene in each relation, in the order of `RELATIONS`."""
    if scene.second is None:
        raise ValueError("a scene with one kind of thing has no relation")
    style = rng.random() if rng is not None else 0.0
    groups = tuple(
        GroupClaim(
            group.thing,
            group.colour if style > 0.5 else None,
            group.count if style < 0.3 or style > 0.8 else None,
        )
        for group in scene.groups
    )
    return [phrase(Claim(groups, relation), rng) for relation in RELATIONS]


def relation_index(relation: Relation) -> int:
    """The place of a relation among its prompts."""
    return RELATIONS.index(relation)


@dataclass(frozen=True, slots=True)
class Lesson:
    """Sentences about a batch of n scenes.

    `full` and `partial` have n sentences each, with truth tables of shape (n sentences, n scenes); `wrong` has
    for every scene a sentence that is false in one point; `related` are the rows of scenes with a relation, and
    `relations` six sentences for each of them.
    """

    full: list[str]
    full_truth: Truth
    partial: list[str]
    partial_truth: Truth
    wrong: list[str]
    related: list[int]
    relations: list[str]


def write_lesson(scenes: Sequence[Scene], rng: random.Random, n_related: int) -> Lesson:
    """New sentences for a batch of scenes."""
    full = [sample_full(scene, rng) for scene in scenes]
    partial = [sample_partial(scene, rng) for scene in scenes]
    related = [i for i, scene in enumerate(scenes) if scene.second is not None][:n_related]
    return Lesson(
        full=[_roughen(text, rng) for text, _ in full],
        full_truth=truth_table([claim for _, claim in full], scenes),
        partial=[_roughen(text, rng) for text, _ in partial],
        partial_truth=truth_table([claim for _, claim in partial], scenes),
        wrong=[sample_wrong(scene, rng)[0] for scene in scenes],
        related=related,
        relations=[text for i in related for text in relation_prompts(scenes[i], rng)],
    )


def truth_table(claims: Sequence[Claim], scenes: Sequence[Scene]) -> Truth:
    """1 where a claim is true of a scene, else 0, of shape (n_claims, n_scenes)."""
    rows = [[claim.holds_for(scene) for scene in scenes] for claim in claims]
    return np.asarray(rows, dtype=np.float32).reshape(len(claims), len(scenes))


def _roughen(text: str, rng: random.Random) -> str:
    """Sometimes a word from outside the drawn world, so that such words do no harm."""
    if rng.random() > 0.1:
        return text
    words = text.split()
    words.insert(rng.randint(0, len(words)), rng.choice(_UNKNOWN_WORDS))
    return " ".join(words)
