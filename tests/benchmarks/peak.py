"""Peak memory of this process and its children."""

from __future__ import annotations

import threading

import psutil  # type: ignore[import-untyped]  # ships no types


class PeakWatch:
    """Looks at the memory of this process and its children ten times a second; use it as a context.

    Pages of libraries that both have open count for each of them. (Proportional sizes would count them once, but
    depend on what else runs on the machine.) A child that has not become its program yet has our memory: it counts
    for nothing.
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
        ours = me.cmdline()
        while not self._done.wait(0.1):
            children = sum(_mebibytes(child) for child in me.children(recursive=True) if not _is_copy(child, ours))
            self.children = max(self.children, children)
            self.peak = max(self.peak, children + _mebibytes(me))


def _is_copy(child: psutil.Process, ours: list[str]) -> bool:
    """Whether a child is between fork and exec, where it has our memory."""
    try:
        return bool(child.cmdline() == ours)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def _mebibytes(process: psutil.Process) -> float:
    try:
        size_bytes: int = process.memory_info().rss
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0
    return size_bytes / 2**20
