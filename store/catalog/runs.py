"""Runs of stages: which were asked for, dropped, or failed, and what each has done; in a catalog."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from store.catalog.schema import from_stored_text, reading_rows, to_stored_text
from store.events import RunChosen, RunDropped, SpaceAdded, StageFailed
from store.limited import parse_limited_json, read_fraction
from store.records import EmbeddingSpace, TextRow
from store.results import Correction, Coverage, CoverageState, PassedSegment, RunRow, StageRow
from store.row_checks import Word
from store.shot_outcomes import ShotOutcome, ShotState
from store.stages import VISUAL, Run
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from store.catalog.reader import CatalogReader
    from store.truth.edits import OrderedEvent

Latest = dict[str, dict[str, dict[str, Any]]]


def note_run(latest: Latest, ordered: OrderedEvent) -> bool:
    """Put an event, later than all before it, into the register of what it decides, if anything."""
    event, at = ordered.event, ordered.order
    match event:
        case RunChosen():
            key = f"{event.stage}|{event.key}"
            latest["run_choice"][key] = {
                "key": key,
                "stage": event.stage,
                "run_key": event.key,
                "model": to_stored_text(event.model),
                "revision": to_stored_text(event.revision),
                "weights_hash": event.weights_hash,
                "parameters": to_stored_text(json.dumps(dict(event.parameters))),
                "chosen_at": at,
            }
        case RunDropped():
            key = f"{event.stage}|{event.key}"
            row = {"key": key, "stage": event.stage, "run_key": event.key}
            latest["run_drop"][key] = {**row, "dropped_at": at}
        case StageFailed():
            key = f"{event.stage}|{event.key}|{event.fingerprint}"
            latest["stage_failure"][key] = {
                "key": key,
                "stage": event.stage,
                "run_key": event.key,
                "fingerprint": event.fingerprint,
                "reason": to_stored_text(event.reason),
                "failed_at": at,
            }
        case SpaceAdded():
            row = {**asdict(event.space), "source": to_stored_text(event.source), "added_at": at}
            latest["known_space"][event.space.space_id] = row
        case _:
            return False
    return True


_RUNS = """
    WITH every AS (
        SELECT key, stage, run_key, model, revision, weights_hash, parameters FROM run
        UNION BY NAME
        SELECT key, stage, run_key, model, revision, weights_hash, parameters FROM run_choice
    ), known AS (
        SELECT key, any_value(stage) AS stage, any_value(run_key) AS run_key, max(model) AS model,
            max(revision) AS revision, max(weights_hash) AS weights_hash, max(parameters) AS parameters
        FROM every ANTI JOIN dropped_run USING (stage, run_key) GROUP BY key
    ), cost AS (
        SELECT stage || '|' || run_key AS key, sum(seconds) AS seconds, sum(size_bytes) AS size_bytes,
            max(created_ns) AS written_ns, sum(n_rows) AS n_rows
        FROM segment GROUP BY ALL
    ), counted AS (
        SELECT result.stage || '|' || result.run_key AS key, count(*) FILTER (result.is_done) AS n_done,
            count(*) FILTER (NOT result.is_done AND stage_failure.key IS NULL) AS n_partial,
            count(*) FILTER (preferred.run_key = result.run_key) AS n_live
        FROM result JOIN video USING (fingerprint)
            LEFT JOIN preferred ON preferred.fingerprint = result.fingerprint
            AND preferred.stage = result.stage
            LEFT JOIN stage_failure ON stage_failure.fingerprint = result.fingerprint
            AND stage_failure.stage = result.stage AND stage_failure.run_key = result.run_key
        GROUP BY ALL
    ), failed AS (
        SELECT stage || '|' || run_key AS key, count(*) AS n_failed
        FROM stage_failure ANTI JOIN (FROM result WHERE is_done) USING (fingerprint, stage, run_key)
        WHERE fingerprint IN (SELECT fingerprint FROM video) GROUP BY ALL
    )
    SELECT known.stage, known.run_key, known.model, known.revision, known.weights_hash, known.parameters,
        run.space_id, run_choice.chosen_at, cost.written_ns, cost.seconds, cost.size_bytes, cost.n_rows,
        counted.n_done, counted.n_partial, counted.n_live, failed.n_failed, (SELECT count(*) FROM video),
        run.space_id = (SELECT space_id FROM space WHERE role = 'archive')
    FROM known LEFT JOIN run USING (key) LEFT JOIN run_choice USING (key) LEFT JOIN cost USING (key)
        LEFT JOIN counted USING (key) LEFT JOIN failed USING (key)
    ORDER BY known.stage, coalesce(run_choice.chosen_at, '') DESC, cost.written_ns DESC NULLS LAST, known.run_key
