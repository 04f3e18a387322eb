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
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
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
from store.limited import ForeignDataError, parse_limited_json, read_fraction, read_limited_bytes
from store.records import (
    Boundary,
    ClockJump,
    Embeddings,
    EmbeddingSpace,
    SampledFrame,
    Segment,
    Shot,
    VideoFacts,
)
from store.stages import run_of_key
from store.timespan import TimeSpan

SEGMENT_FORMAT = 2
"""1 had no runs, parts, words, counts and payloads. Both are read."""
_RATES = ("frame_rate", "usual_rate")
_FACTS = tuple(one.name for one in fields(VideoFacts))
_HEADER_KEY = "rushes"
_DIGEST_KEY = "rushes.digest"
_DIGEST_PREFIX = b"rushes-whole-file-xxh3_128:"
_DIGEST_PATTERN = re.compile(re.escape(_DIGEST_PREFIX) + rb"([0-9a-f]{32})")
_ZEROS = b"0" * 32
MOST_BYTES = 2**32
"""Of a file: a day of video, a frame a second, takes a sixteenth of it."""
MOST_ROWS = 20_000_000
_MOST_COLUMNS = 2**16
_TIMES = {"numerator": pa.int64(), "denominator": pa.int64(), "seconds": pa.float64()}
_COLUMNS: Mapping[str, pa.DataType] = {
    "frame_id": pa.int64(),
    "shot_id": pa.string(),
    "shot_ordinal": pa.int32(),
    "boundary": pa.string(),
    **{f"{name}_{part}": kind for name in ("start", "end", "time") for part, kind in _TIMES.items()},
    "sharpness": pa.float64(),
    "thumbnail": pa.string(),
}
MAY_BE_NULL = frozenset({"score", "box_left", "box_top", "box_width", "box_height", "words", "count", "payload"})
_NAME_PATTERN = re.compile(r"([0-9a-f]{8,64})\.([a-z0-9_-]+)\.([A-Za-z0-9_-]+)\.parquet")


class SegmentTooNewError(ArchiveTooNewError):
    """A segment of a later format, which is kept and passed over.

    Args:
        message: for people.
        version: the format.
    """

    def __init__(self, message: str, version: int) -> None:
        super().__init__(message)
        self.version = version


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """Footer of a segment file.

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
        created_ns: when it was written.
        seconds: what it cost to compute; None where that was not measured.
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
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A segment file that was read and found whole.

    Args:
        name: its file name.
        header: what its footer says.
        table: its rows, known columns only.
        unknown: names of columns and fields of the footer that only a later version understands.
    """

    name: str
    header: SegmentHeader
    table: pa.Table
    unknown: tuple[str, ...] = ()

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
    """Path of the segment of that name below the folder of segments."""
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


def run_of(name: str) -> tuple[str, str]:
    """Stage and key of the run that a segment's name says."""
    _, stage, key, _ = name.split(".", 3)
    return stage, run_of_key(key)[0]


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
    for name in _RATES:
        plain[name] = None if plain[name] is None else str(plain[name])
    plain["time_base"] = str(facts.time_base)
    plain["start_pts_offset"] = str(facts.start_pts_offset)
    plain["span"] = [str(facts.span.start), str(facts.span.end)]
    plain["warnings"] = list(facts.warnings)
    plain["crop"] = None if facts.crop is None else list(facts.crop)
    plain["clock_jumps"] = [[str(jump.time), jump.tick, jump.n_frames] for jump in facts.clock_jumps]
    return plain


def facts_from_plain(plain: dict[str, Any]) -> VideoFacts:
    """The facts that `facts_to_plain` made plain.

    Raises:
        ValueError: a field is missing, or not of its type: a segment may be a stranger's.
    """
    try:
        facts = _read_facts(plain)
    except (TypeError, KeyError) as error:
        raise ValueError(f"the facts of a video are not whole: {error}") from error
    _check_facts(facts)
    return facts


