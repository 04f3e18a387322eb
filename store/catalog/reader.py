"""Reading a published catalog: any number of threads and processes, without ever waiting for a writer."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from store.catalog.schema import (
    READER_CONFIG,
    from_stored_text,
    read_dropped,
    read_erased,
    read_removed,
    read_space,
    reading_rows,
    to_stored_text,
    translated,
)
from store.errors import SqlError, UnknownIdError
from store.limited import LINE_LIMITS, parse_limited_json
from store.records import (
    Boundary,
    Counts,
    EmbeddingSpace,
    FrameHit,
    Shot,
    ShotRow,
    VideoRow,
)
from store.timespan import TimeSpan
from store.truth.segments import facts_from_plain, is_segment_name

_CANDIDATES = 5
"""Number of shots that a message lists for an ambiguous id."""
_PLACES_OF = """
    SELECT fingerprint, list({'present': present, 'root_path': root_path, 'relative_path': relative_path}
        ORDER BY present DESC, held_since, root_path, relative_path) AS places
    FROM location GROUP BY fingerprint
"""
_VIDEOS = f"""
    SELECT video.fingerprint, video.facts, video.n_shots, coalesce(metadata.columns, '{{}}'), held.places
    FROM video LEFT JOIN metadata USING (fingerprint) JOIN ({_PLACES_OF}) held USING (fingerprint)
"""  # noqa: S608 constants of this module
_FULL_PATH = "rtrim(root_path, '/') || '/' || relative_path"
_AT_PATH = f"SELECT fingerprint FROM location WHERE ({_FULL_PATH})"  # noqa: S608 constants of this module
_ENDING = f"SELECT fingerprint FROM location WHERE ends_with({_FULL_PATH}, '/' || $1)"  # noqa: S608
_SHOT_COLUMNS = """
    shot.shot_id, shot.fingerprint, shot.ordinal, shot.boundary, shot.start_numerator, shot.start_denominator,
    shot.end_numerator, shot.end_denominator, shot.thumbnail
"""
_PATH_OF = """
    SELECT fingerprint, first({'root_path': root_path, 'relative_path': relative_path}
        ORDER BY present DESC, held_since, root_path, relative_path) AS place
    FROM location WHERE fingerprint IN (SELECT fingerprint FROM chosen) GROUP BY fingerprint
"""
_PATHS = f"WITH chosen AS (SELECT fingerprint FROM video) {_PATH_OF}"  # noqa: S608 constants of this module
_SHOTS = f"""
    WITH chosen AS MATERIALIZED (SELECT {_SHOT_COLUMNS} FROM shot WHERE %s)
    SELECT chosen.*, held.place FROM chosen JOIN ({_PATH_OF}) held USING (fingerprint)
    ORDER BY held.place, chosen.fingerprint, chosen.ordinal
"""  # noqa: S608 constants of this module
_FRAMES = f"""
    WITH chosen AS MATERIALIZED (
        SELECT {_SHOT_COLUMNS}, frame.frame_id, frame.time_numerator, frame.time_denominator, frame.thumbnail,
            frame.sharpness
        FROM frame JOIN shot USING (shot_id) WHERE frame.frame_id IN (SELECT unnest(?::BIGINT[]))
    )
    SELECT chosen.*, held.place FROM chosen JOIN ({_PATH_OF}) held USING (fingerprint)
"""  # noqa: S608 constants of this module
_COUNTS = """
    SELECT (SELECT count(*) FROM video), (SELECT count(*) FROM shot), (SELECT count(*) FROM frame),
        (SELECT coalesce(sum(duration_seconds), 0) / 3600 FROM video),
        (SELECT count(*) FROM video WHERE partial),
        (SELECT count(*) FROM video WHERE fingerprint NOT IN (SELECT fingerprint FROM location WHERE present)),
        (SELECT count(*) FROM outcome WHERE NOT is_ignored), (SELECT count(*) FROM outcome WHERE is_ignored),
        (SELECT count(*) FROM erased_video)
