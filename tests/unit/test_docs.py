"""The documentation says what is there."""

import re
from pathlib import Path

import pytest

from search_app.cli import main

ROOT = Path(__file__).parents[2]
READMES = [
    path.relative_to(ROOT).as_posix()
    for pattern in (
        "README.md",
        "docs/*.md",
        "indexer/**/*.md",
        "search_app/**/*.md",
        "store/**/*.md",
        "tests/*/*.md",
    )
    for path in sorted(ROOT.glob(pattern))
]


def test_every_command_is_in_the_readme_with_help() -> None:
    """Whoever reads the first page has seen every command."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [] == [name for name in main.commands if f"`rushes {name}" not in text]
    assert all(command.help for command in main.commands.values())


@pytest.mark.parametrize("readme", READMES)
def test_every_link_and_file_named_exists(readme: str) -> None:
    """Links, and names of files in tables, lead somewhere."""
    path = ROOT / readme
    text = path.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if not link.startswith("http")]
    assert [] == [link for link in links if not (path.parent / link).exists()]
    tables = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    named = [name for row in tables for name in re.findall(r"`([\w/.]+\.py)`", row)]
    missing = [name for name in named if not any((folder / name).exists() for folder in _folders(path.parent))]
    assert [] == missing


def _folders(folder: Path) -> list[Path]:
    return [folder, ROOT, *(entry for entry in folder.iterdir() if entry.is_dir())]


def test_make_targets_named_in_the_readme_exist() -> None:
    """Nobody is sent to a target that is not there."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)`", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert set() == named - targets
