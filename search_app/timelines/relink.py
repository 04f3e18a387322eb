"""Locations of a timeline's sources for its reader: here, beside the timeline, or on another machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_from_bytes

from store.errors import ConfigError

BACKSLASH = "\\"
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


@dataclass(frozen=True, slots=True)
class Relinker:
    """Turns paths of this machine into those that a timeline names.

    Args:
        path_map: beginnings of paths here and what stands for them there; the longest that fits is taken.
        relative_to: the folder of the timeline; paths that no path map holds for are counted from there. They stay
            absolute if None.
    """

    path_map: tuple[tuple[str, str], ...] = ()
    relative_to: Path | None = None

    def place(self, path: str) -> tuple[str, str]:
        """The path that the timeline names, and the same as an address."""
        pair = self.pair_of(path)
        if pair is not None:
            return _joined(pair[1], _below(path, pair[0]) or "")
        if self.relative_to is None:
            return path, "file://" + quote_from_bytes(os.fsencode(path))
        beside = os.path.relpath(path, self.relative_to)
        # `./` keeps a name with a colon in it from being taken for an address.
        return beside, "./" + quote_from_bytes(os.fsencode(beside))

    def pair_of(self, path: str) -> tuple[str, str] | None:
        """Entry of the path map that holds for a path."""
        fitting = [pair for pair in self.path_map if _below(path, pair[0]) is not None]
        return max(fitting, key=lambda pair: len(pair[0]), default=None)

    def without_effect(self, paths: Iterable[str]) -> list[str]:
        """Options that change none of these paths, for people."""
        paths = list(paths)
        pairs = {self.pair_of(path) for path in paths}
        said = [
            f"--path-map {here}={there} changes nothing: no clip's source lies below {here}"
            if not any(_below(path, here) is not None for path in paths)
            else f"--path-map {here}={there} changes nothing: a longer one holds for all below {here}"
            for here, there in self.path_map
            if (here, there) not in pairs
        ]
        if self.relative_to is not None and None not in pairs:
            said.append("--relative changes nothing: a --path-map holds for every source")
        return said


def read_path_map(pairs: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """`FROM=TO` as people write it, several times.

    Raises:
        ConfigError: one is not written so.
    """
    found = []
    for pair in pairs:
        here, equals, there = pair.partition("=")
        if not (here and equals and there):
            raise ConfigError(f"cannot understand the path map {pair!r}: write FROM=TO, such as /media=D:\\media")
        found.append((str(Path(here).absolute()), there))
    return tuple(found)


def _below(path: str, folder: str) -> str | None:
    """Part of the path behind the folder, None if it is elsewhere."""
    if path == folder:
        return ""
    start = folder if folder.endswith("/") else f"{folder}/"
    return path.removeprefix(start) if path.startswith(start) else None


def _joined(there: str, rest: str) -> tuple[str, str]:
    if _DRIVE.match(there) or there.startswith(2 * BACKSLASH):
        plain = f"{there.replace(BACKSLASH, '/').rstrip('/')}/{rest}"
        path = plain.replace("/", BACKSLASH)
        # A share, \\server\media, has its server where a drive has none.
        address = plain if plain.startswith("//") else f"///{plain}"
        return path, "file:" + quote(address, safe="/:", errors="surrogateescape")
    path = f"{there.rstrip('/')}/{rest}"
    prefix = "file://" if path.startswith("/") else "./"
    return path, prefix + quote_from_bytes(os.fsencode(path))