def _read_facts(plain: dict[str, Any]) -> VideoFacts:
    start, end = plain["span"]
    crop, channels = plain.get("crop"), plain.get("audio_channels")
    rates = {name: None if plain.get(name) is None else read_fraction(plain[name]) for name in _RATES}
    jumps = plain.get("clock_jumps", ())
    return VideoFacts(
        **{
            **{name: plain[name] for name in _FACTS if name in plain},  # a later version may know more
            **rates,
            "audio_channels": None if channels is None else tuple(channels),
            "time_base": read_fraction(plain["time_base"]),
            "start_pts_offset": read_fraction(plain["start_pts_offset"]),
            "span": TimeSpan(read_fraction(start), read_fraction(end)),
            "warnings": tuple(plain["warnings"]),
            "crop": None if crop is None else tuple(crop),
            "clock_jumps": tuple(ClockJump(read_fraction(time), *numbers) for time, *numbers in jumps),
        }
    )


def _check_facts(facts: VideoFacts) -> None:
    crop = (0, 0, 0, 0) if facts.crop is None else facts.crop
    jumped = [number for jump in facts.clock_jumps for number in (abs(jump.tick), jump.n_frames)]
    numbers = (facts.width_px, facts.height_px, facts.rotation_degrees, facts.n_frames, facts.video_track or 0)
    texts = (facts.container, facts.video_codec, *facts.warnings)
    named = (facts.recorded_at, facts.start_timecode, facts.reel_name)
    all_numbers = (*numbers, *crop, *(facts.audio_channels or ()), *jumped)
    if (
        not all(type(number) is int and 0 <= number < 2**63 for number in all_numbers)
        or len(crop) != 4
        or not all(isinstance(text, str) for text in texts)
        or not all(text is None or isinstance(text, str) for text in named)
        or not all(type(flag) is bool for flag in (facts.has_audio, facts.partial, facts.mirrored))
        or facts.time_base <= 0
        or any(rate is not None and rate < 0 for rate in (facts.frame_rate, facts.usual_rate))
    ):
        raise ValueError("the facts of a video are not of their types")


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
        "seconds": segment.seconds,
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
        SegmentTooNewError: a newer Rushes wrote it.
    """
    advice = "run `rushes repair` and then `rushes index` again"
    try:
        data = read_limited_bytes(path, MOST_BYTES, follow_links=False)
    except OSError as error:
        raise ArchiveDamagedError(f"segment {path} cannot be read ({error.strerror}); {advice}") from error
    except ForeignDataError as error:
        raise ArchiveDamagedError(f"segment {path} is none: {error}") from error
    if not is_whole(data):
        raise ArchiveDamagedError(f"segment {path} is damaged; {advice}")
    try:  # it may be a stranger's: a digest is no signature
        table, header = _parse(data)
    except (pa.ArrowException, ArithmeticError, LookupError, MemoryError, OSError, TypeError, ValueError) as error:
        raise ArchiveDamagedError(f"segment {path} holds what cannot be: {error}; {advice}") from error
    if (version := header.pop("format")) > SEGMENT_FORMAT:
        raise SegmentTooNewError(f"segment {path} was written by a newer Rushes; update this one", version)
    if path.name != segment_name(header["fingerprint"], header["stage"], header["key"]):
        raise ArchiveDamagedError(f"segment {path} holds another segment than its name says; {advice}")
    return table.replace_schema_metadata(None), header


def _parse(data: bytes) -> tuple[pa.Table, dict[str, Any]]:
    """Rows and header, each field of its type.

    Raises:
        ValueError: they go beyond a limit, or a field is none.
        pa.ArrowException, LookupError, TypeError: it is no such file.
    """
    metadata = pq.read_metadata(pa.BufferReader(data))
    n_bytes = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    if metadata.num_rows > MOST_ROWS or metadata.num_columns > _MOST_COLUMNS or n_bytes > 2 * MOST_BYTES:
        raise ValueError(f"it has {metadata.num_rows:,} rows of {n_bytes:,} bytes")
    header = parse_limited_json(metadata.metadata[_HEADER_KEY.encode()])
    texts = [header[name] for name in ("fingerprint", "stage", "key")]
    if not all(isinstance(text, str) for text in texts) or type(header["format"]) is not int:
        raise ValueError("its header is none")
    if header["format"] > SEGMENT_FORMAT:
        return pa.table({}), header  # its rows are nobody's business here
    return pq.read_table(pa.BufferReader(data), use_threads=False), header


def check_columns(table: pa.Table, expected: Mapping[str, pa.DataType], times: Sequence[str]) -> None:
    """Refuse rows that are not of their types, or whose exact times are none.

    Args:
        table: the rows.
        expected: the type of each column that must be there; None values only where a score or a box is.
        times: names of the times that must be times in every row.

    Raises:
        ValueError: they are not.
    """
    for name, kind in expected.items():
        column = table[name] if name in table.column_names else None
        if column is None or not column.type.equals(kind):
            raise ValueError(f"its column {name} is {'missing' if column is None else column.type}")
        if column.null_count and name not in MAY_BE_NULL:
            raise ValueError(f"its column {name} has gaps")
    for name in times:
        if table.num_rows and np.asarray(table[f"{name}_denominator"]).min() < 1:
            raise ValueError(f"a {name} in it is no time")
        if not np.isfinite(np.asarray(table[f"{name}_seconds"])).all():
            raise ValueError(f"a {name} in it is no time")
    if times and (np.asarray(table["start_seconds"]) > np.asarray(table["end_seconds"])).any():
        raise ValueError("something in it ends before it starts")


def check_vectors(table: pa.Table, dim: int) -> None:
    """Refuse vectors of another length than their space has, or that are none.

    Raises:
        ValueError: they are.
    """
    column = table["embedding"]
    kind = column.type
    if not pa.types.is_fixed_size_list(kind) or kind.list_size != dim or kind.value_type != pa.float32():
        raise ValueError(f"its vectors are {kind}")
    for chunk in column.chunks:
        if chunk.null_count or not np.isfinite(np.asarray(chunk.flatten())).all():
            raise ValueError("a vector in it is none")


def read_segment(path: Path) -> StoredSegment:
    """A segment file of pictures, verified byte by byte.

    Raises:
        ArchiveDamagedError: the file is missing, cannot be read, is not whole, or is not the one its name says.
        ArchiveTooNewError: a newer Rushes wrote it.
    """
    table, plain = read_table(path)
    try:
        known = {one.name for one in fields(SegmentHeader)}
        plain["space"] = EmbeddingSpace(**plain["space"])
        header = SegmentHeader(**{name: value for name, value in plain.items() if name in known})
        _check_header(header)
        check_columns(table, _COLUMNS, ("start", "end", "time"))
        check_vectors(table, header.space.dim)
        if not set(table["boundary"].unique().to_pylist()) <= set(Boundary):
            raise ValueError("a shot in it begins as none does")
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise ArchiveDamagedError(f"segment {path} holds what cannot be: {error}") from error
    columns = [*_COLUMNS, "embedding"]
    unknown = sorted({*plain, *table.column_names} - known - set(columns))
    return StoredSegment(path.name, header, table.select(columns), tuple(unknown))


def _check_header(header: SegmentHeader) -> None:
    numbers = (header.size_bytes, header.n_shots, header.n_frames, header.created_ns)
    if not all(type(number) is int and 0 <= number < 2**63 for number in numbers):
        raise ValueError("a number of its header is none")
    check_seconds(header.seconds)
    facts_from_plain(header.video)


def check_seconds(seconds: object) -> None:
    """Refuse a cost that is none.

    Raises:
        ValueError: it is negative, not finite, or no number.
    """
    is_cost = isinstance(seconds, int | float) and type(seconds) is not bool and 0 <= seconds < 2**53
    if seconds is not None and not is_cost:
        raise ValueError("the seconds of its header are none")


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
        header.seconds,
    )


def _shot(row: dict[str, Any]) -> Shot:
    start = Fraction(row["start_numerator"], row["start_denominator"])
    end = Fraction(row["end_numerator"], row["end_denominator"])
    return Shot(row["shot_ordinal"], TimeSpan(start, end), Boundary(row["boundary"]))


def _frame(row: dict[str, Any]) -> SampledFrame:
    moment = Fraction(row["time_numerator"], row["time_denominator"])
    return SampledFrame(row["shot_ordinal"], moment, row["sharpness"], row["thumbnail"])
