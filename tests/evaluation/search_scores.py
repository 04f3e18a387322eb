"""How well the benchmark sets are answered: counts, and a table of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from tests.evaluation.absent_set import ANY_WORDS, MIXTURES, PRESENT
from tests.evaluation.drawn_films import Place, Take

if TYPE_CHECKING:
    from search_app.search.ranking import Hit
    from tests.evaluation.search_cases import Case
    from tests.evaluation.set_archives import IndexedSet

_LISTED = 10
_ALL = 1_000


@dataclass(frozen=True, slots=True)
class Score:
    """One line of the table.

    Args:
        name: what is counted.
        n: how often it was so.
        n_all: of how many.
    """

    name: str
    n: int
    n_all: int

    @property
    def share(self) -> float:
        """The part of all for which it was so."""
        return self.n / self.n_all


def score_shots(indexed: IndexedSet) -> Score:
    """Whether every drawn shot became one shot of the archive: without that the other figures mean little."""
    n_drawn, n_indexed = len(indexed.search_set.shots()), indexed.archive.snapshot().counts().shots
    return Score("shots of the archive that are the drawn ones", min(n_drawn, n_indexed), max(n_drawn, n_indexed))


def score_first(indexed: IndexedSet) -> list[Score]:
    """How often the first hit is a right one."""
    right = [_is_first_right(indexed, case) for case in indexed.search_set.cases]
    return [_count("right shot at rank 1", right)]


def score_kinds(indexed: IndexedSet) -> list[Score]:
    """How often the first hit is a right one, for each kind of question."""
    kinds = _by_kind(indexed.search_set.cases)
    return [
        _count(f"at rank 1: {kind}", [_is_first_right(indexed, case) for case in cases])
        for kind, cases in kinds.items()
    ]


def score_negation(indexed: IndexedSet) -> list[Score]:
    """Whether what is unwanted is kept out, and what is right is still found."""
    clean, clean_places, found, lost = [], [], [], []
    for case in indexed.search_set.cases:
        listed = [indexed.place(hit.shot.shot_id) for hit in indexed.ask(case, limit=_LISTED).hits]
        everything = {indexed.place(hit.shot.shot_id) for hit in indexed.ask(case, limit=_ALL, stack=False).hits}
        clean.append(not set(listed) & set(case.wrong))
        clean_places += [place not in case.wrong for place in listed]
        found.append(listed[0] in case.right)
        lost += [place in everything for place in case.right]
    return [
        _count("questions with no unwanted shot among the first 10", clean),
        _count("places among the first 10 without the unwanted", clean_places),
        _count("right shot at rank 1", found),
        _count("right shots that minus did not take out", lost),
    ]


def score_order(indexed: IndexedSet) -> list[Score]:
    """Whether the first hit is the right pair, also where the time between them is limited."""

    def is_right(case: Case) -> bool:
        steps = indexed.ask(case, limit=1).hits[0].steps
        return (indexed.place(steps[0].shot.shot_id), indexed.place(steps[-1].shot.shot_id)) == (
            case.right[0],
            case.then[0],
        )

    within = [is_right(case) for case in indexed.search_set.cases if "WITHIN" in case.query]
    return [
        _count("right pair at rank 1", [is_right(case) for case in indexed.search_set.cases]),
        _count("of these, with WITHIN and a pair that is too far apart", within),
    ]


def score_duplicates(indexed: IndexedSet) -> list[Score]:
    """Whether copies become one hit, and nothing else does, in any answer at any rank."""
    copies = {place for group in indexed.search_set.groups for place in group}
    shots = dict(indexed.search_set.shots())
    first, whole, joined = [], [], set[Place]()
    for case in indexed.search_set.cases:
        stacks = [_places_of(indexed, hit) for hit in indexed.ask(case, limit=_ALL).hits]
        first.append(not stacks[0].isdisjoint(case.right))
        own = next(stack for stack in stacks if case.right[0] in stack)
        whole.append(own == set(case.right))
        joined.update(*(stack for stack in stacks if len(stack) > 1))
    return [
        _count("right stack at rank 1", first),
        _count("original, copy and other take in one stack, and nothing else", whole),
        _count("black shots that are never stacked", _stay_alone(shots, joined, black=True, but=copies)),
        _count("shots without a copy that are never stacked", _stay_alone(shots, joined, black=False, but=copies)),
    ]


def _stay_alone(shots: Mapping[Place, Take], joined: set[Place], *, black: bool, but: set[Place]) -> list[bool]:
    """For each shot without a copy, black or not, whether it is in no stack."""
    return [
        place not in joined for place, take in shots.items() if place not in but and (take.scene is None) == black
    ]


def score_absent(indexed: IndexedSet) -> list[Score]:
    """How often "nothing here matches" is said, to what is there and to what is not."""
    said = {
        kind: [indexed.ask(case, limit=1).nothing_matches for case in cases]
        for kind, cases in _by_kind(indexed.search_set.cases).items()
    }
    absent = [
        one for kind, answers in said.items() if kind not in (PRESENT, ANY_WORDS, MIXTURES) for one in answers
    ]
    return [
        _count('"nothing matches" to all that is absent', absent),
        *(_count(f'"nothing matches": {kind}', answers) for kind, answers in said.items()),
    ]


SCORES: Final[Mapping[str, Callable[[IndexedSet], list[Score]]]] = {
    "plain": score_first,
    "composition": score_first,
    "negation": score_negation,
    "order": score_order,
    "pan": score_first,
    "duplicates": score_duplicates,
    "like": score_kinds,
    "absent": score_absent,
}
"""How each set is measured, by its name."""


def table_of(
    scores: Mapping[str, Sequence[Score]],
    at_least: Mapping[tuple[str, str], float],
    at_most: Mapping[tuple[str, str], float],
) -> str:
    """All scores as a Markdown table, with the bounds that hold for them by set and name."""
    lines = ["| set | what is counted | so in | share | must be |", "|---|---|---|---|---|"]
    for name, of_set in scores.items():
        for score in of_set:
            key = (name, score.name)
            must = f"at least {at_least[key]:.2f}" if key in at_least else ""
            must = f"at most {at_most[key]:.2f}" if key in at_most else must
            lines.append(f"| {name} | {score.name} | {score.n} of {score.n_all} | {score.share:.3f} | {must} |")
    return "\n".join(lines)


def _is_first_right(indexed: IndexedSet, case: Case) -> bool:
    hits = indexed.ask(case, limit=1).hits
    return bool(hits) and indexed.place(hits[0].shot.shot_id) in case.right


def _places_of(indexed: IndexedSet, hit: Hit) -> set[Place]:
    return {indexed.place(shot.shot_id) for shot in (hit.shot, *hit.stack)}


def _by_kind(cases: Iterable[Case]) -> dict[str, list[Case]]:
    ordered = sorted(cases, key=lambda case: case.kind)
    return {kind: list(group) for kind, group in groupby(ordered, key=lambda case: case.kind)}


def _count(name: str, right: Iterable[bool]) -> Score:
    answers = list(right)
    return Score(name, sum(answers), len(answers))
