"""Edits: what is appended is read, in order, and damage is told from a torn end."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.event_fields import event_from_fields, event_to_fields
from store.events import (
    Back,
    Described,
    Dropped,
    Event,
    Failed,
    Forgotten,
    Missing,
    Moved,
    RootNamed,
    Seen,
    SpaceClaimed,
)
from store.records import EmbeddingSpace
from store.truth.edits import EditLog, is_live, read_edits
from store.truth.edits_copy import read_new_edits

EVENTS: list[Event] = [
    RootNamed("r", "/x"),
    Seen("r", "a\n'\udcff.mp4", 1, 2, "ab"),
    Moved("r", "a", "s", "b", 1, 2, "ab"),
    Missing("r", "a"),
    Back("r", "a"),
    Dropped("r", "a"),
    Failed("r", "a", "why", "ab"),
    SpaceClaimed(EmbeddingSpace("n", "w", 3, "{}", "n-3"), "demo"),
    Described("ab", {"title": "é"}),
    Forgotten("ab"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
def test_event_comes_back(event: Event) -> None:
    """Every kind of event survives being made plain."""
    assert event == event_from_fields(event_to_fields(event))


def test_log_is_read_back_in_order(tmp_path: Path) -> None:
    """Events come back as they were appended, each later than the one before, and from any offset."""
    folder = tmp_path / "edits"
    log = EditLog(folder)
    log.append(EVENTS[:4])
    (path,) = folder.iterdir()
    middle = path.stat().st_size
    log.append(EVENTS[4:])
    assert is_live(path)
    log.close()
    assert not is_live(path)
    piece = read_edits(path)
    assert [ordered.event for ordered in piece.events] == EVENTS
    assert [ordered.order for ordered in piece.events] == sorted({ordered.order for ordered in piece.events})
    assert [ordered.event for ordered in read_edits(path, middle).events] == EVENTS[4:]
    assert read_new_edits(tmp_path, {path.name: piece.end_bytes}) == {}


def test_torn_end_and_damaged_line_are_told_apart(tmp_path: Path) -> None:
    """An unfinished last line is left out; a whole line that differs is named; the others are read."""
    log = EditLog(tmp_path)
    log.append(EVENTS)
    log.close()
    (path,) = tmp_path.iterdir()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"#" + lines[2][1:], *lines[3:-1], lines[-1][:-3]]))
    piece = read_edits(path)
    assert (piece.damaged_lines, piece.torn_bytes) == ((3,), len(lines[-1]) - 3)
    assert [ordered.event for ordered in piece.events] == [*EVENTS[:2], *EVENTS[3:-1]]
    assert piece.end_bytes == sum(map(len, lines[:-1]))


def test_later_events_follow_what_was_observed(tmp_path: Path) -> None:
    """A writer that has seen a time writes only later ones."""
    log = EditLog(tmp_path)
    log.observe(2**62)
    log.append(EVENTS[:2])
    log.close()
    (path,) = tmp_path.iterdir()
    assert [ordered.time_ns for ordered in read_edits(path).events] == [2**62 + 1, 2**62 + 2]
