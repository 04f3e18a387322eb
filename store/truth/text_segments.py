"""Text segments: what one stage read, heard or said about one video, as one immutable Parquet file.

One row for each caption, label, object, spoken or written text, with its exact time span; the vectors of the
texts, if there are any, beside them. Named, sealed and verified as the segments of pictures are.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from store.errors import ArchiveDamagedError
from store.records import Embeddings, EmbeddingSpace, TextSegment, TextStage
from store.truth.segments import (
    SEGMENT_FORMAT,
    check_columns,
    check_vectors,
    encode_table,
    read_table,
    segment_name,
    stage_of,
)

_BOX_SIDES = ("box_left", "box_top", "box_width", "box_height")
_TIMES = {"numerator": pa.int64(), "denominator": pa.int64(), "seconds": pa.float64()}
_COLUMNS: Mapping[str, pa.DataType] = {
    "text_id": pa.int64(),
    "ordinal": pa.int32(),
    **{f"{name}_{part}": kind for name in ("start", "end") for part, kind in _TIMES.items()},
    "text": pa.string(),
    "score": pa.float64(),
    "language": pa.string(),
    **dict.fromkeys(_BOX_SIDES, pa.float64()),
}


@dataclass(frozen=True, slots=True)
class StoredText:
    """A text segment file that was read and found whole.

    Args:
        name: its file name.
        fingerprint: content identity of the video.
        stage: the kind of text.
        key: hash of the stage's parameters.
        space_id: embedding space of the vectors; empty if there are none.
        created_ns: when it was written; of two segments of one stage, the later one counts.
        table: its rows.
    """

    name: str
    fingerprint: str
    stage: TextStage
    key: str
    space_id: str
    created_ns: int
    table: pa.Table

    @property
    def rows(self) -> pa.Table:
        """All columns but the embeddings, as the catalog takes them."""
        table = self.table.drop_columns(["embedding"]) if "embedding" in self.table.column_names else self.table
        for name, value in (("segment", self.name), ("fingerprint", self.fingerprint), ("stage", str(self.stage))):
            table = table.append_column(name, pa.array([value] * table.num_rows, pa.string()))
        return table

    @property
    def text_ids(self) -> NDArray[np.int64]:
        """Id of each row, in order."""
        return np.asarray(self.table["text_id"].to_numpy(), dtype=np.int64)

    @property
    def embeddings(self) -> Embeddings | None:
        """One row for each text, float32, (n, dim); None if the stage made none."""
        if "embedding" not in self.table.column_names:
            return None
        column = self.table["embedding"].combine_chunks()
        flat = column.values if isinstance(column, pa.FixedSizeListArray) else column.chunk(0).values
        vectors = np.ascontiguousarray(flat.to_numpy(), dtype=np.float32)
        return vectors.reshape(self.table.num_rows, -1)


def is_text_segment(name: str) -> bool:
    """Whether a segment of that name holds texts."""
    return stage_of(name) in set(TextStage)


def text_id(fingerprint: str, stage: str, key: str, ordinal: int) -> int:
    """Id of a text, 63 bits, from content alone."""
    text = f"text|{fingerprint}|{stage}|{key}|{ordinal}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def encode_text_segment(segment: TextSegment) -> bytes:
    """The bytes of a text segment file, digest included.

    Raises:
        ValueError: a time does not fit 64-bit numerators and denominators.
    """
    header = {
        "format": SEGMENT_FORMAT,
        "fingerprint": segment.fingerprint,
        "stage": str(segment.stage),
        "key": segment.key,
        "model": segment.model,
        "parameters": dict(segment.parameters),
        "space": None if segment.space is None else asdict(segment.space),
        "created_ns": time.time_ns(),
    }
    try:
        return encode_table(_build_table(segment), header)
    except (OverflowError, pa.ArrowInvalid) as error:
        raise ValueError(f"a time in {segment.fingerprint} is out of range: {error}") from error


def _build_table(segment: TextSegment) -> pa.Table:
    identity, rows = (segment.fingerprint, str(segment.stage), segment.key), segment.rows
    columns: dict[str, Any] = {
        "text_id": pa.array([text_id(*identity, i) for i in range(len(rows))], pa.int64()),
        "ordinal": pa.array(range(len(rows)), pa.int32()),
    }
    for name, times in (("start", [row.span.start for row in rows]), ("end", [row.span.end for row in rows])):
        columns[f"{name}_numerator"] = pa.array([moment.numerator for moment in times], pa.int64())
        columns[f"{name}_denominator"] = pa.array([moment.denominator for moment in times], pa.int64())
        columns[f"{name}_seconds"] = pa.array([float(moment) for moment in times], pa.float64())
    # Half a character, as a model may cut one, is no UTF-8.
    columns["text"] = pa.array([row.text.encode("utf-8", "replace").decode() for row in rows], pa.string())
    columns["score"] = pa.array([row.score for row in rows], pa.float64())
    columns["language"] = pa.array([row.language for row in rows], pa.string())
    for side, name in enumerate(_BOX_SIDES):
        columns[name] = pa.array([None if row.box is None else row.box[side] for row in rows], pa.float64())
    if segment.embeddings is not None and len(rows):
        flat = pa.array(np.ascontiguousarray(segment.embeddings).reshape(-1))
        columns["embedding"] = pa.FixedSizeListArray.from_arrays(flat, segment.embeddings.shape[1])
    return pa.table(columns)


def read_text_segment(path: Path) -> StoredText:
    """A text segment file, verified byte by byte.

    Raises:
        ArchiveDamagedError: the file is missing, cannot be read, is not whole, or is not the one its name says.
        ArchiveTooNewError: a newer Rushes wrote it.
    """
    table, header = read_table(path)
    try:
        space = header["space"] and EmbeddingSpace(**header["space"])
        stage, created_ns = TextStage(header["stage"]), header["created_ns"]
        if type(created_ns) is not int or not 0 <= created_ns < 2**63:
            raise ValueError("a number of its header is none")
        check_columns(table, _COLUMNS, ("start", "end"))
        if "embedding" in table.column_names:
            check_vectors(table, space.dim if space else 0)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise ArchiveDamagedError(f"segment {path} holds what cannot be: {error}") from error
    return StoredText(
        segment_name(header["fingerprint"], header["stage"], header["key"]),
        header["fingerprint"],
        stage,
        header["key"],
        space.space_id if space else "",
        created_ns,
        table,
    )