"""
_COVERAGE = """
    SELECT video.fingerprint, result.is_done, stage_failure.reason, (
            SELECT list([segment.part_start, segment.part_end] ORDER BY segment.part) FROM segment
            WHERE segment.fingerprint = video.fingerprint AND segment.stage = $1 AND segment.run_key = $2
                AND segment.part IS NOT NULL
        )
    FROM video LEFT JOIN result
        ON result.fingerprint = video.fingerprint AND result.stage = $1 AND result.run_key = $2
    LEFT JOIN stage_failure
        ON stage_failure.fingerprint = video.fingerprint AND stage_failure.stage = $1
        AND stage_failure.run_key = $2
    WHERE $3 = '' OR video.fingerprint = $3
"""
_ROWS = """
    SELECT text_id, text_row.fingerprint, text_row.stage, coalesce(segment.run_key, 'by hand'),
        start_numerator, start_denominator, end_numerator, end_denominator, text, score, language,
        box_left, box_top, box_width, box_height, words, count, payload
    FROM text_row LEFT JOIN segment ON segment.name = text_row.segment
    WHERE text_row.fingerprint = ? AND (? = '' OR text_row.stage = ?)
    ORDER BY start_seconds, text_row.stage, text_row.segment, ordinal
"""


def _count(value: Any) -> int:
    return int(value or 0)


@reading_rows
def read_runs(reader: CatalogReader) -> list[RunRow]:
    """Every run that was asked for or has results, by stage, the one asked for last first."""
    rows: list[RunRow] = []
    for row in reader.rows(_RUNS):
        stage, key, model, revision, weights_hash, parameters, space_id, chosen_at, written_ns = row[:9]
        seconds, size_bytes, n_rows, n_done, n_partial, n_live, n_failed, n_videos, answers = row[9:]
        run = Run(
            stage,
            key,
            from_stored_text(model),
            from_stored_text(revision),
            weights_hash,
            parse_limited_json(from_stored_text(parameters).encode()),
        )
        is_first = not any(one.run.stage == stage and one.is_chosen for one in rows)
        is_chosen = is_first and chosen_at is not None and (stage != VISUAL or answers is not False)
        rows.append(
            RunRow(
                run,
                space_id or "",
                is_chosen,
                int(chosen_at.partition(".")[0]) if chosen_at else None,
                written_ns,
                seconds,
                _count(size_bytes),
                _count(n_rows),
                _count(n_done),
                _count(n_partial),
                _count(n_failed),
                max(n_videos - _count(n_done) - _count(n_partial) - _count(n_failed), 0),
                _count(n_live),
            )
        )
    return rows


@reading_rows
def read_chosen(reader: CatalogReader, stage: str) -> str | None:
    """Key of the run of a stage that was asked for last, and not dropped since; None if none ever was."""
    rows = reader.rows(
        "SELECT run_key FROM run_choice ANTI JOIN dropped_run USING (stage, run_key) WHERE stage = ? "
        "ORDER BY chosen_at DESC LIMIT 1",
        [stage],
    )
    return rows[0][0] if rows else None


@reading_rows
def read_coverage(reader: CatalogReader, stage: str, key: str, video_id: str = "") -> dict[str, Coverage]:
    """Coverage of every video, or of one, by a run, by fingerprint."""
    found = {}
    for fingerprint, is_done, reason, parts in reader.rows(_COVERAGE, [stage, key, video_id]):
        spans = tuple(TimeSpan(read_fraction(start), read_fraction(end)) for start, end in parts or ())
        if is_done:
            coverage = Coverage(CoverageState.DONE, "", spans)
        elif reason is not None:
            coverage = Coverage(CoverageState.FAILED, from_stored_text(reason), spans)
        elif spans:
            coverage = Coverage(CoverageState.PARTIAL, "", spans)
        else:
            coverage = Coverage(CoverageState.MISSING)
        found[fingerprint] = coverage
    return found


@reading_rows
def read_failures_of_run(reader: CatalogReader, stage: str, key: str) -> dict[str, str]:
    """For each video with which a run failed and that it has not done since, the reason."""
    rows = reader.rows(
        "SELECT fingerprint, reason FROM stage_failure ANTI JOIN (FROM result WHERE is_done) "
        "USING (fingerprint, stage, run_key) WHERE stage = ? AND run_key = ? "
        "AND fingerprint IN (SELECT fingerprint FROM location) ORDER BY fingerprint",
        [stage, key],
    )
    return {fingerprint: from_stored_text(reason) for fingerprint, reason in rows}


@reading_rows
def read_stage_rows(reader: CatalogReader, video_id: str, stage: str) -> list[StageRow]:
    """The live rows of a video, of one stage or of all, by time, with all that they carry."""
    return [_stage_row(row) for row in reader.rows(_ROWS, [video_id, stage, stage])]


def _stage_row(row: Sequence[Any]) -> StageRow:
    row_id, video_id, stage, run_key, start_n, start_d, end_n, end_d, text, score, language, *box = row[:15]
    words, count, payload = row[15:]
    span = TimeSpan(Fraction(start_n, start_d), Fraction(end_n, end_d))
    return StageRow(
        row_id,
        video_id,
        stage,
        run_key,
        TextRow(
            span,
            from_stored_text(text),
            score,
            language,
            None if None in box else (box[0], box[1], box[2], box[3]),
            tuple(Word(**word) for word in words or ()),
            count,
            None if payload is None else parse_limited_json(payload.encode()),
        ),
    )


@reading_rows
def read_outcomes(reader: CatalogReader, stage: str, key: str, video_id: str) -> list[ShotOutcome]:
    """The shots of a video, or of all, that a run did not simply do, by time."""
    rows = reader.rows(
        "SELECT start_time, end_time, state, shot_outcome.reason FROM shot_outcome "
        "JOIN segment ON segment.name = shot_outcome.segment "
        "WHERE stage = ? AND run_key = ? AND (? = '' OR fingerprint = ?)",
        [stage, key, video_id, video_id],
    )
    found = [
        ShotOutcome(TimeSpan(read_fraction(start), read_fraction(end)), ShotState(state), from_stored_text(reason))
        for start, end, state, reason in rows
    ]
    return sorted(found, key=lambda one: one.span)


@reading_rows
def read_corrections(reader: CatalogReader, video_id: str, stage: str) -> list[Correction]:
    """What people put in place of what a stage found in a video, by time; what was taken back is left out."""
    rows = reader.rows(
        "SELECT start_numerator, start_denominator, end_numerator, end_denominator, old_text, text "
        "FROM text_correction WHERE fingerprint = ? AND stage = ? AND NOT is_reset ORDER BY start_seconds, key",
        [video_id, stage],
    )
    return [
        Correction(stage, TimeSpan(Fraction(a, b), Fraction(c, d)), from_stored_text(old), from_stored_text(text))
        for a, b, c, d, old, text in rows
    ]


@reading_rows
def read_passed(reader: CatalogReader) -> list[PassedSegment]:
    """Segments that this or an earlier publisher did not understand."""
    return [
        PassedSegment(*row)
        for row in reader.rows("SELECT name, format, size_bytes FROM passed_segment ORDER BY name")
    ]


@reading_rows
def read_doubts(reader: CatalogReader) -> dict[str, tuple[str, str]]:
    """For each segment of which rows are passed over, or fields are unknown: which."""
    rows = reader.rows("SELECT name, passed, unknown FROM segment WHERE passed <> '' OR unknown <> ''")
    return {name: (passed, unknown) for name, passed, unknown in rows}


@reading_rows
def read_segments_of(reader: CatalogReader, stage: str, key: str, video_id: str) -> list[str]:
    """Names of the segments of a run: of one video or, if that is empty, of all."""
    rows = reader.rows(
        "SELECT name FROM segment WHERE stage = ? AND run_key = ? AND (? = '' OR fingerprint = ?) ORDER BY name",
        [stage, key, video_id, video_id],
    )
    return [name for (name,) in rows]


@reading_rows
def read_span(reader: CatalogReader, video_id: str) -> TimeSpan | None:
    """From the first frame of a video to the end of its last; None if it has no shots here."""
    rows = reader.rows(
        "SELECT facts->>'$.span[0]', facts->>'$.span[1]' FROM video WHERE fingerprint = ?", [video_id]
    )
    return TimeSpan(read_fraction(rows[0][0]), read_fraction(rows[0][1])) if rows else None


@reading_rows
def read_spaces(reader: CatalogReader) -> dict[str, tuple[EmbeddingSpace, str]]:
    """Every embedding space that was claimed or added, with the source of its encoder, by id."""
    columns = "name, weights_hash, dim, preprocessing, space_id, source"
    rows = reader.rows(f"SELECT {columns} FROM space UNION SELECT {columns} FROM known_space")  # noqa: S608
    return {row[4]: (EmbeddingSpace(*row[:5]), from_stored_text(row[5])) for row in rows}


@reading_rows
def read_space_coverage(reader: CatalogReader, space_id: str) -> tuple[int, int]:
    """Number of videos with pictures in a space, and of all videos."""
    (row,) = reader.rows(
        "SELECT (SELECT count(DISTINCT segment.fingerprint) FROM segment JOIN video USING (fingerprint) "
        "WHERE segment.stage = 'visual' AND segment.space_id = ?), (SELECT count(*) FROM video)",
        [space_id],
    )
    return int(row[0]), int(row[1])


@reading_rows
def read_segments_in_space(reader: CatalogReader, space_id: str) -> Mapping[str, str]:
    """The segment of pictures of each video in a space, the one written last, by fingerprint."""
    rows = reader.rows(
        "SELECT fingerprint, arg_max(name, created_ns) FROM segment JOIN video USING (fingerprint) "
        "WHERE stage = 'visual' AND segment.space_id = ? GROUP BY fingerprint ORDER BY fingerprint",
        [space_id],
    )
    return dict(rows)
