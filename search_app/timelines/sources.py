"""The sources of a timeline as editing programs see them: rate, first frame, length, tape, sound.

Frame 0 of a source is its first picture, and has the source's start timecode; without one it counts from 0.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from search_app.cutting.cut_list import Clip
from search_app.frame_rates import source_rate
from search_app.timelines.reels import Reel, name_reels
from search_app.timelines.relink import Relinker
from search_app.timelines.remarks import About, Remark
from search_app.timelines.timecode import as_counted, format_timecode, parse_timecode
from store.records import VideoFacts

_GUESSED_FRAMES = 2
_ON_GRID = Fraction(1, 100_000)
_JITTER = Fraction(1, 4)
_NO_TEXT = {"Cc", "Cs", "Cn", "Zl", "Zp"}  # controls, halves of characters, none at all, ends of lines
_STEREO = 2
_FROM_ZERO = "frames counted from 00:00:00:00"


@dataclass(frozen=True, slots=True)
class Source:
    """A source as an editing program sees it.

    Args:
        name: its file name on one line.
        path: where it lies for whom the timeline is for.
        url: the same as an address, percent-encoded.
        reel: its tape's name, at most 32 characters; no two tapes of a timeline share one.
        short_reel: the same, at most eight of `A-Z0-9_`.
        rate: frames per second.
        drop: whether its timecode drops numbers.
        start: number of its first frame, counted from timecode 00:00:00:00.
        n_frames: how many it has.
        width_px: displayed width.
        height_px: displayed height.
        audio_channels: how many channels each sound track has.
    """

    name: str
    path: str
    url: str
    reel: str
    short_reel: str
    rate: Fraction
    drop: bool
    start: int
    n_frames: int
    width_px: int
    height_px: int
    audio_channels: tuple[int, ...]

    def timecode(self, frame: int) -> str:
        """The timecode of a frame, counted as `start` is."""
        return format_timecode(frame, self.rate, drop=self.drop)

    @property
    def n_channels(self) -> int:
        """Number of channels of all its sound tracks."""
        return sum(self.audio_channels)

    @property
    def has_audio(self) -> bool:
        """Whether it has sound."""
        return self.n_channels > 0


def describe_rate(rate: Fraction) -> str:
    """A frame rate for people: `29.97 fps`."""
    return f"{float(rate):.5g} fps"


def one_line(text: str) -> str:
    """The text with spaces for what ends a line or may not stand in XML: timelines are read line by line."""
    return "".join(" " if unicodedata.category(char) in _NO_TEXT else char for char in text)


def has_constant_rate(facts: VideoFacts) -> bool:
    """Whether a source has as many frames as its rate promises."""
    return abs(_surplus(facts)) <= 1 + facts.n_frames / 200


def _surplus(facts: VideoFacts) -> int:
    """Number of frames of a source beyond what its rate promises."""
    return facts.n_frames - round(facts.span.duration * source_rate(facts))


def _n_frames(facts: VideoFacts) -> int:
    surplus = _surplus(facts)
    # How long the last frame lasts is not known: it may have been taken for shorter than it is.
    return max(1, facts.n_frames - (0 if 0 < surplus <= _GUESSED_FRAMES else surplus))


def place_of(clip: Clip) -> tuple[str, bool]:
    """Location of a clip's source on this machine, and whether it is there now."""
    found = next((path for path in clip.paths if Path(path).exists()), None)
    return (clip.paths[0], False) if found is None else (found, True)


def frames_in(clip: Clip, source: Source) -> tuple[int, int]:
    """The first frame of a clip, from 0, and how many there are."""
    facts = clip.facts
    slack = _slack(facts, source.rate)
    first, end = (
        math.ceil((edge - facts.span.start - slack) * source.rate) for edge in (clip.span.start, clip.span.end)
    )
    first = min(max(0, first), source.n_frames - 1)
    return first, max(1, min(end, source.n_frames) - first)


def _slack(facts: VideoFacts, rate: Fraction) -> Fraction:
    """Largest delay of a frame behind its place, in seconds.

    A container whose tick does not divide a frame rounds the times of frames, by half a tick at either end; a
    clock that is not quite at its rate strays from it.
    """
    if facts.frame_rate is None or abs(facts.frame_rate - rate) > rate * _ON_GRID:
        return _JITTER / rate
    return Fraction(0) if (1 / rate / facts.time_base).denominator == 1 else facts.time_base


