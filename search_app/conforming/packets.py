"""The coded pictures of a source around a clip, and which of them can be copied.

What can be copied is a run of packets, in the order of decoding, that begins with an IDR picture and holds
exactly the frames from there up to some frame: then nothing in it refers to what is left out, and nothing left out
is shown among it. What containers call a key frame is not enough: in open groups it is followed by pictures that
refer back. So the packets themselves are read, which costs no decoding.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from indexer.errors import MediaError
from indexer.media.ffmpeg import Ffmpeg, discard, merge, open_source, save, send
from search_app.conforming.source_frames import picture_stream, seek_argument, tick_span
from search_app.cutting.cut_list import Clip
from store.records import VideoFacts

CONTAINERS = frozenset({"mov", "mp4", "matroska", "mpegts", "flv"})
"""Containers that store when pictures are shown."""

LOOK_AHEAD_SECONDS = 2
"""How far behind a clip packets are read: what is shown before its end may be stored after it."""

PREROLLS: tuple[Fraction | None, ...] = (Fraction(0), Fraction(1), Fraction(15), None)
"""How long before a clip reading starts. Mostly the first is enough; MPEG-TS has no index."""

UNTAGGED = "unknown"
_IDR, _SPS, _PPS = 5, 7, 8
_START_CODE = b"\x00\x00\x01"
_FAULTS = 2 | 4  # damaged, or to be decoded but not shown
_NO_TIME = -(2**63)
_PACKET = re.compile(rb"^0, *(-?\d+), *(-?\d+), *\d+, *(\d+), 0x[0-9a-f]+(?:, F=0x([0-9A-Fa-f]+))?", re.MULTILINE)
_PICTURE = re.compile(r"\[Parsed_showinfo[^\]]*\].* n: *0 pts: *(-?\d+) .* fmt:(\S+) .* s:(\d+)x(\d+) i:(\S)")
_COLORS = re.compile(
    r"\[Parsed_showinfo[^\]]*\].*color_range:(\S+) color_space:(\S+) color_primaries:(\S+) color_trc:(\S+)"
)


_DISPLAY = re.compile(
    r"^(?:\[info\])? +(?:Display Matrix|displaymatrix|Frame [Cc]ropping): |side data - .*displaymatrix"
)
"""Lines of ffmpeg's log about players' turns, flips or crops of a container or a picture."""


class UncopyableError(MediaError):
    """The pictures of a clip cannot be copied; they can still be encoded."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One coded picture.

    Args:
        pts: when it is shown, in ticks.
        is_faulty: whether it is damaged, or not meant to be shown.
        starts_group: whether it is an IDR picture.
        headers: its parameter sets.
    """

    pts: int
    is_faulty: bool
    starts_group: bool
    headers: tuple[bytes, ...]


@dataclass(slots=True)
class StoredPicture:
    """Storage of a source's pictures, told by `showinfo` about one of them.

    Args:
        pts: when that one is shown, in ticks; None if it does not decode.
        pixel_format: ffmpeg's name.
        size: width and height in pixels.
        fields: `P` if it is one picture and not two fields.
        color_range: ffmpeg's names of its colours, from here on; `unknown` where nothing is said.
        matrix: of them.
        primaries: of them.
        transfer: of them.
        is_as_stored: whether players show it as it is stored: not turned, flipped or cropped.
    """

    pts: int | None = None
    pixel_format: str = ""
    size: tuple[int, int] = (0, 0)
    fields: str = ""
    color_range: str = ""
    matrix: str = ""
    primaries: str = ""
    transfer: str = ""
    is_as_stored: bool = True

    def read(self, line: str) -> None:
        """Take in one line of ffmpeg's log."""
        self.is_as_stored &= not _DISPLAY.search(line)
        if picture := _PICTURE.search(line):
            self.pts, self.pixel_format, self.fields = int(picture[1]), picture[2], picture[5]
            self.size = (int(picture[3]), int(picture[4]))
        elif not self.matrix and (colors := _COLORS.search(line)):
            self.color_range, self.matrix, self.primaries, self.transfer = colors.groups()


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """Packets of a clip to copy.

    Args:
        preroll: where reading started when they were counted.
        first: the first packet, counted from 0 in the order of decoding.
        end: the first packet that is not copied any more.
        ticks: time stamps of all frames of the clip, in order of time.
        n_before: how many frames of the clip are shown before the first that is copied.
        picture: how they are stored.
    """

    preroll: Fraction | None
    first: int
    end: int
    ticks: tuple[int, ...]
    n_before: int
    picture: StoredPicture

    @property
    def n_copied(self) -> int:
        """Number of copied frames."""
        return self.end - self.first

    @property
    def first_tick(self) -> int:
        """Time stamp of the first frame that is copied."""
        return self.ticks[self.n_before]

    @property
    def end_tick(self) -> int | None:
        """Time stamp of the first frame of the clip that follows the copied ones; None if none does."""
        place = self.n_before + self.n_copied
        return self.ticks[place] if place < len(self.ticks) else None


