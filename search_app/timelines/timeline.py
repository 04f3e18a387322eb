"""From a cut list to a timeline for editing programs: whole frames, source timecode, names to find the media by.

Editing programs count frames, the archive exact seconds. Here every clip becomes whole frames once; all
formats are written from the same numbers and read back against them.

- Frame 0 of a source is its first picture, and has the source's start timecode; without one it counts from 0.
- A clip holds the frames whose time lies in its span, as in a supercut, and never less than one.
- The timeline runs at the rate of the supercut (`commonest_rate`), or at the one asked for. A source of another
  rate plays at its own speed: it fills as many frames as in a supercut (`film_frames`); that is stated.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from search_app.conforming.target_profile import RATE_TOLERANCE, STANDARD_RATES, commonest_rate
from search_app.cutting.cut_list import FALLBACK_FRAME_RATE, Clip, CutList
from search_app.cutting.film_frames import film_frames
from search_app.errors import TimelineError
from search_app.timelines.relink import Relinker
from search_app.timelines.timecode import format_timecode, parse_timecode
from store.records import VideoFacts

RECORD_START_HOURS = 1
"""A timeline begins at 01:00:00:00, as editors expect, so that something can be put before it."""

REEL_LENGTH = 8
"""What CMX 3600 has room for; programs cut longer names off, and then two sources have the same."""

_RESERVED_REELS = ("AX", "BL", "BLACK", "BARS")  # of a CMX 3600 list: no tape, black, colour bars
_NTSC = Fraction(1000, 1001)
_GUESSED_FRAMES = 2
_FEW_NAMES = 3
_NO_TEXT = {"Cc", "Cs", "Cn", "Zl", "Zp"}  # controls, halves of characters, none at all, ends of lines


@dataclass(frozen=True, slots=True)
class Source:
    """A source as an editing program sees it.

    Args:
        name: its file name on one line.
        path: where it lies for whom the timeline is for.
        url: the same as an address, percent-encoded.
        reel: its tape name, at most eight of `A-Z0-9_`; no two tapes of a timeline share one.
        rate: frames per second.
        drop: whether its timecode drops numbers.
        start: number of its first frame, counted from timecode 00:00:00:00.
        n_frames: how many it has.
        width_px: displayed width.
        height_px: displayed height.
        has_audio: whether it has sound.
    """

    name: str
    path: str
    url: str
    reel: str
    rate: Fraction
    drop: bool
    start: int
    n_frames: int
    width_px: int
    height_px: int
    has_audio: bool


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


@dataclass(frozen=True, slots=True)
class TimelinePlan:
    """All clips in whole frames: what every format is written from and compared with.

    Args:
        name: of the timeline.
        question: what was asked.
        rate: frames per second.
        drop: whether its timecode drops numbers.
        clips: in order; they touch.
        notes: what is not as in the sources, for people.
    """

    name: str
    question: str
    rate: Fraction
    drop: bool
    clips: tuple[TimelineClip, ...]
    notes: tuple[str, ...] = ()

    @property
    def record_start(self) -> int:
        """Number of the first frame of the timeline, counted from timecode 00:00:00:00."""
        return parse_timecode(f"{RECORD_START_HOURS:02d}:00:00{';' if self.drop else ':'}00", self.rate)

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
) -> TimelinePlan:
    """A cut list in whole frames.

    Args:
        cut_list: the clips.
        name: of the timeline.
        question: what was asked, for the markers.
        captions: what is written about shots, by shot id.
        relink: says where the sources lie for whom the timeline is for; where they lie now if None.
        counting: frames per second of the timeline, and whether it drops names; as most of its sources if None.

    Raises:
        TimelineError: a clip lies outside its source.
    """
    desk = _Desk(relink or Relinker())
    sources = [desk.source_of(clip) for clip in cut_list.clips]
    rate, drop = counting or _usual_counting(sources)
    _refuse_outside(cut_list.clips)
    planned: list[TimelineClip] = []
    record_in = 0
    for clip, source in zip(cut_list.clips, sources, strict=True):
        planned.append(_plan_clip(clip, source, rate, record_in, captions or {}))
        record_in += planned[-1].n_frames
    notes = [*desk.notes, *_shortened(cut_list.clips), *_conversions(planned, rate)]
    return TimelinePlan(one_line(name), one_line(question), rate, drop, tuple(planned), tuple(notes))


def _refuse_outside(clips: Iterable[Clip]) -> None:
    for place, clip in enumerate(clips, start=1):
        if not clip.span.overlaps(clip.facts.span):
            inside = f"from {float(clip.facts.span.start):.3f} to {float(clip.facts.span.end):.3f} s"
            raise TimelineError(
                f"clip {place} lies at {float(clip.span.start):.3f} s, but {clip.paths[0]} has pictures {inside}"
            )


def _shortened(clips: Iterable[Clip]) -> list[str]:
    return [
        f"clip {place}: {one_line(Path(clip.paths[0]).name)} ends {float(beyond):.3f} s earlier; it ends with it"
        for place, clip in enumerate(clips, start=1)
        if (beyond := clip.span.end - clip.facts.span.end) > 0
    ]


def _usual_counting(sources: Iterable[Source]) -> tuple[Fraction, bool]:
    """The rate that a supercut would have, and whether most sources of that rate drop names."""
    sources = list(sources)
    rate = commonest_rate(source.rate for source in sources) or FALLBACK_FRAME_RATE
    dropping = Counter(source.drop for source in sources if source.rate == rate)
    return rate, dropping[True] > dropping[False]


def source_rate(facts: VideoFacts) -> Fraction:
    """The frame rate that editing programs take a source to have: the standard one nearby, or a whole number.

    AVI and DV files may state their clock's ticks instead: the rate is then the one that the counted frames have.
    """
    measured = facts.frame_rate or FALLBACK_FRAME_RATE
    whole = Fraction(max(1, round(measured)))
    if (facts.frame_rate is None or whole > STANDARD_RATES[-1]) and (counted := _counted_rate(facts)):
        return counted
    for rate in (*STANDARD_RATES, whole, whole * _NTSC):
        if abs(measured - rate) <= rate * RATE_TOLERANCE:
            return rate
    return whole


def _counted_rate(facts: VideoFacts) -> Fraction | None:
    """The standard rate at which so many frames last so long; the lengths of the last ones may be guesses."""
    counted = facts.n_frames / facts.span.duration
    near = min(STANDARD_RATES, key=lambda rate: abs(rate - counted))
    return near if abs(facts.n_frames - facts.span.duration * near) <= _GUESSED_FRAMES else None


def has_constant_rate(facts: VideoFacts) -> bool:
    """Whether a source has as many frames as its rate, said or counted, promises."""
    unsaid = facts.frame_rate is None and _counted_rate(facts) is None
    surplus = facts.n_frames - round(facts.span.duration * source_rate(facts))
    return not unsaid and abs(surplus) <= 1 + facts.n_frames / 200


def one_line(text: str) -> str:
    """The text with spaces for what ends a line or may not stand in XML: timelines are read line by line."""
    return "".join(" " if unicodedata.category(char) in _NO_TEXT else char for char in text)


@dataclass
class _Desk:
    """Gathers the sources of a timeline, each once, and what is to be said of them."""

    relink: Relinker
    notes: list[str] = field(default_factory=list)
    known: dict[str, Source] = field(default_factory=dict)
    reels: dict[str, str] = field(default_factory=lambda: dict.fromkeys(_RESERVED_REELS, ""))

    def source_of(self, clip: Clip) -> Source:
        """The source of a clip."""
        if clip.video_id not in self.known:
            self.known[clip.video_id] = self._describe(clip)
        return self.known[clip.video_id]

    def _describe(self, clip: Clip) -> Source:
        here, is_there = place_of(clip)
        name, facts = one_line(Path(here).name).strip() or clip.video_id, clip.facts
        if not is_there:
            self.notes.append(f"{name}: its file is not there now")
        rate = source_rate(facts)
        surplus = facts.n_frames - round(facts.span.duration * rate)
        if not has_constant_rate(facts):
            self.notes.append(f"{name}: no constant frame rate; its frames are counted at {describe_rate(rate)}")
        if facts.span.start * rate >= 1:
            late = f"its pictures begin {float(facts.span.start):.3f} s after the file does"
            self.notes.append(f"{name}: {late}; frames are counted from the first picture")
        start, drop = self._start(name, facts.start_timecode, rate)
        path, url = self.relink.place(here)
        # How long the last frame lasts is not known: it may have been taken for shorter than it is.
        n_frames = max(1, facts.n_frames - (0 if 0 < surplus <= _GUESSED_FRAMES else surplus))
        shape = (facts.width_px, facts.height_px, facts.has_audio)
        return Source(name, path, url, self._reel(name, facts.reel_name), rate, drop, start, n_frames, *shape)

    def _start(self, name: str, timecode: str | None, rate: Fraction) -> tuple[int, bool]:
        if timecode is None:
            self.notes.append(f"{name}: has no timecode; its frames are counted from 00:00:00:00")
            return 0, False
        try:
            return parse_timecode(timecode, rate), ";" in timecode
        except ValueError as error:
            self.notes.append(f"{name}: {error}; its frames are counted from 00:00:00:00")
            return 0, False

    def _reel(self, name: str, tape: str | None) -> str:
        """A short name of the tape; a file without one is a tape of its own."""
        key = f"tape {tape}" if tape else f"file {len(self.known)}"
        long = tape or name.rpartition(".")[0] or name
        plain = unicodedata.normalize("NFKD", long).encode("ascii", "ignore").decode()
        stem = re.sub(r"[^A-Z0-9]+", "_", plain.upper()).strip("_") or "TAPE"
        reel, number = stem[:REEL_LENGTH], 1
        while self.reels.get(reel, key) != key:
            number += 1
            reel = f"{stem[: REEL_LENGTH - len(str(number))]}{number}"
        self.reels[reel] = key
        return reel


def _plan_clip(
    clip: Clip, source: Source, rate: Fraction, record_in: int, captions: Mapping[str, str]
) -> TimelineClip:
    first, n_shown = frames_in(clip, source)
    if source.rate == rate:
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
    )


def place_of(clip: Clip) -> tuple[str, bool]:
    """Where the source of a clip lies on this machine, and whether it is there now."""
    found = next((path for path in clip.paths if Path(path).exists()), None)
    return (clip.paths[0], False) if found is None else (found, True)


def frames_in(clip: Clip, source: Source) -> tuple[int, int]:
    """The first frame of a clip, from 0, and how many there are."""
    facts = clip.facts
    # A container whose tick does not divide a frame rounds the times of frames, by half a tick at either end.
    ticks_a_frame = 1 / source.rate / facts.time_base
    slack = 0 if ticks_a_frame.denominator == 1 else facts.time_base
    first, end = (
        math.ceil((edge - facts.span.start - slack) * source.rate) for edge in (clip.span.start, clip.span.end)
    )
    first = min(max(0, first), source.n_frames - 1)
    return first, max(1, min(end, source.n_frames) - first)


def name_edges(clips: Iterable[Clip]) -> list[tuple[str, str]]:
    """For each clip the timecode in its source of its first frame, and of the frame behind its last."""
    desk = _Desk(Relinker())
    names = []
    for clip in clips:
        source = desk.source_of(clip)
        first, n_frames = frames_in(clip, source)
        begin = source.start + first
        start, end = (format_timecode(at, source.rate, drop=source.drop) for at in (begin, begin + n_frames))
        names.append((start, end))
    return names


def _conversions(clips: Iterable[TimelineClip], rate: Fraction) -> list[str]:
    others = Counter(clip.source.rate for clip in clips if clip.source.rate != rate)
    return [
        f"clips of {describe_rate(other)} ({n}) play at their own speed in a timeline of {describe_rate(rate)}, "
        "their lengths rounded to its frames"
        for other, n in others.items()
    ]


def group_notes(notes: Iterable[str]) -> list[str]:
    """Notes with one line for each kind: what is said of more than three sources names none of them."""
    names: dict[str, list[str]] = {}
    for note in notes:
        name, colon, said = note.partition(": ")
        names.setdefault(f"{colon}{said}" or name, []).append(name if colon else "")
    return [
        (", ".join(of) if len(of) <= _FEW_NAMES else f"{len(of)} sources, each") + said
        for said, of in names.items()
    ]


def describe_rate(rate: Fraction) -> str:
    """A frame rate for people: `29.97 fps`."""
    return f"{float(rate):.5g} fps"


def marker_comment(clip: TimelineClip) -> str:
    """What a marker says beside the question: score and caption, and what people decided and wrote."""
    score = f"score {clip.score:.3f}" if clip.score else ""
    found = ": ".join(filter(None, (score, clip.caption)))
    return "; ".join(filter(None, (found, clip.remark)))