def describe_sources(clips: Sequence[Clip], relink: Relinker) -> tuple[dict[str, Source], list[Remark]]:
    """The sources of clips, by fingerprint, and what is to be said of them."""
    gatherer = _Gatherer(relink)
    videos = {clip.video_id: clip for clip in clips}
    starts = {video_id: gatherer.start_of(clip) for video_id, clip in videos.items()}
    tapes = {video_id: _tape_key(clip) for video_id, clip in videos.items()}
    for tape in _mistaken_tapes(videos, starts, tapes):
        tapes.update({video_id: f"file {video_id}" for video_id, key in tapes.items() if key == tape})
    reels = name_reels(
        {key: _tape_name(videos[video_id], is_tape=key.startswith("tape ")) for video_id, key in tapes.items()}
    )
    sources = {
        video_id: gatherer.describe(clip, starts[video_id], reels[tapes[video_id]])
        for video_id, clip in videos.items()
    }
    return sources, gatherer.remarks


def _name_of(clip: Clip) -> str:
    return one_line(Path(place_of(clip)[0]).name).strip() or clip.video_id


def _tape_key(clip: Clip) -> str:
    return f"tape {clip.facts.reel_name}" if clip.facts.reel_name else f"file {clip.video_id}"


def _tape_name(clip: Clip, *, is_tape: bool) -> str:
    name = _name_of(clip)
    return (clip.facts.reel_name if is_tape else None) or name.rpartition(".")[0] or name


def _mistaken_tapes(
    videos: dict[str, Clip], starts: dict[str, tuple[int, bool]], tapes: dict[str, str]
) -> list[str]:
    """Tapes of which two files have the same timecode: a reel would not tell their pictures apart."""
    stretches: dict[str, list[tuple[Fraction, Fraction]]] = {}
    for video_id, key in tapes.items():
        facts = videos[video_id].facts
        begin = starts[video_id][0] / source_rate(facts)
        stretches.setdefault(key, []).append((begin, begin + facts.span.duration))
    return [
        key
        for key, of in stretches.items()
        if any(later[0] < earlier[1] for earlier, later in zip(sorted(of), sorted(of)[1:], strict=False))
    ]


@dataclass
class _Gatherer:
    """Describes sources and remembers what is to be said of them."""

    relink: Relinker
    remarks: list[Remark] = field(default_factory=list)

    def describe(self, clip: Clip, start: tuple[int, bool], reel: Reel) -> Source:
        """The source of a clip that has this start and tape."""
        here, is_there = place_of(clip)
        name, facts = _name_of(clip), clip.facts
        rate = source_rate(facts)
        if not is_there:
            self._say(About.FILES, "is not where it was", "are not where they were", name)
        if not has_constant_rate(facts):
            counted = f"frames counted at {describe_rate(rate)}"
            self._say(About.FRAMES, "has no constant frame rate", "have no constant frame rate", name, counted)
        if facts.span.start * rate >= 1:
            late, then = "pictures that begin after the file does", "frames counted from the first picture"
            at = f"{name}, {float(facts.span.start):.3f} s"
            self._say(About.FRAMES, f"has {late}", f"have {late}", at, then)
        path, url = self.relink.place(here)
        channels = (facts.audio_channels or (_STEREO,)) if facts.has_audio else ()
        shape = (_n_frames(facts), facts.width_px, facts.height_px, channels)
        return Source(name, path, url, reel.name, reel.short, rate, start[1], start[0], *shape)

    def start_of(self, clip: Clip) -> tuple[int, bool]:
        """The number of the first frame, and whether numbers are dropped."""
        rate = source_rate(clip.facts)
        if clip.facts.start_timecode is None:
            self._say(About.FRAMES, "has no timecode", "have no timecode", _name_of(clip), _FROM_ZERO)
            return 0, False
        timecode = as_counted(clip.facts.start_timecode, rate)
        try:
            return parse_timecode(timecode, rate), ";" in timecode
        except ValueError as error:
            wrong, name = "a timecode that cannot be", f"{_name_of(clip)}, {error}"
            self._say(About.FRAMES, f"has {wrong}", f"have {wrong}", name, _FROM_ZERO)
            return 0, False

    def _say(self, about: About, one: str, several: str, name: str, then: str = "") -> None:
        self.remarks.append(Remark(about, "source", one, several, name, then))
