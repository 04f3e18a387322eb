"""Choice and order of the clips of a supercut, as options of a command."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from search_app.cutting.matches import Bar
from search_app.errors import QueryError

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.cutting.greedy import FitLimits

LIMIT = 10
FIT_LIMIT = 200
_MOST_FIT = 2_000  # every shot is compared with every other
MIN_CLIP = 1.0
MAX_CLIP = 8.0
SEED = 0


class Order(StrEnum):
    """The order of the clips of a supercut."""

    STORY = "story"
    RELEVANCE = "relevance"
    DATE = "date"
    SOURCE = "source"
    LOOK = "look"
    BRIGHTNESS = "brightness"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class CutOptions:
    """Choice and order of clips; None stands for a default, or for no limit.

    Args:
        limit: shots to take, or to choose from if they are fitted.
        max_seconds: longest total length; shots are taken in turn until it is reached.
        handles: seconds added around each shot.
        fit: total length to be filled with the best clips.
        max_per_source: most clips of one video; this and the next three only with `fit`.
        min_gap: seconds between two clips of one video at least.
        min_clip: length of the shortest clip in seconds.
        max_clip: length of the longest clip in seconds.
        order: the order of the clips.
        seed: names a random order.
        avoid_used: whether to leave out what was in an earlier export.
        nearest: take shots as they are ranked, instead of matches alone.
        min_sure: take what is at least so sure, in per cent, instead of matches.

    Raises:
        QueryError: they contradict each other.
    """

    limit: int | None = None
    max_seconds: float | None = None
    handles: float = 0.0
    fit: float | None = None
    max_per_source: int | None = None
    min_gap: float | None = None
    min_clip: float | None = None
    max_clip: float | None = None
    order: Order = Order.STORY
    seed: int | None = None
    avoid_used: bool = False
    nearest: bool = False
    min_sure: float | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        object.__setattr__(self, "order", Order(self.order))  # a plain word will do
        for field in fields(self):
            number = getattr(self, field.name)
            if isinstance(number, float) and not math.isfinite(number):
                raise QueryError(f"{flag_of(field.name)} must be a finite number, got {number}")
        Bar(self.nearest, self.min_sure)  # refuses what contradicts itself
        if self.fit is None:
            self._refuse("only with --fit", "max_per_source", "min_gap", "min_clip", "max_clip")
        else:
            self._refuse("not together with --fit, which chooses the lengths itself", "max_seconds", "handles")
            if self.n_shots > _MOST_FIT:
                raise QueryError(f"--fit chooses from at most {_MOST_FIT} shots; lower --limit")
        if self.order is not Order.RANDOM:
            self._refuse("only with --order random", "seed")
        if self.min_clip is not None and self.max_clip is not None and self.min_clip > self.max_clip:
            raise QueryError(f"--min-clip {self.min_clip:g} is longer than --max-clip {self.max_clip:g}")
        if self.min_clip is not None and self.fit is not None and self.min_clip > self.fit:
            raise QueryError(f"--min-clip {self.min_clip:g} is longer than --fit {self.fit:g}")

    def _refuse(self, why: str, *names: str) -> None:
        usual = {field.name: field.default for field in fields(self)}
        given = [flag_of(name) for name in names if getattr(self, name) != usual[name]]
        if given:
            raise QueryError(f"{', '.join(given)}: {why}")

    @property
    def bar(self) -> Bar:
        """Bar that an answer must reach to be taken."""
        return Bar(self.nearest, self.min_sure)

    @property
    def n_shots(self) -> int:
        """Number of shots to take at most, or to choose from if they are fitted."""
        return self.limit or (LIMIT if self.fit is None else FIT_LIMIT)

    @property
    def random_seed(self) -> int:
        """Seed of the random order."""
        return SEED if self.seed is None else self.seed

    @property
    def limits(self) -> FitLimits:
        """Limits of a fitted cut list."""
        from search_app.cutting.greedy import FitLimits

        shortest = MIN_CLIP if self.min_clip is None else self.min_clip
        longest = max(MAX_CLIP, shortest) if self.max_clip is None else self.max_clip
        return FitLimits(
            exact_seconds(self.fit or 0.0),
            self.max_per_source,
            exact_seconds(self.min_gap or 0.0),
            exact_seconds(min(shortest, longest, self.fit or 0.0)),
            exact_seconds(longest),
        )

    def provenance(self) -> dict[str, Any]:
        """Entries for the ledger."""
        entries = {"order": self.order.value, "avoid_used": self.avoid_used, **self.bar.provenance()}
        if self.order is Order.RANDOM:
            entries["seed"] = self.random_seed
        if self.fit is not None:
            limits = self.limits
            entries["fit"] = {
                "seconds": float(limits.seconds),
                "max_per_source": limits.max_per_source,
                "min_gap": float(limits.min_gap),
                "min_clip": float(limits.min_clip),
                "max_clip": float(limits.longest_clip),
                "chosen_from": self.n_shots,
            }
        return entries


def flag_of(name: str) -> str:
    """An option as people type it: `--min-clip`."""
    return f"--{name.replace('_', '-')}"


def exact_seconds(seconds: float) -> Fraction:
    """Seconds as a person types them."""
    # What a person types as 0.1 is meant as a tenth, not as the nearest binary fraction.
    return Fraction(str(seconds))
