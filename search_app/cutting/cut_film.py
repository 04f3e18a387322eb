"""Between a stored cut list and the archive: its clips as what is rendered, and found shots as its clips."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from search_app.cutting.choice import mean_similarity_of, odds_of, order_clips, vectors_of_parts
from search_app.cutting.cut_edits import Edited, frame_at
from search_app.cutting.cut_list import Clip, CutList, LeftOut, add_handles
from search_app.cutting.cut_options import Order
from search_app.cutting.film_frames import film_frames
from search_app.cutting.fit import fit_to_length, rate_of_clips
from search_app.cutting.greedy import FitLimits, trim_around
from search_app.cutting.matches import Bar
from search_app.cutting.stored_cut import CutClip, State, StoredCut
from search_app.errors import CutError, QueryError
from search_app.frame_rates import mean_rate
from search_app.search.decisions import overlapping_shots, shares_half
from search_app.search.ranking import Hit
from store.records import Boundary, Shot, ShotRow
from store.timespan import TimeSpan
from store.wording import n_of

if TYPE_CHECKING:
    from search_app.cutting.fit import RateOf
    from store.records import FrameRow, VideoRow
    from store.snapshot import Snapshot

GONE = "its video is not in the archive any more"

LOOKED_AT = 500
"""So many answers are looked at for candidates: what is seen once is no news later."""

SAME_PICTURE = 0.03
"""1 - cosine of two frames that show the same picture at most, as in stacks of a search."""


def relink_command(archive: Path, name: str) -> str:
    """The command that relinks a cut list, to be copied."""
    return f"rushes cut relink {shlex.quote(str(archive))} {shlex.quote(name)}"


def clips_of_hits(cut_list: CutList, question: str) -> tuple[CutClip, ...]:
    """Clips of a stored cut list for the shots chosen for a question."""
    return tuple(
        CutClip(
            clip.video_id,
            clip.span,
            hit.time,
            clip.paths[0],
            hit.shot.shot_id,
            question,
            hit.rank,
            hit.score,
            hit.confidence,
        )
        for clip in cut_list.clips
        for hit in clip.hits[:1]
    )


def clips_beside_handles(
    cut_list: CutList, question: str, seconds: Fraction
) -> tuple[tuple[CutClip, ...], list[LeftOut]]:
    """Clips of a stored cut list for what was chosen with handles; the handles lie beside them.

    Args:
        cut_list: the clips, as long as they are with their handles.
        question: what they were chosen for.
        seconds: the handles; a clip that was shortened to fit a length keeps what is left of the one behind it.

    Returns:
        The clips, and the shots of which nothing but a handle had room.
    """
    shown = [clip for clip in cut_list.clips if clip.span.overlaps(clip.hits[0].span)]
    left_out = [
        LeftOut(clip.hits[0], "no room left but for its handle") for clip in cut_list.clips if clip not in shown
    ]
    by_rank = [replace(clip, span=clip.hits[0].span) for clip in sorted(shown, key=lambda clip: clip.hits[0].rank)]
    widened = add_handles(by_rank, [(seconds, seconds)] * len(by_rank))
    whole = {id(clip.hits[0]): clip.span.end for clip in widened}
    clips = []
    for clip, stored in zip(shown, clips_of_hits(CutList(tuple(shown)), question), strict=True):
        shot, after = clip.hits[0].span, seconds
        span = TimeSpan(max(clip.span.start, shot.start), min(clip.span.end, shot.end))
        if clip.span.end < whole[id(clip.hits[0])]:
            n_after = frame_at(clip.facts, clip.span.end) - frame_at(clip.facts, span.end)
            after = n_after / mean_rate(clip.facts)
        clips.append(replace(stored, span=span, before=seconds, after=after))
    return tuple(clips), left_out


def clip_of_shot(shot: ShotRow, time: Fraction, span: TimeSpan | None = None) -> CutClip:
    """A shot, or a part of it, that somebody named."""
    return CutClip(shot.video_id, span or shot.shot.span, time, shot.path, shot.shot_id)


def to_cut_list(
    snapshot: Snapshot, clips: Sequence[CutClip], *, skip_missing: bool = False, way_out: str = ""
) -> CutList:
    """Cut list to be rendered of a stored one: its clips with their handles, rejected ones left out.

    Args:
        snapshot: the archive as it is now.
        clips: the clips.
        skip_missing: also leave out, with a reason, what the archive does not have any more.
        way_out: the command that relinks the clips, for people.

    Raises:
        CutError: a clip's video is not in the archive any more, or there is nothing to cut.
    """
    placed = place_clips(snapshot, clips)
    left_out = []
    for place, (clip, hit) in enumerate(zip(clips, _hits(snapshot, clips), strict=True), start=1):
        if not clip.is_wanted:
            left_out.append(LeftOut(hit, f"rejected by {clip.decided_by}" if clip.decided_by else "rejected"))
        elif place not in placed:
            if not skip_missing:
                first = f"relink it with `{way_out}`" if way_out else "relink it"
                raise CutError(
                    f"clip {place}: {clip.path} is not in the archive any more; {first}, remove the clip, or "
                    "leave out what is missing with --skip-missing"
                )
            left_out.append(LeftOut(hit, GONE))
    if not placed:
        raise CutError(f"nothing to cut: of {n_of(len(clips), 'clip')} all are rejected or gone")
    return CutList(tuple(placed.values()), tuple(left_out))


def place_clips(snapshot: Snapshot, clips: Sequence[CutClip]) -> dict[int, Clip]:
    """For each place, from 1, the clip as it is rendered; rejected clips and those of unknown videos have none."""
    videos = {video.video_id: video for video in snapshot.videos()}
    wanted = {n: clip for n, clip in enumerate(clips, start=1) if clip.is_wanted and clip.video_id in videos}
    made = [
        Clip(row.video_id, (row.path, *row.other_paths), clip.span, (hit,), row.facts, clip.note, clip.decision)
        for clip, hit in zip(wanted.values(), _hits(snapshot, [*wanted.values()]), strict=True)
        for row in (videos[clip.video_id],)
    ]
    widened = add_handles(made, [(clip.before, clip.after) for clip in wanted.values()])
    return dict(zip(wanted, widened, strict=True))


def place_spans(videos: Mapping[str, VideoRow], clips: Sequence[CutClip]) -> list[Clip]:
    """The clips as long as they are in the film, with their handles, but without what they show."""
    rows = [videos[clip.video_id] for clip in clips]
    made = [
        Clip(row.video_id, (row.path,), clip.span, (), row.facts) for clip, row in zip(clips, rows, strict=True)
    ]
    return add_handles(made, [(clip.before, clip.after) for clip in clips])


def film_length(snapshot: Snapshot, clips: Iterable[CutClip], rate_of: RateOf) -> tuple[int, Fraction] | None:
    """Number of frames and rate of the film of a cut list; None if none of its videos is known."""
    videos = {video.video_id: video for video in snapshot.videos()}
    placed = place_spans(videos, [clip for clip in clips if clip.is_wanted and clip.video_id in videos])
    if not placed:
        return None
    rate = rate_of_clips(placed, rate_of)
    return sum(film_frames(clip.span, clip.facts, rate) for clip in placed), rate


def order_places(snapshot: Snapshot, clips: Sequence[CutClip], order: Order, seed: int) -> list[int]:
    """An order of the clips, as positions from 0; clips whose video is gone come last."""
    videos = {video.video_id: video for video in snapshot.videos()}
    known = [position for position, clip in enumerate(clips) if clip.video_id in videos]
    hits = _hits(snapshot, [clips[position] for position in known])
    as_clips = [
        Clip(row.video_id, (row.path, *row.other_paths), clips[position].span, (hit,), row.facts)
        for position, hit in zip(known, hits, strict=True)
        for row in (videos[clips[position].video_id],)
    ]
    if order is Order.STORY:
        places: Sequence[int] = sorted(range(len(known)), key=lambda n: clips[known[n]].rank)
    else:
        places = order_clips(snapshot, as_clips, order, seed)
    gone = [position for position, clip in enumerate(clips) if clip.video_id not in videos]
    return [*(known[place] for place in places), *gone]


def fit_clips(
    snapshot: Snapshot, clips: Sequence[CutClip], limits: FitLimits, rate_of: RateOf | None = None
) -> Edited:
    """The best clips that fill a length, and what goes.

    Accepted clips stay as they are, with their handles, whatever they take; all others lose their handles, since
    the lengths are chosen here. Rejected ones keep their places.

    Args:
        snapshot: the archive as it is now.
        clips: the clips.
        limits: what to keep to.
        rate_of: as `fit_to_length` takes it.

    Raises:
        QueryError: what is accepted is longer already, or nothing fits.
    """
    videos = {video.video_id: video for video in snapshot.videos()}
    known = [place for place, clip in enumerate(clips) if clip.is_wanted and clip.video_id in videos]
    kept = [number for number, place in enumerate(known) if clips[place].state is State.ACCEPTED]
    accepted = place_spans(videos, [clips[known[number]] for number in kept])
    shown = {known[number]: clip.span for number, clip in zip(kept, accepted, strict=True)}
    seconds = sum((span.duration for span in shown.values()), Fraction())
    if seconds >= limits.seconds:
        raise QueryError(
            f"the accepted clips alone are {float(seconds):.1f} s long; ask for more than that, or accept fewer"
        )
    whole = [replace(clips[place], span=shown.get(place, clips[place].span)) for place in known]
    hits = _hits(snapshot, whole)
    worths = [odds_of(_sureness(clip)) for clip in whole]
    best = max(range(len(whole)), key=lambda number: (worths[number], -whole[number].rank), default=None)
    made = fit_to_length(
        [replace(hit, rank=number) for number, hit in enumerate(hits)],
        worths,
        vectors_of_parts(snapshot, hits),
        videos,
        replace(limits, max_clip=limits.longest_clip),
        mean_similarity=mean_similarity_of(snapshot),
        kept=kept,
        first=best,
        rate_of=rate_of,
    )
    if not made.clips:
        raise QueryError("nothing fits; ask for more time, or for shorter clips with --min-clip")
    stay = {known[clip.hits[0].rank]: clip.span for clip in made.clips}
    gone = [(clips[known[left.hit.rank]], left.reason) for left in made.left_out]
    lost = {place for place, clip in enumerate(clips) if clip.video_id not in videos}
    kept_lost = {place for place in lost if clips[place].state is State.ACCEPTED}  # for `cut relink`
    gone += [
        (clips[place], "its video is not in the archive")
        for place in sorted(lost - kept_lost)
        if clips[place].is_wanted
    ]
    return Edited(
        tuple(
            _fitted(clip, stay.get(place))
            for place, clip in enumerate(clips)
            if place in stay or place in kept_lost or not clip.is_wanted
        ),
        tuple(gone),
    )


def _sureness(clip: CutClip) -> float:
    """Certainty of a clip; 1 for what a person named, or filters alone found."""
    return 1.0 if clip.confidence is None else clip.confidence


def _fitted(clip: CutClip, span: TimeSpan | None) -> CutClip:
    if span is None or clip.state is State.ACCEPTED:
        return clip
    return replace(clip, span=span, before=Fraction(0), after=Fraction(0))


def find_candidates(
    hits: Iterable[Hit], seen: Iterable[tuple[str, TimeSpan]], bar: Bar | None = None
) -> list[Hit]:
    """The answers that match, or reach another bar, and share nothing with what was seen, best first."""
    bar = bar or Bar()
    known: dict[str, list[TimeSpan]] = {}
    for video_id, span in seen:
        known.setdefault(video_id, []).append(span)
    return [
        hit
        for hit in hits
        if bar.takes(hit)
        and not all(
            any(shares_half(part.span, span) for span in known.get(part.shot.video_id, ())) for part in hit.parts
        )
    ]


@dataclass(frozen=True, slots=True)
class Take:
    """Replacement for a clip.

    Args:
        clip: it, trimmed to the length of the one it would replace.
        similarity: cosine of the best frames.
        is_copy: whether it shows the same picture, as a copy or another take of it.
        height_px: displayed height of its source.
        sharpness: of its best frame; comparable among frames of one picture size.
    """

    clip: CutClip
    similarity: float
    is_copy: bool
    height_px: int
    sharpness: float


def find_takes(snapshot: Snapshot, cut: StoredCut, place: int, n_takes: int) -> list[Take]:
    """Shots that look like a clip and are not in the cut list: copies first, of these the largest and sharpest.

    Raises:
        QueryError: there is no such place.
        CutError: its video is not in the archive any more.
    """
    if not 1 <= place <= len(cut.clips):
        raise QueryError(f"there is no place {place}: the cut list has {len(cut.clips)}")
    clip = cut.clips[place - 1]
    (hit,) = _hits(snapshot, [clip])
    videos = {video.video_id: video for video in snapshot.videos()}
    if clip.video_id not in videos:
        raise CutError(
            f"clip {place}: {clip.path} is not in the archive any more, so nothing is known to be like it; "
            "`rushes cut relink` finds what took its place"
        )
    vector = vectors_of_parts(snapshot, [hit])[0]
    taken: dict[str, list[TimeSpan]] = {}
    for one in cut.clips:
        taken.setdefault(one.video_id, []).append(one.span)
    takes: dict[str, Take] = {}
    for frame in snapshot.search(vector, 40 * n_takes):
        shot = frame.shot
        if shot.shot_id in takes or any(shot.shot.span.overlaps(span) for span in taken.get(shot.video_id, ())):
            continue
        row = videos[shot.video_id]
        span = trim_around(shot.shot.span, frame.time, clip.span.duration, row.facts)
        if span is None:
            continue
        new = replace(
            clip_of_shot(shot, frame.time, span),
            question=clip.question,
            rank=clip.rank,
            before=clip.before,
            after=clip.after,
            note=clip.note,
        )
        is_copy = 1 - frame.score <= SAME_PICTURE
        takes[shot.shot_id] = Take(new, frame.score, is_copy, row.facts.height_px, frame.sharpness)

    def rank(take: Take) -> tuple[bool, float, float]:
        return (
            not take.is_copy,
            -take.height_px if take.is_copy else 0,
            -(take.sharpness if take.is_copy else take.similarity),
        )

    return sorted(takes.values(), key=rank)[:n_takes]


def _hits(snapshot: Snapshot, clips: Sequence[CutClip]) -> list[Hit]:
    """For each clip a hit with a shot as shots are now, whose span is the clip's."""
    known = snapshot.shots_by_id([clip.shot_id for clip in clips if clip.shot_id])
    shots = [known.get(clip.shot_id) or _shot_now(snapshot, clip) for clip in clips]
    frames: dict[str, list[FrameRow]] = {}
    for frame in snapshot.frames_of_shots(sorted({shot.shot_id for shot in shots if shot})):
        frames.setdefault(frame.shot_id, []).append(frame)
    hits = []
    for clip, shot in zip(clips, shots, strict=True):
        shot_id = shot.shot_id if shot else clip.shot_id
        # What was trimmed away is not shown: it may be blocked.
        inside = [frame for frame in frames.get(shot_id, ()) if clip.span.start <= frame.time < clip.span.end]
        near = min(inside, key=lambda frame: abs(frame.time - clip.time), default=None)
        thumbnail = near.thumbnail if near else ""
        ordinal = shot.shot.ordinal if shot else 0
        path = shot.path if shot else clip.path
        row = ShotRow(shot_id, clip.video_id, path, Shot(ordinal, clip.span, Boundary.CUT), thumbnail)
        hits.append(Hit(clip.rank, clip.score, row, clip.time, thumbnail, confidence=clip.confidence))
    return hits


def _shot_now(snapshot: Snapshot, clip: CutClip) -> ShotRow | None:
    """The shot that shows most of a clip, after a new detection of shots or for a range that somebody named."""
    shots = snapshot.shots(clip.video_id)
    found = overlapping_shots(shots, clip.span)
    by_id = {shot.shot_id: shot for shot in shots}
    return by_id[found[0]] if found else None
