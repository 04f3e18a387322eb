"""The shots that were ticked, in the order in which they were."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from search_app.ranking import Hit


class Order(StrEnum):
    """How ticked shots follow each other in the supercut."""

    TICKED = "As ticked"
    SCORE = "Best first"


@dataclass(slots=True)
class Picks:
    """Ticked hits; they stay while other questions are asked.

    Args:
        hits: by shot, in the order of ticking.
        version: changes when shots were taken out elsewhere than at their own tick box, which then has to be
            drawn anew.
    """

    hits: dict[str, Hit] = field(default_factory=dict)
    version: int = 0

    def __contains__(self, hit: Hit) -> bool:
        """Whether the shot of that hit is ticked."""
        return hit.shot.shot_id in self.hits

    def __len__(self) -> int:
        """How many shots are ticked."""
        return len(self.hits)

    def set(self, hit: Hit, ticked: bool) -> None:
        """Tick a shot, or take its tick away; a shot ticked again keeps its place and score."""
        if ticked:
            self.hits.setdefault(hit.shot.shot_id, hit)
        else:
            self.hits.pop(hit.shot.shot_id, None)

    def remove(self, shot_id: str) -> None:
        """Take one shot out from the list."""
        self.hits.pop(shot_id, None)
        self.version += 1

    def clear(self) -> None:
        """Take all shots out."""
        self.hits.clear()
        self.version += 1

    def ordered(self, order: Order) -> list[Hit]:
        """The ticked hits as they are to follow each other; equal scores keep the order of ticking."""
        hits = list(self.hits.values())
        return hits if order is Order.TICKED else sorted(hits, key=lambda hit: -hit.score)

    @property
    def duration(self) -> Fraction:
        """Length of all ticked shots together in seconds."""
        return sum((hit.span.duration for hit in self.hits.values()), Fraction())
