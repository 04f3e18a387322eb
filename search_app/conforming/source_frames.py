"""The frames of a source: how they are stored, and those between two instants on the source's own clock."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from indexer.errors import FfmpegError
from indexer.media.clock import clock_expression
from indexer.media.ffmpeg import Ffmpeg, Stream, discard, open_source
from search_app.conforming.source_audio import SourceSound, read_sound
from search_app.cutting.cut_list import Clip
from store.records import VideoFacts
from store.timespan import TimeSpan

PREROLLS: tuple[Fraction | None, ...] = (Fraction(1), Fraction(15), None)
"""How long before a clip decoding starts; None is the beginning of the file. MPEG-TS has no index: a seek there
lands between two i_frames, and the first picture comes up to a group of pictures later."""

UNKNOWN = "unknown"
UNNAMED = frozenset({UNKNOWN, "reserved"})
"""ffmpeg's words for colours where a source says nothing."""

_SHOWN = re.compile(
    r"\[Parsed_showinfo[^\]]*\].* n: *\d+ pts: *(-?\d+) .* fmt:(\S+) .* i:([PTB]) (?:iskey:(\d) type:(\S))?"
)
_COLOURS = re.compile(
    r"\[Parsed_showinfo[^\]]*\].*color_range:(\S+) color_space:(\S+) color_primaries:(\S+) color_trc:(\S+)"
)
_BRIGHTEST = re.compile(r"\[Parsed_showinfo[^\]]*\].*(?:MaxCLL=|max_luminance=)([\d.]+)")
_PREMULTIPLIED = re.compile(r"\[Parsed_showinfo[^\]]*\].*alpha_mode:premultiplied")
_STREAM = re.compile(r"^(?:\[info\])? +Stream #0:.*: Video: .* (?:\w+)\(([^()]*)\), \d+x\d+")
_VIDEO = re.compile(r"^(?:\[info\])? +Stream #0:\S+: Video: .*?, (\d+)x(\d+)\b")
_PICTURE_SIZE = re.compile(r"\[Parsed_showinfo[^\]]*\].* n: *\d+ pts: .* s:(\d+)x(\d+) ")
_LAYER = re.compile(r"^(?:\[info\])? +alpha_mode +: 1$")
_TRANSPARENT = re.compile(r"yuva|gbrap|rgba|bgra|argb|abgr|ya\d|ayuv|vuya")

LAYER_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Decoders that see the transparency of WebM, a second picture beside each picture; ffmpeg's own do not."""

_TURNS: dict[int, list[tuple[str, dict[str, str]]]] = {
    0: [],
    90: [("transpose", {"dir": "clock"})],
    180: [("hflip", {}), ("vflip", {})],
    270: [("transpose", {"dir": "cclock"})],
}
"""Ffmpeg's filters for each clockwise turn."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Storage of a frame by its own word; names as in `FrameLog`.

    Args:
        interlaced: whether it is made of two fields.
        pixel_format: how pixels are stored.
        color_range: of its values.
        matrix: of its colours.
        primaries: of its colours.
        transfer: of its light.
    """

    interlaced: bool
    pixel_format: str
    color_range: str
    matrix: str
    primaries: str
    transfer: str


