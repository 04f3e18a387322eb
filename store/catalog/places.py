"""Locations of files, failures, ignored and forgotten files, and the last run; in a catalog."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.catalog.schema import from_stored_text, reading_rows, to_stored_text
from store.events import (
    Back,
    Described,
    Dropped,
    Erased,
    Failed,
    Forgotten,
    Ignored,
    Missing,
    Moved,
    Recalled,
    RootNamed,
    RunBegan,
    RunEnded,
    Seen,
    SpaceClaimed,
    TextSpaceClaimed,
)
from store.records import Location, Outcome, Status

if TYPE_CHECKING:
    from store.catalog.reader import CatalogReader
    from store.truth.edits import OrderedEvent

Latest = dict[str, dict[str, dict[str, Any]]]

_NO_PLACE: dict[str, Any] = {
    "seen_at": "",
    "size_bytes": 0,
    "mtime_ns": 0,
    "fingerprint": "",
    "presence_at": "",
    "present": True,
    "failed_at": "",
    "reason": "",
    "failed_fingerprint": "",
}

MERGE_PLACES = """
CREATE TEMP TABLE merged AS
SELECT root, relative_path,
    max(seen_at) AS seen_at, arg_max(size_bytes, seen_at) AS size_bytes,
    arg_max(mtime_ns, seen_at) AS mtime_ns, arg_max(fingerprint, seen_at) AS fingerprint,
    max(presence_at) AS presence_at, arg_max(present, presence_at) AS present,
    max(failed_at) AS failed_at, arg_max(reason, failed_at) AS reason,
    arg_max(failed_fingerprint, failed_at) AS failed_fingerprint
FROM (FROM incoming UNION ALL BY NAME (FROM place SEMI JOIN incoming USING (root, relative_path)))
GROUP BY root, relative_path;
DELETE FROM place USING incoming
WHERE place.root = incoming.root AND place.relative_path = incoming.relative_path;
INSERT INTO place BY NAME FROM merged;
"""

# The earliest time at which a place held a content: a restored original is the original again.
MERGE_HELD = """
CREATE TEMP TABLE merged AS
SELECT root, relative_path, fingerprint, min(since) AS since
FROM (FROM incoming UNION ALL BY NAME (FROM held SEMI JOIN incoming USING (root, relative_path, fingerprint)))
GROUP BY root, relative_path, fingerprint;
DELETE FROM held USING incoming WHERE held.root = incoming.root
    AND held.relative_path = incoming.relative_path AND held.fingerprint = incoming.fingerprint;
