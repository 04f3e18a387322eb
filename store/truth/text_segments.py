"""Text segments: what one run read, heard or said about one video or a part of it, as one immutable Parquet file.

One row for each caption, label, object, spoken or written text, with its exact time span; the vectors of the
texts, if there are any, beside them. Named, sealed and verified as the segments of pictures are. A part of a
result has the number of the part behind the run's key in its name.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from store.errors import ArchiveDamagedError
from store.limited import read_fraction
from store.records import Embeddings, EmbeddingSpace, Part, TextRow, TextSegment
from store.row_checks import Word
from store.shot_outcomes import MOST_REASON_CHARACTERS, ShotOutcome, ShotState
from store.stages import Run, part_key, run_of_key
from store.timespan import TimeSpan
from store.truth.segments import (
    SEGMENT_FORMAT,
    check_columns,
    check_seconds,
    check_vectors,
    encode_table,
    read_table,
)
from store.truth.text_columns import (
    BOX_SIDES,
    COLUMNS,
    LATER_COLUMNS,
    WORDS,
    Impossible,
    fill_columns,
    find_impossible,
)


@dataclass(frozen=True, slots=True)
class StoredText:
    """A text segment file that was read and found whole.

    Args:
        name: its file name.
        fingerprint: content identity of the video.
        run: the run that it is a result of.
        part: which part of the result it is; None for all of it.
        space_id: embedding space of the vectors; empty if there are none.
        created_ns: when it was written.
        seconds: what it cost to compute; None where that was not measured.
        outcomes: of the shots that are not simply done.
        table: its rows, those that are possible, known columns only.
        passed: the rows that are passed over.
        unknown: names of columns and fields of the footer that only a later version understands.
    """

    name: str
    fingerprint: str
    run: Run
    part: Part | None
    space_id: str
    created_ns: int
    seconds: float | None
    outcomes: tuple[ShotOutcome, ...]
    table: pa.Table
    passed: Impossible
    unknown: tuple[str, ...] = ()

    @property
    def rows(self) -> pa.Table:
        """All columns but the embeddings, as the catalog takes them."""
        table = self.table.drop_columns(["embedding"]) if "embedding" in self.table.column_names else self.table
        for name, value in (("segment", self.name), ("fingerprint", self.fingerprint), ("stage", self.run.stage)):
            table = table.append_column(name, pa.array([value] * table.num_rows, pa.string()))
        return table

    @property
    def text_ids(self) -> NDArray[np.int64]:
        """Id of each row, in order."""
        return np.asarray(self.table["text_id"].to_numpy(), dtype=np.int64)

    @property
    def embeddings(self) -> Embeddings | None:
        """One row for each text, float32, (n, dim); None if the stage made none."""
        if "embedding" not in self.table.column_names or not self.table.num_rows:
            return None
        column = self.table["embedding"].combine_chunks()
        flat = column.flatten() if isinstance(column, pa.FixedSizeListArray) else column.chunk(0).flatten()
        vectors = np.ascontiguousarray(flat.to_numpy(), dtype=np.float32)
        return vectors.reshape(self.table.num_rows, -1)


def text_id(fingerprint: str, stage: str, key: str, ordinal: int) -> int:
    """Id of a text, 63 bits, from content alone."""
    text = f"text|{fingerprint}|{stage}|{key}|{ordinal}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def file_key(segment: TextSegment) -> str:
    """The run's key, and the number of the part if it is one, as the file's name has it."""
    return segment.key if segment.part is None else part_key(segment.key, segment.part.number)


def encode_text_segment(segment: TextSegment) -> bytes:
    """The bytes of a text segment file, digest included.

    Raises:
        ValueError: a time does not fit 64-bit numerators and denominators, or the run's name is none.
    """
    run, part = segment.run, segment.part
    header = {
        "format": SEGMENT_FORMAT,
        "fingerprint": segment.fingerprint,
        "stage": run.stage,
        "key": file_key(segment),
        "model": run.model,
        "revision": run.revision,
        "weights_hash": run.weights_hash,
        "parameters": dict(segment.parameters),
        "space": None if segment.space is None else asdict(segment.space),
        "seconds": segment.seconds,
        "part": part and [str(part.span.start), str(part.span.end), part.is_last],
        "outcomes": [_plain_outcome(one) for one in segment.outcomes],
        "created_ns": time.time_ns(),
    }
    try:
        return encode_table(_build_table(segment), header)
    except (OverflowError, pa.ArrowInvalid) as error:
        raise ValueError(f"a time in {segment.fingerprint} is out of range: {error}") from error


def _build_table(segment: TextSegment) -> pa.Table:
    identity, rows = (segment.fingerprint, str(segment.stage), file_key(segment)), segment.rows
    columns: dict[str, Any] = {
        "text_id": pa.array([text_id(*identity, i) for i in range(len(rows))], pa.int64()),
        "ordinal": pa.array(range(len(rows)), pa.int32()),
    }
    for name, times in (("start", [row.span.start for row in rows]), ("end", [row.span.end for row in rows])):
        columns[f"{name}_numerator"] = pa.array([moment.numerator for moment in times], pa.int64())
        columns[f"{name}_denominator"] = pa.array([moment.denominator for moment in times], pa.int64())
        columns[f"{name}_seconds"] = pa.array([float(moment) for moment in times], pa.float64())
    columns["text"] = pa.array([_utf8(row.text) for row in rows], pa.string())
    columns["score"] = pa.array([row.score for row in rows], pa.float64())
    columns["language"] = pa.array([row.language for row in rows], pa.string())
    for side, name in enumerate(BOX_SIDES):
        columns[name] = pa.array([None if row.box is None else row.box[side] for row in rows], pa.float64())
    columns["words"] = pa.array([[_plain_word(word) for word in row.words] or None for row in rows], WORDS)
    columns["count"] = pa.array([row.count for row in rows], pa.int64())
    columns["payload"] = pa.array(
        [None if row.payload is None else json.dumps(dict(row.payload)) for row in rows], pa.string()
    )
    if segment.embeddings is not None and len(rows):
        flat = pa.array(np.ascontiguousarray(segment.embeddings).reshape(-1))
        columns["embedding"] = pa.FixedSizeListArray.from_arrays(flat, segment.embeddings.shape[1])
    return pa.table(columns)


def _utf8(text: str) -> str:
    """The text; half a character, as a model may cut one, is no UTF-8 and becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


