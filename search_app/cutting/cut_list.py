"""From ranked hits to the ordered clips of a supercut.

Laws, which the property tests state:

- Clips come in the order of the hits; each hit is in exactly one clip or is left out with a reason.
- No instant of a video is in two clips. Handles give way: they never reach into the shot of another hit, and
  where two handles meet, the better hit's handle is whole and the other's gets what is left. So every hit keeps
  its own place in the order, and nobody sees the same frame twice.
- What answers A THEN B is one clip for A and one for B, whatever lies between them.
- Without a limit on the length every clip holds its whole shot. With one, answers are taken in order while they
  fit; the first that does not fit ends early, or is left out if it has several clips, and so is the rest.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from search_app.frame_rates import mean_rate
from search_app.search.ranking import Hit
from store.records import VideoFacts, VideoRow
from store.timespan import TimeSpan
from store.wording import n_of

EDGE_TICKS = 2
"""An edge that we invent lies this many ticks before the frame it means, because containers round the times of
frames to ticks (Matroska to whole milliseconds): a frame must never be on either side by accident."""
_LARGEST_EDGE = Fraction(1, 4)
"""In frames: where a tick is a whole frame, as in AVI, two of them would move the edge by two frames."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A trimmed piece of a source.

    Args:
        video_id: fingerprint of the source.
        paths: where the source was seen, best first: absolute paths of files with the same content.
        span: the piece, in exact seconds of the source.
        hits: what it shows, in order of time; today always one.
        facts: what decoding the source told.
        note: what people wrote beside it; may be empty.
        state: what they decided about it, as `accepted by Anna`; empty if nothing.
    """

    video_id: str
    paths: tuple[str, ...]
    span: TimeSpan
    hits: tuple[Hit, ...]
    facts: VideoFacts
    note: str = ""
    state: str = ""

    @property
    def remark(self) -> str:
        """Decisions and notes about it, for people: `accepted by Anna: the best one`."""
        return ": ".join(filter(None, (self.state, self.note)))

    @property
    def score(self) -> float:
        """Score of its best hit; 0 for what was not searched for."""
        return max(hit.score for hit in self.hits)

    @property
    def shot_ids(self) -> tuple[str, ...]:
        """The shots it shows, in order of time."""
        return tuple(hit.shot.shot_id for hit in self.hits)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A hit that is in no clip.

    Args:
        hit: the hit.
        reason: why, in words for people.
    """

    hit: Hit
    reason: str


