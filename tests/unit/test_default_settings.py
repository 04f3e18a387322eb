"""The settings files that ship with Rushes."""

import tomllib
from dataclasses import asdict, field, fields, make_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from indexer.config import IndexSettings
from indexer.stages.makers import EnrichSettings
from search_app.config import SearchSettings
from store.config import read_settings

CONFIGS = Path(__file__).parents[2] / "configs"


_FIELDS = [
    (one.name, get_type_hints(settings)[one.name], field(default_factory=one.default_factory))
    for settings in (IndexSettings, EnrichSettings)
    for one in fields(settings)
]
ALL_SETTINGS: type[Any] = make_dataclass("AllSettings", _FIELDS, frozen=True)
"""Whatever one file of settings of indexing may hold."""


@pytest.mark.parametrize(("name", "settings"), [("default.toml", ALL_SETTINGS), ("search.toml", SearchSettings)])
def test_the_default_file_is_the_defaults(name: str, settings: type[Any]) -> None:
    """It lists every setting, and each has the value that the code uses without it."""
    listed = tomllib.loads((CONFIGS / name).read_text(encoding="utf-8"))
    in_code = asdict(settings())
    assert {table: set(values) for table, values in in_code.items()} == {
        table: set(values) for table, values in listed.items()
    }
    assert settings() == read_settings(settings, CONFIGS / name)


@pytest.mark.parametrize("name", ["fast.toml", "quality.toml"])
def test_the_other_files_hold_only_differences(name: str) -> None:
    """Each of their settings changes something."""
    differences = tomllib.loads((CONFIGS / name).read_text(encoding="utf-8"))
    in_code = asdict(IndexSettings())
    for table, values in differences.items():
        assert all(in_code[table][key] != value for key, value in values.items())
    assert IndexSettings() != read_settings(IndexSettings, CONFIGS / name)
