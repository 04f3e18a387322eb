"""Ctrl-C: heard for the whole of a command, whatever the libraries at work make of it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

EXIT_STATUS = 130
"""Exit status that shells give an interrupted command: 128 + SIGINT."""


@contextmanager
def heard_interrupts() -> Iterator[threading.Event]:
    """Yield an event that the first Ctrl-C sets, which still raises `KeyboardInterrupt`.

    Libraries turn that exception into errors of their own (DuckDB into `RuntimeError: Query interrupted`), so its
    type alone does not tell an interruption from a fault. Outside the main thread, and where interrupts are
    ignored or handled by others, nothing is installed and the event is never set.
    """
    heard = threading.Event()

    def note(_number: int, _frame: object) -> None:
        heard.set()
        raise KeyboardInterrupt

    is_ours = threading.current_thread() is threading.main_thread()
    if not is_ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield heard
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield heard
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