def seek_options(clip: Clip, preroll: Fraction | None) -> dict[str, object]:
    """Options to read the packets of a clip, always the same ones in the same order for the same preroll.

    Without a seek the time to read is counted from the start of the file.
    """
    facts, start, end = clip.facts, clip.span.start, clip.span.end + LOOK_AHEAD_SECONDS
    options: dict[str, object] = {"copyts": None}
    if preroll is None:
        return options
    if not _seeks(facts, start, preroll):
        return options | {"t": f"{float(end):.6f}"}
    sought = start - preroll
    return options | {"noaccurate_seek": None, "ss": seek_argument(sought), "t": f"{float(end - sought):.6f}"}


def _seeks(facts: VideoFacts, start: Fraction, preroll: Fraction | None) -> bool:
    return preroll is not None and start - preroll > facts.span.start


def plan_copy(
    program: Ffmpeg, clip: Clip, source: Path, scratch: Path, max_reorder: int, cancel: threading.Event | None
) -> CopyPlan:
    """Find what can be copied of a clip.

    Args:
        program: ffmpeg.
        clip: the clip.
        source: its file.
        scratch: a file name of ours; the file is gone afterwards.
        max_reorder: by how many pictures decoding may run ahead of showing.
        cancel: stops it when set.

    Raises:
        UncopyableError: nothing can.
        FfmpegError: the source cannot be read, or it was cancelled.
    """
    if clip.facts.video_codec != "h264":
        raise UncopyableError(f"its coding is {clip.facts.video_codec}, and only h264 is copied")
    if clip.facts.container not in CONTAINERS:
        raise UncopyableError(f"{clip.facts.container} files do not say when pictures are shown")
    if clip.facts.rotation_degrees:
        raise UncopyableError(f"it is turned by {clip.facts.rotation_degrees} degrees")
    if clip.facts.mirrored or any(clip.facts.crop or ()):
        raise UncopyableError("its container asks players to flip or to crop it")
    if clip.facts.clock_jumps:
        raise UncopyableError("its clock starts again or jumps")
    first, end = tick_span(clip.span, clip.facts)
    for preroll in PREROLLS:
        packets, picture = _read_packets(program, clip, source, preroll, scratch, cancel)
        is_early = bool(packets) and min(packet.pts for packet in packets) <= first
        if is_early or not _seeks(clip.facts, clip.span.start, preroll):
            return _plan(packets, picture, first, end, preroll, max_reorder)
    raise UncopyableError("its packets are not found")


