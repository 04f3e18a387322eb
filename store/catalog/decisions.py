"""Decisions of people about shots: judgements, saved searches, sets, exports; in a catalog."""

from __future__ import annotations

import json
from fractions import Fraction
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from store.catalog.schema import from_stored_text, reading_rows, to_stored_text
from store.events import Exported, Judged, SearchDeleted, SearchSaved, SetChanged
from store.limited import read_fraction
from store.records import Judgement, SavedSearch, SetMember
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from store.catalog.reader import CatalogReader
    from store.truth.edits import OrderedEvent

Latest = dict[str, dict[str, dict[str, Any]]]


def note_decision(latest: Latest, ordered: OrderedEvent) -> bool:
    """Put an event, later than all before it, into the register of what it decides, if anything."""
    event, at = ordered.event, ordered.order
    match event:
        case Judged():
            key = _key(event.query, event.fingerprint, event.start, event.end)
            row = {"key": key, "query": to_stored_text(event.query), **_stretch(event)}
            latest["judgement"][key] = {**row, "verdict": event.verdict, "judged_at": at}
        case SearchSaved() | SearchDeleted():
            name = to_stored_text(event.name)
            saved = event if isinstance(event, SearchSaved) else SearchSaved(event.name, "")
            latest["saved_search"][name] = {
                "name": name,
                "query": to_stored_text(saved.query),
                "options": json.dumps(dict(saved.options)),
                "is_deleted": isinstance(event, SearchDeleted),
                "saved_at": at,
            }
        case SetChanged():
            key = _key(event.name, event.fingerprint, event.start, event.end)
            row = {"key": key, "name": to_stored_text(event.name), **_stretch(event)}
            latest["set_member"][key] = {**row, "is_member": event.is_member, "changed_at": at}
        case Exported():
            for number, (fingerprint, start, end) in enumerate(event.clips):
                key = f"{at}.{number}"
                latest["export_clip"][key] = {
                    "key": key,
                    "name": to_stored_text(event.name),
                    "fingerprint": fingerprint,
                    "start_seconds": float(Fraction(start)),
                    "end_seconds": float(Fraction(end)),
                    "exported_at": at,
                }
        case _:
            return False
    return True


def _key(*parts: str) -> str:
    text = json.dumps([to_stored_text(part) for part in parts])
    return blake2b(text.encode(), digest_size=12).hexdigest()


def _stretch(event: Judged | SetChanged) -> dict[str, Any]:
    return {
        "fingerprint": event.fingerprint,
        "start_time": event.start,
        "end_time": event.end,
        "start_seconds": float(Fraction(event.start)),
        "end_seconds": float(Fraction(event.end)),
    }


@reading_rows
def read_judgements(reader: CatalogReader, query: str | None) -> list[Judgement]:
    """Judgements that were not taken back, for one question or for all, by question and time of judging."""
    rows = reader.rows(
        "SELECT query, fingerprint, start_time, end_time, verdict FROM judgement "
        "WHERE verdict <> 'clear' AND (? OR query = ?) ORDER BY query, judged_at",
        [query is None, query or ""],
    )
    return [
        Judgement(
            from_stored_text(asked), fingerprint, TimeSpan(read_fraction(start), read_fraction(end)), verdict
        )
        for asked, fingerprint, start, end, verdict in rows
    ]


@reading_rows
def read_saved_searches(reader: CatalogReader) -> list[SavedSearch]:
    """Saved searches by name."""
    rows = reader.rows("SELECT name, query, options FROM saved_search WHERE NOT is_deleted ORDER BY name")
    return [
        SavedSearch(from_stored_text(name), from_stored_text(query), json.loads(options))
        for name, query, options in rows
    ]


@reading_rows
def read_sets(reader: CatalogReader) -> dict[str, int]:
    """Names of sets, and how many stretches each holds; the case of a name makes no other set."""
    rows = reader.rows("""
        SELECT min(name), count(DISTINCT (fingerprint, start_time, end_time)) FROM set_member
        WHERE is_member GROUP BY lower(name) ORDER BY min(name)
    """)
    return {from_stored_text(name): n for name, n in rows}


@reading_rows
def read_set_members(reader: CatalogReader, name: str) -> list[SetMember]:
    """The stretches that a set holds, whatever the case of its name."""
    rows = reader.rows(
        "SELECT name, fingerprint, start_time, end_time FROM set_member "
        "WHERE is_member AND lower(name) = lower(?) ORDER BY key",
        [to_stored_text(name)],
    )
    return [
        SetMember(from_stored_text(written), fingerprint, TimeSpan(read_fraction(start), read_fraction(end)))
        for written, fingerprint, start, end in rows
    ]
