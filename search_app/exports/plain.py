"""Frozen dataclasses as plain data and back: fractions as `n/d`, enumerations as values, nothing left out."""

from __future__ import annotations

import dataclasses
import sys
import types
from collections.abc import Mapping, Sequence
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from search_app.fusion import Match
from store.records import ShotRow

_KNOWN = {"Match": Match, "ShotRow": ShotRow}
"""Names that some modules import for type checkers alone."""


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
    """What `to_plain` was given, if it was of this type: a dataclass, or any type that a field of one may have.

    Raises:
        ValueError: the data does not fit the type: a field is missing, unknown, or of another type.
    """
    return _read(kind, data, getattr(kind, "__name__", str(kind)))


def _read(hint: Any, data: Any, name: str) -> Any:
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
        return hint(data)
    if hint is Any or (hint is float and type(data) is int) or type(data) is hint:
        return float(data) if hint is float else data
    raise ValueError(f"{name} cannot be {data!r}")


def _read_record(kind: Any, data: Any, name: str) -> Any:
    if not isinstance(data, Mapping):
        raise ValueError(f"{name} cannot be {data!r}")
    hints = get_type_hints(kind, {**vars(sys.modules[kind.__module__]), **_KNOWN})
    if unknown := sorted(set(data) - set(hints)):
        raise ValueError(f"{name} has no {unknown[0]}")
    values = {key: _read(hints[key], item, f"{name}.{key}") for key, item in data.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{name} is not whole: {error}") from error


def _read_union(kinds: tuple[Any, ...], data: Any, name: str) -> Any:
    for kind in kinds:
        if kind is type(None):
            if data is None:
                return None
            continue
        try:
            return _read(kind, data, name)
        except ValueError:
            continue
    raise ValueError(f"{name} cannot be {data!r}")