def _plan(
    packets: Sequence[Packet],
    picture: StoredPicture,
    first: int,
    end: int,
    preroll: Fraction | None,
    max_reorder: int,
) -> CopyPlan:
    if not picture.is_as_stored:
        raise UncopyableError("its container asks players to turn, flip or crop it")
    start = next(
        (i for i, packet in enumerate(packets) if packet.starts_group and first <= packet.pts < end), None
    )
    if start is None:
        raise UncopyableError("no group of pictures begins in it")
    shown = sorted(packet.pts for packet in packets)
    if _NO_TIME in shown or len(set(shown)) < len(shown):
        raise UncopyableError("its packets do not say when they are shown")
    after = sorted(packet.pts for packet in packets[start:])
    if after[0] != packets[start].pts or any(packet.pts > after[0] for packet in packets[:start]):
        raise UncopyableError("its groups of pictures are not closed")
    stop, latest = start, after[0]
    for i, packet in enumerate(packets[start:]):
        latest = max(latest, packet.pts)
        if latest >= end:
            # Later ones may still be shown before the end, but only together with this one.
            break
        if latest == after[i]:
            stop = start + i + 1
    run = packets[start:stop]
    _check_run(run, max_reorder)
    if _headers_at(packets, picture.pts) != run[0].headers:
        # What is known of its pictures is told by the first one read, which may lie long before the clip.
        raise UncopyableError("its headers are others than those of the pictures before it")
    ticks = tuple(tick for tick in shown if first <= tick < end)
    return CopyPlan(preroll, start, stop, ticks, ticks.index(after[0]), picture)


def _headers_at(packets: Sequence[Packet], pts: int | None) -> tuple[bytes, ...]:
    """The parameter sets of a picture: its own, or the last before it; none if they are not known."""
    headers: tuple[bytes, ...] = ()
    for packet in packets:
        headers = packet.headers or headers
        if packet.pts == pts:
            return headers
    return ()


def _check_run(run: Sequence[Packet], max_reorder: int) -> None:
    if any(packet.is_faulty for packet in run):
        raise UncopyableError("some of its packets are damaged or not meant to be shown")
    headers = {packet.headers for packet in run if packet.starts_group}
    if not all(headers):
        raise UncopyableError("its groups of pictures do not carry their headers")
    if len(headers) > 1:
        raise UncopyableError("its headers change in the middle")
    place = {tick: i for i, tick in enumerate(sorted(packet.pts for packet in run))}
    if any(i - place[packet.pts] > max_reorder for i, packet in enumerate(run)):
        raise UncopyableError(f"its pictures are stored more than {max_reorder} places from where they are shown")


def _read_packets(
    program: Ffmpeg,
    clip: Clip,
    source: Path,
    preroll: Fraction | None,
    scratch: Path,
    cancel: threading.Event | None,
) -> tuple[list[Packet], StoredPicture]:
    """Packets in the order of decoding, and how the first of them is stored; the others are not decoded."""
    pictures = open_source(source, **seek_options(clip, preroll))[picture_stream(clip.facts)]
    copied = {"c": "copy", "bsf:v": "h264_mp4toannexb"}
    listing, picture = bytearray(), StoredPicture()
    outputs = [
        send([pictures], **copied, format="framecrc"),
        save([pictures], scratch, **copied, format="h264"),
        discard([pictures.filter("showinfo", checksum=0)], **{"frames:v": 1}),
    ]
    try:
        program.run(merge(outputs), cancel=cancel, on_bytes=listing.extend, on_line=picture.read)
        with scratch.open("rb") as stream:
            packets = [
                _packet(int(found[2]), int(found[4] or b"1", 16), stream.read(int(found[3])))
                for found in _PACKET.finditer(bytes(listing))
            ]
    finally:
        scratch.unlink(missing_ok=True)
    return packets, picture


def _packet(pts: int, flags: int, data: bytes) -> Packet:
    kinds = list(_units(data))
    return Packet(
        pts,
        bool(flags & _FAULTS),
        any(kind == _IDR for kind, _ in kinds),
        tuple(unit for kind, unit in kinds if kind in {_SPS, _PPS}),
    )


def _units(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The NAL units of a packet up to the first slice, as kind and bytes (ITU-T H.264, annex B)."""
    at = data.find(_START_CODE)
    while 0 <= at < len(data) - len(_START_CODE):
        begin = at + len(_START_CODE)
        kind = data[begin] & 31
        if 1 <= kind <= _IDR:
            yield kind, b""
            return
        at = data.find(_START_CODE, begin)
        yield kind, data[begin : at if at >= 0 else len(data)].rstrip(b"\x00")
