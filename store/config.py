"""Settings: TOML files read once into frozen dataclasses that check themselves."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from store.errors import ConfigError
from store.limited import read_limited_text

MOST_BYTES = 2**20
MOST_NUMBER = 10**12
SettingsT = TypeVar("SettingsT")


def read_settings(cls: type[SettingsT], *files: Path, overrides: Mapping[str, Any] | None = None) -> SettingsT:
    """Settings of type `cls`: its defaults, then each file over those before it, then `overrides`.

    A nested dataclass is a TOML table. Unknown keys are refused, naming the nearest valid one.

    Args:
        cls: a frozen dataclass whose fields all have defaults.
        files: TOML files.
        overrides: nested like the files; values that are None are left out.

    Raises:
        ConfigError: a file cannot be read, or a key or value cannot be used.
    """
    merged: dict[str, Any] = {}
    for file in files:
        try:
            _merge(merged, tomllib.loads(read_limited_text(file, MOST_BYTES)))
        except (OSError, ValueError, RecursionError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise ConfigError(f"cannot read the settings file {file}: {reason}") from error
    _merge(merged, overrides or {})
    return _build(cls, merged, "")


def _merge(into: dict[str, Any], over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, Mapping):
            inner = into.setdefault(key, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"'{key}' is a value in one place and a table in another")
            _merge(inner, value)
        elif value is not None:
            into[key] = value


def _build(cls: type[SettingsT], values: Mapping[str, Any], prefix: str) -> SettingsT:
    hints = get_type_hints(cls)
    arguments: dict[str, Any] = {}
    defaults = {one.name: one.default_factory for one in dataclasses.fields(cast(Any, cls))}
    for key, value in values.items():
        _refuse_unknown(key, hints, prefix)
        if get_origin(hints[key]) is Mapping:
            arguments[key] = _convert_mapping(hints[key], cast(Any, defaults[key])(), value, prefix + key)
        else:
            arguments[key] = _convert(hints[key], value, prefix + key)
    try:
        return cls(**arguments)
    except ValueError as error:
        raise ConfigError(f"settings of '{prefix.rstrip('.') or 'the file'}': {error}") from error


def _refuse_unknown(key: str, known: Iterable[str], prefix: str) -> None:
    if key not in (names := list(known)):
        near = difflib.get_close_matches(key, names, n=1, cutoff=0)
        raise ConfigError(f"unknown setting '{prefix}{key}'; did you mean '{prefix}{near[0]}'?")


def _convert_mapping(hint: Any, default: Mapping[str, Any], value: Any, name: str) -> dict[str, Any]:
    """A table over the default one, which names every key that there is."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"setting '{name}' must be a table")
    for key in value:
        _refuse_unknown(key, default, f"{name}.")
    return {**default, **{key: _convert(get_args(hint)[1], one, f"{name}.{key}") for key, one in value.items()}}


def _convert(hint: Any, value: Any, name: str) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, Mapping):
            raise ConfigError(f"setting '{name}' must be a table")
        return _build(hint, value, name + ".")
    if get_origin(hint) is tuple and isinstance(value, list):
        inner = get_args(hint)[0]
        return tuple(_convert(inner, item, name) for item in value)
    if type(value) in (int, float) and not abs(value) <= MOST_NUMBER:  # nor nan, which compares with nothing
        raise ConfigError(f"setting '{name}' cannot be {str(value)[:40]}")
    allowed = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    if float in allowed and type(value) is int:
        return float(value)
    if type(value) not in allowed:
        wanted = " or ".join(kind.__name__ for kind in allowed if kind is not type(None))
        raise ConfigError(f"setting '{name}' must be {wanted}, got {value!r:.100}")
    return value
