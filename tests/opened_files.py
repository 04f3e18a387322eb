"""Records which files are opened and which programs are started, whatever code does it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Watch:
    """What happened while it was watched.

    Args:
        opened: paths that were opened, as they were given.
        started: arguments of programs that were started.
        connected: addresses that were connected to.
    """

    opened: list[str] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)


_watches: list[Watch] = []


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if not _watches:
        return
    first = arguments[0] if arguments else None
    if event == "open" and isinstance(first, (str, bytes)):
        for watch in _watches:
            watch.opened.append(os.fsdecode(first))
    elif event == "subprocess.Popen":
        for watch in _watches:
            watch.started.append(f"{arguments[0]!r} {arguments[1]!r}")
    elif event in {"socket.connect", "socket.getaddrinfo"}:
        for watch in _watches:
            watch.connected.append(repr(arguments))


sys.addaudithook(_hear)  # can never be taken away again, hence the list


@contextmanager
def watched() -> Iterator[Watch]:
    """What is opened and started inside the block, by Python code of this process."""
    watch = Watch()
    _watches.append(watch)
    try:
        yield watch
    finally:
        _watches.remove(watch)
