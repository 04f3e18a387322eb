"""From a cut list to a timeline for editing programs: whole frames, source timecode, names to find the media by.

Editing programs count frames, the archive exact seconds. Here every clip becomes whole frames once; all
formats are written from the same numbers and read back against them.

- A clip holds the frames whose time lies in its span, as in a supercut, and never less than one.
- The timeline runs at the rate of the supercut (`frame_rates.rate_of_most`), or at the one asked for. A source of
  another rate plays at its own speed: it fills as many frames as in a supercut (`film_frames`); that is stated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from search_app.cutting.cut_list import Clip, CutList
from search_app.cutting.film_frames import film_frames
from search_app.errors import TimelineError
from search_app.frame_rates import FALLBACK_RATE, program_rate, rate_of_most
from search_app.timelines.relink import Relinker
from search_app.timelines.remarks import About, Remark, remark_lines
from search_app.timelines.sources import (
    Source,
    describe_rate,
    describe_sources,
    frames_in,
    has_constant_rate,
    one_line,
)
from search_app.timelines.timecode import DROP_RATES, format_timecode, parse_timecode

RECORD_START_HOURS = 1
"""A timeline begins at 01:00:00:00, as editors expect, so that something can be put before it."""


@dataclass(frozen=True, slots=True)
class TimelineClip:
    """A clip in whole frames.

    Args:
        source: what it is cut from.
        source_in: its first frame, counted as `source.start` is, so that the timecode is in it exactly once.
        n_source_frames: how many frames of the source it shows.
        record_in: where it begins, in frames from the beginning of the timeline.
        n_frames: how many frames of the timeline it fills.
        marker: the frame that answers the question best, counted as `source_in`.
        score: cosine of that frame with the question; 0 for what was not searched for.
        caption: what was written about the shot; may be empty.
        shot_ids: the shots it shows.
        video_id: fingerprint of the source.
        remark: what people decided and wrote about it, on one line; may be empty.
        note: what they wrote alone; only a clip with a note has a marker.
    """

    source: Source
    source_in: int
    n_source_frames: int
    record_in: int
    n_frames: int
    marker: int
    score: float
    caption: str
    shot_ids: tuple[str, ...]
    video_id: str
    remark: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class TimelinePlan:
    """All clips in whole frames: what every format is written from and compared with.

    Args:
        name: of the timeline.
        question: what was asked.
        rate: frames per second.
        drop: whether its timecode drops numbers.
        clips: in order; they touch.
        remarks: what is not as in the sources.
        short_reels: whether an EDL has reels of eight characters, as CMX 3600 itself.
    """

    name: str
    question: str
    rate: Fraction
    drop: bool
    clips: tuple[TimelineClip, ...]
    remarks: tuple[Remark, ...] = ()
    short_reels: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks on differences from the sources, for people: each kind once."""
        return (*remark_lines(self.remarks), *_conversions(self.clips, self.rate))

    @property
    def largest_shape(self) -> tuple[int, int]:
        """Width and height of its largest picture."""
        shapes = ((clip.source.width_px, clip.source.height_px) for clip in self.clips)
        return max(shapes, key=lambda shape: shape[0] * shape[1])

    @property
    def record_start(self) -> int:
        """Number of the first frame of the timeline, counted from timecode 00:00:00:00."""
        return parse_timecode(f"{RECORD_START_HOURS:02d}:00:00{';' if self.drop else ':'}00", self.rate)

    def timecode(self, frame: int) -> str:
        """The timecode of a frame of the timeline, counted from its first."""
        return format_timecode(self.record_start + frame, self.rate, drop=self.drop)

    @property
    def n_frames(self) -> int:
        """Length in frames."""
        return sum(clip.n_frames for clip in self.clips)


def plan_timeline(
    cut_list: CutList,
    name: str,
    *,
    question: str = "",
    captions: Mapping[str, str] | None = None,
    relink: Relinker | None = None,
    counting: tuple[Fraction, bool] | None = None,
    short_reels: bool = False,
) -> TimelinePlan:
    """A cut list in whole frames.

    Args:
        cut_list: the clips.
        name: of the timeline.
        question: what was asked.
        captions: what is written about shots, by shot id.
        relink: says where the sources lie for whom the timeline is for; where they lie now if None.
        counting: frames per second of the timeline, and whether it drops names; as most of its sources if None.
        short_reels: whether an EDL has reels of eight characters.

    Raises:
        TimelineError: a clip lies outside its source.
    """
    sources, remarks = describe_sources(cut_list.clips, relink or Relinker())
    rate, drop = counting or _usual_counting(cut_list.clips, sources)
    _refuse_outside(cut_list.clips)
    planned: list[TimelineClip] = []
    record_in = 0
    for clip in cut_list.clips:
        planned.append(_plan_clip(clip, sources[clip.video_id], rate, record_in, captions or {}))
        record_in += planned[-1].n_frames
    remarks += _shortened(cut_list.clips)
    return TimelinePlan(
        one_line(name), one_line(question), rate, drop, tuple(planned), tuple(remarks), short_reels
    )


