"""Checksums of coded H.264 pictures, read by PyAV in a limited child without decoding them.

What counts are the pictures themselves, without the headers and notes that copying may rewrite. A group of pictures
that is the same bit for bit, from its IDR picture on, decodes to the same frames.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from indexer.errors import MediaError
from indexer.media.frames_at import LIMITS, PREROLLS, FilmLook
from indexer.media.isolation import run_limited

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
class CodedSource:
    """Coded pictures of a source.

    Args:
        pictures: in order of time.
        size: width and height at which players show them; (0, 0) if none decodes.
        is_as_stored: whether players show them as they are stored: not turned, flipped or cropped.
    """

    pictures: tuple[CodedPicture, ...]
    size: tuple[int, int]
    is_as_stored: bool


def read_coded_sources(wanted: Sequence[tuple[str, Fraction, Fraction]]) -> list[CodedSource | MediaError]:
    """The coded pictures of each source from one instant up to another, given as path, start and end.

    One child reads them all; a file that cannot be read, or that kills the child, gives an error in its place.
    """
    found: list[CodedSource | MediaError] = []
    while len(found) < len(wanted):
        rest = [[path, str(start), str(end)] for path, start, end in wanted[len(found) :]]
        held: list[CodedPicture] = []
        try:
            for message in run_limited(f"{__name__}:source_messages", {"wanted": rest}, LIMITS, rest[0][0]):
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
                    found.append(CodedSource(pictures, (width, height), bool(header["is_as_stored"])))
                    held = []
        except MediaError as error:
            found.append(error)
    return found


def source_messages(wanted: Sequence[Sequence[str]]) -> Iterator[tuple[dict[str, Any], list[bytes]]]:
    """What the child says: the pictures of each source, and what it is, or why it cannot be read."""
    for path, start, end in wanted:
        try:
            pictures, shape = _read_source(path, Fraction(start), Fraction(end))
            yield from _packed(pictures)
            yield shape, []
        except MediaError as error:
            yield {"failure": str(error)}, []


def _packed(pictures: list[tuple[str, int, int]]) -> Iterator[tuple[dict[str, Any], list[bytes]]]:
    for at in range(0, len(pictures), _MESSAGE_PICTURES):
        yield {"pictures": pictures[at : at + _MESSAGE_PICTURES]}, []


def _read_source(path: str, start: Fraction, end: Fraction) -> tuple[list[tuple[str, int, int]], dict[str, Any]]:
    from indexer.media.decode import VideoReader
    from indexer.media.display import Crop, Orientation
    from indexer.media.pictures import PictureMaker

    shape: dict[str, Any] = {"size": (0, 0), "is_as_stored": False}
    for instant in (*(start - preroll for preroll in PREROLLS if start > preroll), None):
        with VideoReader(path, n_threads=1) as reader:
            if not shape["is_as_stored"]:
                first = next((timed for timed in reader.frames() if timed is not None), None)
                if first is not None:
                    shown = PictureMaker(reader.pixel_aspect, reader.crop).shape_of(first.frame)
                    is_as_stored = (shown.orientation, shown.crop) == (Orientation(), Crop())
                    shape = {"size": (shown.width_px, shown.height_px), "is_as_stored": is_as_stored}
            if not reader.seek(instant or Fraction(0)):
                continue
            pictures = []
            for pts, data in reader.coded_pictures(_ONLY_PICTURES):
                if pts is None:
                    raise MediaError(f"{path}: its pictures do not say when they are shown")
                time = pts * reader.time_base - reader.start_time
                if time > end + LOOK_AHEAD_SECONDS:
                    break
                pictures.append((str(time), len(data), zlib.crc32(data)))
            if instant is None or min((Fraction(time) for time, _, _ in pictures), default=end) <= start:
                return pictures, shape
    return [], shape


def read_coded_film(path: str, frame_rate: Fraction) -> tuple[tuple[CodedPicture, ...], FilmLook]:
    """The coded pictures of a film that we have written, with numbers of frames as their times; and what it is.

    Raises:
        MediaError: it cannot be read.
    """
    arguments = {"path": path, "frame_rate": str(frame_rate)}
    pictures: list[CodedPicture] = []
    look = FilmLook(0, (), is_as_stored=False)
    for message in run_limited(f"{__name__}:film_messages", arguments, LIMITS, path):
        header: Mapping[str, Any] = message.header
        pictures += [CodedPicture(Fraction(n), (size, crc)) for n, size, crc in header.get("pictures", ())]
        if "size" in header:
            width, height = header["size"]
            look = FilmLook(len(pictures), ((width, height),), bool(header["is_as_stored"]))
    return tuple(sorted(pictures, key=lambda picture: picture.time)), look


def film_messages(path: str, frame_rate: str) -> Iterator[tuple[dict[str, Any], list[bytes]]]:
    """What the child says of a film: its pictures, then what it is."""
    from indexer.media.decode import VideoReader
    from indexer.media.display import Crop, Orientation
    from indexer.media.pictures import PictureMaker

    with VideoReader(path, n_threads=1) as reader:
        first = next((timed for timed in reader.frames() if timed is not None), None)
        if first is None:
            raise MediaError(f"{path} does not decode")
        shown = PictureMaker(reader.pixel_aspect, reader.crop).shape_of(first.frame)
        is_as_stored = (shown.orientation, shown.crop, reader.pixel_aspect) == (Orientation(), Crop(), Fraction(1))
        reader.seek(Fraction(0))
        pictures = []
        for pts, data in reader.coded_pictures(_ONLY_PICTURES):
            number = round((pts or 0) * reader.time_base * Fraction(frame_rate))
            pictures.append((str(number), len(data), zlib.crc32(data)))
        yield from _packed(pictures)
        yield {"size": (shown.width_px, shown.height_px), "is_as_stored": is_as_stored}, []
