"""Pieces made before their turn: while one gets its sound and its place, the next are encoded.

One encoder does not keep a machine busy: it starts, waits for its first frames, and ends with fewer threads than
it began with. Two at once do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from types import TracebackType

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import thread_count
from search_app.conforming.conform import Conformed

N_AT_ONCE = 2
_TICK_SECONDS = 0.2  # how often is told how far a piece is, and how soon a cancel is noticed

Make = Callable[[threading.Event, Callable[[int], None]], Conformed]
"""Makes a piece; gets what stops it, and whom to tell how many frames are encoded."""


def n_threads_for(n_frames: int, n_all: int) -> int | None:
    """Threads for a piece: a short one shares the machine, which costs less, and a long one has it to itself."""
    return max(1, thread_count() // N_AT_ONCE) if n_frames * 2 * N_AT_ONCE <= n_all else None


@dataclass
class Ahead:
    """A few pieces in the making, by their keys. At its end all that nobody waited for is stopped.

    Args:
        cancel: stops waiting when set.
    """

    cancel: threading.Event
    _stop: threading.Event = field(default_factory=threading.Event)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(N_AT_ONCE))
    _begun: dict[str, Future[Conformed]] = field(default_factory=dict)
    _n_encoded: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> Ahead:
        """Nothing is made yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        """Stop what is still being made, and wait until it has stopped."""
        self._stop.set()
        self._pool.shutdown(cancel_futures=True)

    def begin(self, key: str, make: Make) -> None:
        """Have a piece made in a thread; one of this key that is begun already will do."""
        if key not in self._begun:
            self._begun[key] = self._pool.submit(make, self._stop, lambda n: self._n_encoded.update({key: n}))

    def take(self, key: str, tell: Callable[[int], None] | None) -> Conformed | None:
        """The piece once it is made; None if it was never begun.

        Raises:
            FfmpegError: it could not be made, or all was cancelled.
        """
        begun = self._begun.pop(key, None)
        while begun and not begun.done():
            wait([begun], _TICK_SECONDS)
            if self.cancel.is_set():
                raise FfmpegError("cancelled")
            if tell:
                tell(self._n_encoded.get(key, 0))
        return begun.result() if begun else None