def _plain_word(word: Word) -> dict[str, Any]:
    return {**asdict(word), "text": _utf8(word.text)}


def read_text_segment(path: Path) -> StoredText:
    """A text segment file, verified byte by byte; rows that cannot be are passed over.

    Raises:
        ArchiveDamagedError: the file is missing, cannot be read, is not whole, or is not the one its name says.
        SegmentTooNewError: a newer Rushes wrote it.
    """
    table, header = read_table(path)
    try:
        space = header["space"] and EmbeddingSpace(**header["space"])
        created_ns = header["created_ns"]
        if type(created_ns) is not int or not 0 <= created_ns < 2**63:
            raise ValueError("a number of its header is none")
        check_seconds(header.get("seconds"))
        run, part, outcomes = _read_run(header), _read_part(header), _read_outcomes(header)
        table = fill_columns(table)
        check_columns(table, COLUMNS, ())
        vectors = [name for name in ("embedding",) if name in table.column_names]
        if vectors:
            check_vectors(table, space.dim if space else 0)
        passed = find_impossible(table)
    except (ArithmeticError, LookupError, TypeError, ValueError, pa.ArrowException) as error:
        raise ArchiveDamagedError(f"segment {path} holds what cannot be: {error}") from error
    columns = [*COLUMNS, *vectors]
    unknown = sorted({*table.column_names, *header} - {*columns, *_HEADER, *LATER_COLUMNS})
    return StoredText(
        path.name,
        header["fingerprint"],
        run,
        part,
        space.space_id if space else "",
        created_ns,
        header.get("seconds"),
        outcomes,
        passed.rest_of(table.select(columns)),
        passed,
        tuple(unknown),
    )


_HEADER = (
    "fingerprint", "stage", "key", "model", "revision", "weights_hash", "parameters", "space", "seconds", "part",
    "created_ns", "outcomes",
)  # fmt: skip


def _read_run(header: Mapping[str, Any]) -> Run:
    model, revision, weights_hash = header["model"], header.get("revision", ""), header.get("weights_hash", "")
    names = (model, revision, weights_hash)
    if not all(isinstance(name, str) for name in names) or not isinstance(header["parameters"], dict):
        raise ValueError("its run is none")
    key, _ = run_of_key(header["key"])
    return Run(header["stage"], key, model, revision, weights_hash, header["parameters"])


def _read_part(header: Mapping[str, Any]) -> Part | None:
    number = run_of_key(header["key"])[1]
    if (number is None) != (header.get("part") is None):
        raise ValueError("its name and its header disagree on which part it is")
    if number is None:
        return None
    start, end, is_last = header["part"]
    if type(is_last) is not bool:
        raise ValueError("its part is none")
    return Part(number, TimeSpan(read_fraction(start), read_fraction(end)), is_last)


def _plain_outcome(outcome: ShotOutcome) -> list[str]:
    reason = _utf8(outcome.reason)[:MOST_REASON_CHARACTERS]
    return [str(outcome.span.start), str(outcome.span.end), outcome.state.value, reason]


def _read_outcomes(header: Mapping[str, Any]) -> tuple[ShotOutcome, ...]:
    """The outcomes of shots; states that only a later version knows are left out."""
    known = set(ShotState)
    found = []
    for start, end, state, reason in header.get("outcomes") or ():
        if not isinstance(state, str) or not isinstance(reason, str):
            raise TypeError("an outcome is none")
        if state in known:
            span = TimeSpan(read_fraction(start), read_fraction(end))
            found.append(ShotOutcome(span, ShotState(state), reason[:MOST_REASON_CHARACTERS]))
    return tuple(found)


def rows_of_table(table: pa.Table) -> list[TextRow]:
    """The rows of a text segment as records, by time."""
    rows = [
        _row(row) for row in table.drop_columns([n for n in ("embedding",) if n in table.column_names]).to_pylist()
    ]
    return sorted(rows, key=lambda row: (row.span.start, row.span.end))


def _row(row: Mapping[str, Any]) -> TextRow:
    box = tuple(row[side] for side in BOX_SIDES)
    return TextRow(
        TimeSpan(
            Fraction(row["start_numerator"], row["start_denominator"]),
            Fraction(row["end_numerator"], row["end_denominator"]),
        ),
        row["text"],
        row["score"],
        row["language"],
        None if None in box else (box[0], box[1], box[2], box[3]),
        tuple(Word(**word) for word in row["words"] or ()),
        row["count"],
        None if row["payload"] is None else json.loads(row["payload"]),
    )