INSERT INTO held BY NAME FROM merged;
"""


def note_held(ordered: OrderedEvent) -> list[dict[str, Any]]:
    """Since when a place holds a content, if an event says so."""
    event = ordered.event
    if not isinstance(event, Seen | Moved):
        return []
    since = event.since if isinstance(event, Moved) else ""
    place = {"root": to_stored_text(event.root), "relative_path": to_stored_text(event.relative_path)}
    return [{**place, "fingerprint": event.fingerprint, "since": since or ordered.order}]


def note_place(places: dict[tuple[str, str], dict[str, Any]], ordered: OrderedEvent) -> bool:
    """Put an event, later than all before it, into the registers of its places; False if it has no place."""

    def place(root: str, relative_path: str) -> dict[str, Any]:
        key = (to_stored_text(root), to_stored_text(relative_path))
        return places.setdefault(key, {"root": key[0], "relative_path": key[1], **_NO_PLACE})

    event, at = ordered.event, ordered.order
    match event:
        case Seen() | Moved():
            if isinstance(event, Moved):
                place(event.from_root, event.from_relative_path).update(seen_at=at, fingerprint="")
            place(event.root, event.relative_path).update(
                seen_at=at,
                size_bytes=event.size_bytes,
                mtime_ns=event.mtime_ns,
                fingerprint=event.fingerprint,
            )
        case Dropped():
            place(event.root, event.relative_path).update(seen_at=at, fingerprint="")
        case Missing() | Back():
            place(event.root, event.relative_path).update(presence_at=at, present=isinstance(event, Back))
        case Failed():
            place(event.root, event.relative_path).update(
                failed_at=at, reason=to_stored_text(event.reason), failed_fingerprint=event.fingerprint
            )
        case _:
            return False
    return True


def note_file(latest: Latest, ordered: OrderedEvent) -> None:
    """Put an event, later than all before it, into the register of what it is about."""
    event, at = ordered.event, ordered.order
    match event:
        case RootNamed():
            name = to_stored_text(event.name)
            latest["library_root"][name] = {"name": name, "path": to_stored_text(event.path), "named_at": at}
        case Forgotten():
            row = {"fingerprint": event.fingerprint, "forgotten_at": at}
            latest["forgotten"][event.fingerprint] = row
        case Erased():
            row = {"fingerprint": event.fingerprint, "erased_at": at}
            latest["erased"][event.fingerprint] = row
        case Recalled():
            row = {"fingerprint": event.fingerprint, "recalled_at": at}
            latest["recalled"][event.fingerprint] = row
        case Ignored():
            place = (to_stored_text(event.root), to_stored_text(event.relative_path))
            key = event.fingerprint or json.dumps(place)
            latest["ignored"][key] = {
                "key": key,
                "root": place[0],
                "relative_path": place[1],
                "fingerprint": event.fingerprint,
                "reason": to_stored_text(event.reason),
                "is_ignored": event.is_ignored,
                "decided_at": at,
            }
        case RunBegan() | RunEnded():
            told = to_stored_text(json.dumps(asdict(event)))
            row = {"role": event.kind, "run": event.run, "told": told, "noted_at": at}
            latest["last_run"][event.kind] = {**row, "time_ns": ordered.time_ns}
        case Described():
            columns = to_stored_text(json.dumps(dict(event.metadata), ensure_ascii=False))
            row = {"fingerprint": event.fingerprint, "columns": columns, "described_at": at}
            latest["metadata"][event.fingerprint] = row
        case SpaceClaimed() | TextSpaceClaimed():
            source = to_stored_text(event.source)
            role = "archive" if isinstance(event, SpaceClaimed) else "texts"
            row = {"role": role, **asdict(event.space), "source": source, "claimed_at": at}
            latest["space"][role] = row
            known = {**asdict(event.space), "source": source, "added_at": at}
            latest["known_space"][event.space.space_id] = known


_LOCATION = "root, relative_path, root_path, size_bytes, mtime_ns, fingerprint, present, held_since, presence_at"
_OLDEST_FIRST = "present DESC, held_since, root_path, relative_path"


@reading_rows
def read_locations(reader: CatalogReader, *, without_rows: bool = False) -> list[Location]:
    """Every place that holds a video, or only those whose video has no rows, by root and path."""
    rows = reader.rows(
        f"SELECT {_LOCATION} FROM location "  # noqa: S608 constants of this module
        "WHERE NOT ? OR fingerprint NOT IN (SELECT fingerprint FROM video) ORDER BY root, relative_path",
        [without_rows],
    )
    return [_location(row) for row in rows]


@reading_rows
def read_places_of(reader: CatalogReader, video_ids: Sequence[str]) -> dict[str, list[Location]]:
    """The places of these videos: present ones first, and of these the one that held the video first."""
    rows = reader.rows(
        f"SELECT {_LOCATION} FROM location WHERE fingerprint IN (SELECT unnest(?::VARCHAR[])) "  # noqa: S608
        f"ORDER BY {_OLDEST_FIRST}",
        [list(video_ids)],
    )
    places: dict[str, list[Location]] = {}
    for location in map(_location, rows):
        places.setdefault(location.fingerprint, []).append(location)
    return places


@reading_rows
def read_former_places(reader: CatalogReader, video_id: str) -> list[str]:
    """Absolute paths of every place that ever held a video, the oldest first."""
    rows = reader.rows(
        "SELECT coalesce(library_root.path, ''), held.relative_path FROM held "
        "LEFT JOIN library_root ON library_root.name = held.root WHERE held.fingerprint = ? ORDER BY held.since",
        [video_id],
    )
    return [_path(root_path, relative) for root_path, relative in rows]


@reading_rows
def read_roots(reader: CatalogReader, *, in_use: bool) -> dict[str, str]:
    """Name and absolute path of every library root, or only of those that hold a video or a file that failed."""
    rows = reader.rows(
        "SELECT name, path FROM library_root "
        "WHERE NOT ? OR name IN (SELECT root FROM location UNION ALL SELECT root FROM outcome) ORDER BY name",
        [in_use],
    )
    return {from_stored_text(name): from_stored_text(path) for name, path in rows}


@reading_rows
def read_failures(reader: CatalogReader) -> list[Outcome]:
    """Files that could not be indexed, with the reason, by path; ignored ones too."""
    rows = reader.rows(
        "SELECT root_path, relative_path, reason, fingerprint, is_ignored FROM outcome "
        "ORDER BY root, relative_path"
    )
    return [
        Outcome(
            _path(root_path, relative),
            Status.FAILED,
            from_stored_text(reason),
            fingerprint=fingerprint,
            is_ignored=is_ignored,
        )
        for root_path, relative, reason, fingerprint, is_ignored in rows
    ]


@reading_rows
def read_ignored_contents(reader: CatalogReader) -> set[str]:
    """Fingerprints of files that are to be passed over wherever they lie."""
    rows = reader.rows("SELECT fingerprint FROM ignored WHERE is_ignored AND fingerprint <> ''")
    return {fingerprint for (fingerprint,) in rows}


@reading_rows
def read_run_events(reader: CatalogReader) -> list[tuple[int, dict[str, Any]]]:
    """Time and fields of the latest begin and the latest end of a run, as far as there were any."""
    rows = reader.rows("SELECT role, time_ns, told FROM last_run")
    return [(time_ns, {"kind": role, **json.loads(from_stored_text(told))}) for role, time_ns, told in rows]


def _location(row: Sequence[Any]) -> Location:
    root, relative, root_path, size_bytes, mtime_ns, fingerprint, present, held_since, presence_at = row
    return Location(
        from_stored_text(root),
        from_stored_text(relative),
        _path(root_path, relative),
        size_bytes,
        mtime_ns,
        fingerprint,
        present,
        root_path=from_stored_text(root_path),
        held_since=held_since,
        missing_ns=0 if present else int(presence_at.partition(".")[0]),
    )


def _path(root_path: str, relative_path: str) -> str:
    return str(Path(from_stored_text(root_path)) / from_stored_text(relative_path))
