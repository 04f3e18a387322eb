"""Decisions of people: judgements, saved searches, sets and exports, kept in the archive."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from search_app.errors import QueryError
from search_app.query.options import Sort
from search_app.query.parser import parse_query
from search_app.query.query import Query, Step, Term, Text, format_query
from search_app.search.no_answer import NO_SETS
from search_app.search.shot_ids import whole_shot_ids, with_whole_ids
from store.events import Exported, Judged, SearchDeleted, SearchSaved, SetChanged
from store.filters import And

if TYPE_CHECKING:
    from store.archive import Archive
    from store.records import Judgement, ShotRow
    from store.snapshot import Snapshot
    from store.timespan import TimeSpan

SAVED_OPTIONS: Final = ("limit", "sort", "variety", "merge", "stack")
_MOST_HITS: Final = 100_000
_MAY_BE: Final[Mapping[str, Callable[[Any], bool]]] = {
    "limit": lambda value: type(value) is int and 1 <= value <= _MOST_HITS,
    "sort": lambda value: isinstance(value, str) and value in {*Sort},
    "variety": lambda value: type(value) in (int, float) and 0 <= value <= 1,
    "merge": lambda value: type(value) is bool,
    "stack": lambda value: type(value) is bool,
}
_HALF: Final = Fraction(1, 2)


def judge(archive: Archive, query: str, shot_ids: Sequence[str], verdict: str) -> None:
    """Remember that shots are right (`keep`) or wrong (`reject`) for a question, or take that back (`clear`).

    What is kept is the stretch of the video, so that it outlives a new detection of shots, and the question as it
    was understood, so that spaces and the like make no other question of it.

    Raises:
        UnknownIdError: there is no such shot.
        QueryError: the question cannot be understood.
    """
    archive.record(_judged(archive.snapshot(), query, shot_ids, verdict))


def _judged(snapshot: Snapshot, query: str, shot_ids: Sequence[str], verdict: str) -> list[Judged]:
    query = _as_understood(snapshot, query)
    return [Judged(query, *_stretch_of(snapshot.shot(shot_id)), verdict) for shot_id in shot_ids]


def _as_understood(snapshot: Snapshot, query: str) -> str:
    """The question in the form under which judgements know it."""
    return format_query(with_whole_ids(snapshot, parse_query(query)))


def _stretch_of(shot: ShotRow) -> tuple[str, str, str]:
    return _stretch(shot.video_id, shot.shot.span)


def _stretch(video_id: str, span: TimeSpan) -> tuple[str, str, str]:
    """A stretch of a video as events have it: it outlives a new detection of shots."""
    start, end = (f"{time.numerator}/{time.denominator}" for time in (span.start, span.end))
    return video_id, start, end


def change_set(archive: Archive, name: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
    """Put shots into a set, for `set:NAME`, and take others out; all of it or, if one cannot be found, nothing.

    What is taken out is every stretch that puts the shot into the set, whatever the case of the name then was and
    wherever the shots were cut then.

    Raises:
        UnknownIdError: there is no such shot.
        QueryError: a shot to be taken out is not in the set.
    """
    snapshot = archive.snapshot()
    events = [SetChanged(name, *_stretch_of(snapshot.shot(shot_id)), True) for shot_id in add]
    members = snapshot.set_members(name) if remove else []
    for shot in map(snapshot.shot, remove):
        span = shot.shot.span
        inside = [one for one in members if one.fingerprint == shot.video_id and shares_half(one.span, span)]
        if not inside:
            raise QueryError(f"shot {shot.shot_id} is not in the set {name!r}; nothing was changed")
        events += [SetChanged(one.name, *_stretch(one.fingerprint, one.span), False) for one in inside]
    if events:
        archive.record(events)
        archive.publish()


def shots_of_set(snapshot: Snapshot, name: str) -> tuple[list[ShotRow], int]:
    """The shots of a set by path and time, and how many of its stretches lie in no video of the archive.

    Raises:
        QueryError: there is no such set.
    """
    members = snapshot.set_members(name)
    if not members:
        raise QueryError(f"there is no set {name!r}; sets: {', '.join(snapshot.sets()) or NO_SETS}")
    found = [overlapping_shots(snapshot.shots(one.fingerprint), one.span) for one in members]
    shots = snapshot.shots_by_id(sorted({shot_id for shot_ids in found for shot_id in shot_ids}))
    rows = sorted(shots.values(), key=lambda row: (row.path, row.shot.ordinal))
    return rows, sum(not shot_ids for shot_ids in found)


def record_export(archive: Archive, name: str, clips: Iterable[tuple[str, TimeSpan]]) -> None:
    """Remember which stretches of which videos went into a supercut, for `used:never`."""
    archive.record([Exported(name, tuple(_stretch(*clip) for clip in clips))])
    archive.publish()


def shares_half(one: TimeSpan, other: TimeSpan) -> bool:
    """Whether two stretches have half of the shorter one in common."""
    return _shared(one, other) >= _HALF * min(one.duration, other.duration)


def _shared(one: TimeSpan, other: TimeSpan) -> Fraction:
    return max(Fraction(0), min(one.end, other.end) - max(one.start, other.start))


def overlapping_shots(shots: Sequence[ShotRow], span: TimeSpan) -> list[str]:
    """Ids of the shots of a video that show a stretch of it.

    They share at least half of the shorter of the two with it, so neither a shot that was cut in two nor two that
    were joined is lost; where no shot does, it is the one that shares most.
    """
    found = [shot.shot_id for shot in shots if shares_half(shot.shot.span, span)]
    if found or not shots:
        return found
    nearest = max(shots, key=lambda shot: _shared(shot.shot.span, span))
    return [nearest.shot_id] if _shared(nearest.shot.span, span) > 0 else []


def verdicts_of(snapshot: Snapshot, judgements: Iterable[Judgement]) -> dict[str, str]:
    """`keep` or `reject` for each shot that was judged; of several, as after a new detection, the last holds.

    Judgements about videos that were removed since then are left out.

    Args:
        snapshot: the archive.
        judgements: of one question, in the order of judging.
    """
    return {
        shot_id: judgement.verdict
        for judgement in judgements
        for shot_id in overlapping_shots(snapshot.shots(judgement.fingerprint), judgement.span)
    }


def judged_shots(snapshot: Snapshot, query: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids of the shots that were kept, and of those that were rejected, for a question."""
    verdicts = verdicts_of(snapshot, snapshot.judgements(_as_understood(snapshot, query)))
    kept, rejected = (
        tuple(shot_id for shot_id, verdict in verdicts.items() if verdict == wanted)
        for wanted in ("keep", "reject")
    )
    return kept, rejected