@dataclass(slots=True)
class FrameLog:
    """ffmpeg's words about the frames that passed `showinfo`, and about their file where they did not say.

    Names are ffmpeg's, `unknown` where neither names anything.

    Args:
        ticks: time stamps, in the order decoded.
        interlaced: whether a frame was made of two fields.
        pixel_format: how pixels are stored.
        color_range: `tv` or `pc`.
        matrix: the colour matrix.
        primaries: the colours of red, green and blue.
        transfer: how light becomes numbers.
        brightest_nits: the brightest light of all pictures, as the file says, in cd/m2; 0 where it does not say.
        premultiplied: whether colours are already multiplied by their transparency.
        has_alpha_layer: whether transparency lies beside the pictures, where a special decoder must look.
        sound_tracks: of the file, in order.
        first_key_tick: time stamp of the first picture that needs no other; None if none was told of.
        file_colors: range, matrix, primaries and transfer as the file says, whatever its frames do.
        runs: how frames say that they are stored, each with the time stamp of the first frame stored so.
        changes: what changes within the clip that this is about: one of the names above, and what it is in turn.
        video_track: which of the file's video streams it is about, as in `VideoFacts`; None for the first.
        file_size: width and height of its pictures as the file says, before the container's crop.
        picture_size: of the pictures that were decoded last.
    """

    ticks: list[int] = field(default_factory=list)
    interlaced: bool = False
    pixel_format: str = ""
    color_range: str = UNKNOWN
    matrix: str = UNKNOWN
    primaries: str = UNKNOWN
    transfer: str = UNKNOWN
    brightest_nits: float = 0.0
    premultiplied: bool = False
    has_alpha_layer: bool = False
    sound_tracks: list[SourceSound] = field(default_factory=list)
    first_key_tick: int | None = None
    file_colors: tuple[str, str, str, str] = (UNKNOWN,) * 4
    runs: list[tuple[int, Storage]] = field(default_factory=list)
    changes: dict[str, list[str]] = field(default_factory=dict)
    video_track: int | None = None
    file_size: tuple[int, int] = (0, 0)
    picture_size: tuple[int, int] = (0, 0)
    _last_is_interlaced: bool = False
    _n_videos: int = 0

    @property
    def is_transparent(self) -> bool:
        """Whether pixels have transparency that still has to be applied."""
        return bool(_TRANSPARENT.match(self.pixel_format)) and not self.premultiplied

    def read(self, line: str) -> None:
        """Take in one line of ffmpeg's log."""
        if shown := _SHOWN.search(line):
            self.ticks.append(int(shown[1]))
            if size := _PICTURE_SIZE.search(line):
                self.picture_size = (int(size[1]), int(size[2]))
            self.pixel_format = shown[2]
            self._last_is_interlaced = shown[3] != "P"
            self.interlaced |= self._last_is_interlaced
            if self.first_key_tick is None and (shown[4], shown[5]) == ("1", "I"):
                self.first_key_tick = self.ticks[-1]
        elif colours := _COLOURS.search(line):
            self._take_colours(*colours.groups())
            stored = Storage(self._last_is_interlaced, self.pixel_format, *colours.groups())
            if self.ticks and (not self.runs or self.runs[-1][1] != stored):
                self.runs.append((self.ticks[-1], stored))
        elif brightest := _BRIGHTEST.search(line):
            # Of the brightest pixel and the brightest that the mastering screen can show, the lower one holds.
            known = [nits for nits in (self.brightest_nits, float(brightest[1])) if nits]
            self.brightest_nits = min(known, default=0.0)
        elif not self.ticks and (video := _VIDEO.match(line)):
            self._n_videos += 1
            if self.video_track in {None, self._n_videos - 1}:
                self.file_size = (int(video[1]), int(video[2]))
                self._take_file_colours(line)
        elif not self.ticks and (sound := read_sound(line)):
            self.sound_tracks.append(sound)
        self.premultiplied |= bool(_PREMULTIPLIED.search(line))
        self.has_alpha_layer |= bool(_LAYER.match(line))

    def _take_file_colours(self, line: str) -> None:
        """Keep what the file says of its pictures: ProRes has such tags there, and none in its frames."""
        if not (stream := _STREAM.search(line)):
            return
        words = stream[1].split(", ")
        names = next((word for word in words if "/" in word or word.startswith(("bt", "smpte"))), UNKNOWN)
        three = names.split("/") if "/" in names else [names] * 3
        self._take_colours(next((word for word in words if word in {"tv", "pc"}), UNKNOWN), *three)
        self.file_colors = (self.color_range, self.matrix, self.primaries, self.transfer)

    def _take_colours(self, color_range: str, matrix: str, primaries: str, transfer: str) -> None:
        """Keep what is named; what is not stays as it was."""
        told = (color_range, matrix, primaries, transfer)
        held = (self.color_range, self.matrix, self.primaries, self.transfer)
        self.color_range, self.matrix, self.primaries, self.transfer = (
            old if new in UNNAMED else new for old, new in zip(held, told, strict=True)
        )


def tick_span(span: TimeSpan, facts: VideoFacts) -> tuple[int, int]:
    """First tick of a span and first tick after it, on the source's own time stamps."""
    first, end = (math.ceil(time / facts.time_base + facts.start_pts_offset) for time in (span.start, span.end))
    return first, end


def tick_seconds(tick: int, facts: VideoFacts) -> Fraction:
    """The instant of a time stamp, in seconds of the source."""
    return (tick - facts.start_pts_offset) * facts.time_base


def look_at(program: Ffmpeg, clip: Clip, source: Path, cancel: threading.Event | None = None) -> FrameLog:
    """Storage of a source's pictures, seen from the first one near the clip.

    Raises:
        FfmpegError: no picture decodes there.
    """
    log = _look(program, clip, source, FrameLog(), cancel)
    if log.has_alpha_layer and clip.facts.video_codec in LAYER_DECODERS:
        log = _look(program, clip, source, log, cancel)
    return log


def _look(program: Ffmpeg, clip: Clip, source: Path, known: FrameLog, cancel: threading.Event | None) -> FrameLog:
    for preroll in tried_prerolls(clip.facts, clip.span.start):
        log = FrameLog(video_track=clip.facts.video_track)
        shown = source_frames(clip.facts, source, clip.span.start, preroll, known)
        program.run(discard([shown], **{"frames:v": 1}), cancel=cancel, on_line=log.read)
        if log.ticks:
            return log
    raise FfmpegError("ffmpeg found no picture at the place of the clip")


