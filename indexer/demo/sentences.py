"""Sentences about a scene, in many ways, and whether a sentence is true of a scene.

A sentence is made from a `Claim`: the part of a scene that is spoken about. "A red boat" claims one boat and
its colour, "boat" any number of boats, "boats" more than one, "something red" only a colour. The claim decides
which scenes the sentence is true of, so that training never punishes a right answer.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Final

from indexer.demo.variations import vary
from indexer.demo.words import (
    ALONE_PLACES,
    ALONE_WEATHERS,
    COLOUR_WORDS,
    COUNT_WORDS,
    OPENINGS,
    PLACE_PHRASES,
    RELATION_PHRASES,
    SHOT_PHRASES,
    SINGULARS,
    SOMETHING,
    WEATHER_PHRASES,
    plural_of,
)
from indexer.demo.world import CONVERSE, Group, Relation, Scene, ShotSize

SEVERAL: Final = -1
"""The claimed count of a plain plural: two or more."""


@dataclass(frozen=True, slots=True)
class GroupClaim:
    """Claims about one kind of thing; None leaves a value open."""

    thing: str | None = None
    colour: str | None = None
    count: int | None = None

    def holds_for(self, group: Group) -> bool:
        """Whether it is true of these things."""
        if self.thing is not None and self.thing != group.thing:
            return False
        if self.colour is not None and self.colour != group.colour:
            return False
        if self.count == SEVERAL:
            return group.count > 1
        return self.count is None or self.count == group.count


@dataclass(frozen=True, slots=True)
class Claim:
    """Claims of a sentence about a shot; None and empty leave a value open."""

    groups: tuple[GroupClaim, ...] = ()
    relation: Relation | None = None
    place: str | None = None
    weather: str | None = None
    shot_size: ShotSize | None = None
    snowy: bool = False

    def holds_for(self, scene: Scene) -> bool:
        """Whether a sentence with this claim is true of the scene."""
        if self.place is not None and self.place != scene.place:
            return False
        if self.weather is not None and self.weather != scene.weather:
            return False
        if self.shot_size is not None and self.shot_size != scene.shot_size:
            return False
        if self.snowy and "snow" not in (scene.place, scene.weather):
            return False
        return self._groups_hold_for(scene)

    def _groups_hold_for(self, scene: Scene) -> bool:
        if len(self.groups) < 2:
            return not self.groups or any(self.groups[0].holds_for(group) for group in scene.groups)
        if scene.second is None or scene.relation is None:
            return False
        one, other = self.groups
        if one.holds_for(scene.first) and other.holds_for(scene.second):
            return self.relation in (None, scene.relation)
        if one.holds_for(scene.second) and other.holds_for(scene.first):
            return self.relation in (None, CONVERSE[scene.relation])
        return False


def claim_all(scene: Scene) -> Claim:
    """The claim that says everything about a scene."""
    groups = tuple(GroupClaim(group.thing, group.colour, group.count) for group in scene.groups)
    return Claim(groups, scene.relation, scene.place, scene.weather, scene.shot_size)


def describe(scene: Scene) -> str:
    """The full description of a scene in its plainest words."""
    return phrase(claim_all(scene))


def phrase(claim: Claim, rng: random.Random | None = None) -> str:
    """A sentence for a claim: the plainest one, or with `rng` any paraphrase of it."""
    if rng is not None and len(claim.groups) == 2 and claim.relation is not None and rng.random() < 0.3:
        claim = replace(claim, groups=claim.groups[::-1], relation=CONVERSE[claim.relation])
    subject = _subject(claim, rng)
    details = _details(claim, bool(subject), rng)
    if rng is not None and subject and rng.random() < 0.25:
        rng.shuffle(details)
        details = [*details, subject] if rng.random() < 0.4 else [subject, *details]
    elif subject:
        details = [subject, *details]
    sentence = " ".join(details)
    if claim.shot_size is not None:
        return _with_shot_size(claim.shot_size, sentence, rng)
    if rng is not None and rng.random() < 0.2:
        sentence = f"{rng.choice(OPENINGS)} {sentence}"
    return sentence


def _details(claim: Claim, has_subject: bool, rng: random.Random | None) -> list[str]:
    """Words for place and weather, which read differently where no thing is named before them."""
    details = []
    if claim.place is not None:
        details.append(_pick((PLACE_PHRASES if has_subject else ALONE_PLACES)[claim.place], rng))
    if claim.weather is not None:
        alone = not has_subject and not details
        details.append(_pick((ALONE_WEATHERS if alone else WEATHER_PHRASES)[claim.weather], rng))
    if claim.snowy:
        details.append(_pick(("in the snow",) if has_subject else ("snow", "in the snow"), rng))
    return details


def _with_shot_size(size: ShotSize, sentence: str, rng: random.Random | None) -> str:
    words = _pick(SHOT_PHRASES[size], rng)
    if not sentence:
        return words
    if rng is not None and rng.random() < 0.2:
        return f"{sentence} {words}"
    return f"{words} of {sentence}"


def _subject(claim: Claim, rng: random.Random | None) -> str:
    parts = [_noun_phrase(group, rng) for group in claim.groups]
    if len(parts) < 2:
        return "".join(parts)
    between = _pick(RELATION_PHRASES[claim.relation], rng) if claim.relation else _pick(("and", "with"), rng)
    return f"{parts[0]} {between} {parts[1]}"


def _noun_phrase(claim: GroupClaim, rng: random.Random | None) -> str:
    colour = "" if claim.colour is None else _pick(COLOUR_WORDS[claim.colour], rng)
    if claim.thing is None and claim.count is not None and claim.count != SEVERAL:
        noun = "thing" if claim.count == 1 else "things"
        return _join(_pick(COUNT_WORDS[claim.count][claim.count == 1 :], rng), colour, noun)
    if claim.thing is None:
        if rng is not None and claim.count is None and rng.random() < 0.3:
            return colour
        return f"{_pick(SOMETHING, rng)} {colour}"
    noun = _pick(SINGULARS[claim.thing], rng)
    if claim.count in (None, SEVERAL):
        return _join(colour, noun if claim.count is None else plural_of(noun))
    word = _pick(COUNT_WORDS[claim.count or 1], rng)
    words = _join(colour, noun if claim.count == 1 else plural_of(noun))
    return f"{'an' if word == 'a' and words[0] in 'aeiou' else word} {words}"


def _join(*words: str) -> str:
    return " ".join(word for word in words if word)


def _pick(words: tuple[str, ...], rng: random.Random | None) -> str:
    if rng is None:
        return words[0]
    return words[0] if rng.random() < 0.4 else rng.choice(words)


def sample_full(scene: Scene, rng: random.Random) -> tuple[str, Claim]:
    """A sentence that says everything about a scene, or nearly everything."""
    claim = claim_all(scene)
    if rng.random() < 0.4:
        claim = replace(claim, shot_size=None)
    if rng.random() < 0.15:
        claim = replace(claim, weather=None)
    return phrase(claim, rng), claim


def sample_partial(scene: Scene, rng: random.Random) -> tuple[str, Claim]:
    """A sentence that says something about a scene, as people do when they search."""
    claim = rng.choice((_claim_things, _claim_things, _claim_mixture, _claim_mixture, _claim_one))(scene, rng)
    return phrase(claim, rng), claim


def _claim_one(scene: Scene, rng: random.Random) -> Claim:
    """One attribute alone."""
    group = rng.choice(scene.groups)
    choices = [
        Claim(place=scene.place),
        Claim(weather=scene.weather),
        Claim(shot_size=scene.shot_size),
        Claim((GroupClaim(colour=group.colour),)),
        Claim((GroupClaim(thing=group.thing),)),
        Claim(place=scene.place, weather=scene.weather),
    ]
    if "snow" in (scene.place, scene.weather):
        choices.append(Claim(snowy=True))
    return rng.choice(choices)


def _claim_things(scene: Scene, rng: random.Random) -> Claim:
    """The things, more or less exactly, and sometimes their relation."""
    if scene.second is None or rng.random() < 0.3:
        return Claim((_loosen(rng.choice(scene.groups), rng),))
    groups = (_loosen(scene.first, rng), _loosen(scene.second, rng))
    return Claim(groups, scene.relation if rng.random() < 0.8 else None)


def _claim_mixture(scene: Scene, rng: random.Random) -> Claim:
    """Things with a place, a weather or a shot size."""
    claim = _claim_things(scene, rng)
    if rng.random() < 0.65:
        claim = replace(claim, place=scene.place)
    if rng.random() < 0.5:
        claim = replace(claim, weather=scene.weather)
    if rng.random() < 0.2:
        claim = replace(claim, shot_size=scene.shot_size)
    return claim


def _loosen(group: Group, rng: random.Random) -> GroupClaim:
    colour = group.colour if rng.random() < 0.6 else None
    count: int | None = group.count if rng.random() < 0.6 else None
    if count is None and group.count > 1 and rng.random() < 0.6:
        count = SEVERAL
    thing = None if colour is not None and count is None and rng.random() < 0.12 else group.thing
    return GroupClaim(thing, colour, count)


def sample_wrong(scene: Scene, rng: random.Random) -> tuple[str, Claim]:
    """A full sentence that is wrong about this scene in one point only: the hardest kind to tell apart."""
    while True:
        claim = claim_all(vary(scene, rng))
        if not claim.holds_for(scene):
            if rng.random() < 0.5:
                claim = replace(claim, shot_size=None)
            if not claim.holds_for(scene):
                return phrase(claim, rng), claim
