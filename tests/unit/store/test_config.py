"""Settings files."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from store.config import read_settings
from store.errors import ConfigError


@dataclass(frozen=True)
class _Inner:
    rate: float = 1.0
    names: tuple[str, ...] = ()
    limit: int | None = None


@dataclass(frozen=True)
class _Outer:
    size: int = 3
    inner: _Inner = field(default_factory=_Inner)

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("size must not be negative")


def _write(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text)
    return path


def test_defaults_then_files_then_overrides(tmp_path: Path) -> None:
    """Later words win, and what nobody mentions keeps its default."""
    file = _write(tmp_path, 'size = 5\n[inner]\nrate = 2\nnames = ["a"]\n')
    settings = read_settings(_Outer, file, overrides={"size": 7, "inner": {"limit": 4, "rate": None}})
    assert _Outer(7, _Inner(2.0, ("a",), 4)) == settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sise = 1", "unknown setting 'sise'; did you mean 'size'"),
        ("[inner]\nrates = 1", "unknown setting 'inner.rates'; did you mean 'inner.rate'"),
        ('size = "big"', "setting 'size' must be int"),
        ("size = true", "setting 'size' must be int"),
        ("inner = 3", "setting 'inner' must be a table"),
        ("size = -1", "size must not be negative"),
        ("size = ", "cannot read the settings file"),
    ],
)
def test_bad_settings_are_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    """The message names the setting and what it should have been."""
    with pytest.raises(ConfigError, match=message):
        read_settings(_Outer, _write(tmp_path, text))
