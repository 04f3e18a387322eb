"""Ids of shots as people type them, shortened as far as they are unique, made whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from search_app.errors import QueryError
from search_app.query.query import LikeShot, Query, Step
from store.errors import UnknownIdError

if TYPE_CHECKING:
    from search_app.query.query import Subject
    from store.snapshot import Snapshot


def whole_shot_ids(snapshot: Snapshot, typed: Iterable[str]) -> tuple[str, ...]:
    """The ids that are meant, in order, each once.

    Raises:
        UnknownIdError: no id begins so, or more than one.
    """
    return tuple(dict.fromkeys(snapshot.shot(one).shot_id for one in typed))


def with_whole_ids(snapshot: Snapshot, query: Query) -> Query:
    """The question with whole ids in `like:shot/`: it stays the same when further shots come.

    Raises:
        QueryError: no id begins so, or more than one.
    """
    return replace(query, steps=tuple(step_with_whole_ids(snapshot, step) for step in query.steps))


def step_with_whole_ids(snapshot: Snapshot, step: Step) -> Step:
    """One step of such a question.

    Raises:
        QueryError: no id begins so, or more than one.
    """
    terms = tuple(replace(term, of=_whole(snapshot, term.of)) for term in step.terms)
    return replace(step, terms=terms, minus=tuple(_whole(snapshot, subject) for subject in step.minus))


def _whole(snapshot: Snapshot, subject: Subject) -> Subject:
    if not isinstance(subject, LikeShot):
        return subject
    try:
        return LikeShot(snapshot.shot(subject.shot_id).shot_id)
    except UnknownIdError as error:
        raise QueryError(f"like:shot/{subject.shot_id}: {error}") from error
