"""Remarks on differences of a timeline from its sources, for people: each once, with its names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from store.wording import n_of

_MOST_NAMES = 5


class About(Enum):
    """Topic of a remark, which says where it matters."""

    FILES = "files"
    """Files and clips: it matters everywhere."""
    FRAMES = "frames"
    """Counting and naming of frames: it matters where timecodes or frames are."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark about one source or clip.

    Args:
        about: what kind it is of.
        noun: what it is about, such as `source`.
        one: what is said of one, such as `has no timecode`.
        several: the same of several.
        name: which one it is.
        then: what follows from it; may be empty.
    """

    about: About
    noun: str
    one: str
    several: str
    name: str
    then: str = ""

    @property
    def alone(self) -> str:
        """Predicate of a remark without its name: `has no timecode (frames counted from 00:00:00:00)`."""
        return f"{self.one} ({self.then})" if self.then else self.one


def remark_lines(remarks: Iterable[Remark], about: Iterable[About] = tuple(About)) -> tuple[str, ...]:
    """One line for each kind of remark: `3 sources have no timecode: a, b, c`."""
    wanted = set(about)
    names: dict[tuple[str, str, str, str], list[str]] = {}
    for remark in remarks:
        if remark.about in wanted:
            of = names.setdefault((remark.noun, remark.one, remark.several, remark.then), [])
            if remark.name not in of:
                of.append(remark.name)
    return tuple(
        f"{n_of(len(of), noun)} {one if len(of) == 1 else several}: {_listed(of)}" + (f" ({then})" if then else "")
        for (noun, one, several, then), of in names.items()
    )


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:_MOST_NAMES])} and {more} others"
