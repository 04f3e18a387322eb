"""Segments: what one stage computed about one video, as one immutable Parquet file.

A segment has one row for each sampled frame, with the columns of its shot repeated, so that any Parquet reader can
use it as it lies; facts about the video, the embedding space and the parameters are JSON in the footer. Times are
exact (numerator and denominator) and, for people, also in seconds. The footer carries a digest of the whole file,
taken with the digest itself as zeros, so that any changed byte is noticed.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, dataclass
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from store.errors import ArchiveDamagedError, ArchiveTooNewError
from store.files import digest_bytes
from store.records import Boundary, Embeddings, EmbeddingSpace, SampledFrame, Segment, Shot, VideoFacts
from store.timespan import TimeSpan

SEGMENT_FORMAT = 1
_HEADER_KEY = "rushes"
_DIGEST_KEY = "rushes.digest"
_DIGEST_PREFIX = b"rushes-whole-file-xxh3_128:"
_DIGEST_PATTERN = re.compile(re.escape(_DIGEST_PREFIX) + rb"([0-9a-f]{32})")
_ZEROS = b"0" * 32
_NAME_PATTERN = re.compile(r"([0-9a-f]{8,64})\.([a-z0-9_-]+)\.([A-Za-z0-9_-]+)\.parquet")


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """What the footer of a segment file says.

    Args:
        fingerprint: content identity of the video.
        size_bytes: size of the video file.
        stage: name of the stage.
        key: hash of the stage's parameters.
        space: embedding space of the vectors.
        parameters: the stage's parameters.
        video: facts about the video as plain data.
        n_shots: how many shots.
        n_frames: how many sampled frames.
        created_ns: when it was written; of two segments of one stage, the later one counts.
    """

    fingerprint: str
    size_bytes: int
    stage: str
    key: str
    space: EmbeddingSpace
    parameters: dict[str, Any]
    video: dict[str, Any]
    n_shots: int
    n_frames: int
    created_ns: int


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A segment file that was read and found whole: its name, header and rows."""

    name: str
    header: SegmentHeader
    table: pa.Table

    @property
    def rows(self) -> pa.Table:
        """All columns but the embeddings, as the catalog takes them."""
        fingerprints = pa.array([self.header.fingerprint] * self.table.num_rows, pa.string())
        return self.table.drop_columns(["embedding"]).append_column("fingerprint", fingerprints)

    @property
    def frame_ids(self) -> NDArray[np.int64]:
        """Id of each sampled frame, in order."""
        return np.asarray(self.table["frame_id"].to_numpy(), dtype=np.int64)

    @property
    def embeddings(self) -> Embeddings:
        """One row for each sampled frame."""
        column = self.table["embedding"].combine_chunks()
        flat = column.values if isinstance(column, pa.FixedSizeListArray) else column.chunk(0).values
        return np.ascontiguousarray(flat.to_numpy(), dtype=np.float32).reshape(-1, self.header.space.dim)


def segment_name(fingerprint: str, stage: str, key: str) -> str:
    """File name of a segment, unique by content."""
    return f"{fingerprint}.{stage}.{key}.parquet"


def segment_path(folder: Path, name: str) -> Path:
    """Where the segment of that name lies below the folder of segments."""
    return folder / name[:2] / name


def is_segment_name(name: str) -> bool:
    """Whether a file of that name can be a segment."""
    return _NAME_PATTERN.fullmatch(name) is not None


def fingerprint_of(name: str) -> str:
    """The fingerprint of the video that a segment's name says."""
    return name.partition(".")[0]


def stage_of(name: str) -> str:
    """The stage that a segment's name says."""
    return name.split(".")[1]


def frame_id(fingerprint: str, stage: str, key: str, ordinal: int) -> int:
    """Id of a sampled frame, 63 bits, from content alone."""
    return _content_id(f"frame|{fingerprint}|{stage}|{key}|{ordinal}") >> 1


def shot_id(fingerprint: str, stage: str, key: str, ordinal: int) -> str:
    """Id of a shot, 16 hex digits, from content alone."""
    return f"{_content_id(f'shot|{fingerprint}|{stage}|{key}|{ordinal}'):016x}"