def record_judgements(
    archive: Archive, query: str, keep: Sequence[str], reject: Sequence[str], use_earlier: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Remember what is kept and rejected now; both, with what was judged earlier if that is wanted.

    Raises:
        UnknownIdError: there is no such shot; then nothing is remembered.
        QueryError: the question cannot be understood.
    """
    snapshot = archive.snapshot()
    events = [*_judged(snapshot, query, keep, "keep"), *_judged(snapshot, query, reject, "reject")]
    if events:
        archive.record(events)
        archive.publish()
    if not use_earlier:
        return whole_shot_ids(snapshot, keep), whole_shot_ids(snapshot, reject)
    return judged_shots(archive.snapshot(), query)


def save_search(archive: Archive, name: str, query: str, options: Mapping[str, Any]) -> bool:
    """Give a question a name; whether another one had it before, and has lost it.

    Raises:
        QueryError: the name is empty, or the question cannot be understood.
    """
    if not name.strip():
        raise QueryError("a search cannot be saved without a name: give --save one")
    snapshot = archive.snapshot()
    is_taken = any(saved.name == name for saved in snapshot.saved_searches())
    parsed = parse_query(query)
    whole = with_whole_ids(snapshot, parsed)
    query = query if whole == parsed else format_query(whole)
    kept = {key: value for key, value in options.items() if key in SAVED_OPTIONS}
    archive.record([SearchSaved(name, query, kept)])
    archive.publish()
    return is_taken


def delete_search(archive: Archive, name: str) -> None:
    """Forget a saved search.

    Raises:
        QueryError: there is none of that name.
    """
    _saved(archive, name)
    archive.record([SearchDeleted(name)])
    archive.publish()


def resolve_saved(
    archive: Archive, name: str, more: str | None, options: Mapping[str, Any], given: Collection[str] = ()
) -> tuple[str, dict[str, Any]]:
    """The question saved under a name, and its options.

    Args:
        archive: where it was saved.
        name: its name.
        more: what its last step has to show and pass besides, if anything.
        options: options of this search.
        given: names of those that are asked for now, and so hold against what was saved.

    Raises:
        QueryError: there is none of that name, or what is asked besides cannot be added to it.
    """
    saved = _saved(archive, name)
    kept = {key: saved.options[key] for key in SAVED_OPTIONS if key in saved.options and key not in given}
    for key, value in kept.items():  # an archive may be a stranger's
        if not _MAY_BE[key](value):
            raise QueryError(f"the saved search {name!r} cannot be used: its {key} is {value!r:.40}")
    question = saved.query if more is None else _narrowed(name, parse_query(saved.query), parse_query(more))
    return question, {**options, **kept}


def _narrowed(name: str, saved: Query, more: Query) -> str:
    """A question whose last step asks for more."""
    if len(more.steps) > 1:
        raise QueryError(f"the saved search {name!r} can be narrowed by words and filters, not by THEN")
    last, added = saved.steps[-1], more.steps[0]
    filters = [part for part in (last.filter, added.filter) if part is not None]
    parts = tuple(one for part in filters for one in (part.parts if isinstance(part, And) else (part,)))
    wanted = And(parts) if len(parts) > 1 else next(iter(parts), None)
    step = Step(_joined(last.terms, added.terms), last.minus + added.minus, wanted)
    return format_query(replace(saved, steps=(*saved.steps[:-1], step)))


def _joined(terms: tuple[Term, ...], added: tuple[Term, ...]) -> tuple[Term, ...]:
    """Plain words behind plain words are one text; anything else is added up."""
    texts = [term.of.value for term in terms + added if isinstance(term.of, Text) and term.weight == 1]
    if len(terms) == len(added) == 1 and len(texts) == 2:
        return (Term(1.0, Text(" ".join(texts))),)
    return terms + added


def _saved(archive: Archive, name: str) -> Any:
    saved = {one.name: one for one in archive.snapshot().saved_searches()}
    if name not in saved:
        known = ", ".join(saved) or "none yet"
        raise QueryError(f"no search is saved under the name {name!r}; saved: {known}")
    return saved[name]
