"""The tables of a catalog, and how both sides open one.

Every event about a place goes into a register that keeps the latest one, so that the rows are the same in whatever
order events arrive. What is shown follows from the registers alone:

- a place holds a video if its last `seen` or `moved` is later than any `dropped`, `failed` with another
  fingerprint, or `forget` or `erase` of its content;
- of several places of a video, present ones come first, and of these the one that held it first (`held`);
- a video is erased if no place holds it, and its last `erase` is later than any `recall`;
- of several runs with a result of one stage for a video, those that are done come first, of these the one that was
  asked for last (`run_choice`), of those never asked for the one that was written last (`preferred`);
- a run whose last drop is later than its last choice has no results at all (`dropped_run`);
- a text that a person corrected hides those that it is about (`hidden_text`), whichever run is preferred;
- a video is live if a place holds it and there is a `visual` segment of it in the archive's space; only live
  videos have rows in `video`, `shot` and `frame`, and in `text_row` those of the preferred run of each stage: its
  whole result, or its parts.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar

import duckdb
import numpy as np
from numpy.typing import NDArray

from store.errors import CacheDamagedError
from store.files import full_error
from store.records import EmbeddingSpace
from store.stages import text_stages

Reading = ParamSpec("Reading")
Read = TypeVar("Read")

WRITER_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
    "memory_limit": "2GB",
    "temp_directory": "",
    "enable_external_access": False,
    "lock_configuration": True,
}
"""Without access to other files: a catalog of a stranger may hold views that read some."""
READER_CONFIG = WRITER_CONFIG

SCHEMA = """
CREATE TABLE library_root (name VARCHAR, path VARCHAR, named_at VARCHAR);
CREATE TABLE place (
    root VARCHAR, relative_path VARCHAR,
    seen_at VARCHAR, size_bytes BIGINT, mtime_ns BIGINT, fingerprint VARCHAR,
    presence_at VARCHAR, present BOOLEAN,
    failed_at VARCHAR, reason VARCHAR, failed_fingerprint VARCHAR
);
CREATE TABLE held (root VARCHAR, relative_path VARCHAR, fingerprint VARCHAR, since VARCHAR);
CREATE TABLE forgotten (fingerprint VARCHAR, forgotten_at VARCHAR);
CREATE TABLE erased (fingerprint VARCHAR, erased_at VARCHAR);
CREATE TABLE recalled (fingerprint VARCHAR, recalled_at VARCHAR);
CREATE TABLE ignored (
    key VARCHAR, root VARCHAR, relative_path VARCHAR, fingerprint VARCHAR, reason VARCHAR, is_ignored BOOLEAN,
    decided_at VARCHAR
);
CREATE TABLE last_run (role VARCHAR, run VARCHAR, time_ns BIGINT, told VARCHAR, noted_at VARCHAR);
CREATE TABLE metadata (fingerprint VARCHAR, columns VARCHAR, described_at VARCHAR);
CREATE TABLE space (
    role VARCHAR, space_id VARCHAR, name VARCHAR, weights_hash VARCHAR, dim INTEGER, preprocessing VARCHAR,
    source VARCHAR, claimed_at VARCHAR
);
CREATE TABLE known_space (
    space_id VARCHAR, name VARCHAR, weights_hash VARCHAR, dim INTEGER, preprocessing VARCHAR, source VARCHAR,
    added_at VARCHAR
);
CREATE TABLE run_choice (
    key VARCHAR, stage VARCHAR, run_key VARCHAR, model VARCHAR, revision VARCHAR, weights_hash VARCHAR,
    parameters VARCHAR, chosen_at VARCHAR
);
CREATE TABLE run_drop (key VARCHAR, stage VARCHAR, run_key VARCHAR, dropped_at VARCHAR);
CREATE TABLE stage_failure (
    key VARCHAR, stage VARCHAR, run_key VARCHAR, fingerprint VARCHAR, reason VARCHAR, failed_at VARCHAR
);
CREATE TABLE run (
    key VARCHAR, stage VARCHAR, run_key VARCHAR, model VARCHAR, revision VARCHAR, weights_hash VARCHAR,
    parameters VARCHAR, space_id VARCHAR
);
CREATE TABLE segment (
    name VARCHAR, fingerprint VARCHAR, stage VARCHAR, run_key VARCHAR, part INTEGER, part_start VARCHAR,
    part_end VARCHAR, is_last BOOLEAN, space_id VARCHAR, created_ns BIGINT, seconds DOUBLE, size_bytes BIGINT,
    n_rows BIGINT, n_frames BIGINT, passed VARCHAR, unknown VARCHAR, live BOOLEAN, shard VARCHAR
);
CREATE TABLE shot_outcome (segment VARCHAR, start_time VARCHAR, end_time VARCHAR, state VARCHAR, reason VARCHAR);
CREATE TABLE passed_segment (name VARCHAR, format INTEGER, size_bytes BIGINT);
CREATE TABLE video (
    fingerprint VARCHAR, segment VARCHAR, size_bytes BIGINT, duration_seconds DOUBLE, width_px INTEGER,
    height_px INTEGER, partial BOOLEAN, n_shots INTEGER, n_frames INTEGER, facts VARCHAR
);
CREATE TABLE shot (
    shot_id VARCHAR, fingerprint VARCHAR, ordinal INTEGER, boundary VARCHAR,
    start_numerator BIGINT, start_denominator BIGINT, start_seconds DOUBLE,
    end_numerator BIGINT, end_denominator BIGINT, end_seconds DOUBLE, thumbnail VARCHAR
);
CREATE TABLE frame (
    frame_id BIGINT, shot_id VARCHAR, time_numerator BIGINT, time_denominator BIGINT, time_seconds DOUBLE,
    sharpness DOUBLE, thumbnail VARCHAR
);
CREATE TABLE text_row (
    text_id BIGINT, segment VARCHAR, fingerprint VARCHAR, stage VARCHAR, ordinal INTEGER,
    start_numerator BIGINT, start_denominator BIGINT, start_seconds DOUBLE,
    end_numerator BIGINT, end_denominator BIGINT, end_seconds DOUBLE,
    text VARCHAR, score DOUBLE, language VARCHAR,
    box_left DOUBLE, box_top DOUBLE, box_width DOUBLE, box_height DOUBLE,
    words STRUCT(text VARCHAR, start_seconds DOUBLE, end_seconds DOUBLE, score DOUBLE)[], count BIGINT,
    payload VARCHAR
);
CREATE TABLE hidden_text AS FROM text_row;
CREATE TABLE text_correction (
    key VARCHAR, stage VARCHAR, is_list BOOLEAN, fingerprint VARCHAR,
    start_numerator BIGINT, start_denominator BIGINT, start_seconds DOUBLE,
    end_numerator BIGINT, end_denominator BIGINT, end_seconds DOUBLE,
    old_text VARCHAR, text VARCHAR, is_reset BOOLEAN, editor VARCHAR, text_id BIGINT, corrected_at VARCHAR
);
CREATE TABLE lexical_text (text_id BIGINT);
CREATE TABLE lexical_name (fingerprint VARCHAR, digest VARCHAR);
CREATE TABLE judgement (
    key VARCHAR, query VARCHAR, fingerprint VARCHAR, start_time VARCHAR, end_time VARCHAR,
    start_seconds DOUBLE, end_seconds DOUBLE, verdict VARCHAR, judged_at VARCHAR
);
CREATE TABLE saved_search (name VARCHAR, query VARCHAR, options VARCHAR, is_deleted BOOLEAN, saved_at VARCHAR);
CREATE TABLE set_member (
    key VARCHAR, name VARCHAR, fingerprint VARCHAR, start_time VARCHAR, end_time VARCHAR,
    start_seconds DOUBLE, end_seconds DOUBLE, is_member BOOLEAN, changed_at VARCHAR
);
CREATE TABLE export_clip (
    key VARCHAR, name VARCHAR, fingerprint VARCHAR, start_seconds DOUBLE, end_seconds DOUBLE, exported_at VARCHAR
);
CREATE TABLE cut_step (
    key VARCHAR, name VARCHAR, version VARCHAR, parent VARCHAR, is_move BOOLEAN, action VARCHAR, editor VARCHAR,
    time_ns BIGINT, n_clips INTEGER, clip_ids VARCHAR, seen VARCHAR, settings VARCHAR, branch VARCHAR,
    edited_at VARCHAR
);
CREATE TABLE cut_clip (key VARCHAR, name VARCHAR, clip_id VARCHAR, clip VARCHAR, edited_at VARCHAR);
CREATE TABLE rights (
    key VARCHAR, fingerprint VARCHAR, start_time VARCHAR, end_time VARCHAR, rule VARCHAR, text VARCHAR,
    until VARCHAR, note VARCHAR, editor VARCHAR, changed_at VARCHAR
);
CREATE TABLE removed_frame (frame_id BIGINT, shard VARCHAR);
CREATE VIEW location AS
    SELECT place.root, coalesce(library_root.path, '') AS root_path, place.relative_path, place.size_bytes,
        place.mtime_ns, place.fingerprint, place.present OR place.presence_at < place.seen_at AS present,
        coalesce(held.since, place.seen_at) AS held_since, place.presence_at
    FROM place
    LEFT JOIN library_root ON library_root.name = place.root
    LEFT JOIN held USING (root, relative_path, fingerprint)
    LEFT JOIN forgotten ON forgotten.fingerprint = place.fingerprint
    LEFT JOIN erased ON erased.fingerprint = place.fingerprint
    WHERE place.fingerprint <> ''
        AND (place.failed_at < place.seen_at OR place.failed_fingerprint IN ('', place.fingerprint))
        AND coalesce(forgotten.forgotten_at, '') < place.seen_at
        AND coalesce(erased.erased_at, '') < place.seen_at;
