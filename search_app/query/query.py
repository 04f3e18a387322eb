"""A question as data, and as text again; `query_parser` reads what people type."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from store.filters import (
    And,
    Comparison,
    Duration,
    Filter,
    FrameRate,
    Has,
    InSet,
    InSpace,
    Language,
    Not,
    Or,
    PathGlob,
    RecordedDate,
    Resolution,
    Rights,
    Shape,
    TextMatch,
    Used,
)
from store.stages import field_of

QUOTES: Final = '"\u201c\u201d\u201e\u201f\uff02'
"""Quotes: word processors and phones turn the plain one into the others."""
KEYWORDS: Final = ("THEN", "WITHIN", "OR", "AND", "NOT")
_FIELD_OF: Final[dict[type, str]] = {
    PathGlob: "in",
    Duration: "dur",
    RecordedDate: "date",
    Shape: "shape",
    Has: "has",
    Language: "lang",
    FrameRate: "fps",
    Resolution: "res",
    InSpace: "space",
    InSet: "set",
    Used: "used",
    Rights: "rights",
}
_TO_ESCAPE = re.compile(f"[{QUOTES}\\\\]")
_PLAIN_WORD = re.compile(rf"[^\s():*<>=+\-\u2212\u2013\\{QUOTES}][^\s():*<>={QUOTES}]*")


@dataclass(frozen=True, slots=True)
class Text:
    """Something said in words, to be found by its meaning."""

    value: str


@dataclass(frozen=True, slots=True)
class LikeShot:
    """Likeness to a shot of the archive."""

    shot_id: str


@dataclass(frozen=True, slots=True)
class LikePicture:
    """Likeness to a picture in a file."""

    path: str


@dataclass(frozen=True, slots=True)
class LikeMoment:
    """Likeness to a video of the archive at a time in seconds."""

    video: str
    seconds: float


Subject = Text | LikeShot | LikePicture | LikeMoment


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a weighted sum of texts and pictures; a negative weight takes away."""

    weight: float
    of: Subject


@dataclass(frozen=True, slots=True)
class Step:
    """Content that one shot has to show, and the filters that let it through.

    Args:
        terms: what to look for, as a weighted sum; empty if the step only filters.
        minus: what no answer may show.
        filter: what lets a shot through; None for all.
    """

    terms: tuple[Term, ...] = ()
    minus: tuple[Subject, ...] = ()
    filter: Filter | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A question: one step, or up to five in order of time inside one video.

    Args:
        steps: at least one.
        within_seconds: longest time from one step to the next; None for any.
    """

    steps: tuple[Step, ...]
    within_seconds: float | None = None


def format_query(query: Query) -> str:
    """The question as text that parses to the same question."""
    text = " THEN ".join(_format_step(step) for step in query.steps)
    return text if query.within_seconds is None else f"{text} WITHIN {_number(query.within_seconds)}s"


def _format_step(step: Step) -> str:
    parts = [_format_terms(step.terms)] if step.terms else []
    parts += [f"-{_format_subject(subject)}" for subject in step.minus]
    if isinstance(step.filter, And):
        parts += [format_filter(part) for part in step.filter.parts]
    elif step.filter is not None:
        parts.append(format_filter(step.filter))
    return " ".join(parts)


def _format_terms(terms: tuple[Term, ...]) -> str:
    first = terms[0]
    if len(terms) == 1 and first.weight == 1:
        if not isinstance(first.of, Text):
            return _format_subject(first.of)
        if all(_is_plain(word) for word in first.of.value.split()):
            return first.of.value
        return f"1*{_format_subject(first.of)}"
    text = f"{_number(first.weight)}*{_format_subject(first.of)}"
    for term in terms[1:]:
        sign = "-" if term.weight < 0 else "+"
        weight = "" if abs(term.weight) == 1 else f"{_number(abs(term.weight))}*"
        text += f" {sign} {weight}{_format_subject(term.of)}"
    return text


def _is_plain(word: str) -> bool:
    return word not in KEYWORDS and _PLAIN_WORD.fullmatch(word) is not None


def _format_subject(subject: Subject) -> str:
    if isinstance(subject, Text):
        return quote(subject.value)
    if isinstance(subject, LikeShot):
        return f"like:shot/{subject.shot_id}"
    if isinstance(subject, LikePicture):
        return f"like:{quote(subject.path)}"
    return f"like:{quote(f'{subject.video}@{_number(subject.seconds)}s')}"


def quote(text: str) -> str:
    """The text in quotes, quotes and backslashes inside escaped."""
    escaped = _TO_ESCAPE.sub(r"\\\g<0>", text)
    return f'"{escaped}"'


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def format_filter(wanted: Filter) -> str:
    """A filter as it is typed."""
    if isinstance(wanted, Not):
        inner = format_filter(wanted.part)
        return f"-({inner})" if isinstance(wanted.part, Not) else f"-{inner}"
    if isinstance(wanted, And | Or):
        joint = " OR " if isinstance(wanted, Or) else " "
        return f"({joint.join(format_filter(part) for part in wanted.parts)})"
    if isinstance(wanted, TextMatch):
        field = "" if wanted.stage is None else f"{field_of(wanted.stage)}:"
        return f"{field}{quote(wanted.words) if wanted.phrase else wanted.words}"
    return _format_condition(wanted)


def _format_condition(wanted: Filter) -> str:
    match wanted:
        case PathGlob(text) | InSpace(text) | InSet(text):
            value = quote(text)
        case Duration(comparison):
            value = _format_comparison(comparison, "s")
        case FrameRate(comparison):
            value = _format_comparison(comparison, "")
        case Resolution(comparison):
            value = _format_comparison(comparison, "p")
        case RecordedDate():
            value = _format_dates(wanted)
        case Shape(word) | Has(word) | Language(word) | Rights(word):
            value = word
        case Used(ever):
            value = "ever" if ever else "never"
        case _:
            raise TypeError(f"not a condition: {wanted!r}")
    return f"{_FIELD_OF[type(wanted)]}:{value}"


def _format_comparison(comparison: Comparison, unit: str) -> str:
    low = f"{_number(comparison.low)}{unit}"
    if comparison.operator == "..":
        return f"{low}..{_number(comparison.high)}{unit}"
    return low if comparison.operator == "=" else f"{comparison.operator}{low}"


def _format_dates(wanted: RecordedDate) -> str:
    last = None if wanted.end is None else wanted.end - timedelta(days=1)
    if wanted.start is None:
        return f"<={last}"
    return f">={wanted.start}" if last is None else f"{wanted.start}..{last}"
