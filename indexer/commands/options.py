"""Arguments and options that several commands have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from indexer.config import IndexSettings

ARCHIVE = click.argument("archive", type=click.Path(path_type=Path))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
DEVICE = click.option(
    "--device", default="auto", show_default=True, help="Device of the model: auto, cpu, cuda, mps or xpu."
)
CONFIG = click.option(
    "--config",
    "config_files",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A TOML file of settings (configs/default.toml lists them all); may be given several times.",
)


def read_index_settings(config_files: Sequence[Path], overrides: Mapping[str, Any] | None = None) -> IndexSettings:
    """The settings of indexing: files over the defaults, and options over files."""
    from indexer.config import IndexSettings
    from store.config import read_settings

    return read_settings(IndexSettings, *config_files, overrides=overrides or {})
