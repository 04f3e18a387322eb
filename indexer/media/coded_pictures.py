"""Checksums of coded H.264 pictures, read by PyAV in a limited child without decoding them.

The pictures themselves count, without the headers and notes that copying may rewrite. A group of pictures that is
the same bit for bit, from its IDR picture on, decodes to the same frames.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from indexer.errors import MediaError
from indexer.media.frames_at import LIMITS, PREROLLS
from indexer.media.isolation import run_limited

if TYPE_CHECKING:  # whoever starts the child decodes nothing itself
    from indexer.media.decode import VideoReader

LOOK_AHEAD_SECONDS = 2
"""How far behind the end pictures are read: what is shown before it may be stored after it."""

_ONLY_PICTURES = "h264_mp4toannexb,filter_units=remove_types=6-9"
_MESSAGE_PICTURES = 4096


@dataclass(frozen=True, slots=True)
class CodedPicture:
    """One coded picture.

    Args:
        time: when it is shown, in seconds as the index counts them.
        sums: length and checksum.
    """

    time: Fraction
    sums: tuple[int, int]


@dataclass(frozen=True, slots=True)
class CodedStretch:
    """Coded pictures of a stretch of a video.

    Args:
        pictures: in order of time.
        size: width and height at which players show them; (0, 0) if none decodes.
        is_as_stored: whether players show them as they are stored: not turned, flipped, cropped or stretched.
    """

    pictures: tuple[CodedPicture, ...]
    size: tuple[int, int]
    is_as_stored: bool


def read_coded(wanted: Sequence[tuple[str, Fraction | None, Fraction | None]]) -> list[CodedStretch | MediaError]:
    """The coded pictures of each video from one instant up to another, given as path, start and end.

    Without start and end all are read, with their times counted from the zero of the file's own clock. One child
    reads all videos; one that cannot be read, or that kills the child, gives an error in its place.
    """
    found: list[CodedStretch | MediaError] = []
    while len(found) < len(wanted):
        rest = [
            [path, None if start is None else str(start), None if end is None else str(end)]
            for path, start, end in wanted[len(found) :]
        ]
        held: list[CodedPicture] = []
        try:
            for message in run_limited(f"{__name__}:coded_messages", {"wanted": rest}, LIMITS, str(rest[0][0])):
                header = message.header
                held += [
                    CodedPicture(Fraction(time), (size, crc)) for time, size, crc in header.get("pictures", ())
                ]
                if "failure" in header:
                    found.append(MediaError(str(header["failure"])))
                    held = []
                elif "size" in header:
                    width, height = header["size"]
                    pictures = tuple(sorted(held, key=lambda picture: picture.time))
                    found.append(CodedStretch(pictures, (width, height), bool(header["is_as_stored"])))
                    held = []
        except MediaError as error:
            found.append(error)
    return found


def coded_messages(wanted: Sequence[Sequence[str | None]]) -> Iterator[tuple[dict[str, Any], list[bytes]]]:
    """Messages of the child: the pictures of each video and its coding, or the reason why it cannot be read."""
    for path, start, end in wanted:
        ends = None if start is None or end is None else (Fraction(start), Fraction(end))
        try:
            pictures, shape = _read(str(path), ends)
            for at in range(0, len(pictures), _MESSAGE_PICTURES):
                yield {"pictures": pictures[at : at + _MESSAGE_PICTURES]}, []
            yield shape, []
        except MediaError as error:
            yield {"failure": str(error)}, []


def _read(path: str, ends: tuple[Fraction, Fraction] | None) -> tuple[list[tuple[str, int, int]], dict[str, Any]]:
    from indexer.media.decode import VideoReader

    shape: dict[str, Any] = {}
    start = ends[0] if ends else Fraction(0)
    for instant in (*(start - preroll for preroll in PREROLLS if start > preroll), None):
        with VideoReader(path, n_threads=1) as reader:
            shape = shape or _shape(reader)
            if not reader.seek(instant or Fraction(0)):
                continue
            zero, pictures = reader.start_time if ends else Fraction(0), []
            for pts, data in reader.coded_pictures(_ONLY_PICTURES):
                if pts is None:
                    raise MediaError(f"{path}: its pictures do not say when they are shown")
                time = pts * reader.time_base - zero
                if ends and time > ends[1] + LOOK_AHEAD_SECONDS:
                    break
                pictures.append((str(time), len(data), zlib.crc32(data)))
            if instant is None or min((Fraction(time) for time, _, _ in pictures), default=start + 1) <= start:
                return pictures, shape
    return [], shape


def _shape(reader: VideoReader) -> dict[str, Any]:
    """Display of the first picture."""
    from indexer.media.display import Crop, Orientation
    from indexer.media.pictures import PictureMaker

    first = next((timed for timed in reader.frames() if timed is not None), None)
    if first is None:
        return {"size": (0, 0), "is_as_stored": False}
    shown = PictureMaker(reader.pixel_aspect, reader.crop).shape_of(first.frame)
    is_as_stored = (shown.orientation, shown.crop, reader.pixel_aspect) == (Orientation(), Crop(), Fraction(1))
    return {"size": (shown.width_px, shown.height_px), "is_as_stored": is_as_stored}