"""


_THUMBNAIL = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/){0,2}[A-Za-z0-9_-][A-Za-z0-9._-]*")


def _parsed(text: str) -> Any:
    return parse_limited_json(text.encode(), LINE_LIMITS)


@lru_cache(maxsize=65_536)  # hits of one video share it, and paths are slow to make
def _join(root_path: str, relative_path: str) -> str:
    return str(Path(from_stored_text(root_path)) / from_stored_text(relative_path))


class CatalogReader:
    """A published catalog, opened read-only and with access to anything else switched off.

    Args:
        path: the file.
        thumbnails: folder in which thumbnails lie.

    Raises:
        ArchiveDamagedError: the file is not a catalog.
    """

    def __init__(self, path: Path, thumbnails: Path) -> None:
        self.path = path
        self._thumbnails = thumbnails
        with translated(path):
            self._con = duckdb.connect(str(path), read_only=True, config=READER_CONFIG)

    def close(self) -> None:
        """Close the file."""
        self._con.close()

    def rows(self, query: str, bound: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement of this package; values are bound, never written into it."""
        # One cursor for each question: a connection shared between threads mixes up their rows.
        with translated(self.path), contextlib.closing(self._con.cursor()) as cursor:
            texts = [to_stored_text(value) if isinstance(value, str) else value for value in bound]
            return cursor.execute(query, texts).fetchall()

    def answer_sql(self, statement: str, most_rows: int) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Names of the columns and the rows of a statement that a person wrote; nothing can be changed by it.

        Raises:
            SqlError: it is no statement, fails, or asks for what lies outside the catalog.
            KeyboardInterrupt: somebody stopped it.
        """
        with contextlib.closing(self._con.cursor()) as cursor:
            try:
                cursor.execute(to_stored_text(statement))
                names = [column[0] for column in cursor.description or ()]
                return names, cursor.fetchmany(most_rows)
            except duckdb.InterruptException as error:
                raise KeyboardInterrupt from error
            except (duckdb.Error, RuntimeError) as error:
                said = " ".join(str(error).split())
                raise SqlError(f"the catalog does not answer: {said:.500}") from error

    def read_all(self) -> None:
        """Read every row of every table, as a check.

        Raises:
            CacheDamagedError: DuckDB cannot read one.
        """
        tables = self.rows("SELECT table_name FROM duckdb_tables() WHERE NOT internal AND schema_name = 'main'")
        for (table,) in tables:
            name = str(table).replace('"', '""')
            self.rows(f'SELECT bit_xor(hash(t)) FROM "{name}" t')  # noqa: S608 quoted as an identifier

    @reading_rows
    def space(self) -> tuple[EmbeddingSpace, str] | None:
        """The archive's space and the source of its encoder, if one was claimed."""
        with translated(self.path), contextlib.closing(self._con.cursor()) as cursor:
            return read_space(cursor)

    @reading_rows
    def text_space(self) -> EmbeddingSpace | None:
        """The space of the vectors of texts, if texts have one of their own."""
        with translated(self.path), contextlib.closing(self._con.cursor()) as cursor:
            claimed = read_space(cursor, "texts")
        return claimed[0] if claimed else None

    @reading_rows
    def removed_frames(self) -> dict[str, NDArray[np.int64]]:
        """For each shard, the ids in it that are no longer live."""
        with translated(self.path), contextlib.closing(self._con.cursor()) as cursor:
            return read_removed(cursor)

    @reading_rows
    def erased(self) -> set[str]:
        """Fingerprints of the videos that were erased and not recalled."""
        with translated(self.path), contextlib.closing(self._con.cursor()) as cursor:
            return read_erased(cursor)

    @reading_rows
    def dropped_runs(self) -> set[tuple[str, str]]:
        """Stage and key of the runs that were dropped and not chosen again."""
        with translated(self.path), contextlib.closing(self._con.cursor()) as cursor:
            return read_dropped(cursor)

    @reading_rows
    def counts(self) -> Counts:
        """Counts of an archive."""
        return Counts(*self.rows(_COUNTS)[0])

    @reading_rows
    def videos(self) -> list[VideoRow]:
        """Every video with shots, by path."""
        return sorted((self._video(row) for row in self.rows(_VIDEOS)), key=lambda video: video.path)

    @reading_rows
    def paths(self) -> list[str]:
        """The path of every video with shots."""
        places = [place for _, place in self.rows(_PATHS)]
        return [_join(place["root_path"], place["relative_path"]) for place in places]

    @reading_rows
    def video(self, path_or_id: str) -> VideoRow:
        """The video with that fingerprint, or at that path, or at the only path that ends so.

        Raises:
            UnknownIdError: there is none, or more than one.
        """
        rows = self.rows(f"{_VIDEOS} WHERE video.fingerprint = ?", [path_or_id])
        if not rows:
            rows = self.rows(f"{_VIDEOS} WHERE video.fingerprint IN ({_AT_PATH} = $1)", [path_or_id])
        if not rows and path_or_id:
            rows = self.rows(f"{_VIDEOS} WHERE video.fingerprint IN ({_ENDING})", [path_or_id])
        if not rows:
            raise UnknownIdError(f"no video {path_or_id!r} is in the archive; `rushes status` counts what is")
        if len(rows) > 1:
            paths = ", ".join(sorted(self._video(row).path for row in rows))
            raise UnknownIdError(f"more than one video is called {path_or_id!r}: {paths}; give more of the path")
        return self._video(rows[0])

    def _video(self, row: tuple[Any, ...]) -> VideoRow:
        fingerprint, facts, n_shots, metadata, places = row
        paths = [_join(place["root_path"], place["relative_path"]) for place in places]
        return VideoRow(
            fingerprint,
            paths[0],
            places[0]["present"],
            tuple(paths[1:]),
            facts_from_plain(_parsed(facts)),
            n_shots,
            {from_stored_text(name): from_stored_text(value) for name, value in _parsed(metadata).items()},
        )

    @reading_rows
    def shots(self, video_id: str | None = None) -> list[ShotRow]:
        """The shots of a video, or of all, by path and position."""
        if video_id is None:
            rows = self.rows(_SHOTS % "true")
        else:
            rows = self.rows(_SHOTS % "shot.fingerprint = ?", [video_id])
        return [self._shot(row[:9], row[9]) for row in rows]

    @reading_rows
    def shot(self, typed: str) -> ShotRow:
        """One shot, by its id or the beginning of it, with or without `shot/` before.

        Raises:
            UnknownIdError: no id begins so, or more than one.
        """
        begin = typed.removeprefix("shot/").lower()
        rows = self.rows(_SHOTS % "shot.shot_id = ?", [begin])
        if not rows and begin:
            rows = self.rows(_SHOTS % "starts_with(shot.shot_id, ?)", [begin])
        if not rows:
            raise UnknownIdError(f"no shot {typed!r} is in the archive; `rushes shots` lists them")
        if len(rows) > 1:
            named = [f"{row[0]} ({_join(row[9]['root_path'], row[9]['relative_path'])})" for row in rows]
            more = f" and {len(rows) - _CANDIDATES:,} more" if len(rows) > _CANDIDATES else ""
            raise UnknownIdError(
                f"more than one shot begins with {typed!r}: {', '.join(named[:_CANDIDATES])}{more}; "
                "type more of it"
            )
        return self._shot(rows[0][:9], rows[0][9])

    @reading_rows
    def frame_hits(self, frame_ids: Sequence[int], scores: Sequence[float]) -> list[FrameHit]:
        """The frames of these ids with their scores, in the order given; ids of removed frames are left out."""
        rows = {row[9]: row for row in self.rows(_FRAMES, [list(frame_ids)])}
        hits = []
        for frame_id, score in zip(frame_ids, scores, strict=True):
            if frame_id in rows:
                row = rows[frame_id]
                shot = self._shot(row[:9], row[14])
                moment = Fraction(row[10], row[11])
                hits.append(FrameHit(score, moment, self.thumbnail(row[12]), shot, frame_id, row[13]))
        return hits

    @reading_rows
    def shots_by_id(self, shot_ids: Sequence[str]) -> dict[str, ShotRow]:
        """The shots of these ids, by id; unknown ids are left out."""
        rows = self.rows(_SHOTS % "shot.shot_id IN (SELECT unnest(?::VARCHAR[]))", [list(shot_ids)])
        return {row[0]: self._shot(row[:9], row[9]) for row in rows}

    @reading_rows
    def segment_of_shot(self, shot_id: str) -> tuple[str, list[int]]:
        """The segment that holds a shot, and the ids of its frames in order of time.

        Raises:
            UnknownIdError: there is none of that id.
        """
        rows = self.rows(
            "SELECT video.segment, frame.frame_id FROM shot JOIN video USING (fingerprint) "
            "JOIN frame USING (shot_id) WHERE shot.shot_id = ? ORDER BY frame.time_seconds, frame.frame_id",
            [shot_id],
        )
        if not rows:
            raise UnknownIdError(f"no shot {shot_id!r} is in the archive; `rushes shots` lists them")
        if not is_segment_name(rows[0][0]):
            raise ValueError(f"{rows[0][0]!r:.100} is no segment")
        return rows[0][0], [frame_id for _, frame_id in rows]

    @reading_rows
    def visual_segment_of(self, video_id: str) -> str | None:
        """The segment of pictures of a video in the archive's space, of the run that is live or would be."""
        rows = self.rows(
            "SELECT name FROM preferred WHERE fingerprint = ? AND stage = 'visual'",
            [video_id],
        )
        return rows[0][0] if rows else None

    @reading_rows
    def segments(self) -> dict[str, int]:
        """Name and size of every segment that this catalog covers."""
        return dict(self.rows("SELECT name, size_bytes FROM segment"))

    def _shot(self, row: Sequence[Any], place: dict[str, str]) -> ShotRow:
        shot_id, fingerprint, ordinal, boundary, start_n, start_d, end_n, end_d, thumbnail = row
        span = TimeSpan(Fraction(start_n, start_d), Fraction(end_n, end_d))
        return ShotRow(
            shot_id,
            fingerprint,
            _join(place["root_path"], place["relative_path"]),
            Shot(ordinal, span, Boundary(boundary)),
            self.thumbnail(thumbnail),
        )

    def thumbnail(self, name: str) -> str:
        """Path of the thumbnail of that name; empty for a name that leads elsewhere."""
        return f"{self._thumbnails}{os.sep}{name}" if _THUMBNAIL.fullmatch(name) else ""
