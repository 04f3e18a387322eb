"""A file of rules in TOML, read into values; unknown keys are refused with the nearest valid one."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from search_app.rules.rule import STAGES_OF, RuleBook
from store.config import MOST_BYTES, read_settings
from store.errors import ConfigError
from store.limited import read_limited_text

_LISTS: Final = (*STAGES_OF, "videos")
_TABLES: Final = ("when", "unless")


def read_rules(file: Path) -> RuleBook:
    """The rules of a file.

    Where a list has one entry, the entry alone will do: `label = "computer"`, `when = { ... }`.

    Raises:
        ConfigError: it cannot be read, holds no rules, or a key or value cannot be used.
    """
    try:
        plain = tomllib.loads(read_limited_text(file, MOST_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ConfigError(f"cannot read the rules {file}: {reason}") from error
    try:
        book = read_settings(RuleBook, overrides=_with_lists(plain))
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from error
    if not book.rule:
        raise ConfigError(f"{file} holds no rules; begin one with [[rule]] (configs/rules.toml has examples)")
    return book


def _with_lists(value: Any) -> Any:
    """The same with lists around what stands alone."""
    if isinstance(value, list):
        return [_with_lists(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: _with_lists(one) for key, one in value.items()}
    for key, one in made.items():
        is_alone = isinstance(one, str) if key in _LISTS else key in _TABLES and isinstance(one, dict)
        if is_alone:
            made[key] = [one]
    return made
