"""Events as plain data for a line of JSON, and back: a line that is sealed may still be a stranger's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from functools import cache
from typing import Any, get_args

from store.events import Event
from store.records import EmbeddingSpace

_CLASSES: dict[str, type[Event]] = {cls.kind: cls for cls in get_args(Event)}


def event_to_fields(event: Event) -> dict[str, Any]:
    """Plain data for a line of JSON."""
    return {"kind": event.kind, **asdict(event)}


def event_from_fields(plain: Mapping[str, Any]) -> Event | None:
    """The event that `event_to_fields` made plain, or None for a kind that only a newer Rushes knows.

    Raises:
        ValueError: a field is missing, or not of its type.
    """
    cls = _CLASSES.get(str(plain.get("kind")))
    if cls is None:
        return None
    kinds = _kinds_of(cls.kind)
    known = {name: _READERS[kind](name, plain[name]) for name, kind in kinds.items() if name in plain}
    try:
        return cls(**known)
    except TypeError as error:
        raise ValueError(f"an event of the kind {cls.kind!r} is not whole: {error}") from error


@cache
def _kinds_of(kind: str) -> dict[str, str]:
    """For each field of a kind of event its type, as it is written there."""
    return {one.name: str(one.type) for one in fields(_CLASSES[kind])}


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} of an event is no text")
    return value


def _number(name: str, value: Any) -> int:
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise ValueError(f"{name} of an event is no number of 64 bits")
    return value


def _flag(name: str, value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError(f"{name} of an event is neither true nor false")
    return value


def _mapping(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} of an event is no mapping")
    return value


def _texts(name: str, value: Any) -> dict[str, str]:
    return {key: _text(name, one) for key, one in _mapping(name, value).items()}


def _mappings(name: str, value: Any) -> dict[str, dict[str, Any]]:
    return {_word(name, key): _mapping(name, one) for key, one in _mapping(name, value).items()}


def _list(name: str, value: Any) -> Sequence[Any]:
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{name} of an event is no list")
    return value


def _word(name: str, value: Any) -> str:
    if len(_text(name, value).split()) != 1 or value != value.strip():
        raise ValueError(f"{name} of an event is not one word")
    return str(value)


def _words(name: str, value: Any) -> tuple[str, ...]:
    return tuple(_word(name, one) for one in _list(name, value))


def _lines(name: str, value: Any) -> tuple[str, ...]:
    return tuple(_text(name, one) for one in _list(name, value))


def _counts(name: str, value: Any) -> dict[str, int]:
    return {key: _number(name, one) for key, one in _mapping(name, value).items()}


def _stretches(name: str, value: Any) -> tuple[tuple[str, ...], ...]:
    found = tuple(tuple(_text(name, text) for text in _list(name, one)) for one in _list(name, value))
    if any(len(one) != 3 for one in found):
        raise ValueError(f"{name} of an event are no stretches")
    return found


def _space(name: str, value: Any) -> EmbeddingSpace:
    try:
        return EmbeddingSpace(**_mapping(name, value))
    except TypeError as error:
        raise ValueError(f"{name} of an event is not whole: {error}") from error


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "str": _text,
    "int": _number,
    "bool": _flag,
    "EmbeddingSpace": _space,
    "Mapping[str, str]": _texts,
    "Mapping[str, int]": _counts,
    "Paths": _lines,
    "Mapping[str, Any]": _mapping,
    "Mapping[str, Mapping[str, Any]]": _mappings,
    "tuple[str, ...]": _words,
    "tuple[tuple[str, str, str], ...]": _stretches,
}
"""Readers of fields by their type: a line that is sealed may still be a stranger's."""
