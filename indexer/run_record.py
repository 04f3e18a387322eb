"""Record of a run of the indexer: its begin and end."""

from __future__ import annotations

import contextlib
import secrets
from collections import Counter
from collections.abc import Sequence
from types import TracebackType

from store.archive import Archive
from store.errors import ArchiveError
from store.events import RunBegan, RunEnded
from store.records import Outcome


class RunRecord:
    """Records the begin of a run, and its end however it ends; a killed run has none. Use it as a context.

    Args:
        archive: where.
        paths: what is to be indexed, as absolute paths.
    """

    def __init__(self, archive: Archive, paths: Sequence[str]) -> None:
        self._archive = archive
        self._paths = tuple(paths)
        self._run = secrets.token_hex(6)
        self._counts: Counter[str] = Counter()

    def count(self, outcome: Outcome) -> None:
        """One file of the run is done."""
        self._counts[outcome.status.value] += 1

    def __enter__(self) -> None:
        """Record the begin."""
        self._archive.record([RunBegan(self._run, self._paths)])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Record the end."""
        if error is None:
            ended, reason = "done", ""
        elif isinstance(error, Exception):
            ended, reason = "failed", str(error) if isinstance(error, ArchiveError) else repr(error)
        else:  # Ctrl-C, or whoever took the outcomes wants no more of them
            ended, reason = "stopped", ""
        # What stopped the run, such as a full disk, is what is to be told.
        with contextlib.suppress(ArchiveError) if error else contextlib.nullcontext():
            self._archive.record([RunEnded(self._run, ended, reason, dict(self._counts))])
