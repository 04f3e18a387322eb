"""An archive as data: one object for each shot, with all that stages found in it, for programs and tables.

Each object has the fields `video`, `fingerprint`, `shot`, `number` (from 1), `start`, `end` (seconds, the end
excluded) and `boundary`, and for each kind of text a list under its title (`captions`, `labels`, `speech`,
`screen_text`, ...). A text is in every shot that its span overlaps, with `text`, `start`, `end`, `score`,
`language`, `count`, `box` (left, top, width, height, shares of the picture), `words`, `payload` (plain JSON data),
`model` and `by_hand`; what is not known is null. Fields may be added; none changes its meaning.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from search_app.exports.tables import safe_cell
from store.stages import text_stages

if TYPE_CHECKING:
    import pyarrow as pa

    from store.records import ShotRow, VideoRow
    from store.results import StageRow
    from store.snapshot import Snapshot
    from store.timespan import TimeSpan

_SHOT_FIELDS: Final = ("video", "fingerprint", "shot", "number", "start", "end", "boundary")
_PIECE = 1000
"""Shots that are written at once: memory does not grow with the archive."""


def shot_objects(snapshot: Snapshot, video_ids: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """One object for each shot, by video and time.

    Args:
        snapshot: the archive.
        video_ids: fingerprints; none for all videos.
    """
    models = {row.run.key: row.run.model for row in snapshot.runs()}
    for video in snapshot.videos():
        if video_ids and video.video_id not in video_ids:
            continue
        shots = snapshot.shots(video.video_id)
        rows = _rows_of_shots(snapshot.stage_rows(video.video_id), shots)
        for shot in shots:
            yield _object(video, shot, rows[shot.shot_id], models)


def _rows_of_shots(rows: Sequence[StageRow], shots: Sequence[ShotRow]) -> dict[str, list[StageRow]]:
    """The texts of each shot: those that overlap it, and of those that overlap none the nearest ones."""
    found: dict[str, list[StageRow]] = {shot.shot_id: [] for shot in shots}
    for row in rows if shots else ():
        met = [shot for shot in shots if row.row.span.overlaps(shot.shot.span)]
        for shot in met or [min(shots, key=lambda shot: _distance(row.row.span, shot.shot.span))]:
            found[shot.shot_id].append(row)
    return found


def _distance(one: TimeSpan, other: TimeSpan) -> Fraction:
    """Seconds between two stretches that share no instant."""
    return max(other.start - one.end, one.start - other.end)


def _object(video: VideoRow, shot: ShotRow, rows: Sequence[StageRow], models: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "video": video.path.encode("utf-8", "replace").decode(),
        "fingerprint": video.video_id,
        "shot": shot.shot_id,
        "number": shot.shot.ordinal + 1,
        "start": shot.shot.span.start_seconds,
        "end": shot.shot.span.end_seconds,
        "boundary": str(shot.shot.boundary),
    }
    for stage in text_stages():
        found[stage.title] = [_text(row, models) for row in rows if row.stage == stage.name]
    return found


def _text(row: StageRow, models: Mapping[str, str]) -> dict[str, Any]:
    one = row.row
    return {
        "text": one.text,
        "start": one.span.start_seconds,
        "end": one.span.end_seconds,
        "score": one.score,
        "language": one.language or None,
        "count": one.count,
        "box": None if one.box is None else list(one.box),
        "words": [
            {"text": word.text, "start": word.start_seconds, "end": word.end_seconds, "score": word.score}
            for word in one.words
        ],
        "payload": None if one.payload is None else dict(one.payload),
        "model": models.get(row.run_key),
        "by_hand": row.is_by_hand,
    }


def write_json(path: Path, objects: Iterable[Mapping[str, Any]]) -> int:
    """Write a JSON array, an object a line; how many."""
    n = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for n, one in enumerate(objects, 1):
            file.write(("\n" if n == 1 else ",\n") + json.dumps(one, ensure_ascii=False))
        file.write("\n]\n")
    return n


def write_jsonl(path: Path, objects: Iterable[Mapping[str, Any]]) -> int:
    """Write JSON Lines; how many."""
    n = 0
    with path.open("w", encoding="utf-8") as file:
        for one in objects:
            n += 1
            file.write(json.dumps(one, ensure_ascii=False) + "\n")
    return n


def write_csv(path: Path, objects: Iterable[Mapping[str, Any]]) -> int:
    """Write a table, a shot a row; of texts only what they say, several apart by ` | `; how many.

    Cells that a spreadsheet would run as a formula get an apostrophe before them.
    """
    titles = [stage.title for stage in text_stages()]
    n = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([*_SHOT_FIELDS, *titles])
        for one in objects:
            n += 1
            cells = [one[name] for name in _SHOT_FIELDS]
            cells += [" | ".join(text["text"] for text in one[title]) for title in titles]
            writer.writerow([safe_cell(cell) for cell in cells])
    return n


def write_parquet(path: Path, objects: Iterable[Mapping[str, Any]]) -> int:
    """Write Parquet, texts as lists of structs, `payload` as JSON text; how many."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, n = _schema(), 0
    with pq.ParquetWriter(path, schema) as writer:
        for piece in _pieces(map(_with_json_payloads, objects)):
            writer.write_table(pa.Table.from_pylist(piece, schema))
            n += len(piece)
    return n


def _pieces(objects: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    piece: list[dict[str, Any]] = []
    for one in objects:
        piece.append(one)
        if len(piece) == _PIECE:
            yield piece
            piece = []
    if piece:
        yield piece


def _with_json_payloads(one: Mapping[str, Any]) -> dict[str, Any]:
    titles = {stage.title for stage in text_stages()}
    return {
        name: [{**text, "payload": _as_json(text["payload"])} for text in value] if name in titles else value
        for name, value in one.items()
    }


def _as_json(payload: object) -> str | None:
    return None if payload is None else json.dumps(payload, ensure_ascii=False)


def _schema() -> pa.Schema:
    import pyarrow as pa

    word = pa.struct(
        [("text", pa.string()), ("start", pa.float64()), ("end", pa.float64()), ("score", pa.float64())]
    )
    text = pa.struct(
        [
            ("text", pa.string()),
            ("start", pa.float64()),
            ("end", pa.float64()),
            ("score", pa.float64()),
            ("language", pa.string()),
            ("count", pa.int64()),
            ("box", pa.list_(pa.float64())),
            ("words", pa.list_(word)),
            ("payload", pa.string()),
            ("model", pa.string()),
            ("by_hand", pa.bool_()),
        ]
    )
    kinds = {"number": pa.int64(), "start": pa.float64(), "end": pa.float64()}
    shot = [(name, kinds.get(name, pa.string())) for name in _SHOT_FIELDS]
    return pa.schema([*shot, *((stage.title, pa.list_(text)) for stage in text_stages())])


WRITERS: Final[Mapping[str, Callable[[Path, Iterable[Mapping[str, Any]]], int]]] = {
    "json": write_json,
    "jsonl": write_jsonl,
    "csv": write_csv,
    "parquet": write_parquet,
}
"""By the name of the format, which is the ending of the file, too."""
