"""Conditions on shots: what a query lets through. Plain data, which the catalog turns into SQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from store.stages import stages_by_has

Operator = Literal["=", "<", "<=", ">", ">=", ".."]
RIGHTS_CHOICES = ("free", "blocked", "marked")
SHAPES = ("portrait", "landscape", "square")


def has_choices() -> tuple[str, ...]:
    """Words after `has:`."""
    return ("audio", *stages_by_has(), "metadata")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A number compared: with `low` alone, or for `..` between `low` and `high`, both included.

    Args:
        operator: how.
        low: the number, or the lower end.
        high: the upper end of a range; else equal to `low`.
    """

    operator: Operator
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PathGlob:
    """The video's absolute path, its end, or any folder or file name in it fits a pattern with `*` and `?`.

    Without either, a name without its ending and words of a name fit, too, from the library's own folder on.
    """

    pattern: str


@dataclass(frozen=True, slots=True)
class Duration:
    """Length of the shot in seconds; `=` within half a second."""

    seconds: Comparison


@dataclass(frozen=True, slots=True)
class RecordedDate:
    """The video was recorded on a day from `start` on and before `end`; None leaves a side open."""

    start: date | None
    end: date | None


@dataclass(frozen=True, slots=True)
class Shape:
    """Shape of the displayed picture: portrait, landscape or square."""

    shape: str


@dataclass(frozen=True, slots=True)
class Has:
    """The video has sound or metadata; or the shot has a text of a stage."""

    what: str


@dataclass(frozen=True, slots=True)
class Language:
    """A text of the shot is in this language, by ISO 639 code."""

    code: str


@dataclass(frozen=True, slots=True)
class FrameRate:
    """Frames per second of the video; `=` within a hundredth."""

    rate: Comparison


@dataclass(frozen=True, slots=True)
class Resolution:
    """Pixels of the displayed picture's shorter side."""

    short_side_px: Comparison


@dataclass(frozen=True, slots=True)
class InSpace:
    """The video has embeddings in the space whose name or id starts so."""

    name: str


@dataclass(frozen=True, slots=True)
class InSet:
    """A person put the shot into the set of that name."""

    name: str


@dataclass(frozen=True, slots=True)
class Used:
    """Whether the shot was in an earlier export."""

    ever: bool


@dataclass(frozen=True, slots=True)
class Rights:
    """Rights of the shot, or of any instant of it, that hold today: blocked, marked, or free.

    What is both blocked and to be marked is blocked; of what is free nothing is said.
    """

    ruling: str


@dataclass(frozen=True, slots=True)
class TextMatch:
    """Words stand in a text of the shot.

    Args:
        stage: the kind of text; None for any, names of files and metadata included.
        words: the words.
        phrase: whether they stand next to each other in this order.
    """

    stage: str | None
    words: str
    phrase: bool


@dataclass(frozen=True, slots=True)
class And:
    """All of them hold."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of them holds."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold."""

    part: Filter


Condition = (
    PathGlob
    | Duration
    | RecordedDate
    | Shape
    | Has
    | Language
    | FrameRate
    | Resolution
    | InSpace
    | InSet
    | Used
    | Rights
    | TextMatch
)
Filter = And | Or | Not | Condition


def text_matches(wanted: Filter) -> dict[TextMatch, bool]:
    """Every `TextMatch` in a filter, and whether it stands there without a `Not` around it."""
    found: dict[TextMatch, bool] = {}
    for match, plain in _walk(wanted, True):
        found[match] = found.get(match, False) or plain
    return found


def _walk(wanted: Filter, plain: bool) -> Iterator[tuple[TextMatch, bool]]:
    if isinstance(wanted, TextMatch):
        yield wanted, plain
    elif isinstance(wanted, Not):
        yield from _walk(wanted.part, not plain)
    elif isinstance(wanted, And | Or):
        for part in wanted.parts:
            yield from _walk(part, plain)
