"""Explanations of empty answers: no answer is silent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from search_app.query.query import format_filter, quote
from search_app.search.rank_step import apply_filter
from store.filters import And, Has, InSet, Language, Not, Or, PathGlob, TextMatch
from store.stages import field_of, stage_named, stages_by_has
from store.wording import n_of

if TYPE_CHECKING:
    from search_app.query.options import SearchOptions
    from search_app.query.query import Query, Step
    from search_app.search.rank_step import Ranked
    from store.filters import Condition, Filter
    from store.snapshot import Snapshot

NO_SETS: Final = "none yet; rushes sets ARCHIVE NAME --add SHOT makes one"


def find_unknown(snapshot: Snapshot, query: Query) -> list[str]:
    """Names in a question that the archive has nothing of: sets, kinds of text. One line each."""
    found = (
        _unknown(snapshot, condition)
        for step in query.steps
        if step.filter is not None
        for condition in _conditions(step.filter)
    )
    return list(dict.fromkeys(line for line in found if line))


def _unknown(snapshot: Snapshot, condition: Condition) -> str:
    """Names in a condition that the archive has nothing of; empty if there are none."""
    said = ""
    match condition:
        case InSet(name) if not snapshot.set_members(name):
            said = f"there is no set {name!r}; sets: {', '.join(snapshot.sets()) or NO_SETS}"
        case TextMatch(stage) if stage is not None:
            said = _without_texts(snapshot, stage, f"{field_of(stage)}:")
        case Has(what) if what in stages_by_has():
            said = _without_texts(snapshot, stages_by_has()[what], f"has:{what}")
        case Has("metadata") if not snapshot.matching_shots(condition, {}):
            said = (
                "the archive has no metadata, so has:metadata finds nothing; "
                "index a list of the videos that says more about them: rushes index ARCHIVE LIST.csv"
            )
        case Language() if not snapshot.text_counts():
            said = "the archive has no texts in any language, so lang: finds nothing; see rushes enrich"
        case Language(code) if not snapshot.matching_shots(condition, {}):
            languages = ", ".join(snapshot.text_languages()) or "none that is known"
            said = f"no text here is in lang:{code}; languages: {languages}"
    return said


def _without_texts(snapshot: Snapshot, stage: str, field: str) -> str:
    if stage in snapshot.text_counts():
        return ""
    kind = stage_named(stage)
    return (
        f"the archive has no {kind.plural}, so {field} finds nothing; "
        f"rushes enrich ARCHIVE --only {kind.title} finds some"
    )


def explain_nothing(snapshot: Snapshot, query: Query, options: SearchOptions, ranked: Ranked) -> list[str]:
    """Why a page is empty, one line each; at least one.

    Args:
        snapshot: the generation that answered.
        query: the question.
        options: how it was asked.
        ranked: all candidates that were left.
    """
    n_found = len(ranked.candidates.order)
    if n_found:
        n_pages = -(-n_found // options.limit)
        pages = f"there {'is' if n_pages == 1 else 'are'} {n_of(n_pages, 'page')} of {options.limit}"
        return [f"page {options.page} is beyond the last: {pages}, for {n_of(n_found, 'hit')}"]
    unknown = find_unknown(snapshot, query)
    failing = [line for step in query.steps for line in _failing(snapshot, step)]
    if unknown or failing:
        return list(dict.fromkeys([*unknown, *failing]))
    if len(query.steps) > 1:
        within = "" if query.within_seconds is None else f" within {query.within_seconds:g} s of each other"
        return [f"no video has shots for these steps in that order{within}"]
    removed = dict.fromkeys(ranked.candidates.removed.values())
    if removed:
        return [f"every shot was taken out by {' and by '.join(removed)}"]
    return ["no shot is left to be listed"]


def _failing(snapshot: Snapshot, step: Step) -> list[str]:
    """Filters of a step that let nothing through."""
    if step.filter is None:
        return []
    parts = step.filter.parts if isinstance(step.filter, And) else (step.filter,)
    failing = [part for part in parts if _is_empty(snapshot, part) and not _is_unknown(snapshot, part)]
    if failing:
        return [_say(part) for part in failing]
    if _is_empty(snapshot, step.filter) and not any(_is_unknown(snapshot, part) for part in parts):
        return [
            f"each of these finds shots, but no shot passes all of them: {' '.join(map(format_filter, parts))}"
        ]
    return []


def _is_empty(snapshot: Snapshot, wanted: Filter) -> bool:
    return not apply_filter(snapshot, wanted, 1).shot_ids


def _is_unknown(snapshot: Snapshot, wanted: Filter) -> bool:
    return any(_unknown(snapshot, condition) for condition in _conditions(wanted))


def _say(part: Filter) -> str:
    text = format_filter(part)
    match part:
        case PathGlob(pattern) if "*" in pattern or "?" in pattern:
            return f"no folder or file of a video fits {text}; rushes shots ARCHIVE lists their paths"
        case PathGlob(pattern):
            more = f"for a part of a word, in:{quote(f'*{pattern}*')}"
            return f"no folder or file of a video is called {text} or has that word; {more}"
        case TextMatch(stage):
            where = "of the texts and names" if stage is None else f"of the {stage_named(stage).plural}"
            return f"none {where} holds {text}"
    return f"no shot passes {text}"


def _conditions(wanted: Filter) -> Iterator[Condition]:
    if isinstance(wanted, Not):
        yield from _conditions(wanted.part)
    elif isinstance(wanted, And | Or):
        for part in wanted.parts:
            yield from _conditions(part)
    else:
        yield wanted
