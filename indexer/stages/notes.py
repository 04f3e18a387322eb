"""Everything that stages found in a video, as one line for each thing, in order of time: what is summarised."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from store.results import CoverageState
from store.stages import stage_named
from store.timespan import TimeSpan
from store.wording import clock

if TYPE_CHECKING:
    from store.results import StageRow
    from store.snapshot import Snapshot

SPEECH: Final = "transcript"
CAPTION: Final = "caption"
SCREEN_TEXT: Final = "screen_text"
LABEL: Final = "label"
OBJECT: Final = "object"
SOURCES: Final = (SPEECH, CAPTION, SCREEN_TEXT, LABEL, OBJECT)
"""Stages that are read, by their names."""

_WORDS_FOR: Final = {SPEECH: "said", CAPTION: "seen", SCREEN_TEXT: "written", LABEL: "label", OBJECT: "objects"}
_MOST_LABELS: Final = 3
_LEAST_SCORE: Final = 0.2
_MOST_CHARACTERS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that a stage found.

    Args:
        stage: the stage's name.
        span: when.
        text: what; of labels and objects of one stretch all that count, joined by commas.
    """

    stage: str
    span: TimeSpan
    text: str

    @property
    def line(self) -> str:
        """It on one line, with its time, such as `[0:12.0] said: Good evening`."""
        return f"[{clock(self.span.start_seconds)}] {_WORDS_FOR[self.stage]}: {' '.join(self.text.split())}"


def read_notes(snapshot: Snapshot, video_id: str) -> list[Note]:
    """All notes of a video, in order of time."""
    rows = [row for row in snapshot.stage_rows(video_id) if row.stage in SOURCES]
    return notes_of(rows)


def notes_of(rows: Iterable[StageRow]) -> list[Note]:
    """Notes of rows, in order of time: names of one stretch in one note, and texts that repeat once."""
    notes: list[Note] = []
    named: dict[tuple[str, TimeSpan], list[tuple[float, str]]] = {}
    for row in rows:
        text = " ".join(row.row.text.split())[:_MOST_CHARACTERS]
        if not text:
            continue
        if row.stage not in (LABEL, OBJECT):
            notes.append(Note(row.stage, row.row.span, text))
        elif row.row.score is None or row.row.score >= _LEAST_SCORE:
            named.setdefault((row.stage, row.row.span), []).append((-(row.row.score or 0.0), text))
    for (stage, span), found in named.items():
        texts = list(dict.fromkeys(text for _, text in sorted(found)))
        notes.append(Note(stage, span, ", ".join(texts[:_MOST_LABELS])))
    notes.sort(key=lambda note: (note.span.start, SOURCES.index(note.stage)))
    return _without_repeats(notes)


def _without_repeats(notes: Sequence[Note]) -> list[Note]:
    """The notes without those that repeat the last one of their stage, as captions of pieces of a shot do.

    Who says something twice has said it twice.
    """
    last: dict[str, str] = {}
    kept = []
    for note in notes:
        if note.stage == SPEECH or last.get(note.stage) != note.text.casefold():
            kept.append(note)
        last[note.stage] = note.text.casefold()
    return kept


def digest_of(notes: Sequence[Note]) -> str:
    """Short digest of notes: another one means that what was made of them is out of date."""
    lines = "\n".join(f"{note.stage} {note.span.start} {note.text}" for note in notes)
    return hashlib.blake2b(lines.encode("utf-8", "replace"), digest_size=8).hexdigest()


def counts_of(notes: Sequence[Note]) -> dict[str, int]:
    """Number of notes of each stage, those with none left out."""
    counts = {stage: sum(note.stage == stage for note in notes) for stage in SOURCES}
    return {stage: n for stage, n in counts.items() if n}


def has_been_met(snapshot: Snapshot, video_id: str) -> bool:
    """Whether any stage that notes come from has a whole result for a video, perhaps an empty one."""
    runs = [row.run for row in snapshot.runs() if row.run.stage in SOURCES]
    return any(snapshot.coverage(run, video_id).state is CoverageState.DONE for run in runs)


def way_out() -> str:
    """The command that finds out what notes are made of, for messages."""
    return f"rushes enrich ARCHIVE --only {','.join(stage_named(stage).title for stage in SOURCES)}"
