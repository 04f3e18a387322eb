"""The values of a query's fields: times, dates, numbers and words, refused with their position if impossible."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Final, cast

from search_app.errors import QueryError
from search_app.query.query import QUOTES
from store.filters import (
    RIGHTS_CHOICES,
    SHAPES,
    Comparison,
    Duration,
    Filter,
    FrameRate,
    Has,
    InSet,
    InSpace,
    Language,
    Operator,
    PathGlob,
    RecordedDate,
    Resolution,
    Rights,
    Shape,
    TextMatch,
    Used,
    has_choices,
)
from store.stages import fields_of_texts

_LONGEST_SECONDS = 1_000_000
_OPERATOR = re.compile(r"(<=|>=|<|>|=)?(.*)", re.DOTALL)
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2}(?:\.\d{1,6})?)")
_LENGTH = re.compile(
    r"(?:(\d{1,4}(?:\.\d{1,6})?)h)?(?:(\d{1,6}(?:\.\d{1,6})?)m(?:in)?)?(?:(\d{1,7}(?:\.\d{1,6})?)s?)?"
)
_NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,6})?")
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_NAMED_SIZES: Final = {"8k": 4320, "4k": 2160, "uhd": 2160, "2k": 1440, "fhd": 1080, "hd": 720, "sd": 480}
_LANGUAGE = re.compile(r"[a-z]{2,3}")


def field_names() -> tuple[str, ...]:
    """Every field of the query language."""
    return (*fields_of_texts(), *_PARSERS)


def parse_condition(field: str, value: str, quoted: bool, position: int) -> Filter:
    """The condition that `field:value` states.

    Args:
        field: name of the field, lower case.
        value: what stands after the colon.
        quoted: whether it stood in quotes.
        position: where the field stands in the query.

    Raises:
        QueryError: there is no such field, or it cannot have that value.
    """
    text_fields = fields_of_texts()
    if field in text_fields:
        is_phrase = quoted or any(char in f"()\\{QUOTES}" for char in value)
        return TextMatch(text_fields[field], value, is_phrase)
    if field in _PARSERS:
        return _PARSERS[field](value, position)
    fields = field_names()
    near = difflib.get_close_matches(field, fields, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}: ?" if near else f"there are {', '.join(fields)}"
    raise QueryError(
        f"there is no field {field!r}; {hint} (for plain words, put a space after the colon)", position
    )


def parse_seconds(text: str, position: int) -> float:
    """A length of time, such as `20s`, `1m30s`, `1:30`, `2h`, `90`: seconds, to the millisecond.

    Raises:
        QueryError: it is none, or longer than eleven days.
    """
    clock, length = _CLOCK.fullmatch(text), _LENGTH.fullmatch(text)
    if text.startswith(("-", "\u2212")):
        raise QueryError(f"a time cannot be negative: {text}", position)
    if text.endswith("ms") and _NUMBER.fullmatch(text[:-2]):
        seconds = float(text[:-2]) / 1000
    elif clock:
        seconds = 3600 * float(clock[1] or 0) + 60 * float(clock[2]) + float(clock[3])
    elif length and text:
        seconds = 3600 * float(length[1] or 0) + 60 * float(length[2] or 0) + float(length[3] or 0)
    else:
        raise QueryError(f"{text!r} is no time; write 20s, 1m30s or 1:30, and ranges as 2..8s", position)
    if seconds > _LONGEST_SECONDS:
        raise QueryError(f"{text} is longer than any video", position)
    return round(seconds, 3)


def _comparison(value: str, read: Callable[[str, int], float], example: str, position: int) -> Comparison:
    """`<5`, `>=5`, `2..8`, `5`."""
    if value.startswith("..") and value != "..":
        value = f"<={value[2:]}"
    elif value.endswith("..") and value != "..":
        value = f">={value[:-2]}"
    if ".." in value:
        low, high = (read(part, position) for part in value.split("..", 1))
        if low > high:
            raise QueryError(f"this range is empty, {low:g} is more than {high:g}; write {example}", position)
        return Comparison("..", low, high)
    match = cast("re.Match[str]", _OPERATOR.fullmatch(value))
    number = read(match[2], position)
    return Comparison(cast("Operator", match[1] or "="), number, number)


def _duration(value: str, position: int) -> Filter:
    return Duration(_comparison(value, parse_seconds, "dur:2..8s", position))


def _rate(value: str, position: int) -> Filter:
    return FrameRate(_comparison(value, _number, "fps:24..30", position))


def _resolution(value: str, position: int) -> Filter:
    return Resolution(_comparison(value, _short_side, "res:720p..1080p", position))


def _number(text: str, position: int) -> float:
    if not _NUMBER.fullmatch(text):
        raise QueryError(f"{text!r} is no number", position)
    return round(float(text), 6)


def _short_side(text: str, position: int) -> float:
    """`1080p`, `1080`, `4k`, `1920x1080`: pixels of the shorter side."""
    plain = text.lower()
    if plain in _NAMED_SIZES:
        return float(_NAMED_SIZES[plain])
    sides = plain.removesuffix("p").split("x")
    if len(sides) > 2 or not all(re.fullmatch(r"\d{1,6}", side, re.ASCII) for side in sides):
        raise QueryError(f"{text!r} is no picture size; write 1080p, 4k or 1920x1080", position)
    return float(min(int(side) for side in sides))


def _dates(value: str, position: int) -> Filter:
    """`2021`, `2021-05`, `2021-05-03`, ranges of them, and comparisons."""
    if ".." in value:
        first, last = (_days(part, position) if part else None for part in value.split("..", 1))
        start, end = first and first[0], last and last[1]
        if first is None and last is None:
            raise QueryError("this range has no end; write date:2021..2023", position)
        if start and end and start >= end:
            raise QueryError(f"this range is empty, {start} comes after its end; write date:2021..2023", position)
        return RecordedDate(start, end)
    match = cast("re.Match[str]", _OPERATOR.fullmatch(value))
    start_of, end_of = _days(match[2], position)
    by_operator: dict[str, tuple[date | None, date | None]] = {
        "<": (None, start_of),
        "<=": (None, end_of),
        ">": (end_of, None),
        ">=": (start_of, None),
    }
    return RecordedDate(*by_operator.get(match[1] or "=", (start_of, end_of)))


def _days(text: str, position: int) -> tuple[date, date]:
    """First day, and the day after the last, of a year, a month or a day."""
    match = _DATE.fullmatch(text)
    try:
        if match is None or not 1800 <= int(match[1]) <= 2200:
            raise ValueError
        year, month = int(match[1]), int(match[2] or 1)
        first = date(year, month, int(match[3] or 1))
        if match[3]:
            return first, first + timedelta(days=1)
        if match[2]:
            return first, date(year + month // 12, month % 12 + 1, 1)
        return first, date(year + 1, 1, 1)
    except ValueError:
        raise QueryError(f"{text!r} is no date; write 2021, 2021-05 or 2021-05-03", position) from None


def _choice(field: str, choices: Sequence[str], value: str, position: int) -> str:
    chosen = value.lower()
    if chosen not in choices:
        near = difflib.get_close_matches(chosen, choices, n=1, cutoff=0.6)
        hint = f"; did you mean {field}:{near[0]}?" if near else ""
        raise QueryError(f"{field}: takes {', '.join(choices)}, not {value!r}{hint}", position)
    return chosen


def _language(value: str, position: int) -> Filter:
    code = value.lower()
    if not _LANGUAGE.fullmatch(code):
        raise QueryError(f"{value!r} is no language code; write lang:de or lang:en", position)
    return Language(code)


_PARSERS: Final[dict[str, Callable[[str, int], Filter]]] = {
    "in": lambda value, _: PathGlob(value),
    "dur": _duration,
    "date": _dates,
    "shape": lambda value, position: Shape(_choice("shape", SHAPES, value, position)),
    "has": lambda value, position: Has(_choice("has", has_choices(), value, position)),
    "lang": _language,
    "fps": _rate,
    "res": _resolution,
    "space": lambda value, _: InSpace(value),
    "set": lambda value, _: InSet(value),
    "rights": lambda value, position: Rights(_choice("rights", RIGHTS_CHOICES, value, position)),
    "used": lambda value, position: Used(_choice("used", ("never", "ever"), value, position) == "ever"),
}
