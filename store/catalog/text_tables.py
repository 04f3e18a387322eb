"""The rows of texts in a catalog that is being made, and the documents that the lexical index is to hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from store.catalog.corrections import apply_corrections
from store.catalog.schema import NAMES, translated
from store.limited import read_fraction
from store.row_checks import SLACK_SECONDS
from store.truth.text_segments import StoredText

_PIECE = 10_000


@dataclass(frozen=True, slots=True)
class LexicalDocument:
    """A text as the lexical index takes it.

    Args:
        document_id: `t` and the id of a text, or `n` and the fingerprint of a video.
        stage: the kind of text; `name` for names and metadata.
        language: ISO 639 code; empty where it is not known.
        text: all of the text.
    """

    document_id: str
    stage: str
    language: str
    text: str


# The id of a text follows from its segment, so equal ids are equal texts; names change under the same id.
_CHANGES = f"""
    CREATE OR REPLACE TEMP TABLE new_text AS SELECT text_id FROM text_row ANTI JOIN lexical_text USING (text_id);
    CREATE OR REPLACE TEMP TABLE old_text AS FROM lexical_text ANTI JOIN text_row USING (text_id);
    CREATE OR REPLACE TEMP TABLE name AS
    SELECT fingerprint, text, md5(text) AS digest FROM ({NAMES % "true"});
    CREATE OR REPLACE TEMP TABLE new_name AS FROM name ANTI JOIN lexical_name USING (fingerprint, digest);
    CREATE OR REPLACE TEMP TABLE old_name AS FROM lexical_name ANTI JOIN name USING (fingerprint, digest);
    DELETE FROM lexical_text WHERE text_id IN (FROM old_text);
    INSERT INTO lexical_text FROM new_text;
    DELETE FROM lexical_name WHERE fingerprint IN (SELECT fingerprint FROM old_name);
    INSERT INTO lexical_name SELECT fingerprint, digest FROM new_name;
    CREATE OR REPLACE TEMP TABLE new_document AS
    SELECT 't' || text_id AS document_id, stage, language, text FROM text_row SEMI JOIN new_text USING (text_id)
    UNION ALL SELECT 'n' || fingerprint, 'name', '', text FROM new_name;
"""  # noqa: S608 constants of this package
_OUTSIDE = "lie outside the video"
_OLD_DOCUMENTS = """
    SELECT 't' || text_id AS document_id FROM old_text UNION ALL SELECT 'n' || fingerprint FROM old_name
    ORDER BY document_id
"""


class TextTables:
    """Text rows and lexical documents of a catalog in the making.

    Args:
        con: the writer's connection.
        path: the catalog's file, for messages.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._con = con
        self._path = path

    def settle(self) -> tuple[list[str], list[str]]:
        """Take away the rows that are no longer live; names of the segments to load, and of those to index."""
        with translated(self._path):
            self._con.execute("""
                CREATE OR REPLACE TEMP TABLE wanted_now AS FROM wanted_text;
                CREATE OR REPLACE TEMP TABLE gone AS
                SELECT name, shard FROM segment
                WHERE live AND stage <> 'visual' AND name NOT IN (FROM wanted_now);
                INSERT INTO removed_frame
                SELECT text_row.text_id, gone.shard FROM text_row JOIN gone ON gone.name = text_row.segment
                WHERE gone.shard IS NOT NULL;
                DELETE FROM text_row WHERE segment IN (SELECT name FROM gone);
                DELETE FROM hidden_text WHERE segment IN (SELECT name FROM gone);
                UPDATE segment SET live = false WHERE name IN (SELECT name FROM gone);
            """)
            load = self._con.execute(
                "SELECT name FROM segment WHERE NOT live AND name IN (FROM wanted_now) ORDER BY name"
            ).fetchall()
            index = self._con.execute(
                "SELECT name FROM segment WHERE shard IS NULL AND n_frames > 0 AND name IN (FROM wanted_now) "
                "AND space_id = (SELECT space_id FROM space ORDER BY role = 'texts' DESC LIMIT 1) "
                "ORDER BY stage, name"
            ).fetchall()
        return [name for (name,) in load], [name for (name,) in index]

    def load_rows(self, stored: StoredText) -> None:
        """Add the rows of a live text segment; those that lie outside its video are passed over."""
        with translated(self._path):
            self._con.register("segment_rows", stored.rows)
            inside = "FROM segment_rows WHERE start_seconds >= ? AND end_seconds <= ?"
            inserted = self._con.execute(
                f"INSERT INTO text_row BY NAME {inside}", self._limits(stored.fingerprint)
            )
            n_outside = stored.table.num_rows - inserted.fetchall()[0][0]
            self._con.execute("DELETE FROM removed_frame WHERE frame_id IN (SELECT text_id FROM segment_rows)")
            self._con.unregister("segment_rows")
            outside = f"{n_outside:,} {_OUTSIDE}" if n_outside else ""
            passed = ", ".join(reason for reason in (stored.passed.told, outside) if reason)
            self._con.execute("UPDATE segment SET live = true, passed = ? WHERE name = ?", [passed, stored.name])

    def correct(self) -> None:
        """Let what people corrected hide what stages found, once all rows are loaded."""
        with translated(self._path):
            apply_corrections(self._con)

    def _limits(self, fingerprint: str) -> list[float]:
        """Between which seconds rows of a video may lie."""
        spans = "facts->>'$.span[0]', facts->>'$.span[1]'"
        (row,) = self._con.execute(f"SELECT {spans} FROM video WHERE fingerprint = ?", [fingerprint]).fetchall()  # noqa: S608
        start, end = map(read_fraction, row)
        return [float(start - SLACK_SECONDS), float(end + SLACK_SECONDS)]

    def forget_documents(self) -> None:
        """Take every document as new, because the lexical index is lost."""
        with translated(self._path):
            self._con.execute("DELETE FROM lexical_text; DELETE FROM lexical_name")

    def changed_documents(self) -> tuple[list[str], Iterator[list[LexicalDocument]]]:
        """Ids of documents that go, and in pieces those that come; a changed one is in both.

        Texts come as they are stored, since the index takes nothing but UTF-8 either.
        """
        with translated(self._path):
            self._con.execute(_CHANGES)
            old = self._con.execute(_OLD_DOCUMENTS).fetchall()
        return [document_id for (document_id,) in old], self._new_documents()

    def _new_documents(self) -> Iterator[list[LexicalDocument]]:
        start = 0
        while True:
            with translated(self._path):
                rows = self._con.execute(
                    "SELECT document_id, stage, language, text FROM new_document ORDER BY document_id "
                    "LIMIT ? OFFSET ?",
                    [_PIECE, start],
                ).fetchall()
            if not rows:
                return
            yield [LexicalDocument(*row) for row in rows]
            start += _PIECE
