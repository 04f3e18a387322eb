"""Limits on export: blocks and marks, in one place that all exports ask.

A flag holds for a video, by content, or a stretch of it, for ever or up to and including a day (local calendar).
A clip is blocked if any instant of it is, its handles included; a mark is wanted if any instant of it wants one.
Where several flags meet, blocking goes before marking.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from search_app.cutting.cut_list import Clip, CutList, LeftOut
from search_app.cutting.stored_cut import editor_name
from search_app.errors import QueryError, RightsError
from store.events import RIGHTS_CLEAR, RightsChanged
from store.records import RightsFlag
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from store.archive import Archive
    from store.snapshot import Snapshot

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Rule(StrEnum):
    """Rights of a clip."""

    FREE = "free"
    WATERMARK = "watermark"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Ruling:
    """Rights of one clip.

    Args:
        rule: free, watermark or block.
        reason: why, in words for people; empty if it is free.
        text: what the mark says; empty without one.
    """

    rule: Rule
    reason: str = ""
    text: str = ""


def rule_clips(clips: Sequence[Clip], flags: Iterable[RightsFlag], today: date | None = None) -> list[Ruling]:
    """Rights of each clip.

    Args:
        clips: the clips, handles included.
        flags: those of the archive.
        today: the day of the export; None for the local one.
    """
    day = (today or date.today()).isoformat()
    holding: dict[str, list[RightsFlag]] = {}
    for flag in flags:
        if not is_expired(flag, day):
            holding.setdefault(flag.fingerprint, []).append(flag)
    return [_rule(clip, holding.get(clip.video_id, ())) for clip in clips]


def is_expired(flag: RightsFlag, day: str) -> bool:
    """Whether a flag does not hold any more on a day, given as 2027-01-31."""
    return bool(flag.until) and flag.until < day


def _rule(clip: Clip, flags: Iterable[RightsFlag]) -> Ruling:
    meant = [flag for flag in flags if flag.span is None or flag.span.overlaps(clip.span)]
    for flag in meant:
        if flag.rule == Rule.BLOCK:
            return Ruling(Rule.BLOCK, describe_flag(flag))
    if not meant:
        return Ruling(Rule.FREE)
    texts = " / ".join(dict.fromkeys(flag.text for flag in meant))
    return Ruling(Rule.WATERMARK, "; ".join(map(describe_flag, meant)), texts)


def describe_flag(flag: RightsFlag) -> str:
    """A flag in words for people."""
    what = "blocked" if flag.rule == Rule.BLOCK else f"must be marked {flag.text!r}"
    until = f" until {flag.until}" if flag.until else ""
    editor = f" by {flag.editor}" if flag.editor else ""
    return f"{what}{until}{editor}{f': {flag.note}' if flag.note else ''}"


def keep_rights(
    cut_list: CutList,
    flags: Iterable[RightsFlag],
    *,
    skip_blocked: bool = False,
    can_mark: bool = False,
    way_out: str = "",
    today: date | None = None,
) -> tuple[CutList, tuple[Ruling, ...]]:
    """The cut list as it may be exported, and what holds for each of its clips.

    Args:
        cut_list: the clips.
        flags: those of the archive.
        skip_blocked: leave out what must not be exported, with the reason, instead of refusing all.
        can_mark: whether the export draws marks; if not, what wants one must not be exported either.
        way_out: how to ask for the others alone, for the message.
        today: as in `rule_clips`.

    Raises:
        RightsError: a clip must not be exported, or nothing is left.
    """
    rulings = rule_clips(cut_list.clips, flags, today)
    kept: list[tuple[Clip, Ruling]] = []
    left_out = list(cut_list.left_out)
    refused = []
    for place, (clip, ruling) in enumerate(zip(cut_list.clips, rulings, strict=True), start=1):
        if ruling.rule is Rule.FREE or (ruling.rule is Rule.WATERMARK and can_mark):
            kept.append((clip, ruling))
            continue
        no_mark = ", and this export draws no marks" if ruling.rule is Rule.WATERMARK else ""
        left_out += [LeftOut(hit, f"rights: {ruling.reason}{no_mark}") for hit in clip.hits]
        refused.append(f"clip {place} ({clip.paths[0]}) is {ruling.reason}{no_mark}")
    if refused and (not skip_blocked or not kept):
        ending = f"; {way_out}" if way_out and kept else ""
        raise RightsError(f"{'; '.join(refused)}{ending}".replace("is must", "must"))
    return CutList(tuple(clip for clip, _ in kept), tuple(left_out)), tuple(ruling for _, ruling in kept)


def rights_entry(n_flags: int, rulings: Sequence[Ruling]) -> dict[str, Any]:
    """Ledger entries of rights: when they were looked at, and which clip, counted from 1, bears which mark."""
    marks = {str(place): ruling.text for place, ruling in enumerate(rulings, start=1) if ruling.text}
    return {"checked_on": date.today().isoformat(), "n_flags": n_flags, "marks": marks}


def set_rights(
    archive: Archive,
    video_id: str,
    span: TimeSpan | None,
    rule: Rule,
    *,
    text: str = "",
    until: str = "",
    note: str = "",
) -> RightsFlag | None:
    """Block or mark exports of a video or a stretch of it; gives what the same rule said of it before.

    Raises:
        QueryError: `until` is no day, or the mark says nothing.
    """
    if until and (not _DAY.fullmatch(until) or not _is_day(until)):
        raise QueryError(f"{until!r} is no day; write it as 2027-01-31")
    if rule is Rule.WATERMARK and not text.strip():
        raise QueryError("a watermark needs a text")
    start, end = _times(span)
    replaced: list[RightsFlag] = []

    def events(snapshot: Snapshot) -> list[RightsChanged]:
        same = (video_id, span, rule.value)
        replaced.extend(flag for flag in snapshot.rights() if same == (flag.fingerprint, flag.span, flag.rule))
        return [RightsChanged(video_id, start, end, rule.value, text, until, note, editor_name())]

    archive.record_if(events)
    return replaced[0] if replaced else None


def clear_rights(archive: Archive, video_id: str, span: TimeSpan | None) -> int:
    """Take back all that was said of a video, or what was said of exactly that stretch; gives how many flags went.

    Raises:
        QueryError: there is nothing to take back.
    """
    flags = [flag for flag in archive.snapshot().rights() if flag.fingerprint == video_id]
    meant = flags if span is None else [flag for flag in flags if flag.span == span]
    if not meant:
        raise QueryError("nothing is said of that; `rushes rights ARCHIVE` lists what is")
    spans = dict.fromkeys(flag.span for flag in meant)
    archive.record([RightsChanged(video_id, *_times(one), RIGHTS_CLEAR, editor=editor_name()) for one in spans])
    archive.publish()
    return len(meant)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _times(span: TimeSpan | None) -> tuple[str, str]:
    if span is None:
        return "", ""
    return _text(span.start), _text(span.end)


def _text(time: Fraction) -> str:
    return f"{time.numerator}/{time.denominator}"
