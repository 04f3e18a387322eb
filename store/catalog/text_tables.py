"""The rows of texts in a catalog that is being made, and the documents that the lexical index is to hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from store.catalog.schema import NAMES, from_stored_text, translated
from store.text_segments import StoredText

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


_DOCUMENTS = f"""
    SELECT 't' || text_id AS document_id, stage, language, text FROM text_row
    UNION ALL
    SELECT 'n' || named.fingerprint, 'name', '', named.text FROM ({NAMES % "true"}) named
"""  # noqa: S608 constants of this package


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
                CREATE OR REPLACE TEMP TABLE gone AS
                SELECT name, shard FROM segment
                WHERE live AND stage <> 'visual' AND name NOT IN (FROM wanted_text);
                INSERT INTO removed_frame
                SELECT text_row.text_id, gone.shard FROM text_row JOIN gone ON gone.name = text_row.segment
                WHERE gone.shard IS NOT NULL;
                DELETE FROM text_row WHERE segment IN (SELECT name FROM gone);
                UPDATE segment SET live = false WHERE name IN (SELECT name FROM gone);
            """)
            load = self._con.execute(
                "SELECT name FROM segment WHERE NOT live AND name IN (FROM wanted_text) ORDER BY name"
            ).fetchall()
            index = self._con.execute(
                "SELECT name FROM segment WHERE shard IS NULL AND n_frames > 0 AND name IN (FROM wanted_text) "
                "AND space_id = (SELECT space_id FROM space) ORDER BY stage, name"
            ).fetchall()
        return [name for (name,) in load], [name for (name,) in index]

    def load_rows(self, stored: StoredText) -> None:
        """Add the rows of a live text segment."""
        with translated(self._path):
            self._con.register("segment_rows", stored.rows)
            self._con.execute("""
                INSERT INTO text_row BY NAME SELECT * FROM segment_rows;
                DELETE FROM removed_frame WHERE frame_id IN (SELECT text_id FROM segment_rows);
            """)
            self._con.unregister("segment_rows")
            self._con.execute("UPDATE segment SET live = true WHERE name = ?", [stored.name])

    def forget_documents(self) -> None:
        """Take every document as new, because the lexical index is lost."""
        with translated(self._path):
            self._con.execute("DELETE FROM lexical_document")

    def changed_documents(self) -> tuple[list[str], Iterator[list[LexicalDocument]]]:
        """Ids of documents that go, and in pieces those that come; a changed one is in both."""
        with translated(self._path):
            self._con.execute(f"""
                CREATE OR REPLACE TEMP TABLE wanted_document AS
                SELECT *, md5(concat_ws(chr(31), stage, language, text)) AS digest FROM ({_DOCUMENTS});
                CREATE OR REPLACE TEMP TABLE new_document AS
                FROM wanted_document ANTI JOIN lexical_document USING (document_id, digest);
                CREATE OR REPLACE TEMP TABLE old_document AS
                FROM lexical_document ANTI JOIN wanted_document USING (document_id, digest);
                DELETE FROM lexical_document WHERE document_id IN (SELECT document_id FROM old_document);
                INSERT INTO lexical_document SELECT document_id, digest FROM new_document;
            """)  # noqa: S608 constants of this module
            old = self._con.execute("SELECT document_id FROM old_document ORDER BY document_id").fetchall()
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
            yield [LexicalDocument(row[0], row[1], row[2], from_stored_text(row[3])) for row in rows]
            start += _PIECE
