"""Texts that people corrected: which rows they hide and what they say instead; in a catalog that is being made."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from store.catalog.schema import to_stored_text
from store.events import TextCorrected
from store.limited import read_fraction
from store.row_checks import clean_text
from store.stages import STAGES

if TYPE_CHECKING:
    import duckdb

    from store.truth.edits import OrderedEvent

_APPLY = """
    INSERT INTO text_row FROM hidden_text;
    DELETE FROM hidden_text;
    DELETE FROM text_row WHERE segment = '';
    CREATE OR REPLACE TEMP TABLE corrected AS
        SELECT text_correction.* FROM text_correction SEMI JOIN video USING (fingerprint) WHERE NOT is_reset;
    CREATE OR REPLACE TEMP TABLE met AS
        SELECT corrected.key, corrected.is_list, text_row.text_id,
            lower(corrected.old_text) = lower(text_row.text) AS is_same,
            least(corrected.end_seconds, text_row.end_seconds)
                - greatest(corrected.start_seconds, text_row.start_seconds)
                >= greatest(text_row.end_seconds - text_row.start_seconds,
                    corrected.end_seconds - corrected.start_seconds) / 2 AS is_alike
        FROM corrected JOIN text_row
            ON corrected.fingerprint = text_row.fingerprint AND corrected.stage = text_row.stage
            AND corrected.start_seconds < text_row.end_seconds AND corrected.end_seconds > text_row.start_seconds
        WHERE corrected.old_text <> '';
    INSERT INTO hidden_text SELECT * FROM text_row WHERE text_id IN (
        SELECT text_id FROM met WHERE is_same UNION
        SELECT text_id FROM met WHERE is_alike AND NOT is_list AND key NOT IN (SELECT key FROM met WHERE is_same)
    );
    DELETE FROM text_row WHERE text_id IN (SELECT text_id FROM hidden_text);
    INSERT INTO text_row BY NAME
    SELECT text_id, '' AS segment, fingerprint, stage, 0 AS ordinal, start_numerator, start_denominator,
        start_seconds, end_numerator, end_denominator, end_seconds, text, 1.0 AS score, '' AS language,
        json_object('editor', editor, 'was', old_text)::VARCHAR AS payload
    FROM corrected WHERE text <> '';
"""


def note_correction(latest: dict[str, dict[str, dict[str, Any]]], ordered: OrderedEvent) -> bool:
    """Put a correction, later than all before it, into its register; whether the event is one."""
    event = ordered.event
    if not isinstance(event, TextCorrected):
        return False
    start, end = read_fraction(event.start), read_fraction(event.end)
    old_text, text = to_stored_text(event.old_text), to_stored_text(clean_text(event.text))
    is_list = any(stage.is_list for stage in STAGES if stage.name == event.stage)
    about = json.dumps([event.stage, event.fingerprint, event.start, event.end, old_text or text])
    key = blake2b(about.encode(), digest_size=12).hexdigest()
    digest = blake2b(json.dumps([key, text]).encode(), digest_size=8).digest()
    latest["text_correction"][key] = {
        "key": key,
        "stage": event.stage,
        "is_list": is_list,
        "fingerprint": event.fingerprint,
        "start_numerator": start.numerator,
        "start_denominator": start.denominator,
        "start_seconds": float(start),
        "end_numerator": end.numerator,
        "end_denominator": end.denominator,
        "end_seconds": float(end),
        "old_text": old_text,
        "text": text,
        "is_reset": event.is_reset,
        "editor": to_stored_text(event.editor),
        "text_id": int.from_bytes(digest, "big") >> 1,
        "corrected_at": ordered.order,
    }
    return True


def apply_corrections(con: duckdb.DuckDBPyConnection) -> None:
    """Hide the rows that people corrected, show theirs, and show again what was taken back."""
    (row,) = con.execute(
        "SELECT (SELECT count(*) FROM text_correction) + (SELECT count(*) FROM hidden_text)"
    ).fetchall()
    if row[0]:
        con.execute(_APPLY)
