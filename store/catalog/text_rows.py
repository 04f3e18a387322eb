"""Reading texts from a catalog, with the shots that each is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from store.catalog.schema import NAMES, from_stored_text, reading_rows
from store.limited import parse_limited_json
from store.records import TextHit
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from store.catalog.reader import CatalogReader

NAME = "name"
_SHOTS_OF_TEXTS = """
    SELECT chosen.text_id, list([shot.shot_id, shot.start_seconds::VARCHAR, shot.end_seconds::VARCHAR] ORDER BY
        least(shot.end_seconds, chosen.end_seconds) - greatest(shot.start_seconds, chosen.start_seconds) DESC,
        shot.ordinal) AS shots
    FROM chosen JOIN shot USING (fingerprint)
    WHERE shot.start_seconds < chosen.end_seconds AND shot.end_seconds > chosen.start_seconds
    GROUP BY chosen.text_id
"""
_TEXTS = f"""
    WITH chosen AS MATERIALIZED (SELECT * FROM text_row WHERE %s)
    SELECT chosen.text_id, chosen.stage, chosen.fingerprint, chosen.start_numerator, chosen.start_denominator,
        chosen.end_numerator, chosen.end_denominator, chosen.text, chosen.language, coalesce(shots.shots, []),
        chosen.score, chosen.payload, %s
    FROM chosen LEFT JOIN ({_SHOTS_OF_TEXTS}) shots USING (text_id)
    ORDER BY chosen.fingerprint, chosen.start_seconds, chosen.stage, chosen.ordinal
"""  # noqa: S608 constants of this module
_SHOTS = """
    SELECT shot.fingerprint, list(shot.shot_id ORDER BY shot.ordinal) FROM shot
    WHERE shot.fingerprint IN (SELECT unnest(?::VARCHAR[])) GROUP BY shot.fingerprint
"""


@dataclass(frozen=True, slots=True)
class FoundText:
    """A text that was found.

    Args:
        hit: the text; without score and words.
        language: ISO 639 code; empty where it is not known.
        words: its words with their start and end in seconds, where the stage knows them.
        shots: start and end in seconds of the shots that it overlaps, the most overlapped first.
    """

    hit: TextHit
    language: str
    words: tuple[tuple[str, float, float], ...] = ()
    shots: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@reading_rows
def count_texts(reader: CatalogReader) -> dict[str, int]:
    """Number of texts of each kind; kinds without any are left out."""
    return dict(reader.rows("SELECT stage, count(*) FROM text_row GROUP BY stage"))


@reading_rows
def text_languages(reader: CatalogReader) -> list[str]:
    """Codes of the languages of all texts."""
    rows = reader.rows("SELECT DISTINCT language FROM text_row WHERE language <> '' ORDER BY language")
    return [language for (language,) in rows]


@reading_rows
def texts_of_video(reader: CatalogReader, video_id: str, stage: str | None) -> list[TextHit]:
    """The texts of a video, of one kind or of all, by time, with the scores of the models that found them."""
    condition = "fingerprint = ? AND (? OR stage = ?)"
    rows = reader.rows(_TEXTS % (condition, "NULL"), [video_id, stage is None, str(stage or "")])
    return [_hit(row, row[10] or 0.0, ()) for row in rows]


@reading_rows
def texts_by_id(reader: CatalogReader, text_ids: Sequence[int]) -> dict[int, FoundText]:
    """The texts of these ids; unknown ids are left out."""
    rows = reader.rows(_TEXTS % ("text_id IN (SELECT unnest(?::BIGINT[]))", "chosen.words"), [list(text_ids)])
    return {row[0]: _found(row) for row in rows}


def _found(row: Sequence[Any]) -> FoundText:
    words = tuple(
        (from_stored_text(word["text"]), word["start_seconds"], word["end_seconds"]) for word in row[12] or ()
    )
    shots = {shot_id: (float(start), float(end)) for shot_id, start, end in row[9]}
    return FoundText(_hit(row, 0.0, ()), row[8], words, shots)


@reading_rows
def shots_of_videos(reader: CatalogReader, video_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Ids of the shots of these videos, in order."""
    return {video_id: tuple(shot_ids) for video_id, shot_ids in reader.rows(_SHOTS, [list(video_ids)])}


@reading_rows
def names_of_videos(reader: CatalogReader, video_ids: Sequence[str]) -> dict[str, str]:
    """Names and metadata of these videos, as they are indexed."""
    rows = reader.rows(NAMES % "video.fingerprint IN (SELECT unnest(?::VARCHAR[]))", [list(video_ids)])
    return {video_id: from_stored_text(text) for video_id, text in rows}


def _hit(row: Sequence[Any], score: float, words: tuple[str, ...]) -> TextHit:
    _, stage, fingerprint, start_n, start_d, end_n, end_d, text, _, shots, _, payload, _ = row
    span = TimeSpan(Fraction(start_n, start_d), Fraction(end_n, end_d))
    shot_ids = tuple(shot[0] for shot in shots)
    return TextHit(
        stage,
        fingerprint,
        span,
        from_stored_text(text),
        score,
        words,
        shot_ids,
        is_unsure=_is_poor(payload),
    )


def _is_poor(payload: str | None) -> bool:
    """Whether a text's stage has found that it fits its pictures poorly."""
    if payload is None or '"is_poor"' not in payload:
        return False
    try:
        said = parse_limited_json(payload.encode())
    except ValueError:  # a stranger's
        return False
    return isinstance(said, dict) and said.get("is_poor") is True
