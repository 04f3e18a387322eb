"""Cut lists in all their versions, and rights; in a catalog."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from store.catalog.schema import from_stored_text, reading_rows, to_stored_text
from store.events import RIGHTS_CLEAR, RIGHTS_RULES, CutEdited, CutMoved, RightsChanged
from store.limited import read_fraction
from store.records import CutStep, RightsFlag
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from store.catalog.reader import CatalogReader
    from store.truth.edits import OrderedEvent

Latest = dict[str, dict[str, dict[str, Any]]]


def note_cut(latest: Latest, ordered: OrderedEvent) -> bool:
    """Put an event, later than all before it, into the register of what it decides, if anything."""
    event, at = ordered.event, ordered.order
    match event:
        case CutEdited() | CutMoved():
            latest["cut_step"][at] = _step_row(event, at, ordered.time_ns)
            for clip_id, clip in event.clips.items() if isinstance(event, CutEdited) else ():
                key = _key(event.name, clip_id)
                latest["cut_clip"][key] = {
                    "key": key,
                    "name": to_stored_text(event.name),
                    "clip_id": clip_id,
                    "clip": json.dumps(dict(clip)),
                    "edited_at": at,
                }
        case RightsChanged():
            # What is taken back leaves its rows, so that an earlier event that comes later changes nothing.
            for rule in RIGHTS_RULES if event.rule == RIGHTS_CLEAR else (event.rule,):
                key = _key(event.fingerprint, event.start, event.end, rule)
                latest["rights"][key] = {
                    "key": key,
                    "fingerprint": event.fingerprint,
                    "start_time": event.start,
                    "end_time": event.end,
                    "rule": event.rule,
                    "text": to_stored_text(event.text),
                    "until": event.until,
                    "note": to_stored_text(event.note),
                    "editor": to_stored_text(event.editor),
                    "changed_at": at,
                }
        case _:
            return False
    return True


def _step_row(event: CutEdited | CutMoved, at: str, time_ns: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "key": at,
        "name": to_stored_text(event.name),
        "version": event.version,
        "action": to_stored_text(event.action),
        "editor": to_stored_text(event.editor),
        "branch": to_stored_text(event.branch),
        "time_ns": time_ns,
        "edited_at": at,
    }
    if isinstance(event, CutMoved):
        moved = {"parent": event.based_on, "is_move": True, "n_clips": 0}
        return {**row, **moved, "clip_ids": "", "seen": "[]", "settings": "{}"}
    return {
        **row,
        "parent": event.parent,
        "is_move": False,
        "n_clips": len(event.clip_ids),
        "clip_ids": " ".join(event.clip_ids),
        "seen": json.dumps(event.seen),
        "settings": json.dumps(dict(event.settings)),
    }


def _key(*parts: str) -> str:
    text = json.dumps([to_stored_text(part) for part in parts])
    return blake2b(text.encode(), digest_size=12).hexdigest()


@reading_rows
def read_cut_names(reader: CatalogReader) -> list[str]:
    """Names of all cut lists that ever were, sorted."""
    rows = reader.rows("SELECT DISTINCT name FROM cut_step ORDER BY name")
    return [from_stored_text(name) for (name,) in rows]


@reading_rows
def read_cut_steps(reader: CatalogReader, name: str) -> list[CutStep]:
    """Versions of a cut list, in order."""
    rows = reader.rows(
        "SELECT version, parent, is_move, action, editor, time_ns, n_clips, settings, branch FROM cut_step "
        "WHERE name = ? ORDER BY edited_at",
        [to_stored_text(name)],
    )
    return [
        CutStep(
            version,
            parent,
            is_move,
            from_stored_text(action),
            from_stored_text(editor),
            time_ns,
            n_clips,
            json.loads(settings),
            from_stored_text(branch),
        )
        for version, parent, is_move, action, editor, time_ns, n_clips, settings, branch in rows
    ]


@reading_rows
def read_cut_clips(reader: CatalogReader, name: str, version: str) -> list[dict[str, Any]]:
    """The clips of a version, in order, as they were put; ids whose event was lost have only their id."""
    rows = reader.rows(
        "SELECT clip_ids FROM cut_step WHERE name = ? AND version = ? AND NOT is_move",
        [to_stored_text(name), version],
    )
    clip_ids = rows[0][0].split() if rows else []
    found = dict(
        reader.rows(
            "SELECT clip_id, clip FROM cut_clip WHERE name = ? AND clip_id IN (SELECT unnest(?::VARCHAR[]))",
            [to_stored_text(name), clip_ids],
        )
    )
    return [json.loads(found.get(clip_id, "{}")) | {"clip_id": clip_id} for clip_id in clip_ids]


@reading_rows
def read_cut_seen(reader: CatalogReader, name: str) -> list[tuple[str, TimeSpan]]:
    """Every stretch that was ever in a cut list or looked at for it."""
    stored = to_stored_text(name)
    clips = (json.loads(clip) for (clip,) in reader.rows("SELECT clip FROM cut_clip WHERE name = ?", [stored]))
    seen = (
        stretch
        for (rows,) in reader.rows("SELECT seen FROM cut_step WHERE name = ?", [stored])
        for stretch in json.loads(rows)
    )
    return list(_spans([*((clip["fingerprint"], clip["start"], clip["end"]) for clip in clips), *seen]))


def _spans(stretches: Iterable[tuple[str, str, str]]) -> Iterable[tuple[str, TimeSpan]]:
    for fingerprint, start, end in stretches:
        yield fingerprint, TimeSpan(read_fraction(start), read_fraction(end))


@reading_rows
def read_rights(reader: CatalogReader) -> list[RightsFlag]:
    """Blocks and marks of exports that were not taken back; by video and time."""
    rows = reader.rows(
        "SELECT fingerprint, start_time, end_time, rule, text, until, note, editor FROM rights "
        "WHERE rule <> ? ORDER BY fingerprint, changed_at",
        [RIGHTS_CLEAR],
    )
    return [
        RightsFlag(
            fingerprint,
            TimeSpan(read_fraction(start), read_fraction(end)) if start else None,
            rule,
            *(from_stored_text(one) for one in texts),
        )
        for fingerprint, start, end, rule, *texts in rows
    ]