@dataclass(frozen=True, slots=True)
class CutList:
    """Clips in the order in which they are joined.

    Args:
        clips: the clips.
        left_out: the hits that are in no clip.
    """

    clips: tuple[Clip, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def duration(self) -> Fraction:
        """Length of all clips together in seconds, exact."""
        return sum((clip.span.duration for clip in self.clips), Fraction())


def build_cut_list(
    hits: Sequence[Hit],
    videos: Mapping[str, VideoRow],
    *,
    limit: int | None = None,
    max_seconds: Fraction | float | None = None,
    handles_seconds: Fraction | float = 0,
) -> CutList:
    """One clip for each hit, in the order given, as the laws above say.

    Args:
        hits: best first.
        videos: the rows of their videos, by id.
        limit: take no more than this many clips.
        max_seconds: longest total length.
        handles_seconds: extra time before and after each shot, rounded to whole frames of its source; it ends at
            the source's own ends.

    Raises:
        ValueError: a limit or the handles are negative.
    """
    handles, budget = _seconds(handles_seconds), None if max_seconds is None else _seconds(max_seconds)
    if handles < 0 or (budget is not None and budget < 0) or (limit is not None and limit < 0):
        raise ValueError("limit, max_seconds and handles_seconds must not be negative")
    left_out: list[LeftOut] = []
    answers = [hit.parts for hit in hits]
    parts = [part for answer in answers for part in answer]
    chosen = _choose(parts, videos, len(parts) if limit is None else limit, left_out)
    clips = add_handles(chosen, [(handles, handles)] * len(chosen))
    if budget is not None:
        clips = _fit(_by_answer(clips, answers), budget, left_out)
    return CutList(tuple(clips), tuple(left_out))


def _seconds(number: Fraction | float) -> Fraction:
    # What a person types as 0.1 is meant as a tenth, not as the nearest binary fraction.
    return number if isinstance(number, Fraction) else Fraction(str(number))


def _choose(
    hits: Iterable[Hit], videos: Mapping[str, VideoRow], limit: int, left_out: list[LeftOut]
) -> list[Clip]:
    """Clips without handles that share no instant."""
    clips: list[Clip] = []
    taken: dict[str, list[TimeSpan]] = {}
    for hit in hits:
        row, span = videos.get(hit.shot.video_id), hit.span
        if len(clips) >= limit:
            left_out.append(LeftOut(hit, f"beyond the limit of {n_of(limit or 0, 'clip')}"))
        elif row is None:
            left_out.append(LeftOut(hit, "its video is not in the archive"))
        elif any(span.overlaps(other) for other in taken.get(row.video_id, ())):
            left_out.append(LeftOut(hit, "a better hit already shows this part of the video"))
        else:
            taken.setdefault(row.video_id, []).append(span)
            clips.append(Clip(row.video_id, (row.path, *row.other_paths), span, (hit,), row.facts))
    return clips


def add_handles(clips: Sequence[Clip], handles: Sequence[tuple[Fraction, Fraction]]) -> list[Clip]:
    """The clips with as much of their handles as is free, better hits first.

    Args:
        clips: the clips; the first one's handles are served first.
        handles: for each, seconds before and after it, which are rounded to whole frames of its source.
    """
    clips = list(clips)
    if not any(map(any, handles)):
        return clips
    taken: dict[str, list[TimeSpan]] = {}
    for clip in clips:
        bisect.insort(taken.setdefault(clip.video_id, []), clip.span)
    widened = []
    for clip, around in zip(clips, handles, strict=True):
        spans = taken[clip.video_id]
        place = bisect.bisect_left(spans, clip.span)
        spans[place] = _with_handles(clip, around, spans[max(0, place - 1) : place], spans[place + 1 : place + 2])
        widened.append(replace(clip, span=spans[place]))
    return widened


def _with_handles(
    clip: Clip, around: tuple[Fraction, Fraction], before: list[TimeSpan], after: list[TimeSpan]
) -> TimeSpan:
    core, facts = clip.span, clip.facts
    earlier, later = (_whole_frames(seconds, facts) for seconds in around)
    edge = edge_before(facts)
    floor = max([facts.span.start, *(span.end for span in before)])
    ceiling = min([facts.span.end, *(span.start for span in after)])
    # A file whose facts are wrong must not cost a shot: handles only ever add.
    start = min(core.start, max(floor, core.start - earlier - edge if earlier else core.start))
    end = max(core.end, min(ceiling, core.end + later - edge if later else core.end))
    return TimeSpan(start, end)


def _by_answer(clips: Iterable[Clip], answers: Iterable[tuple[Hit, ...]]) -> list[list[Clip]]:
    """The clips of each answer that has any, in order."""
    number_of = {id(part): number for number, answer in enumerate(answers) for part in answer}
    groups = itertools.groupby(clips, key=lambda clip: number_of[id(clip.hits[0])])
    return [list(group) for _, group in groups]


def _fit(answers: Iterable[list[Clip]], budget: Fraction, left_out: list[LeftOut]) -> list[Clip]:
    """The clips of the first answers that fit into the budget, the last one shortened to whole frames."""
    fitting: list[Clip] = []
    rest, full = budget, False
    for clips in answers:
        seconds = sum((clip.span.duration for clip in clips), Fraction())
        if not full and seconds <= rest:
            fitting += clips
            rest -= seconds
            continue
        shorter = None if full or len(clips) > 1 else _shortened(clips[0], rest)
        if shorter is None:
            reason = f"no room left within {float(budget):g} seconds"
            left_out.extend(LeftOut(hit, reason) for clip in clips for hit in clip.hits)
        else:
            fitting.append(shorter)
        full = True
    return fitting


def _shortened(clip: Clip, seconds: Fraction) -> Clip | None:
    """The clip so much shorter; None if nothing but a handle would be left."""
    end = clip.span.start + _whole_frames(seconds, clip.facts, round_down=True) - edge_before(clip.facts)
    return replace(clip, span=TimeSpan(clip.span.start, end)) if end > clip.hits[0].span.start else None


def edge_before(facts: VideoFacts) -> Fraction:
    """How long before the frame it means an edge lies that we invent, in seconds."""
    return min(EDGE_TICKS * facts.time_base, _LARGEST_EDGE / mean_rate(facts))


def _whole_frames(duration: Fraction, facts: VideoFacts, *, round_down: bool = False) -> Fraction:
    rate = mean_rate(facts)
    n_frames = duration * rate
    return Fraction(int(n_frames) if round_down else round(n_frames)) / rate
