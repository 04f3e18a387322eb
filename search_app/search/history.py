"""History of questions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.archive import Archive


@dataclass(frozen=True, slots=True)
class PastSearch:
    """A question that was asked.

    Args:
        at: when, ISO 8601 in UTC.
        query: the question.
        n_hits: how many shots the page held.
    """

    at: str
    query: str
    n_hits: int


def remember(archive: Archive, query: str, n_hits: int) -> None:
    """Note a question; where the archive cannot be written, nothing happens, since nothing depends on it."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    archive.note_history({"at": at, "query": query, "hits": n_hits})


def read_history(archive: Archive) -> list[PastSearch]:
    """History of questions, the latest first."""
    return [
        PastSearch(line["at"], line["query"], line["hits"])
        for line in reversed(archive.history())
        if [type(line.get(name)) for name in ("at", "query", "hits")] == [str, str, int]
    ]
