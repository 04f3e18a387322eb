"""File locations that outlive a mount: a named library root and a path below it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """A file's place: the name of a library root and the path below it."""

    root: str
    relative_path: str


class Places:
    """Turns absolute paths into places.

    Args:
        roots: the library roots the archive knows: name to absolute path.
    """

    def __init__(self, roots: Mapping[str, str]) -> None:
        self._paths = {Path(path): name for name, path in roots.items()}
        self.named: dict[str, str] = {}

    def locate(self, path: Path, found_through: Path) -> Place:
        """The place of an absolute path, below the deepest known root that holds it.

        Where none does, the folder that the file was found through becomes a root, noted in `named`.
        """
        roots = [root for root in self._paths if path.is_relative_to(root)]
        root = max(roots, key=lambda known: len(known.parts), default=found_through)
        if root not in self._paths:
            name = name_root(root)
            self._paths[root] = name
            self.named[name] = str(root)
        return Place(self._paths[root], path.relative_to(root).as_posix())


def name_root(folder: Path) -> str:
    """A readable name for a root, the same for every indexer that meets this folder."""
    digest = hashlib.blake2b(str(folder).encode(), digest_size=4).hexdigest()
    return f"{folder.name or 'root'}-{digest}"