CREATE VIEW outcome AS
    SELECT place.root, coalesce(library_root.path, '') AS root_path, place.relative_path, place.reason,
        place.failed_fingerprint AS fingerprint, EXISTS (
            FROM ignored WHERE ignored.is_ignored AND ignored.fingerprint = place.failed_fingerprint
                AND (ignored.fingerprint <> '' OR (ignored.root = place.root
                    AND ignored.relative_path = place.relative_path AND ignored.reason = place.reason))
        ) AS is_ignored
    FROM place LEFT JOIN library_root ON library_root.name = place.root
    WHERE place.failed_at > place.seen_at;
CREATE VIEW erased_video AS
    SELECT erased.fingerprint FROM erased LEFT JOIN recalled USING (fingerprint)
    WHERE erased.erased_at > coalesce(recalled.recalled_at, '')
        AND erased.fingerprint NOT IN (SELECT fingerprint FROM location);
CREATE VIEW dropped_run AS
    SELECT run_drop.stage, run_drop.run_key FROM run_drop LEFT JOIN run_choice USING (key)
    WHERE run_drop.dropped_at > coalesce(run_choice.chosen_at, '');
CREATE VIEW result AS
    SELECT name, fingerprint, stage, run_key, space_id, created_ns, true AS is_whole, true AS is_done
    FROM segment ANTI JOIN dropped_run USING (stage, run_key) WHERE part IS NULL
    UNION ALL
    SELECT '', fingerprint, stage, run_key, any_value(space_id), max(created_ns), false,
        bool_or(is_last) AND count(*) > max(part)
    FROM (FROM segment WHERE part IS NOT NULL) ANTI JOIN dropped_run USING (stage, run_key)
        ANTI JOIN (FROM segment WHERE part IS NULL) USING (fingerprint, stage, run_key)
    GROUP BY fingerprint, stage, run_key;
