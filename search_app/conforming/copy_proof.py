"""Proof, without decoding, that copied clips of a finished file are the packets of their sources.

The packets of the file are read once, those of each source from another place than when they were copied. What is
compared is a checksum of the coded pictures themselves, without the headers and notes that copying may rewrite. A
group of pictures that is the same bit for bit, from its IDR picture on, decodes to the same frames.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from indexer.media.ffmpeg import Ffmpeg, open_source, send
from search_app.conforming.conform import Conformed
from search_app.conforming.packets import seek_options
from search_app.conforming.source_frames import picture_stream
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import Clip

PREROLL = Fraction(2)
"""Other than those of copying."""

_CODED_PICTURES = "h264_mp4toannexb,filter_units=remove_types=6-9"
_TIME_BASE = re.compile(rb"^#tb 0: (\d+)/(\d+)", re.MULTILINE)
_PACKET = re.compile(rb"^0, *-?\d+, *(-?\d+), *\d+, *(\d+), (0x[0-9a-f]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Checksums:
    """The coded pictures of a file, in order of time.

    Args:
        times: when each is shown: seconds, or ticks of the source.
        sums: length and checksum of each.
    """

    times: tuple[Fraction, ...]
    sums: tuple[tuple[bytes, ...], ...]

    def between(self, first: Fraction, last: Fraction) -> tuple[tuple[bytes, ...], ...]:
        """Those from one time to another, both included."""
        return self.sums[bisect_left(self.times, first) : bisect_left(self.times, last + Fraction(1, 10**9))]


def read_film(program: Ffmpeg, rendered: Path, profile: Profile, cancel: threading.Event | None) -> Checksums:
    """The packets of a supercut; times are numbers of frames.

    Raises:
        FfmpegError: it cannot be read, or it was cancelled.
    """
    base, packets = _read(program, rendered, "V:0", {}, cancel)
    beat = base * profile.frame_rate
    return _in_order([(Fraction(round(tick * beat)), found) for tick, found in packets])


def shows_its_source(
    program: Ffmpeg,
    film: Checksums,
    first_frame: int,
    clip: Clip,
    source: Path,
    made: Conformed,
    cancel: threading.Event | None,
) -> bool:
    """Whether the frames of a clip in the film are those of its source, bit for bit.

    Args:
        program: ffmpeg.
        film: the packets of the film.
        first_frame: number of the clip's first frame in it.
        clip: the clip.
        source: its file.
        made: what was made of it.
        cancel: stops it when set.

    Raises:
        FfmpegError: the source cannot be read, or it was cancelled.
    """
    _, packets = _read(program, source, picture_stream(clip.facts), seek_options(clip, PREROLL), cancel)
    there = _in_order([(Fraction(tick), found) for tick, found in packets])
    expected = there.between(Fraction(made.first_tick), Fraction(made.last_tick))
    seen = film.between(Fraction(first_frame), Fraction(first_frame + made.n_frames - 1))
    return len(expected) == made.n_frames and expected == seen


def _in_order(packets: Sequence[tuple[Fraction, tuple[bytes, ...]]]) -> Checksums:
    ordered = sorted(packets)
    return Checksums(tuple(time for time, _ in ordered), tuple(found for _, found in ordered))


def _read(
    program: Ffmpeg, path: Path, stream: str, options: dict[str, object], cancel: threading.Event | None
) -> tuple[Fraction, list[tuple[int, tuple[bytes, ...]]]]:
    listing = bytearray()
    packets = open_source(path, **options)[stream]
    output = send([packets], **{"c": "copy", "bsf:v": _CODED_PICTURES, "format": "framecrc"})
    program.run(output, cancel=cancel, on_bytes=listing.extend)
    text = bytes(listing)
    base = _TIME_BASE.search(text)
    found: list[tuple[int, tuple[bytes, ...]]] = [
        (int(one[1]), (one[2], one[3])) for one in _PACKET.finditer(text)
    ]
    return (Fraction(int(base[1]), int(base[2])) if base else Fraction(0)), found
