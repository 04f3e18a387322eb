"""File locations that outlive a mount: a named library root and a path below it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_RANDOM_END = re.compile(r"-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Place:
    """A file's place: the id of a library root and the path below it."""

    root: str
    relative_path: str


def new_root_id(folder: Path) -> str:
    """A new id for a library root: the folder's name, to be read, and random digits.

    Nothing of the path decides it: another disk may be mounted there, or the same disk elsewhere.
    """
    return f"{folder.name or 'root'}-{secrets.token_hex(4)}"


def name_of_root(root_id: str) -> str:
    """The readable part of a root's id."""
    ending = _RANDOM_END.search(root_id, max(0, len(root_id) - 9))
    return root_id[: ending.start()] if ending and ending.end() == len(root_id) else root_id


class Places:
    """Turns absolute paths into places.

    Args:
        roots: the library roots the archive knows: id to absolute path.
        name_root: gives the id of a folder that becomes a root.
    """

    def __init__(self, roots: Mapping[str, str], name_root: Callable[[Path], str] = new_root_id) -> None:
        # Of two roots at one folder the first id holds, for every indexer.
        self._ids = {Path(path): root_id for root_id, path in sorted(roots.items(), reverse=True)}
        self._name_root = name_root

    def locate(self, path: Path, found_through: Path) -> Place:
        """The place of an absolute path, below the deepest known root that holds it.

        Where none does, the folder that the file was found through becomes a root.
        """
        roots = [root for root in self._ids if path.is_relative_to(root)]
        root = max(roots, key=lambda known: len(known.parts), default=found_through)
        if root not in self._ids:
            self._ids[root] = self._name_root(root)
        return Place(self._ids[root], path.relative_to(root).as_posix())
