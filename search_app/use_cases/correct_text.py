"""Correct a text that a stage found: the person's text is shown from then on, whatever models say later."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from search_app.cutting.stored_cut import editor_name
from search_app.errors import QueryError
from search_app.use_cases.cut_values import parse_time
from store.events import TextCorrected
from store.stages import Shape, stage_named
from store.wording import clock

if TYPE_CHECKING:
    from store.archive import Archive
    from store.results import StageRow
    from store.snapshot import Snapshot
    from store.stages import Stage
    from store.timespan import TimeSpan


def texts_of(snapshot: Snapshot, video: str, stage: str | None) -> list[StageRow]:
    """The texts of a video, of one kind or of all, by time.

    Raises:
        UnknownIdError: there is no such video or stage.
    """
    name = stage_named(stage).name if stage else ""
    return snapshot.stage_rows(snapshot.video(video).video_id, name)


def correct_text(
    archive: Archive,
    video: str,
    stage: str,
    time: str,
    text: str,
    *,
    old_text: str = "",
    is_reset: bool = False,
) -> StageRow | None:
    """Put a person's text in place of what stages found at a time, and publish.

    Args:
        archive: an open archive.
        video: path, end of a path, or fingerprint.
        stage: the kind of text.
        time: seconds, `1:02.5` or a timecode; where no row is shown then, the text is for the shot.
        text: what is right; empty to remove what was found.
        old_text: which text, where there are several at that time; none of them for a new one.
        is_reset: take the correction back; `text` is left out of account.

    Returns:
        The row that was corrected; None where there was none.

    Raises:
        UnknownIdError: there is no such video or stage, or no such text at that time.
        QueryError: several texts are shown at that time, and none was named.
    """
    snapshot = archive.snapshot()
    row = snapshot.video(video)
    kind = stage_named(stage)
    if kind.shape is not Shape.TEXTS:
        raise QueryError(f"{kind.title} are no texts")
    at = parse_time(time, row.facts)
    found = _row_at(snapshot, row.video_id, kind, at, old_text)
    if found is None and (old_text or is_reset):
        named = f" {old_text!r:.80}" if old_text else ""
        raise QueryError(f"no {kind.title}{named} at {clock(float(at))} of {row.path}")
    span = found.row.span if found else _shot_at(snapshot, row.video_id, at)
    was = _first_text(found)
    times = (str(span.start), str(span.end))
    archive.record([TextCorrected(kind.name, row.video_id, *times, was, text, is_reset, editor_name())])
    archive.publish()
    return found


def _row_at(snapshot: Snapshot, video_id: str, kind: Stage, at: Fraction, old_text: str) -> StageRow | None:
    rows = [row for row in snapshot.stage_rows(video_id, kind.name) if row.row.span.start <= at < row.row.span.end]
    if old_text:
        rows = [row for row in rows if row.row.text.casefold() == old_text.casefold()]
    elif kind.is_list:
        return None
    if len(rows) > 1:
        told = ", ".join(f"{row.row.text!r:.40}" for row in rows)
        raise QueryError(f"several {kind.title} at {clock(float(at))}: {told}; say which with --was")
    return rows[0] if rows else None


def _first_text(found: StageRow | None) -> str:
    """What the stage had found, also where it was corrected before."""
    if found is None:
        return ""
    return str((found.row.payload or {}).get("was", found.row.text) if found.is_by_hand else found.row.text)


def _shot_at(snapshot: Snapshot, video_id: str, at: Fraction) -> TimeSpan:
    for row in snapshot.shots(video_id):
        if row.shot.span.start <= at < row.shot.span.end:
            return row.shot.span
    raise QueryError(f"the video has no shot at {clock(float(at))}")