CREATE VIEW run_order AS
    SELECT run.stage, run.run_key, row_number() OVER (ORDER BY run.key) AS key_rank,
        CASE WHEN run_choice.chosen_at IS NULL THEN 0
            ELSE row_number() OVER (ORDER BY run_choice.chosen_at NULLS FIRST) END AS chosen_rank
    FROM run LEFT JOIN run_choice USING (key);
CREATE VIEW preferred AS
    WITH best AS (
        SELECT result.fingerprint, result.stage, arg_max(
            CASE WHEN result.name = '' THEN '|' || result.run_key ELSE result.name END,
            (result.is_done::HUGEINT << 120) + (run_order.chosen_rank::HUGEINT << 90)
                + (result.created_ns::HUGEINT << 24) + run_order.key_rank::HUGEINT
        ) AS one
        FROM result JOIN run_order USING (stage, run_key)
        WHERE result.stage <> 'visual' OR result.space_id = (SELECT space_id FROM space WHERE role = 'archive')
        GROUP BY result.fingerprint, result.stage
    )
    SELECT fingerprint, stage, CASE WHEN starts_with(one, '|') THEN '' ELSE one END AS name,
        CASE WHEN starts_with(one, '|') THEN substr(one, 2) ELSE split_part(one, '.', 3) END AS run_key
    FROM best;
CREATE VIEW wanted AS
    SELECT name FROM preferred
    WHERE stage = 'visual' AND fingerprint IN (SELECT fingerprint FROM location);
CREATE VIEW wanted_text AS
    WITH live AS MATERIALIZED (
        FROM preferred WHERE stage <> 'visual' AND fingerprint IN (SELECT fingerprint FROM video)
    )
    SELECT name FROM live WHERE name <> ''
    UNION ALL
    SELECT segment.name FROM (FROM segment WHERE part IS NOT NULL) segment JOIN live
        ON live.fingerprint = segment.fingerprint AND live.stage = segment.stage
        AND live.run_key = segment.run_key
    WHERE live.name = '';
