"""Reading sampled frames and lists of shots from a catalog."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from store.catalog.schema import reading_rows
from store.records import FrameRow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from store.catalog.reader import CatalogReader

_FRAMES = """
    SELECT frame.frame_id, frame.shot_id, shot.fingerprint, frame.time_numerator, frame.time_denominator,
        frame.sharpness, frame.thumbnail
    FROM frame JOIN shot USING (shot_id) WHERE %s ORDER BY shot.fingerprint, frame.time_seconds, frame.frame_id
"""
_SHOT_IDS = """
    WITH place AS (
        SELECT fingerprint, first({'root_path': root_path, 'relative_path': relative_path}
            ORDER BY present DESC, held_since, root_path, relative_path) AS place
        FROM location GROUP BY fingerprint
    )
    SELECT shot.shot_id FROM shot JOIN place USING (fingerprint)
    WHERE %s ORDER BY place.place, shot.fingerprint, shot.ordinal LIMIT ?
"""


@reading_rows
def frames_of_shots(reader: CatalogReader, shot_ids: Sequence[str]) -> list[FrameRow]:
    """The sampled frames of these shots, by video and time."""
    return _frames(reader, "frame.shot_id IN (SELECT unnest(?::VARCHAR[]))", [list(shot_ids)])


@reading_rows
def frames_of_videos(reader: CatalogReader, video_ids: Sequence[str]) -> list[FrameRow]:
    """The sampled frames of these videos, by video and time."""
    return _frames(reader, "shot.fingerprint IN (SELECT unnest(?::VARCHAR[]))", [list(video_ids)])


@reading_rows
def frame_ids_of(reader: CatalogReader, shot_ids: Iterable[str]) -> NDArray[np.int64]:
    """Ids of the sampled frames of these shots, ascending."""
    query = "SELECT frame_id FROM frame WHERE shot_id IN (SELECT unnest(?::VARCHAR[])) ORDER BY frame_id"
    return np.array([row[0] for row in reader.rows(query, [list(shot_ids)])], dtype=np.int64)


@reading_rows
def count_shots_of(reader: CatalogReader, frame_ids: NDArray[np.int64]) -> int:
    """Number of shots of these frames."""
    query = "SELECT count(DISTINCT shot_id) FROM frame WHERE frame_id IN (SELECT unnest(?::BIGINT[]))"
    return int(reader.rows(query, [frame_ids.tolist()])[0][0])


@reading_rows
def sample_frame_ids(reader: CatalogReader, n: int, seed: int) -> NDArray[np.int64]:
    """Ids of `n` frames chosen by a hash of id and seed: the same for the same frames."""
    query = "SELECT frame_id FROM frame ORDER BY hash(frame_id, ?), frame_id LIMIT ?"
    return np.array([row[0] for row in reader.rows(query, [seed, n])], dtype=np.int64)


@reading_rows
def list_shot_ids(reader: CatalogReader, among: Iterable[str] | None, n: int) -> list[str]:
    """Ids of the first `n` shots, of all or of some, by path and position."""
    if among is None:
        return [row[0] for row in reader.rows(_SHOT_IDS % "true", [n])]
    condition = "shot.shot_id IN (SELECT unnest(?::VARCHAR[]))"
    return [row[0] for row in reader.rows(_SHOT_IDS % condition, [list(among), n])]


def _frames(reader: CatalogReader, condition: str, bound: list[Any]) -> list[FrameRow]:
    return [
        FrameRow(frame_id, shot_id, video_id, Fraction(numerator, denominator), sharpness, reader.thumbnail(name))
        for frame_id, shot_id, video_id, numerator, denominator, sharpness, name in reader.rows(
            _FRAMES % condition, bound
        )
    ]
