"""A benchmark set for searching: films, questions about them, and the shots that are the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from indexer.demo.world import Scene
from tests.evaluation.drawn_films import Film, Place, Take

PICTURES: Final = "{pictures}"
"""Stands in a question for the folder of the set's pictures."""


@dataclass(frozen=True, slots=True)
class Case:
    """A question, and the shots that it is about.

    Args:
        query: the question.
        right: shots that answer it; of A THEN B those of A. Empty if nothing does.
        wrong: shots that must not be among the answers.
        then: of A THEN B, the shots of B, in the order of `right`.
        plain: the question without its minus.
        kind: the line of the table that it counts for.
    """

    query: str
    right: tuple[Place, ...] = ()
    wrong: tuple[Place, ...] = ()
    then: tuple[Place, ...] = ()
    plain: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Still:
    """One frame of a shot, as a JPEG file.

    Args:
        name: its file name.
        take: the shot.
        number: which frame, from 0.
        quality: of the JPEG, up to 95.
    """

    name: str
    take: Take
    number: int
    quality: int


@dataclass(frozen=True, slots=True)
class SearchSet:
    """Films and questions about them.

    Args:
        films: the library.
        cases: the questions.
        groups: shots that show the same picture; one group for each picture.
        stills: pictures to search by.
    """

    films: tuple[Film, ...]
    cases: tuple[Case, ...]
    groups: tuple[tuple[Place, ...], ...] = ()
    stills: tuple[Still, ...] = ()

    def shots(self) -> list[tuple[Place, Take]]:
        """Every shot of the library."""
        return [pair for film in self.films for pair in zip(film.places, film.takes, strict=True)]

    def scenes(self) -> list[Scene]:
        """What every shot shows, black ones left out."""
        return [take.scene for _, take in self.shots() if take.scene is not None]


def places_where(films: Iterable[Film], holds: Callable[[Scene], bool]) -> tuple[Place, ...]:
    """The shots of which something is true."""
    return tuple(
        place
        for film in films
        for place, take in zip(film.places, film.takes, strict=True)
        if take.scene is not None and holds(take.scene)
    )