"""

SCHEMA += "".join(
    f"""
CREATE VIEW {stage.name} AS
    SELECT (SELECT any_value(coalesce(root_path, '') || '/' || relative_path) FROM location
            WHERE location.fingerprint = text_row.fingerprint) AS video,
        text, score, start_seconds, end_seconds, language, count, box_left, box_top, box_width, box_height,
        words, payload, coalesce(segment.run_key, 'by hand') AS run_key, text_row.fingerprint
    FROM text_row LEFT JOIN segment ON segment.name = text_row.segment WHERE text_row.stage = '{stage.name}';
"""  # noqa: S608 names of a table of ours
    for stage in text_stages()
)
"""With a view for each kind of text, for people who ask in SQL."""

NAMES = """
    SELECT video.fingerprint, coalesce(
            string_agg(DISTINCT location.relative_path, chr(10) ORDER BY location.relative_path), ''
        ) || chr(10) || coalesce(any_value(described.text), '') AS text
    FROM video LEFT JOIN location USING (fingerprint) LEFT JOIN (
        SELECT fingerprint, array_to_string(map_values(columns::JSON::MAP(VARCHAR, VARCHAR)), chr(10)) AS text
        FROM metadata
    ) described USING (fingerprint)
    WHERE %s GROUP BY video.fingerprint
"""
"""Names and metadata of videos, one text for each: its paths below their roots, and the values of its columns."""

_SURROGATES = {code: code + 0x102000 for code in range(0xD800, 0xE000)}
_SURROGATES_BACK = {there: here for here, there in _SURROGATES.items()}


def to_stored_text(text: str) -> str:
    """Text that DuckDB takes: bytes of file names that are no UTF-8, and half characters, become private ones."""
    return text.translate(_SURROGATES)


def from_stored_text(text: str) -> str:
    """The text that was given to `to_stored_text`."""
    return text.translate(_SURROGATES_BACK)


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn DuckDB's errors into ours; an interrupted question is no damage, and stays an interruption.

    Raises:
        KeyboardInterrupt: somebody stopped the question.
        ArchiveFullError: no space.
        CacheDamagedError: DuckDB cannot read the file, whatever its digest says.
    """
    try:
        yield
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.Error as error:
        if "No space left" in str(error) or "quota" in str(error):
            raise full_error(path) from error
        reason = str(error).partition("\n")[0]
        raise CacheDamagedError(f"catalog {path} cannot be used: {reason}", path.name) from error
    except RuntimeError as error:  # how DuckDB passes on Ctrl-C
        if "interrupted" in str(error):
            raise KeyboardInterrupt from error
        raise


def reading_rows(read: Callable[Reading, Read]) -> Callable[Reading, Read]:
    """Turn what goes wrong in making records of rows into our error: rows of a stranger may be anything.

    Args:
        read: a function whose first argument is the reader of a catalog.
    """

    @functools.wraps(read)
    def guarded(*arguments: Reading.args, **named: Reading.kwargs) -> Read:
        try:
            return read(*arguments, **named)
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            path = Path(getattr(arguments[0], "path", ""))
            said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            raise CacheDamagedError(f"catalog {path} holds what cannot be ({said})", path.name) from error

    return guarded


def read_space(con: duckdb.DuckDBPyConnection, role: str = "archive") -> tuple[EmbeddingSpace, str] | None:
    """The space of pictures (`archive`) or of texts alone (`texts`), and how to load its encoder, if claimed."""
    columns = "name, weights_hash, dim, preprocessing, space_id, source"
    rows = con.execute(f"SELECT {columns} FROM space WHERE role = ?", [role]).fetchall()  # noqa: S608 a constant
    return (EmbeddingSpace(*rows[0][:5]), str(rows[0][5])) if rows else None


def read_erased(con: duckdb.DuckDBPyConnection) -> set[str]:
    """Fingerprints of the videos that were erased and not recalled."""
    return {fingerprint for (fingerprint,) in con.execute("FROM erased_video").fetchall()}


def read_dropped(con: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    """Stage and key of the runs that were dropped and not chosen again."""
    return {(stage, key) for stage, key in con.execute("FROM dropped_run").fetchall()}


def read_removed(con: duckdb.DuckDBPyConnection) -> dict[str, NDArray[np.int64]]:
    """For each shard, the ids in it that are no longer live."""
    columns = con.execute("SELECT shard, frame_id FROM removed_frame").fetchnumpy()
    shards, ids = columns["shard"], np.asarray(columns["frame_id"], np.int64)
    return {str(name): ids[shards == name] for name in set(shards.tolist())}
