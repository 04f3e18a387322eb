"""Texts of the archive about the clips of a cut list: captions, speech, and marks that must be seen on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from search_app.cutting.cut_list import Clip, CutList
from store.records import TextStage

if TYPE_CHECKING:
    from store.records import TextHit
    from store.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Speech:
    """Speech in a span of a clip.

    Args:
        start: when it begins, in seconds from the clip's start.
        end: when it ends.
        text: the words.
    """

    start: Fraction
    end: Fraction
    text: str


@dataclass(frozen=True, slots=True)
class ClipText:
    """The texts of one clip.

    Args:
        caption: what it shows, in words; empty if nobody said.
        speech: what is said, in order.
        mark: what must be seen on it for as long as it is shown, such as whose it is; empty for nothing.
    """

    caption: str = ""
    speech: tuple[Speech, ...] = ()
    mark: str = ""


def read_clip_texts(snapshot: Snapshot, cut_list: CutList, marks: Sequence[str] = ()) -> list[ClipText]:
    """The texts of each clip of a cut list, in order.

    Args:
        snapshot: the archive.
        cut_list: the clips.
        marks: what must be seen on each clip, empty for nothing; none at all if not given.
    """
    texts = []
    rows: dict[tuple[str, str], list[TextHit]] = {}
    for clip, mark in zip(cut_list.clips, marks or [""] * len(cut_list.clips), strict=True):
        for stage in (TextStage.CAPTION, TextStage.TRANSCRIPT):
            if (clip.video_id, stage) not in rows:
                rows[clip.video_id, stage] = snapshot.text_rows(clip.video_id, stage)
        captions = _inside(rows[clip.video_id, TextStage.CAPTION], clip)
        best = max(captions, key=lambda one: one.end - one.start, default=None)
        speech = _inside(rows[clip.video_id, TextStage.TRANSCRIPT], clip)
        texts.append(ClipText(best.text if best else "", tuple(speech), mark))
    return texts


def _inside(rows: Sequence[TextHit], clip: Clip) -> list[Speech]:
    """The part of each text that lies in a clip, on the clip's own clock."""
    found = []
    for row in rows:
        if row.span is not None and row.span.overlaps(clip.span):
            start = max(row.span.start, clip.span.start) - clip.span.start
            end = min(row.span.end, clip.span.end) - clip.span.start
            found.append(Speech(start, end, row.shown_text.strip()))
    return sorted(found, key=lambda one: one.start)