def _refuse_outside(clips: Iterable[Clip]) -> None:
    for place, clip in enumerate(clips, start=1):
        if not clip.span.overlaps(clip.facts.span):
            inside = f"from {float(clip.facts.span.start):.3f} to {float(clip.facts.span.end):.3f} s"
            raise TimelineError(
                f"clip {place} lies at {float(clip.span.start):.3f} s, but {clip.paths[0]} has pictures {inside}"
            )


def _shortened(clips: Iterable[Clip]) -> list[Remark]:
    return [
        Remark(
            About.FILES,
            "clip",
            "runs over the end of its source and ends with it",
            "run over the ends of their sources and end with them",
            f"clip {place}, {one_line(Path(clip.paths[0]).name)} ({float(beyond):.3f} s)",
        )
        for place, clip in enumerate(clips, start=1)
        if (beyond := clip.span.end - clip.facts.span.end) > 0
    ]


def _usual_counting(clips: Sequence[Clip], sources: Mapping[str, Source]) -> tuple[Fraction, bool]:
    """The rate that a supercut would have, and whether most sources of that rate drop names."""
    used = [sources[clip.video_id] for clip in clips]
    material = zip((source.rate for source in used), (clip.span.duration for clip in clips), strict=True)
    rate = rate_of_most(material) or FALLBACK_RATE
    dropping = Counter(source.drop for source in used if program_rate(source.rate) == rate)
    return rate, rate in DROP_RATES and dropping[True] > dropping[False]


def _plan_clip(
    clip: Clip, source: Source, rate: Fraction, record_in: int, captions: Mapping[str, str]
) -> TimelineClip:
    first, n_shown = frames_in(clip, source)
    if source.rate == rate and has_constant_rate(clip.facts):
        n_frames = n_shown
    else:
        n_frames = film_frames(clip.span, clip.facts, rate)
        n_shown = max(1, min(round(n_frames / rate * source.rate), source.n_frames - first))
    best = max(clip.hits, key=lambda hit: hit.score)
    at = round((best.time - clip.facts.span.start) * source.rate)
    texts = [match.text for match in best.matches if match.channel.startswith("caption") and match.text]
    caption = next((captions[shot] for shot in clip.shot_ids if captions.get(shot)), "") or next(iter(texts), "")
    return TimelineClip(
        source,
        source.start + first,
        n_shown,
        record_in,
        n_frames,
        source.start + min(max(at, first), first + n_shown - 1),
        best.score,
        one_line(caption),
        clip.shot_ids,
        clip.video_id,
        one_line(clip.remark),
        one_line(clip.note).strip(),
    )


def name_edges(clips: Iterable[Clip]) -> list[tuple[str, str]]:
    """For each clip the timecode in its source of its first frame, and of the frame behind its last."""
    clips = tuple(clips)
    sources, _ = describe_sources(clips, Relinker())
    names = []
    for clip in clips:
        source = sources[clip.video_id]
        first, n_frames = frames_in(clip, source)
        begin = source.start + first
        start, end = (format_timecode(at, source.rate, drop=source.drop) for at in (begin, begin + n_frames))
        names.append((start, end))
    return names


def _conversions(clips: Iterable[TimelineClip], rate: Fraction) -> list[str]:
    others = Counter(clip.source.rate for clip in clips if clip.source.rate != rate)
    if not others:
        return []
    listed = ", ".join(f"{describe_rate(other)} ({n})" for other, n in sorted(others.items()))
    return [
        f"clips of {listed} play at their own speed in a timeline of {describe_rate(rate)}, "
        "their lengths rounded to its frames"
    ]


def comment_of(clip: TimelineClip) -> str:
    """Text about a clip beside its marker: decisions, notes, and its caption."""
    return "; ".join(filter(None, (clip.remark, clip.caption)))
