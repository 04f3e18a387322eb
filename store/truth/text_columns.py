"""The columns of a text segment, and which of its rows cannot be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from store.limited import LINE_LIMITS, ForeignDataError, parse_limited_json
from store.row_checks import BOX_SLACK, CONTROLS, MOST_CHARACTERS, MOST_PAYLOAD_BYTES, MOST_WORDS

BOX_SIDES = ("box_left", "box_top", "box_width", "box_height")
_TIMES = {"numerator": pa.int64(), "denominator": pa.int64(), "seconds": pa.float64()}
WORDS = pa.list_(
    pa.struct(
        [
            ("text", pa.string()),
            ("start_seconds", pa.float64()),
            ("end_seconds", pa.float64()),
            ("score", pa.float64()),
        ]
    )
)
LATER_COLUMNS: Mapping[str, pa.DataType] = {"words": WORDS, "count": pa.int64(), "payload": pa.string()}
"""Columns that segments of format 1 lack."""
COLUMNS: Mapping[str, pa.DataType] = {
    "text_id": pa.int64(),
    "ordinal": pa.int32(),
    **{f"{name}_{part}": kind for name in ("start", "end") for part, kind in _TIMES.items()},
    "text": pa.string(),
    "score": pa.float64(),
    "language": pa.string(),
    **dict.fromkeys(BOX_SIDES, pa.float64()),
    **LATER_COLUMNS,
}

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Impossible:
    """Rows that are passed over.

    Args:
        mask: for each row of the file, whether it is passed over.
        reasons: how many rows have which fault.
    """

    mask: Mask
    reasons: Mapping[str, int]

    def __len__(self) -> int:
        """Number of rows that are passed over."""
        return int(self.mask.sum())

    def rest_of(self, table: pa.Table) -> pa.Table:
        """The rows that are possible."""
        return table.filter(pa.array(~self.mask)) if len(self) else table

    @property
    def told(self) -> str:
        """The reasons, for people; empty if nothing is passed over."""
        return ", ".join(f"{n:,} {reason}" for reason, n in self.reasons.items())


def fill_columns(table: pa.Table) -> pa.Table:
    """The table with the columns that segments of format 1 lack."""
    for name, kind in LATER_COLUMNS.items():
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows, kind))
        elif name == "words":
            table = table.set_column(table.column_names.index(name), name, table[name].cast(kind))
    return table


def find_impossible(table: pa.Table) -> Impossible:
    """Faults of the rows of a text segment, by the rules by which rows are refused when they are written."""
    checks: dict[str, Callable[[pa.Table], Mask]] = {
        "have impossible times": _bad_times,
        "have a text that is too long": lambda rows: _is_longer(rows["text"], MOST_CHARACTERS),
        "have control characters": _has_controls,
        "have a score that is none": lambda rows: _is_no_share(_numbers(rows["score"])),
        "have a box outside the picture": _bad_boxes,
        "have impossible words": _bad_words,
        "have a payload that is no plain data": _bad_payloads,
        "have an impossible count": lambda rows: np.nan_to_num(_numbers(rows["count"]), nan=0.0) < 0,
    }
    bad = np.zeros(table.num_rows, np.bool_)
    reasons: dict[str, int] = {}
    for reason, check in checks.items() if table.num_rows else ():
        found = check(table) & ~bad
        if found.any():
            reasons[reason] = int(found.sum())
            bad |= found
    return Impossible(bad, reasons)


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Values as floats: NaN for those that are missing, -1 for those that are no number."""
    missing = np.asarray(column.is_null())
    values: NDArray[np.float64] = column.cast(pa.float64(), safe=False).fill_null(0.0).to_numpy().copy()
    values[~np.isfinite(values)] = -1.0  # no share, no count
    values[missing] = np.nan
    return values


def _is_no_share(values: NDArray[np.float64]) -> Mask:
    with np.errstate(invalid="ignore"):
        inside = (values >= -BOX_SLACK) & (values <= 1 + BOX_SLACK)
    return np.asarray(~(inside | np.isnan(values)))


def _bad_times(rows: pa.Table) -> Mask:
    start, end = (np.asarray(rows[f"{name}_seconds"], np.float64) for name in ("start", "end"))
    zero = np.zeros(rows.num_rows, np.bool_)
    for name in ("start", "end"):
        zero |= np.asarray(rows[f"{name}_denominator"]) < 1
    with np.errstate(invalid="ignore"):
        return np.asarray(zero | ~np.isfinite(start) | ~np.isfinite(end) | ~(start < end))


def _is_longer(column: pa.ChunkedArray, most: int) -> Mask:
    return np.asarray(pc.fill_null(pc.greater(pc.utf8_length(column), most), False))


def _has_controls(rows: pa.Table) -> Mask:
    pattern = CONTROLS.encode("unicode_escape").decode()
    return np.asarray(pc.match_substring_regex(rows["text"], f"[{pattern}]"))


def _bad_boxes(rows: pa.Table) -> Mask:
    left, top, width, height = (_numbers(rows[side]) for side in BOX_SIDES)
    bad = np.zeros(rows.num_rows, np.bool_)
    for values in (left, top, width, height, left + width, top + height):
        bad |= _is_no_share(values)
    return bad


def _bad_words(rows: pa.Table) -> Mask:
    bad = np.zeros(rows.num_rows, np.bool_)
    for index in np.flatnonzero(np.asarray(rows["words"].is_valid())):
        words = rows["words"][int(index)].as_py()
        bad[index] = len(words) > MOST_WORDS or not all(map(_is_word, words))
    return bad


def _is_word(word: Mapping[str, object] | None) -> bool:
    if word is None or not isinstance(word["text"], str) or len(word["text"]) > MOST_CHARACTERS:
        return False
    times = [word["start_seconds"], word["end_seconds"]]
    if not all(isinstance(one, float) and np.isfinite(one) for one in times):
        return False
    score = word["score"]
    is_share = score is None or (isinstance(score, float) and -BOX_SLACK <= score <= 1 + BOX_SLACK)
    return is_share and times[0] <= times[1]  # type: ignore[operator]


def _bad_payloads(rows: pa.Table) -> Mask:
    bad = np.zeros(rows.num_rows, np.bool_)
    for index in np.flatnonzero(np.asarray(rows["payload"].is_valid())):
        text = rows["payload"][int(index)].as_py()
        try:
            is_plain = isinstance(parse_limited_json(text.encode(), LINE_LIMITS), dict)
        except ForeignDataError:
            is_plain = False
        bad[index] = len(text) > MOST_PAYLOAD_BYTES or not is_plain
    return bad
