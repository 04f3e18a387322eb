"""Frozen dataclasses as plain data and back: fractions as `n/d`, enumerations as values, nothing left out."""

from __future__ import annotations

import dataclasses
import functools
import sys
import types
from collections.abc import Mapping, Sequence
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from search_app.search.fusion import Match
from store.limited import read_fraction
from store.records import ShotRow

_KNOWN = {"Match": Match, "ShotRow": ShotRow}
"""Names that some modules import for type checkers alone."""

MOST_CHARACTERS = 100_000
MOST_MEMBERS = 100_000
_MOST_SHOWN = 100


def to_plain(value: Any) -> Any:
    """The value as JSON can hold it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    return _plain_value(value)


def _plain_value(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, Path):
        return str(value.absolute())
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise TypeError(f"{type(value).__name__} cannot be written as plain data")


def from_plain(kind: Any, data: Any) -> Any:
    """Inverse of `to_plain` for this type: a dataclass, or any type that a field of one may have.

    Raises:
        ValueError: the data does not fit the type: a field is missing, unknown, or of another type; or it is
            longer than anything that is written here.
    """
    return _read(kind, data, getattr(kind, "__name__", str(kind)))


def _is_within(data: Any) -> bool:
    if isinstance(data, str):
        return len(data) <= MOST_CHARACTERS
    if isinstance(data, (list, Mapping)):
        return len(data) <= MOST_MEMBERS
    return not isinstance(data, int) or -(2**63) <= data < 2**63


def _refusal(name: str, data: Any) -> ValueError:
    shown = repr(data) if isinstance(data, (str, int, float)) else type(data).__name__
    return ValueError(f"{name} cannot be {shown if len(shown) <= _MOST_SHOWN else shown[:_MOST_SHOWN] + '...'}")


def _read(hint: Any, data: Any, name: str) -> Any:
    if not _is_within(data):
        raise _refusal(name, data)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _read_record(hint, data, name)
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _read_union(inner, data, name)
    if origin in (tuple, Sequence) and isinstance(data, list):
        kinds = inner[:1] * len(data) if origin is Sequence or inner[-1] is Ellipsis else inner
        if len(kinds) == len(data):
            return tuple(_read(kind, item, name) for kind, item in zip(kinds, data, strict=True))
    if origin is not None and issubclass(origin, Mapping) and isinstance(data, Mapping):
        return {key: _read(inner[1], item, name) for key, item in data.items()}
    if isinstance(hint, type) and issubclass(hint, (Fraction, Enum, Path)) and isinstance(data, str):
        return read_fraction(data) if hint is Fraction else hint(data)
    if hint is Any or (hint is float and type(data) is int) or type(data) is hint:
        return float(data) if hint is float else data
    raise _refusal(name, data)


def _read_record(kind: Any, data: Any, name: str) -> Any:
    if not isinstance(data, Mapping):
        raise _refusal(name, data)
    hints = _hints(kind)
    if unknown := sorted(set(data) - set(hints)):
        raise ValueError(f"{name} has no {unknown[0][:_MOST_SHOWN]}")
    values = {key: _read(hints[key], item, f"{name}.{key}") for key, item in data.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{name} is not whole: {error}") from error


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, {**vars(sys.modules[kind.__module__]), **_KNOWN})


def _read_union(kinds: tuple[Any, ...], data: Any, name: str) -> Any:
    if data is None and type(None) in kinds:
        return None
    some = [kind for kind in kinds if kind is not type(None)]
    if len(some) == 1:  # says better what is wrong
        return _read(some[0], data, name)
    for kind in some:
        try:
            return _read(kind, data, name)
        except ValueError:
            continue
    raise _refusal(name, data)