def _content_id(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def facts_to_plain(facts: VideoFacts) -> dict[str, Any]:
    """Plain data for JSON; fractions as `n/d` text."""
    plain = asdict(facts)
    rate = facts.frame_rate
    plain["frame_rate"] = None if rate is None else str(rate)
    plain["time_base"] = str(facts.time_base)
    plain["start_pts_offset"] = str(facts.start_pts_offset)
    plain["span"] = [str(facts.span.start), str(facts.span.end)]
    plain["warnings"] = list(facts.warnings)
    return plain


def facts_from_plain(plain: dict[str, Any]) -> VideoFacts:
    """The facts that `facts_to_plain` made plain."""
    start, end = plain["span"]
    rate = plain["frame_rate"]
    return VideoFacts(
        **{
            **plain,
            "frame_rate": None if rate is None else Fraction(rate),
            "time_base": Fraction(plain["time_base"]),
            "start_pts_offset": Fraction(plain["start_pts_offset"]),
            "span": TimeSpan(Fraction(start), Fraction(end)),
            "warnings": tuple(plain["warnings"]),
        }
    )


def _build_table(segment: Segment) -> pa.Table:
    identity = (segment.fingerprint, segment.stage, segment.key)
    shots = [segment.shots[frame.shot_ordinal] for frame in segment.frames]
    shot_names = [shot_id(*identity, shot.ordinal) for shot in segment.shots]
    embedding = pa.FixedSizeListArray.from_arrays(
        pa.array(np.ascontiguousarray(segment.embeddings).reshape(-1)), segment.space.dim
    )
    columns: dict[str, Any] = {
        "frame_id": pa.array([frame_id(*identity, i) for i in range(len(shots))], pa.int64()),
        "shot_id": pa.array([shot_names[shot.ordinal] for shot in shots], pa.string()),
        "shot_ordinal": pa.array([shot.ordinal for shot in shots], pa.int32()),
        "boundary": pa.array([shot.boundary.value for shot in shots], pa.string()),
    }
    for name, times in (
        ("start", [shot.span.start for shot in shots]),
        ("end", [shot.span.end for shot in shots]),
        ("time", [frame.time for frame in segment.frames]),
    ):
        columns[f"{name}_numerator"] = pa.array([moment.numerator for moment in times], pa.int64())
        columns[f"{name}_denominator"] = pa.array([moment.denominator for moment in times], pa.int64())
        columns[f"{name}_seconds"] = pa.array([float(moment) for moment in times], pa.float64())
    columns["sharpness"] = pa.array([frame.sharpness for frame in segment.frames], pa.float64())
    columns["thumbnail"] = pa.array([frame.thumbnail for frame in segment.frames], pa.string())
    columns["embedding"] = embedding
    return pa.table(columns)


def encode_segment(segment: Segment) -> bytes:
    """The bytes of a segment file, digest included.

    Raises:
        ValueError: a time does not fit 64-bit numerators and denominators.
    """
    header = {
        "format": SEGMENT_FORMAT,
        "fingerprint": segment.fingerprint,
        "size_bytes": segment.size_bytes,
        "stage": segment.stage,
        "key": segment.key,
        "space": asdict(segment.space),
        "parameters": dict(segment.parameters),
        "video": facts_to_plain(segment.video),
        "n_shots": len(segment.shots),
        "n_frames": len(segment.frames),
        "created_ns": time.time_ns(),
    }
    try:
        return encode_table(_build_table(segment), header)
    except (OverflowError, pa.ArrowInvalid) as error:
        raise ValueError(f"a time in {segment.fingerprint} is out of range: {error}") from error


def encode_table(table: pa.Table, header: dict[str, Any]) -> bytes:
    """The bytes of a segment file with these rows and this header, digest included."""
    sink = pa.BufferOutputStream()
    # Vectors are noise to a compressor: leaving them alone writes twice as fast, for 8 % more bytes.
    compression = dict.fromkeys(table.column_names, "zstd")
    if compression.pop("embedding", None):
        compression["embedding.list.element"] = "none"
    repeated = [name for name in ("shot_id", "boundary", "language") if name in table.column_names]
    with pq.ParquetWriter(sink, table.schema, compression=compression, use_dictionary=repeated) as writer:
        writer.write_table(table)
        # Added here and not to the schema, which pyarrow would also copy into the footer in base64.
        writer.add_key_value_metadata(
            {_HEADER_KEY: json.dumps(header), _DIGEST_KEY: (_DIGEST_PREFIX + _ZEROS).decode()}
        )
    data = bytearray(sink.getvalue())
    place = _find_digest(data)
    if place is None:
        raise ValueError(f"the segment of {header['fingerprint']} contains the marker of the digest")
    data[place : place + len(_ZEROS)] = digest_bytes(bytes(data)).encode()
    return bytes(data)


def _find_digest(data: bytes | bytearray) -> int | None:
    places = [match.start(1) for match in _DIGEST_PATTERN.finditer(data)]
    return places[0] if len(places) == 1 else None


def is_whole(data: bytes) -> bool:
    """Whether the bytes of a segment file are those that were written."""
    place = _find_digest(data)
    if place is None:
        return False
    end = place + len(_ZEROS)
    return data[place:end].decode() == digest_bytes(data[:place] + _ZEROS + data[end:])


def read_table(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    """Rows and header of a segment file, verified byte by byte.

    Raises:
        ArchiveDamagedError: the file is missing, cannot be read, is not whole, or is not the one its name says.
        ArchiveTooNewError: a newer Rushes wrote it.
    """
    advice = "run `rushes repair` and then `rushes index` again"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ArchiveDamagedError(f"segment {path} cannot be read ({error.strerror}); {advice}") from error
    if not is_whole(data):
        raise ArchiveDamagedError(f"segment {path} is damaged; {advice}")
    table = pq.read_table(pa.BufferReader(data), use_threads=False)
    header = json.loads(pq.read_metadata(pa.BufferReader(data)).metadata[_HEADER_KEY.encode()])
    if header.pop("format") > SEGMENT_FORMAT:
        raise ArchiveTooNewError(f"segment {path} was written by a newer Rushes; update this one")
    if path.name != segment_name(header["fingerprint"], header["stage"], header["key"]):
        raise ArchiveDamagedError(f"segment {path} holds another segment than its name says; {advice}")
    return table.replace_schema_metadata(None), header


def read_segment(path: Path) -> StoredSegment:
    """A segment file of pictures, verified byte by byte.

    Raises:
        ArchiveDamagedError: the file is missing, cannot be read, is not whole, or is not the one its name says.
        ArchiveTooNewError: a newer Rushes wrote it.
    """
    table, plain = read_table(path)
    plain["space"] = EmbeddingSpace(**plain["space"])
    return StoredSegment(path.name, SegmentHeader(**plain), table)


def to_segment(stored: StoredSegment) -> Segment:
    """The records that were given to `encode_segment`."""
    header = stored.header
    rows = stored.table.drop_columns(["embedding"]).to_pylist()
    shots = {row["shot_ordinal"]: row for row in rows}
    return Segment(
        header.fingerprint,
        header.size_bytes,
        header.stage,
        header.key,
        header.space,
        header.parameters,
        facts_from_plain(header.video),
        tuple(_shot(shots[ordinal]) for ordinal in sorted(shots)),
        tuple(_frame(row) for row in rows),
        stored.embeddings,
    )


def _shot(row: dict[str, Any]) -> Shot:
    start = Fraction(row["start_numerator"], row["start_denominator"])
    end = Fraction(row["end_numerator"], row["end_denominator"])
    return Shot(row["shot_ordinal"], TimeSpan(start, end), Boundary(row["boundary"]))


def _frame(row: dict[str, Any]) -> SampledFrame:
    moment = Fraction(row["time_numerator"], row["time_denominator"])
    return SampledFrame(row["shot_ordinal"], moment, row["sharpness"], row["thumbnail"])
