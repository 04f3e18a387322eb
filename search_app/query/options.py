"""Options of answering, besides the question."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from search_app.errors import QueryError


class Sort(StrEnum):
    """The order of the answers."""

    RELEVANCE = "relevance"
    DATE = "date"
    DURATION = "duration"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """Options of answering, besides the question.

    Args:
        limit: hits on a page.
        page: which page, from 1; pages of one generation do not overlap and leave nothing out.
        sort: by relevance, every shot has a place; any other order lists only what surely matches
            of the 5,000 nearest shots, or, for a question of filters alone, everything.
        variety: 0 for the best, 1 for what is unlike all before it; orders what surely matches, before all else.
        merge: whether neighbouring shots that answer together are one hit.
        stack: whether one hit stands for all shots that show the same picture.
        keep: ids of shots that are right: the question moves towards them.
        reject: ids of shots that are wrong: they go, and the question moves away from them.
    """

    limit: int = 20
    page: int = 1
    sort: Sort = Sort.RELEVANCE
    variety: float = 0.0
    merge: bool = False
    stack: bool = True
    keep: tuple[str, ...] = ()
    reject: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be answered."""
        if self.limit < 1 or self.page < 1:
            raise QueryError(f"limit and page must be at least 1, got {self.limit} and {self.page}")
        if not 0 <= self.variety <= 1:
            raise QueryError(f"variety must lie between 0 and 1, got {self.variety:g}")
        if self.sort not in list(Sort):
            raise QueryError(f"answers are sorted by {', '.join(Sort)}, not by {self.sort}")
        object.__setattr__(self, "sort", Sort(self.sort))  # a plain word will do

    @property
    def depth(self) -> int:
        """Hits up to the end of the page."""
        return self.limit * self.page
