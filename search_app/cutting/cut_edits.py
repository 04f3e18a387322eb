"""Edits of a cut list as pure functions: clips in, clips out, and what could not be done.

Laws, which the property tests state:

- A clip is in the result, or is named among what was taken out or left out, with a reason. None vanishes.
- No instant of a source is in two clips, unless that is asked for.
- Times are exact. An edge that is set lies on a frame of its source (a little before its time, as `edge_before`
  says), never outside the source; edges that are not set stay as they are to the last digit.
- Nothing here knows the archive. Undoing is going back to the clips before (`stored_cut`), so it is exact.

Places count from 1, as people see them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from search_app.cutting.cut_list import edge_before
from search_app.cutting.stored_cut import CutClip, State
from search_app.errors import QueryError
from search_app.frame_rates import mean_rate
from store.records import VideoFacts
from store.timespan import TimeSpan
from store.wording import n_of

Clips = tuple[CutClip, ...]


@dataclass(frozen=True, slots=True)
class Edited:
    """Result of an edit.

    Args:
        clips: the cut list afterwards.
        left_out: clips that are not in it, with the reason.
    """

    clips: Clips
    left_out: tuple[tuple[CutClip, str], ...] = ()


def add_clips(clips: Clips, new: Iterable[CutClip], at: int | None = None, *, again: bool = False) -> Edited:
    """Put clips in, in their order.

    Args:
        clips: the cut list.
        new: what to put in.
        at: the place of the first of them; None for behind all others.
        again: also what is shown already.
    """
    taken: dict[str, list[tuple[int, TimeSpan]]] = {}
    for number, one in enumerate(clips, start=1):
        taken.setdefault(one.video_id, []).append((number, one.span))
    added: list[CutClip] = []
    left_out = []
    for clip in new:
        place = _shown_at(clip.span, taken.get(clip.video_id, ()))
        if place is None or again:
            added.append(clip)
            taken.setdefault(clip.video_id, []).append((0, clip.span))
        else:
            where = f"clip {place}" if place else "a clip that is added before it"
            left_out.append((clip, f"{where} shows this part of the video already"))
    before = len(clips) if at is None else _place(at, len(clips) + 1) - 1
    return Edited((*clips[:before], *added, *clips[before:]), tuple(left_out))


def remove_clips(clips: Clips, places: Iterable[int]) -> Edited:
    """Take clips out."""
    gone = _places(places, clips)
    kept = tuple(clip for place, clip in enumerate(clips, start=1) if place not in gone)
    return Edited(kept, tuple((clips[place - 1], "removed") for place in sorted(gone)))


def move_clips(clips: Clips, places: Sequence[int], to: int) -> Edited:
    """Move clips, in the order named, so that the first of them stands at the place `to`."""
    moved = _places(places, clips)
    rest = [clip for place, clip in enumerate(clips, start=1) if place not in moved]
    at = _place(to, len(clips)) - 1
    at = min(at, len(rest))
    named = [clips[place - 1] for place in dict.fromkeys(places)]
    return Edited((*rest[:at], *named, *rest[at:]))


def reorder_clips(clips: Clips, order: Sequence[int]) -> Edited:
    """The same clips in another order, given as positions from 0."""
    if sorted(order) != list(range(len(clips))):
        raise ValueError("an order must name every clip once")
    return Edited(tuple(clips[position] for position in order))


def change_clips(clips: Clips, places: Iterable[int], change: Callable[[CutClip], CutClip]) -> Edited:
    """Change some clips and leave the others."""
    wanted = _places(places, clips)
    return Edited(tuple(change(clip) if place in wanted else clip for place, clip in enumerate(clips, start=1)))


def replace_clip(clips: Clips, place: int, *by: CutClip, again: bool = False) -> Edited:
    """Put other clips in the place of one.

    Raises:
        QueryError: one of them shows what another clip of the cut list shows already.
    """
    at = _place(place, len(clips)) - 1
    others = [(number, clip) for number, clip in enumerate(clips, start=1) if number != place]
    for clip in by:
        number = _shown_at(clip.span, [(n, one.span) for n, one in others if one.video_id == clip.video_id])
        if number is not None and not again:
            raise QueryError(
                f"clip {place} would show a part of its video that clip {number} shows; "
                "with --again it is shown twice"
            )
    return Edited((*clips[:at], *by, *clips[at + 1 :]))


def frame_at(facts: VideoFacts, time: Fraction) -> int:
    """The number of the frame of a source that begins nearest to a time, from 0."""
    return round((time - facts.span.start) * _rate(facts))


def count_frames(facts: VideoFacts) -> int:
    """Number of frames of a source at its nominal rate."""
    return max(1, round(facts.span.duration * _rate(facts)))


def trim_clip(clip: CutClip, facts: VideoFacts, first: int | None = None, end: int | None = None) -> CutClip:
    """The clip with other edges.

    Args:
        clip: the clip.
        facts: of its source.
        first: number of its first frame in the source; None to leave it.
        end: number of the first frame after it; None to leave it.

    Raises:
        QueryError: it would begin or end outside its source, or be empty.
    """
    n_frames, rate = count_frames(facts), _rate(facts)
    begins = frame_at(facts, clip.span.start) if first is None else first
    ends = frame_at(facts, clip.span.end) if end is None else end
    if begins < 0:
        raise QueryError(f"the clip would begin {_frames(-begins, rate)} before its source")
    if ends > n_frames:
        raise QueryError(f"the clip would end {_frames(ends - n_frames, rate)} after its source")
    if ends <= begins:
        raise QueryError(f"the clip would end before it begins: at frame {ends}, from frame {begins}")
    start = clip.span.start if first is None else _edge(facts, first)
    stop = clip.span.end if end is None else _edge(facts, end)
    span = TimeSpan(start, stop)
    return replace(clip, span=span, time=_inside(clip.time, span))


def split_clip(clip: CutClip, facts: VideoFacts, frame: int) -> tuple[CutClip, CutClip]:
    """Two clips that together show what the clip shows; the second begins with that frame of the source.

    Raises:
        QueryError: the frame is not inside the clip.
    """
    begins, ends = frame_at(facts, clip.span.start), frame_at(facts, clip.span.end)
    if not begins < frame < ends:
        raise QueryError(f"frame {frame} is not inside the clip, which has the frames {begins} to {ends - 1}")
    edge = _edge(facts, frame)
    one, two = TimeSpan(clip.span.start, edge), TimeSpan(edge, clip.span.end)
    return (
        replace(clip, span=one, time=_inside(clip.time, one), after=Fraction(0)),
        replace(clip, span=two, time=_inside(clip.time, two), before=Fraction(0)),
    )


def merge_clips(clips: Clips, places: Sequence[int]) -> Edited:
    """Join clips of one source that touch or overlap into one, at the place of the first named.

    Raises:
        QueryError: they are of several sources, or something lies between them.
    """
    wanted = sorted(_places(places, clips), key=lambda place: clips[place - 1].span)
    first = clips[wanted[0] - 1]
    joined = first
    for place in wanted[1:]:
        clip = clips[place - 1]
        if clip.video_id != first.video_id:
            raise QueryError(
                f"clip {place} is of another video than clip {wanted[0]}; only clips of one are merged"
            )
        if clip.span.start > joined.span.end:
            gap = float(clip.span.start - joined.span.end)
            raise QueryError(f"{gap:.3f} s lie between clip {place} and the one before it; trim one of them first")
        joined = _joined(joined, clip)
    rest = {place for place in wanted if place != places[0]}
    merged = [
        joined if place == places[0] else clip for place, clip in enumerate(clips, start=1) if place not in rest
    ]
    return Edited(tuple(merged))


def merge_touching(clips: Clips) -> Edited:
    """Join every clip with the one before it in the cut list, if they are of one source and touch or overlap."""
    merged: list[CutClip] = []
    for clip in clips:
        last = merged[-1] if merged else None
        if last and last.video_id == clip.video_id and last.state == clip.state and _touch(last.span, clip.span):
            merged[-1] = _joined(last, clip)
        else:
            merged.append(clip)
    return Edited(tuple(merged))


def _joined(one: CutClip, other: CutClip) -> CutClip:
    best = max(one, other, key=lambda clip: clip.score)  # of equals the first
    span = TimeSpan(min(one.span.start, other.span.start), max(one.span.end, other.span.end))
    is_accepted = one.state is other.state
    return replace(
        best,
        span=span,
        before=one.before if one.span.start <= other.span.start else other.before,
        after=one.after if one.span.end >= other.span.end else other.after,
        note="; ".join(dict.fromkeys(note for note in (one.note, other.note) if note)),
        state=best.state if is_accepted else State.OPEN,
        decided_by=best.decided_by if is_accepted else "",
    )


def _touch(one: TimeSpan, other: TimeSpan) -> bool:
    return one.start <= other.end and other.start <= one.end


def _shown_at(span: TimeSpan, taken: Iterable[tuple[int, TimeSpan]]) -> int | None:
    return next((place for place, other in taken if span.overlaps(other)), None)


def _places(places: Iterable[int], clips: Clips) -> set[int]:
    return {_place(place, len(clips)) for place in places}


def _place(place: int, n_places: int) -> int:
    if not 1 <= place <= n_places:
        raise QueryError(f"there is no place {place}: the cut list has {n_places}")
    return place


def _rate(facts: VideoFacts) -> Fraction:
    return mean_rate(facts)


def _edge(facts: VideoFacts, frame: int) -> Fraction:
    """Where a clip begins or ends that has that frame first, or last before it."""
    if frame == 0:
        return facts.span.start
    if frame == count_frames(facts):
        return facts.span.end
    return facts.span.start + frame / _rate(facts) - edge_before(facts)


def _inside(time: Fraction, span: TimeSpan) -> Fraction:
    return time if span.start <= time < span.end else (span.start + span.end) / 2


def _frames(n_frames: int, rate: Fraction) -> str:
    return f"{n_of(n_frames, 'frame')} ({float(n_frames / rate):.2f} s)"
