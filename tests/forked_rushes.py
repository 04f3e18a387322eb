"""The `rushes` command for processes that are forked: imports at once what it would import in each of them."""

from __future__ import annotations

import importlib
import pkgutil

import indexer
import search_app
import store
from search_app.cli import main

_LATE = ("torch", "open_clip", "tokenizers", "PIL.Image", "rich.progress", "rich.table", "opentimelineio")
_A_PROGRAM = ("search_app.app", "search_app.ui", "indexer.media.child", "indexer.demo.train")

for _package in (store, indexer, search_app):
    for _module in pkgutil.walk_packages(_package.__path__, f"{_package.__name__}."):
        if not _module.name.startswith(_A_PROGRAM) and "__main__" not in _module.name:
            importlib.import_module(_module.name)
for _name in _LATE:
    importlib.import_module(_name)


def run_rushes(*words: str) -> None:
    """Do what the words on the command line say, and end as the command does."""
    main(list(words), prog_name="rushes")