def tried_prerolls(
    facts: VideoFacts, start: Fraction, prerolls: Sequence[Fraction | None] = PREROLLS
) -> Iterator[Fraction | None]:
    """Seconds before an instant at which decoding tries to start, in turn, while it comes too late."""
    for preroll in prerolls:
        yield preroll
        if not seeks(facts, start, preroll):
            return


def seeks(facts: VideoFacts, start: Fraction, preroll: Fraction | None) -> bool:
    """Whether decoding does not start at the beginning of the file anyway.

    Where a clock starts again, an instant by that clock names several places, and none is sought.
    """
    return preroll is not None and not facts.clock_jumps and start - preroll > facts.span.start


def is_in_time(
    log: FrameLog, facts: VideoFacts, start: Fraction, first_tick: int, preroll: Fraction | None
) -> bool:
    """Whether what was decoded for an instant began early enough for the first frame from there on."""
    if not seeks(facts, start, preroll):
        return True
    if preroll == 0:
        # Pictures shown before the first key frame, of an open group, were decoded without what they refer to.
        return log.first_key_tick is not None and log.first_key_tick <= first_tick
    return min(log.ticks, default=first_tick + 1) <= first_tick


def seek_argument(instant: Fraction) -> str:
    """Microseconds for `-ss`, rounded up: a microsecond before a key frame is the group of pictures before it."""
    return f"{-(-instant.numerator * 10**6 // instant.denominator)}us"


def source_frames(
    facts: VideoFacts,
    source: Path,
    start: Fraction,
    preroll: Fraction | None,
    look: FrameLog,
    n_threads: int | None = None,
) -> Stream:
    """All frames of a source from some instant before `start`, on the source's own clock, logged by `showinfo`.

    They are decoded by `n_threads`, or by as many as the machine has.
    """
    options: dict[str, object] = {"copyts": None}
    if n_threads:
        options["threads"] = n_threads
    if look.has_alpha_layer and facts.video_codec in LAYER_DECODERS:
        options["c:v"] = LAYER_DECODERS[facts.video_codec]
    if preroll is not None and seeks(facts, start, preroll):
        options |= {"noaccurate_seek": None, "ss": seek_argument(start - preroll)}
    if facts.crop is not None:
        options["noautorotate"] = None  # `shown_upright` does what the index did
    pictures = _on_clock(open_source(source, **options)[picture_stream(facts)], facts)
    if facts.clock_jumps:
        clock = clock_expression(facts.clock_jumps, facts.start_pts_offset, facts.time_base)
        pictures = pictures.filter("setpts", clock)
    return pictures.filter("showinfo", checksum=0)


def picture_stream(facts: VideoFacts) -> str:
    """Ffmpeg's name of the stream that the index saw."""
    return "V:0" if facts.video_track is None else f"v:{facts.video_track}"


def frames_between(shown: Stream, facts: VideoFacts, look: FrameLog, first_tick: int, end_tick: int) -> Stream:
    """The frames from one time stamp up to and without another, interlaced ones made whole, as they are shown."""
    pictures = shown.filter("trim", start_pts=first_tick, end_pts=end_tick)
    if look.interlaced:
        # The filter halves the tick, hence the clock again.
        pictures = _on_clock(pictures.filter("bwdif", mode="send_frame", deint="interlaced"), facts)
    return shown_upright(pictures, facts, look)


def shown_upright(pictures: Stream, facts: VideoFacts, look: FrameLog) -> Stream:
    """Stored pictures as players show them: cut by their container's crop, flipped and turned.

    The index says how, so that index, films and pictures of clips agree. Of videos that were indexed before it
    knew, the ffmpeg program's own ways stand.
    """
    if facts.crop is None:
        return pictures
    if any(facts.crop) and look.picture_size == look.file_size:  # FFmpeg before 7.1 does not do it itself
        left, top, right, bottom = facts.crop
        sides = (f"iw-{left + right}", f"ih-{top + bottom}", str(left), str(top))
        pictures = pictures.filter("crop", *sides, exact=1)
    if facts.mirrored:
        pictures = pictures.filter("hflip")
    for name, options in _TURNS[facts.rotation_degrees]:
        pictures = pictures.filter(name, **options)
    # Else the encoder would write what was done into the film, as something still to be done.
    return pictures.filter("sidedata", mode="delete", type="DISPLAYMATRIX")


def _on_clock(pictures: Stream, facts: VideoFacts) -> Stream:
    return pictures.filter("settb", expr=f"{facts.time_base.numerator}/{facts.time_base.denominator}")
