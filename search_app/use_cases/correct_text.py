"""Correct a text that a stage found: the person's text is shown from then on, whatever models say later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from search_app.cutting.stored_cut import editor_name
from search_app.errors import QueryError
from search_app.use_cases.cut_values import parse_time
from store.errors import RowRefusedError
from store.events import TextCorrected
from store.results import Correction
from store.row_checks import MOST_CHARACTERS, clean_text, why_refused
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
    archive: Archive, video: str, stage: str, time: str, text: str, *, old_text: str = "", is_reset: bool = False
) -> str:
    """Put a person's text in place of what stages found at a time, and publish.

    Args:
        archive: an open archive.
        video: path, end of a path, or fingerprint.
        stage: the kind of text.
        time: seconds, `1:02.5` or a timecode; where no row is shown then, the text is for the shot.
        text: what is right; empty to remove what was found. Control characters become spaces.
        old_text: which text, where there are several at that time; none of them for a new one.
        is_reset: take the correction back; `text` is left out of account.

    Returns:
        The text that was there; empty where there was none.

    Raises:
        UnknownIdError: there is no such video or stage.
        QueryError: no such text is shown at that time, or several are and none was named.
        RowRefusedError: the text is too long.
    """
    snapshot = archive.snapshot()
    row = snapshot.video(video)
    kind = stage_named(stage)
    if kind.shape is not Shape.TEXTS or kind.name == "answer":
        raise QueryError(f"{kind.title} cannot be corrected: they are no texts")
    at = parse_time(time, row.facts)
    known = [one for one in snapshot.corrections(row.video_id, kind.name) if one.span.start <= at < one.span.end]
    if is_reset:
        back = _chosen(known, old_text, kind, at)
        archive.record([_event(row.video_id, back, is_reset=True)])
        archive.publish()
        return back.text
    new = clean_text(text)
    refusal = why_refused(text if len(text) > MOST_CHARACTERS else new, None, "", None, (), None, None)
    if refusal:
        raise RowRefusedError(refusal)
    found = _row_at(snapshot, row.video_id, kind, at, old_text)
    if found is None and (old_text or not new):
        named = f" {old_text!r:.80}" if old_text else ""
        raise QueryError(f"no {kind.title}{named} at {clock(float(at))} of {row.path}")
    was = "" if found is None else found.row.text
    before = next((one for one in known if found is not None and found.is_by_hand and one.text == was), None)
    if before is not None:
        # The person's own words are corrected: what they stand for stays hidden.
        events = [_event(row.video_id, before, is_reset=True)]
        if new or before.old_text:
            events.append(_event(row.video_id, replace(before, text=new)))
    else:
        span = found.row.span if found else _shot_at(snapshot, row.video_id, at)
        events = [_event(row.video_id, Correction(kind.name, span, was, new))]
    archive.record(events)
    archive.publish()
    return was


def _event(video_id: str, correction: Correction, *, is_reset: bool = False) -> TextCorrected:
    span = correction.span
    return TextCorrected(
        correction.stage,
        video_id,
        str(span.start),
        str(span.end),
        correction.old_text,
        correction.text,
        is_reset,
        editor_name(),
    )


def _chosen(known: Sequence[Correction], old_text: str, kind: Stage, at: Fraction) -> Correction:
    """The correction that is meant, by what it says or by what it corrected."""
    wanted = old_text.casefold()
    meant = [one for one in known if not wanted or wanted in (one.text.casefold(), one.old_text.casefold())]
    if len(meant) == 1:
        return meant[0]
    if not meant:
        raise QueryError(f"nothing was corrected in the {kind.title} at {clock(float(at))}")
    told = ", ".join(f"{one.text or one.old_text!r:.40}" for one in meant)
    raise QueryError(f"several {kind.title} were corrected at {clock(float(at))}: {told}; say which with --was")


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


def _shot_at(snapshot: Snapshot, video_id: str, at: Fraction) -> TimeSpan:
    for row in snapshot.shots(video_id):
        if row.shot.span.start <= at < row.shot.span.end:
            return row.shot.span
    raise QueryError(f"the video has no shot at {clock(float(at))}")
