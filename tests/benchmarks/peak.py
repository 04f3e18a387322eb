"""Peak memory of this process and its children."""

from __future__ import annotations

import threading

import psutil  # type: ignore[import-untyped]  # ships no types


class PeakWatch:
    """Looks at the memory of this process and its children ten times a second; use it as a context.

    Pages of libraries that both have open count for each of them. (Proportional sizes would count them once, but
    depend on what else runs on the machine.)
    """

    def __init__(self) -> None:
        self.before = _mebibytes(psutil.Process())
        self.peak = self.children = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> PeakWatch:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop looking; `peak`, and `children` without us, are final, in MiB."""
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._done.wait(0.1):
            children = sum(_mebibytes(child) for child in me.children(recursive=True))
            self.children = max(self.children, children)
            self.peak = max(self.peak, children + _mebibytes(me))


def _mebibytes(process: psutil.Process) -> float:
    try:
        size_bytes: int = process.memory_info().rss
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0
    return size_bytes / 2**20
