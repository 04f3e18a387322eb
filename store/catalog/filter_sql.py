"""Filters as SQL over the catalog; every value is bound, none is written into a statement."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from store.catalog.place_names import videos_in
from store.catalog.schema import reading_rows
from store.filters import (
    And,
    Comparison,
    Duration,
    Filter,
    FrameRate,
    Has,
    InSet,
    InSpace,
    Language,
    Not,
    Or,
    PathGlob,
    RecordedDate,
    Resolution,
    Rights,
    Shape,
    TextMatch,
    Used,
)
from store.stages import stages_by_has

if TYPE_CHECKING:
    from store.catalog.reader import CatalogReader

_DATE_COLUMNS = ("date", "recorded", "recorded_at", "year")
_DATE_FORMATS = ["%Y-%m", "%Y", "%Y%m%d", "%d.%m.%Y", "%Y:%m:%d", "%Y:%m:%d %H:%M:%S"]
_WRITTEN = f"coalesce(try_cast(entry.value AS DATE), try_strptime(entry.value, {_DATE_FORMATS})::DATE)"
_DESCRIBED = ", ".join(
    f"list_filter(entries, lambda entry: lower(entry.key) = '{name}' "
    f"AND coalesce(year({_WRITTEN}) BETWEEN 1800 AND 2200, false))"
    for name in _DATE_COLUMNS
)
# The first date that can be read, in the order of the names; metadata may hold Date and date side by side.
_DATES = f"""
    SELECT video.fingerprint, coalesce(described.recorded, try_cast(left(video.facts->>'recorded_at', 10) AS DATE),
        make_timestamp((min(location.mtime_ns) // 1000)::BIGINT)::DATE) AS recorded
    FROM video LEFT JOIN location USING (fingerprint) LEFT JOIN (
        SELECT fingerprint, list_transform(flatten([{_DESCRIBED}]), lambda entry: {_WRITTEN})[1] AS recorded
        FROM (SELECT fingerprint, list_filter(map_entries(columns::JSON::MAP(VARCHAR, VARCHAR)),
            lambda entry: lower(entry.key) IN {_DATE_COLUMNS}) AS entries FROM metadata)
    ) described USING (fingerprint)
    GROUP BY video.fingerprint, video.facts, described.recorded
"""  # noqa: S608 constants of this module
_SHOTS = "SELECT shot.shot_id FROM shot JOIN video USING (fingerprint) WHERE "
_DATED = f"EXISTS (FROM ({_DATES}) dated WHERE dated.fingerprint = shot.fingerprint AND {{}})"
# To the microsecond, as durations are written: the difference of two rounded times is off by less than that.
_LENGTH = "round(shot.end_seconds - shot.start_seconds, 6)"
_RATE = """(split_part(video.facts->>'frame_rate', '/', 1)::DOUBLE
    / coalesce(nullif(split_part(video.facts->>'frame_rate', '/', 2), '')::DOUBLE, 1))"""
_SHAPES = {
    "portrait": "video.height_px > video.width_px",
    "landscape": "video.width_px > video.height_px",
    "square": "video.width_px = video.height_px",
}
# A text overlaps a shot if, of those that begin before the shot ends, the one that ends last ends after the shot
# begins: one pass over both in order of time, where comparing each with each takes seconds for a long video.
_OVERLAPS_TEXT = """shot.shot_id IN (
    SELECT one.shot_id FROM shot one ASOF JOIN (
        SELECT fingerprint, start_seconds,
            max(end_seconds) OVER (PARTITION BY fingerprint ORDER BY start_seconds) AS last_end
        FROM text_row WHERE {}
    ) earlier ON one.fingerprint = earlier.fingerprint AND one.end_seconds > earlier.start_seconds
    WHERE earlier.last_end > one.start_seconds
)"""

Sql = tuple[str, list[Any]]


@reading_rows
def matching_shots(reader: CatalogReader, wanted: Filter, holding: Mapping[TextMatch, set[str]]) -> set[str]:
    """Ids of the shots that a filter lets through.

    Args:
        reader: the catalog.
        wanted: the filter.
        holding: for each `TextMatch` in it, the shots in whose texts the words stand.
    """
    condition, bound = _compile(reader, wanted, holding)
    return {shot_id for (shot_id,) in reader.rows(_SHOTS + condition, bound)}


@reading_rows
def read_dates(reader: CatalogReader) -> dict[str, str]:
    """For each video the day it was recorded: from its metadata, else the file itself, else the file's age."""
    return {video_id: str(day) for video_id, day in reader.rows(_DATES) if day is not None}


def _compile(reader: CatalogReader, wanted: Filter, holding: Mapping[TextMatch, set[str]]) -> Sql:
    """A condition on `shot` and `video`, never NULL, and the values to bind."""
    if isinstance(wanted, Not):
        condition, bound = _compile(reader, wanted.part, holding)
        return f"NOT ({condition})", bound
    if isinstance(wanted, And | Or):
        parts = [_compile(reader, part, holding) for part in wanted.parts]
        joint = " AND " if isinstance(wanted, And) else " OR "
        return f"({joint.join(part for part, _ in parts)})", [value for _, bound in parts for value in bound]
    if isinstance(wanted, TextMatch):
        return "shot.shot_id IN (SELECT unnest(?::VARCHAR[]))", [sorted(holding[wanted])]
    if isinstance(wanted, PathGlob):
        condition, bound = _compile_path(reader, wanted.pattern)
    else:
        condition, bound = _compile_condition(wanted)
    return f"coalesce({condition}, false)", bound


def _compile_condition(wanted: Filter) -> Sql:
    match wanted:
        case Duration(comparison):
            sql = _compile_number(_LENGTH, comparison, 0.5)
        case FrameRate(comparison):
            sql = _compile_number(_RATE, comparison, 0.01)
        case Resolution(comparison):
            sql = _compile_number("least(video.width_px, video.height_px)", comparison, 0.5)
        case RecordedDate(start, end):
            is_from = "dated.recorded >= coalesce(?::DATE, dated.recorded)"
            sql = _DATED.format(f"{is_from} AND (?::DATE IS NULL OR dated.recorded < ?::DATE)"), [start, end, end]
        case Shape(shape):
            sql = _SHAPES[shape], []
        case _:
            sql = _compile_existence(wanted)
    return sql


def _compile_existence(wanted: Filter) -> Sql:
    """Conditions on whether there is a row of another table for the shot or its video."""
    sql: Sql
    match wanted:
        case Has("audio"):
            sql = "(video.facts->>'has_audio')::BOOLEAN", []
        case Has("metadata"):
            sql = _exists("metadata", "metadata.columns <> '{}'"), []
        case Has(what):
            sql = _OVERLAPS_TEXT.format("stage = ?"), [stages_by_has()[what]]
        case Language(code):
            sql = _OVERLAPS_TEXT.format("split_part(lower(language), '-', 1) = ?"), [code]
        case InSpace(name):
            either = "starts_with(lower(space.name), lower(?)) OR starts_with(space.space_id, ?)"
            sql = f"EXISTS (FROM space WHERE role = 'archive' AND ({either}))", [name, name]
        case InSet(name):
            is_in = f"lower(set_member.name) = lower(?) AND set_member.is_member AND {_covered('set_member')}"
            sql = _exists("set_member", is_in), [name]
        case Rights(ruling):
            sql = _compile_rights(ruling)
        case Used(ever):
            used = _exists("export_clip", _covered("export_clip"))
            sql = used if ever else f"NOT {used}", []
        case _:
            raise TypeError(f"not a condition: {wanted!r}")
    return sql


def _compile_rights(ruling: str) -> Sql:
    """Whether what was said of the shot, or of any stretch of its video that reaches into it, comes to that."""
    begin, end = (
        f"try_cast(split_part(rights.{time}, '/', 1) AS DOUBLE) / "
        f"try_cast(split_part(rights.{time}, '/', 2) AS DOUBLE)"
        for time in ("start_time", "end_time")
    )
    reaches = f"(rights.start_time = '' OR ({begin} < shot.end_seconds AND {end} > shot.start_seconds))"
    holds = _exists("rights", f"rights.rule = ? AND (rights.until = '' OR rights.until >= ?) AND {reaches}")
    blocked, marked, today = ("block", "watermark", date.today().isoformat())
    if ruling == "blocked":
        return holds, [blocked, today]
    nor_blocked = [blocked, today, marked, today]
    if ruling == "marked":
        return f"(NOT {holds} AND {holds})", nor_blocked
    return f"(NOT {holds} AND NOT {holds})", nor_blocked


def _exists(table: str, condition: str) -> str:
    return f"EXISTS (FROM {table} WHERE {table}.fingerprint = shot.fingerprint AND {condition})"


def _covered(table: str) -> str:
    """Half of the stretch or of the shot is common to both: a handle that reaches into it is not enough."""
    common = f"least({table}.end_seconds, shot.end_seconds) - greatest({table}.start_seconds, shot.start_seconds)"
    stretch, shot = f"{table}.end_seconds - {table}.start_seconds", "shot.end_seconds - shot.start_seconds"
    return f"({common} > 0 AND {common} >= 0.5 * least({stretch}, {shot}))"


def _compile_number(expression: str, comparison: Comparison, tolerance: float) -> Sql:
    if comparison.operator == "..":
        return f"{expression} BETWEEN ? AND ?", [comparison.low, comparison.high]
    if comparison.operator == "=":
        return f"abs({expression} - ?) <= {tolerance}", [comparison.low]
    return f"{expression} {comparison.operator} ?", [comparison.low]


def _compile_path(reader: CatalogReader, pattern: str) -> Sql:
    """A pattern as it stands; without a star or question mark also the word of a name, and the stem of one."""
    condition, bound = _compile_glob(pattern)
    if "*" in pattern or "?" in pattern:
        return condition, bound
    return f"({condition} OR shot.fingerprint IN (SELECT unnest(?::VARCHAR[])))", [
        *bound,
        videos_in(reader, pattern),
    ]


def _compile_glob(pattern: str) -> Sql:
    """Any place of the video whose path, or a part of it between slashes, fits the pattern, whatever its case."""
    escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    liked = escaped.replace("*", "%").replace("?", "_")
    wrapped = [liked, f"%/{liked}", f"%/{liked}/%", f"{liked}/%"]
    # Macs store an accent apart from its letter, and keyboards type both as one character.
    path = "nfc_normalize(rtrim(location.root_path, '/') || '/' || location.relative_path)"
    likes = " OR ".join(f"{path} ILIKE nfc_normalize(?) ESCAPE '\\'" for _ in wrapped)
    return f"EXISTS (FROM location WHERE location.fingerprint = shot.fingerprint AND ({likes}))", wrapped
