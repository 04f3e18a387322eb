"""Answers that are taken: matches, or, if asked for, all that reach another bar, or simply the nearest."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from search_app.confidence.certainty import MEDIUM_FROM, Certainty
from search_app.errors import CutError, QueryError

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.cutting.cut_list import LeftOut
    from search_app.search.ranking import Hit

NOT_SURE = "not sure"
NOT_KNOWN = "the archive holds too few frames to tell"
USED = "used in an earlier export"

LOOKED_AT = 400
"""So many answers are looked at for matches, at least: fewer than vote in a search, so that it costs nothing."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Bar that an answer must reach to be taken; words of its texts, and filters alone, always do.

    Args:
        nearest: take answers as they are ranked, whatever they reach.
        min_sure: the confidence from which on they are taken, in per cent; that of a match if None.

    Raises:
        QueryError: both are given, or `min_sure` is no number from 0 to 100.
    """

    nearest: bool = False
    min_sure: float | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if self.min_sure is None:
            return
        if not 0 <= self.min_sure <= 100:
            raise QueryError(f"--min-sure must be a number from 0 to 100 per cent, got {self.min_sure:g}")
        if self.nearest:
            raise QueryError("--nearest takes shots however sure they are: not together with --min-sure")

    @classmethod
    def of_provenance(cls, entries: Mapping[str, Any]) -> Self:
        """The bar that a cut list was made with, as `provenance` wrote it down."""
        bar = entries.get("min_sure") if isinstance(entries, Mapping) else None  # settings may be a stranger's
        is_bar = isinstance(bar, int | float) and not isinstance(bar, bool) and 0 <= bar <= 100
        return cls(min_sure=bar if is_bar else None)

    def takes(self, hit: Hit) -> bool:
        """Whether an answer is taken."""
        return self.nearest or hit.reaches(MEDIUM_FROM if self.min_sure is None else self.min_sure / 100)

    def depth(self, n_shots: int) -> int:
        """Number of answers to look at for so many shots."""
        return max(n_shots, LOOKED_AT)  # what is missing or was used makes room for the next

    def provenance(self) -> dict[str, Any]:
        """Entries for a ledger; none for matches, which are usual."""
        entries: dict[str, Any] = {"nearest": True} if self.nearest else {}
        return entries if self.min_sure is None else {**entries, "min_sure": self.min_sure}


def take_answers(
    hits: Sequence[Hit],
    n_shots: int,
    bar: Bar,
    used: Collection[str] = (),
    gone: Mapping[str, str] | None = None,
) -> tuple[list[Hit], list[LeftOut]]:
    """The first so many answers that reach the bar and were not used, and those before them that are left out.

    Where fewer are found, answers beyond the first `n_shots` are not named: whoever wants ten shots learns
    what became of the first ten.

    Args:
        hits: the answers, best first.
        n_shots: how many to take at most.
        bar: what they must reach.
        used: ids of shots to avoid.
        gone: for each video whose file is not there, the reason to leave it out.
    """
    from search_app.cutting.cut_list import LeftOut

    gone = gone or {}
    taken: list[Hit] = []
    left_out: list[tuple[int, LeftOut]] = []
    n_named = n_shots
    for place, hit in enumerate(hits, start=1):
        if len(taken) == n_shots:
            break
        if not bar.takes(hit):
            left_out.append((place, LeftOut(hit, _why_not(hit))))
            continue
        n_named = max(n_named, place)
        reasons = [gone[part.shot.video_id] for part in hit.parts if part.shot.video_id in gone]
        if reasons:
            left_out.append((place, LeftOut(hit, reasons[0])))
        elif any(part.shot.shot_id in used for part in hit.parts):
            left_out.append((place, LeftOut(hit, USED)))
        else:
            taken.append(hit)
    return taken, [left for place, left in left_out if place <= n_named]


def _why_not(hit: Hit) -> str:
    return NOT_KNOWN if hit.certainty is Certainty.UNKNOWN else NOT_SURE


def reason_with_way_out(reason: str) -> str:
    """Why something is left out, for people at a command line: with the option that takes it, if there is one."""
    ways = {NOT_SURE: "--nearest or --min-sure takes such shots", NOT_KNOWN: "--nearest takes such shots"}
    return f"{reason} ({ways[reason]})" if reason in ways else reason


def refuse_no_answer(hits: Sequence[Hit], question: str, bar: Bar, remarks: Sequence[str] = ()) -> None:
    """Refuse to cut what does not answer, and name the ways out.

    Args:
        hits: the answer.
        question: as it was asked.
        bar: what a film takes.
        remarks: what the search says of what it found nothing of.

    Raises:
        CutError: there are no shots, or none that reaches the bar.
    """
    if not hits:
        raise CutError(f"no shots for {question!r}: {'; '.join(remarks) or 'nothing to cut'}")
    if any(map(bar.takes, hits)):
        return
    nearest = "--nearest takes the nearest shots all the same"
    known = [hit.confidence for hit in hits if hit.confidence is not None]
    if not known:
        raise CutError(f"what matches {question!r} is not known: {NOT_KNOWN}; {nearest}")
    surest = math.floor(100 * max(known))
    what = "nothing here matches" if bar.min_sure is None else f"nothing here is {bar.min_sure:g} % sure for"
    raise CutError(
        f"{what} {question!r}, the surest is {surest} %; {nearest}, --min-sure {surest} what is at least so sure"
    )
