"""Writing a catalog, in a file that nobody else has opened."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from store.catalog.corrections import note_correction
from store.catalog.cuts import note_cut
from store.catalog.decisions import note_decision
from store.catalog.places import MERGE_HELD, MERGE_PLACES, note_file, note_held, note_place
from store.catalog.runs import note_run
from store.catalog.schema import (
    SCHEMA,
    WRITER_CONFIG,
    read_dropped,
    read_erased,
    read_removed,
    read_space,
    to_stored_text,
    translated,
)
from store.catalog.text_tables import TextTables
from store.errors import ArchiveError
from store.records import EmbeddingSpace, Part
from store.results import PassedSegment
from store.stages import Run
from store.truth.edits import OrderedEvent
from store.truth.segments import StoredSegment
from store.truth.text_segments import StoredText

_MERGE_LATEST = """
CREATE TEMP TABLE merged AS
FROM (FROM incoming UNION ALL BY NAME (FROM {table} SEMI JOIN incoming USING ({identity})))
QUALIFY row_number() OVER (PARTITION BY {identity} ORDER BY {at} DESC) = 1;
DELETE FROM {table} USING incoming WHERE {table}.{identity} = incoming.{identity};
INSERT INTO {table} BY NAME FROM merged;
"""
_ERASE_DECISIONS = "".join(
    f"DELETE FROM {table} USING erased "  # noqa: S608 names of this module
    f"WHERE {table}.fingerprint = erased.fingerprint AND {table}.{at} < erased.erased_at;"
    for table, at in (
        ("metadata", "described_at"),
        ("judgement", "judged_at"),
        ("set_member", "changed_at"),
        ("export_clip", "exported_at"),
        ("stage_failure", "failed_at"),
        ("text_correction", "corrected_at"),
    )
)
_REGISTERS = {
    table: _MERGE_LATEST.format(table=table, identity=identity, at=at)
    for table, identity, at in (
        ("library_root", "name", "named_at"),
        ("forgotten", "fingerprint", "forgotten_at"),
        ("erased", "fingerprint", "erased_at"),
        ("recalled", "fingerprint", "recalled_at"),
        ("ignored", "key", "decided_at"),
        ("last_run", "role", "noted_at"),
        ("metadata", "fingerprint", "described_at"),
        ("space", "role", "claimed_at"),
        ("judgement", "key", "judged_at"),
        ("saved_search", "name", "saved_at"),
        ("set_member", "key", "changed_at"),
        ("export_clip", "key", "exported_at"),
        ("cut_step", "key", "edited_at"),
        ("cut_clip", "key", "edited_at"),
        ("rights", "key", "changed_at"),
        ("run_choice", "key", "chosen_at"),
        ("run_drop", "key", "dropped_at"),
        ("stage_failure", "key", "failed_at"),
        ("known_space", "space_id", "added_at"),
        ("text_correction", "key", "corrected_at"),
    )
}


_NOTES = (note_decision, note_cut, note_run, note_correction)


@dataclass(frozen=True, slots=True)
class WantedChanges:
    """Changes that make the rows and vectors those of the live videos.

    Args:
        load: segments whose rows are to be added.
        index: segments that are live but whose vectors lie in no shard.
    """

    load: tuple[str, ...]
    index: tuple[str, ...]


class CatalogWriter:
    """A catalog being made, in one transaction, in a file of its own.

    Args:
        path: a new file, or a copy of the last generation's.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._run_keys: set[str] | None = None
        is_new = not path.exists()
        with translated(path):
            self._con = duckdb.connect(str(path), config=WRITER_CONFIG)
            self._con.execute("BEGIN")
            if is_new:
                self._con.execute(SCHEMA)

    def apply_events(self, events: Iterable[OrderedEvent]) -> None:
        """Put events into the registers; the order in which they come makes no difference."""
        places: dict[tuple[str, str], dict[str, Any]] = {}
        held: list[dict[str, Any]] = []
        latest: dict[str, dict[str, dict[str, Any]]] = {table: {} for table in _REGISTERS}
        for ordered in sorted(events, key=lambda item: item.order):
            held += note_held(ordered)
            if not note_place(places, ordered) and not any(note(latest, ordered) for note in _NOTES):
                note_file(latest, ordered)
        with translated(self._path):
            self._merge("place", list(places.values()), MERGE_PLACES)
            self._merge("held", held, MERGE_HELD)
            for table, rows in latest.items():
                self._merge(table, list(rows.values()), _REGISTERS[table])
            self._con.execute(_ERASE_DECISIONS)

    def _merge(self, table: str, rows: list[dict[str, Any]], statements: str) -> None:
        if not rows:
            return
        columns = self._con.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ?", [table]
        ).fetchall()
        self._con.execute(
            "CREATE TEMP TABLE incoming AS SELECT unnest(from_json(?, ?), recursive := true)",
            [json.dumps(rows), json.dumps([dict(columns)])],
        )
        self._con.execute(statements)
        self._con.execute("DROP TABLE merged; DROP TABLE incoming")

    def erased(self) -> set[str]:
        """Fingerprints of the videos that were erased and not recalled."""
        with translated(self._path):
            return read_erased(self._con)

    def segment_names(self) -> set[str]:
        """Names of all segments that this catalog knows."""
        with translated(self._path):
            return {name for (name,) in self._con.execute("SELECT name FROM segment").fetchall()}

    def space(self) -> EmbeddingSpace | None:
        """The archive's space, if one was claimed."""
        with translated(self._path):
            claimed = read_space(self._con)
        return claimed[0] if claimed else None

    def text_space(self) -> EmbeddingSpace | None:
        """The space of the vectors of texts: the archive's, unless another one was claimed for texts."""
        with translated(self._path):
            claimed = read_space(self._con, "texts")
        return claimed[0] if claimed else self.space()

    def add_segment(self, stored: StoredSegment, size_bytes: int) -> None:
        """Make a segment of pictures known, without its rows."""
        header, space = stored.header, stored.header.space
        run = Run(header.stage, header.key, space.name, "", space.weights_hash, header.parameters)
        n_frames = header.n_frames
        cost = (header.created_ns, header.seconds, size_bytes)
        self._add(stored.name, header.fingerprint, run, None, space.space_id, cost, (n_frames, n_frames))
        self._note_doubts(stored.name, "", stored.unknown)

    def add_text_segment(self, stored: StoredText, size_bytes: int) -> None:
        """Make a text segment known, without its rows."""
        vectors = stored.embeddings
        counts = (stored.table.num_rows, 0 if vectors is None else len(vectors))
        cost = (stored.created_ns, stored.seconds, size_bytes)
        self._add(stored.name, stored.fingerprint, stored.run, stored.part, stored.space_id, cost, counts)
        self._note_doubts(stored.name, stored.passed.told, stored.unknown)
        if stored.outcomes:
            rows = [
                [stored.name, str(one.span.start), str(one.span.end), one.state.value, to_stored_text(one.reason)]
                for one in stored.outcomes
            ]
            with translated(self._path):
                self._con.executemany("INSERT INTO shot_outcome VALUES (?, ?, ?, ?, ?)", rows)

    def _add(
        self,
        name: str,
        fingerprint: str,
        run: Run,
        part: Part | None,
        space_id: str,
        cost: tuple[int, float | None, int],
        counts: tuple[int, int],
    ) -> None:
        parts: list[Any] = [None, None, None, False]
        if part is not None:
            parts = [part.number, str(part.span.start), str(part.span.end), part.is_last]
        key = f"{run.stage}|{run.key}"
        told = [to_stored_text(text) for text in (run.model, run.revision)]
        parameters = to_stored_text(json.dumps(dict(run.parameters or {})))
        with translated(self._path):
            self._con.execute(
                "INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', false, NULL)",
                [name, fingerprint, run.stage, run.key, *parts, space_id, *cost, *counts],
            )
            if key not in self._known_runs():
                self._known_runs().add(key)
                self._con.execute(
                    "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    [key, run.stage, run.key, *told, run.weights_hash, parameters, space_id],
                )

    def _known_runs(self) -> set[str]:
        """Keys of the runs in the catalog, read once."""
        if self._run_keys is None:
            self._run_keys = {key for (key,) in self._con.execute("SELECT key FROM run").fetchall()}
        return self._run_keys

    def _note_doubts(self, name: str, passed: str, unknown: Sequence[str]) -> None:
        if passed or unknown:
            with translated(self._path):
                self._con.execute(
                    "UPDATE segment SET passed = ?, unknown = ? WHERE name = ?",
                    [passed, to_stored_text(", ".join(unknown)), name],
                )

    def set_passed(self, segments: Iterable[PassedSegment]) -> None:
        """Note the segments that are kept and passed over, and no others."""
        rows = [[one.name, one.format, one.size_bytes] for one in segments]
        with translated(self._path):
            self._con.execute("DELETE FROM passed_segment")
            if rows:
                self._con.executemany("INSERT INTO passed_segment VALUES (?, ?, ?)", rows)

    def dropped_runs(self) -> set[tuple[str, str]]:
        """Stage and key of the runs that were dropped and not chosen again."""
        with translated(self._path):
            return read_dropped(self._con)

    def forget_dropped(self) -> None:
        """Forget the segments of dropped runs, whose rows are no longer live."""
        with translated(self._path):
            self._con.execute("""
                DELETE FROM shot_outcome WHERE segment IN
                    (SELECT name FROM segment SEMI JOIN dropped_run USING (stage, run_key));
                DELETE FROM segment USING dropped_run
                    WHERE segment.stage = dropped_run.stage AND segment.run_key = dropped_run.run_key;
                DELETE FROM run USING dropped_run
                    WHERE run.stage = dropped_run.stage AND run.run_key = dropped_run.run_key;
                DELETE FROM stage_failure USING dropped_run
                    WHERE stage_failure.stage = dropped_run.stage AND stage_failure.run_key = dropped_run.run_key;
            """)

    @property
    def texts(self) -> TextTables:
        """The rows of texts."""
        return TextTables(self._con, self._path)

    def drop_shards_except(self, names: Sequence[str]) -> None:
        """Forget shards that are no longer there, so that their vectors are made again."""
        with translated(self._path):
            self._con.execute("UPDATE segment SET shard = NULL WHERE NOT list_contains(?, shard)", [list(names)])
            self._con.execute("DELETE FROM removed_frame WHERE NOT list_contains(?, shard)", [list(names)])

    def settle(self) -> WantedChanges:
        """Take away the rows of videos that are no longer live, and say what is to be added."""
        with translated(self._path):
            self._con.execute("""
                CREATE OR REPLACE TEMP TABLE wanted_now AS FROM wanted;
                CREATE OR REPLACE TEMP TABLE gone AS
                SELECT name, fingerprint, shard FROM segment
                WHERE live AND stage = 'visual' AND name NOT IN (FROM wanted_now);
                INSERT INTO removed_frame
                SELECT frame.frame_id, gone.shard
                FROM frame JOIN shot USING (shot_id) JOIN gone USING (fingerprint) WHERE gone.shard IS NOT NULL;
                DELETE FROM frame WHERE shot_id IN
                    (SELECT shot_id FROM shot WHERE fingerprint IN (SELECT fingerprint FROM gone));
                DELETE FROM shot WHERE fingerprint IN (SELECT fingerprint FROM gone);
                DELETE FROM video WHERE fingerprint IN (SELECT fingerprint FROM gone);
                UPDATE segment SET live = false WHERE name IN (SELECT name FROM gone);
            """)
            load = self._con.execute(
                "SELECT name FROM segment WHERE NOT live AND name IN (FROM wanted_now) ORDER BY name"
            ).fetchall()
            index = self._con.execute(
                "SELECT name FROM segment "
                "WHERE shard IS NULL AND n_frames > 0 AND name IN (FROM wanted_now) ORDER BY name"
            ).fetchall()
        return WantedChanges(tuple(name for (name,) in load), tuple(name for (name,) in index))

    def load_rows(self, stored: StoredSegment) -> None:
        """Add the rows of a live segment, and count its vectors in a shard, if there is one, as wanted again."""
        header, video = stored.header, stored.header.video
        start, end = (_seconds(text) for text in video["span"])
        row = [header.fingerprint, stored.name, header.size_bytes, end - start, video["width_px"]]
        row += [video["height_px"], video["partial"], header.n_shots, header.n_frames, json.dumps(video)]
        with translated(self._path):
            self._con.execute("INSERT INTO video VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            self._con.register("segment_rows", stored.rows)
            self._con.execute("""
                INSERT INTO shot BY NAME
                SELECT shot_id, any_value(fingerprint) AS fingerprint, any_value(shot_ordinal) AS ordinal,
                    any_value(boundary) AS boundary, any_value(start_numerator) AS start_numerator,
                    any_value(start_denominator) AS start_denominator, any_value(start_seconds) AS start_seconds,
                    any_value(end_numerator) AS end_numerator, any_value(end_denominator) AS end_denominator,
                    any_value(end_seconds) AS end_seconds,
                    arg_max(thumbnail, {'sharpness': sharpness, 'earlier': -time_seconds}) AS thumbnail
                FROM segment_rows GROUP BY shot_id ORDER BY ordinal;
                INSERT INTO frame BY NAME
                SELECT frame_id, shot_id, time_numerator, time_denominator, time_seconds, sharpness, thumbnail
                FROM segment_rows;
                DELETE FROM removed_frame WHERE frame_id IN (SELECT frame_id FROM segment_rows);
            """)
            self._con.unregister("segment_rows")
            self._con.execute("UPDATE segment SET live = true WHERE name = ?", [stored.name])

    def set_shard(self, segments: Sequence[str], shard: str) -> None:
        """Note that the vectors of these segments lie in that shard."""
        with translated(self._path):
            self._con.execute(
                "UPDATE segment SET shard = ? WHERE name IN (SELECT unnest(?::VARCHAR[]))", [shard, list(segments)]
            )

    def replace_shards(self, old: Sequence[str], new: str | None) -> None:
        """Note that a merge put what was live in the old shards into the new one."""
        with translated(self._path):
            self._con.execute(
                "UPDATE segment SET shard = CASE WHEN live THEN ? END WHERE list_contains(?, shard)",
                [new, list(old)],
            )
            self._con.execute("DELETE FROM removed_frame WHERE list_contains(?, shard)", [list(old)])

    def removed_frames(self) -> dict[str, NDArray[np.int64]]:
        """For each shard, the ids in it that are no longer live."""
        with translated(self._path):
            return read_removed(self._con)

    def finish(self) -> None:
        """Commit and close; the file is complete and has no log beside it."""
        with translated(self._path):
            self._con.execute("COMMIT")
            self._con.execute("CHECKPOINT")
            self._con.close()
        if self._path.with_name(self._path.name + ".wal").exists():
            raise ArchiveError(f"catalog {self._path} was not written completely")

    def abandon(self) -> None:
        """Close without keeping anything."""
        with contextlib.suppress(duckdb.Error):
            self._con.execute("ROLLBACK")
        with contextlib.suppress(duckdb.Error):
            self._con.close()


def _seconds(text: str) -> float:
    numerator, _, denominator = text.partition("/")
    return int(numerator) / int(denominator or 1)
