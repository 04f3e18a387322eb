"""Begin, fill and change stored cut lists: each change is a version, and says what it left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from search_app.conforming.target_profile import film_rate
from search_app.cutting.choice import choose_clips
from search_app.cutting.cut_edits import Edited, add_clips, count_frames, trim_clip
from search_app.cutting.cut_film import LOOKED_AT, clip_of_shot, clips_beside_handles, find_candidates
from search_app.cutting.cut_options import exact_seconds
from search_app.cutting.matches import Bar
from search_app.cutting.stored_cut import (
    BRANCH,
    PICKS,
    CutClip,
    StoredCut,
    commit,
    look_for_cut,
    read_cut,
)
from search_app.errors import CutError, QueryError
from search_app.query.options import SearchOptions
from search_app.use_cases.answer import find_shots, loader
from search_app.use_cases.choose_clips import ask_for_clips, gone_videos
from search_app.use_cases.cut_values import parse_edge
from store.errors import UnknownIdError
from store.wording import n_of

if TYPE_CHECKING:
    from search_app.search.ranking import Hit
    from search_app.use_cases.options import AnswerSource
    from store.archive import Archive
    from store.records import VideoFacts
    from store.timespan import TimeSpan

LeftOutClips = tuple[tuple[CutClip, str], ...]
"""Clips that are not in a cut list, each with the reason."""
Change = Callable[["Archive", StoredCut], tuple[Edited, str]]
"""Makes the clips of a new version, and says what was done, for people."""


@dataclass(frozen=True, slots=True)
class CutChange:
    """A version of a cut list.

    Args:
        cut: the cut list now.
        action: what was done, for people.
        left_out: what is not in it, and why.
    """

    cut: StoredCut
    action: str
    left_out: LeftOutClips = ()


@dataclass(frozen=True, slots=True)
class NewClips:
    """Clips to be put into a cut list.

    Args:
        what: it in words.
        clips: the clips.
        settings: what the cut list keeps of the question.
        seen: what was looked at besides the clips: it is no news later.
        left_out: what is not among them, and why.
    """

    what: str
    clips: tuple[CutClip, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    seen: tuple[tuple[str, TimeSpan], ...] = ()
    left_out: LeftOutClips = ()


def refuse_name(archive: Archive, name: str) -> StoredCut:
    """Refuse a name that a new cut list cannot have; else what is stored under it, without clips.

    Raises:
        QueryError: it is empty, taken, or kept for the page.
    """
    before = look_for_cut(archive.snapshot(), name)
    if not name.strip() or BRANCH in name:
        raise QueryError(f"a cut list cannot be called {name!r}: give it a name without {BRANCH}")
    if name == PICKS:
        raise QueryError(f"{PICKS!r} is what is ticked on the page of `rushes ui`: take another name")
    if before.version and not before.settings.get("is_deleted"):
        raise QueryError(f"there is a cut list {name!r} already; add to it, or take another name")
    return before


def begin_cut(archive: Archive, before: StoredCut, new: NewClips) -> CutChange:
    """Begin a cut list under a name that `refuse_name` found free.

    Raises:
        QueryError: another process took the name meanwhile; nothing was written.
    """
    action = f"new, {new.what}"
    after = commit(archive, before, new.clips, action, settings=new.settings, seen=new.seen)
    return CutChange(after, action, new.left_out)


def add_to_cut(
    archive: Archive,
    before: StoredCut,
    new: NewClips,
    at: int | None = None,
    *,
    again: bool = False,
    keep_settings: bool = False,
) -> CutChange:
    """Add clips to a cut list; no other clip is touched.

    Args:
        archive: where.
        before: the cut list as it was read.
        new: what to add.
        at: the place of the first of them; None for the end.
        again: also what another clip shows already.
        keep_settings: whether the cut list keeps the settings of what is added.

    Raises:
        QueryError: there is nothing to add, or it was changed meanwhile; nothing was written.
    """
    edited = add_clips(before.clips, new.clips, at, again=again)
    action = f"added {new.what}"
    left_out = (*new.left_out, *edited.left_out)
    if edited.clips == before.clips:
        first = f": {left_out[0][1]}" if left_out else ""
        raise QueryError(f"there is nothing to add{first}")
    settings = {**before.settings, **(new.settings if keep_settings else {})}
    after = commit(archive, before, edited.clips, action, settings=settings, seen=new.seen)
    return CutChange(after, action, left_out)


def change_cut(archive: Archive, name: str, change: Change) -> CutChange:
    """Make a version of a cut list.

    Raises:
        QueryError: there is no such cut list, nothing would change, or it was changed meanwhile.
    """
    before = read_cut(archive.snapshot(), name)
    edited, action = change(archive, before)
    if edited.clips == before.clips:
        raise QueryError(f"that changes nothing in the cut list {name!r}")
    return CutChange(commit(archive, before, edited.clips, action), action, edited.left_out)


def facts_of_clip(archive: Archive, place: int, clip: CutClip) -> VideoFacts:
    """Facts of the source of a clip at a place, from 1.

    Raises:
        CutError: its video is not in the archive any more.
    """
    try:
        return archive.snapshot().video(clip.video_id).facts
    except UnknownIdError as error:
        raise CutError(
            f"clip {place}: {clip.path} is not in the archive any more; find what took its place with "
            f"`rushes cut relink`, or remove the clip"
        ) from error


def named_clips(archive: Archive, clips: Iterable[CutClip]) -> NewClips:
    """Clips that a person named, or none, for a cut list that begins empty."""
    named = tuple(clips)
    return NewClips(f"{len(named)} named" if named else "empty", named, {"looked_at": _state_of(archive)})


def shot_clip(archive: Archive, shot_id: str) -> CutClip:
    """The clip of a whole shot.

    Raises:
        UnknownIdError: there is no such shot.
    """
    shot = archive.snapshot().shot(shot_id)
    return clip_of_shot(shot, (shot.shot.span.start + shot.shot.span.end) / 2)


def range_clip(archive: Archive, video: str, start: str, end: str) -> CutClip:
    """The clip of a stretch of a video, whose edges are written as people type them.

    Raises:
        UnknownIdError: there is no such video.
        QueryError: an edge cannot be understood, or lies outside the source.
    """
    row = archive.snapshot().video(video)
    whole = CutClip(row.video_id, row.facts.span, row.facts.span.start, row.path)
    first = parse_edge(start, row.facts, 0)
    last = parse_edge(end, row.facts, count_frames(row.facts))
    return trim_clip(whole, row.facts, first, last)


def answer_clips(archive: Archive, source: AnswerSource) -> NewClips:
    """The best shots for a question.

    Args:
        archive: where to look.
        source: the question, and how clips are chosen.

    Raises:
        QueryError: the question cannot be understood.
        CutError: nothing answers, or nothing is left.
    """
    asked = ask_for_clips(archive, source, at_least=LOOKED_AT)
    result, choice = asked.result, asked.choice
    gone = gone_videos(archive, result.hits, include_missing=source.include_missing)
    chosen = choose_clips(archive.snapshot(), result.hits, choice, asked.used, film_rate, gone)
    # Handles are kept beside the clips, so that a clip can be trimmed without losing them.
    clips, without_room = clips_beside_handles(chosen, asked.question, exact_seconds(choice.handles))
    settings = {
        "query": asked.question,
        "looked_at": _state_of(archive),
        "options": {**choice.provenance(), "ranking": dict(asked.ranking)},
    }
    looked_at = [*result.hits[: choice.n_shots], *find_candidates(result.hits, ())]
    seen = [(part.shot.video_id, part.span) for hit in looked_at for part in hit.parts]
    seen += [(copy.video_id, copy.shot.span) for hit in looked_at for copy in hit.stack]
    without_clip = (*chosen.left_out, *without_room)
    left_out = tuple((clip_of_shot(left.hit.shot, left.hit.time), left.reason) for left in without_clip)
    return NewClips(f"{len(clips)} for {asked.question!r}", clips, settings, tuple(seen), left_out)


def candidate_clips(archive: Archive, cut: StoredCut, device: str, *, include_missing: bool) -> NewClips:
    """Candidates of a cut list, as `look_for_news` finds them.

    Args:
        archive: where to look.
        cut: the cut list.
        device: where the encoder runs.
        include_missing: also those whose files are missing.
    """
    hits = look_for_news(archive, cut, device)
    gone = gone_videos(archive, hits, include_missing=include_missing)
    parts = [part for hit in hits for part in hit.parts]
    clips = tuple(
        replace(
            clip_of_shot(part.shot, part.time, part.span),
            question=cut.query,
            rank=part.rank,
            score=part.score,
            confidence=part.confidence,
        )
        for part in parts
        if part.shot.video_id not in gone
    )
    left_out = tuple(
        (clip_of_shot(part.shot, part.time), gone[part.shot.video_id])
        for part in parts
        if part.shot.video_id in gone
    )
    settings = {"looked_at": _state_of(archive)}
    return NewClips(n_of(len(clips), "candidate"), clips, settings, left_out=left_out)


def look_for_news(archive: Archive, cut: StoredCut, device: str) -> list[Hit]:
    """News for the question of a cut list: matches, or as sure as was asked for, best first.

    Raises:
        QueryError: its question cannot be understood.
        ModelError: the archive's encoder cannot be loaded.
    """
    snapshot = archive.snapshot()
    if not cut.query or cut.settings.get("looked_at") == snapshot.manifest.segments_digest:
        return []
    options = SearchOptions(limit=LOOKED_AT, stack=False)
    result = find_shots(archive, cut.query, options, encoder=loader(archive, device))
    seen = snapshot.cut_seen(cut.name.partition(BRANCH)[0])
    return find_candidates(result.hits, seen, Bar.of_provenance(cut.settings.get("options", {})))


def dismiss_news(archive: Archive, cut: StoredCut, hits: Sequence[Hit]) -> None:
    """Note that candidates were looked at, so that they are none any more.

    Raises:
        QueryError: the cut list was changed meanwhile.
    """
    seen = [(part.shot.video_id, part.span) for hit in hits for part in hit.parts]
    settings = {**cut.settings, "looked_at": _state_of(archive)}
    commit(archive, cut, cut.clips, f"dismissed {n_of(len(hits), 'candidate')}", settings=settings, seen=seen)


def _state_of(archive: Archive) -> str:
    """Changes whenever footage came, went or was indexed again: only then can there be new candidates."""
    return archive.snapshot().manifest.segments_digest
