"""Small grey pictures of what lies between two instants, read by PyAV in a limited child.

The ffmpeg program cuts, this looks: at sources as the index saw them (track, clock, crop, orientation), and at
finished films. So what is wrong with one of the two decoders, or with what it is told, does not prove itself.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import MediaError
from indexer.media.isolation import run_limited
from indexer.media.limits import ChildLimits

if TYPE_CHECKING:  # whoever starts the child decodes nothing itself
    from indexer.media.decode import TimedFrame

GreyPicture = NDArray[np.uint8]
"""(height, width)."""

LIMITS = ChildLimits(stall_seconds=120.0)
"""Decoding up to the first wanted picture may take long where a container has no index."""

BATCH_FRAMES = 8
_HEARTBEAT_SECONDS = 1.0
_FIELD_CLOCK = Fraction(1, 25)
PREROLLS = (Fraction(0), Fraction(2), Fraction(16))
"""Seconds before an instant at which reading tries to start, before it starts at the beginning of the file."""

SOUGHT = frozenset({"mov", "matroska", "mpegts", "flv", "mxf"})
"""Containers that say of each picture when it is shown, so that the clock can be read from anywhere. A program
stream (`mpeg`) is none: after a seek FFmpeg gives a packet the time of another, 0.1 s apart."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames wanted of a source.

    Args:
        path: the file.
        start: first instant wanted, in seconds as the index counts them.
        end: first instant that is not.
        width_px: of the pictures, as they are shown.
        height_px: of the pictures, as they are shown.
        may_seek: whether the clock can be read from the middle.
        decoder: ffmpeg's name of another decoder than the usual one; empty for that.
        has_fields: whether pictures of two fields are to be made whole: each as at the time of its first.
    """

    path: str
    start: Fraction
    end: Fraction
    width_px: int
    height_px: int
    may_seek: bool = True
    decoder: str = ""
    has_fields: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """One frame of a stretch.

    Args:
        time: when it is shown, in seconds.
        picture: small and grey.
        size: width and height at which players show it.
    """

    time: Fraction
    picture: GreyPicture
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class FilmPart:
    """Frames wanted of a film.

    Args:
        first_frame: number of the first.
        end_frame: number of the first that is not.
        window: what is wanted of each picture: left, top, right and bottom edge in pixels.
        width_px: of the small pictures of the window.
        height_px: of the small pictures of the window.
    """

    first_frame: int
    end_frame: int
    window: tuple[int, int, int, int]
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class FilmLook:
    """Properties of a film, seen from its frames.

    Args:
        n_frames: how many decode.
        sizes: every size of them.
        is_as_stored: whether players show them as they are stored: not turned, flipped, cropped or stretched.
    """

    n_frames: int
    sizes: tuple[tuple[int, int], ...]
    is_as_stored: bool


def read_stretches(stretches: Sequence[Stretch]) -> Generator[tuple[int, Shown | MediaError | None]]:
    """The frames of all stretches, in order, each with the number of its stretch; None where one begins.

    One child reads them all. A file that cannot be read, or that kills the child, gives an error in the place of
    its frames, and the next stretch follows.
    """
    begin = 0
    while begin < len(stretches):
        arguments = {"stretches": [_to_plain(one) for one in stretches[begin:]]}
        at = begin
        try:
            for message in run_limited(f"{__name__}:stretch_messages", arguments, LIMITS, stretches[at].path):
                if (found := begin + int(message.header["stretch"])) != at or not message.blobs:
                    yield found, None
                at, shape = found, (stretches[found].height_px, stretches[found].width_px)
                if reason := message.header.get("failure"):
                    yield at, MediaError(str(reason))
                for instant, blob in zip(message.header.get("times", ()), message.blobs, strict=True):
                    width, height = message.header["size"]
                    yield (
                        at,
                        Shown(Fraction(instant), np.frombuffer(blob, np.uint8).reshape(shape), (width, height)),
                    )
            return
        except MediaError as error:
            yield at, error
            begin = at + 1


def _to_plain(one: Stretch | FilmPart) -> dict[str, Any]:
    values = {name: getattr(one, name) for name in one.__dataclass_fields__}
    return {name: str(value) if isinstance(value, Fraction) else value for name, value in values.items()}


def stretch_messages(stretches: Sequence[Mapping[str, Any]]) -> Iterator[tuple[dict[str, Any], list[bytes]]]:
    """Messages of the child: the begin of each span, its frames, a few in a message, or why it has none."""
    for place, plain in enumerate(stretches):
        stretch = Stretch(**{**plain, "start": Fraction(plain["start"]), "end": Fraction(plain["end"])})
        yield {"stretch": place}, []
        try:
            for batch in _batches(_read(stretch)):
                times, size = [str(one.time) for one in batch], batch[0].size if batch else (0, 0)
                pictures = [one.picture.tobytes() for one in batch]
                yield {"stretch": place, "times": times, "size": size}, pictures
        except MediaError as error:
            yield {"stretch": place, "failure": str(error)}, []


def _batches(frames: Iterator[Shown | None]) -> Iterator[list[Shown]]:
    """Frames of one size, a few at a time; an empty batch is a sign of life."""
    held: list[Shown] = []
    for frame in frames:
        if frame is None:
            yield []
            continue
        if held and (len(held) >= BATCH_FRAMES or held[0].size != frame.size):
            yield held
            held = []
        held.append(frame)
    if held:
        yield held


def _read(stretch: Stretch) -> Iterator[Shown | None]:
    """The frames of one stretch, and None as a sign of life."""
    sought = [stretch.start - preroll for preroll in PREROLLS if stretch.may_seek and stretch.start > preroll]
    for instant in (*sought, None):
        if (yield from _read_from(stretch, instant)):
            return


def _read_from(stretch: Stretch, instant: Fraction | None) -> Generator[Shown | None, None, bool]:
    """The frames of a stretch, read from an instant or the beginning on; False if that came too late."""
    from indexer.media.decode import VideoReader
    from indexer.media.pictures import PictureMaker

    with VideoReader(stretch.path, decoder=stretch.decoder) as reader:
        if instant is not None and not (reader.container_name in SOUGHT and reader.seek(instant)):
            return False
        maker, is_early = PictureMaker(reader.pixel_aspect, reader.crop), instant is None
        frames = reader.frames()
        for timed in _made_whole(frames) if stretch.has_fields else frames:
            if timed is None:
                yield None
                continue
            is_early = is_early or timed.time <= stretch.start
            if not is_early or timed.time >= stretch.end:
                break
            if timed.time >= stretch.start:
                shape = maker.shape_of(timed.frame)
                picture = maker.grey_picture(timed.frame, stretch.width_px, stretch.height_px)
                yield Shown(timed.time, picture, (shape.width_px, shape.height_px))
        return is_early


def _made_whole(frames: Iterator[TimedFrame | None]) -> Iterator[TimedFrame | None]:
    """The same frames, those of two fields as they were at the time of the first."""
    held: deque[TimedFrame] = deque()
    fields: _Fields | None = None
    for timed in frames:
        if timed is None:
            yield None
            continue
        shape = (timed.frame.width, timed.frame.height, timed.frame.format.name)
        if fields is None or fields.shape != shape:
            for whole in fields.close() if fields else ():
                yield replace(held.popleft(), frame=whole)
            fields = _Fields(shape)
        held.append(timed)
        for whole in fields.push(timed.frame):
            yield replace(held.popleft(), frame=whole)
    for whole in fields.close() if fields else ():
        yield replace(held.popleft(), frame=whole)


class _Fields:
    """The filter that makes whole pictures of fields, one for one, a frame late."""

    def __init__(self, shape: tuple[int, int, str]) -> None:
        from av import VideoFormat
        from av.filter import Graph

        self.shape = shape
        self._graph: Any = Graph()
        width, height, name = shape
        stored = VideoFormat(name)
        source = self._graph.add_buffer(width=width, height=height, format=stored, time_base=_FIELD_CLOCK)
        whole = self._graph.add("bwdif", "mode=send_frame:deint=interlaced")
        sink = self._graph.add("buffersink")
        source.link_to(whole)
        whole.link_to(sink)
        self._graph.configure()
        self._n_frames = 0

    def push(self, frame: Any) -> list[Any]:
        """Take a frame; those that are whole now."""
        frame.pts, frame.time_base = self._n_frames, _FIELD_CLOCK
        self._n_frames += 1
        self._graph.push(frame)
        return self._pull()

    def close(self) -> list[Any]:
        """The last one."""
        self._graph.push(None)
        return self._pull()

    def _pull(self) -> list[Any]:
        import av

        found = []
        while True:
            try:
                found.append(self._graph.pull())
            except (av.error.BlockingIOError, av.error.EOFError):
                return found


def read_film(
    path: str, parts: Sequence[FilmPart], frame_rate: Fraction | None = None
) -> Generator[tuple[int, GreyPicture] | FilmLook]:
    """The frames of some parts of a film, in order, each with its number; at last what the whole is.

    Args:
        path: a finished file that we have written.
        parts: in order, apart from each other.
        frame_rate: of the film, to read no more of it than the parts; None to decode and count every frame.

    Raises:
        MediaError: it does not decode.
    """
    arguments = {
        "path": path,
        "parts": [_to_plain(part) for part in parts],
        "rate": frame_rate and str(frame_rate),
    }
    for message in run_limited(f"{__name__}:film_messages", arguments, LIMITS, path):
        if "n_frames" in message.header:
            sizes = tuple((int(width), int(height)) for width, height in message.header["sizes"])
            yield FilmLook(int(message.header["n_frames"]), sizes, bool(message.header["is_as_stored"]))
        for (number, place), blob in zip(message.header.get("numbers", ()), message.blobs, strict=True):
            shape = (parts[place].height_px, parts[place].width_px)
            yield int(number), np.frombuffer(blob, np.uint8).reshape(shape)


def film_messages(
    path: str, parts: Sequence[Mapping[str, Any]], rate: str | None
) -> Iterator[tuple[dict[str, Any], list[bytes]]]:
    """Messages of the child: the wanted frames, a few in a message, then the properties of the film."""
    import av

    from indexer.media.decode import rational
    from indexer.media.described import describe_streams
    from indexer.media.display import Crop, Orientation, frame_orientation, read_crop

    wanted, place, scale, n_frames = [FilmPart(**part) for part in parts], 0, _WindowScaler(), 0
    numbers, pictures, heartbeat = [], [], time.monotonic()
    sizes: dict[tuple[int, int], None] = {}
    try:
        with av.open(f"file:{path}", options={"protocol_whitelist": "file"}) as container:
            stream: Any = container.streams.video[0]
            stream.thread_type = "AUTO"
            is_as_stored = read_crop(describe_streams(container).get(stream.index, ())) == Crop()
            frames = (
                _only(container, stream, wanted, Fraction(rate)) if rate else enumerate(container.decode(stream))
            )
            for number, frame in frames:
                sizes[frame.width, frame.height] = None
                is_as_stored &= n_frames > 0 or frame_orientation(frame) == Orientation()
                n_frames += 1
                while place < len(wanted) and number >= wanted[place].end_frame:
                    place += 1
                if place < len(wanted) and number >= wanted[place].first_frame:
                    numbers.append((number, place))
                    pictures.append(scale(frame, wanted[place]))
                if len(numbers) >= BATCH_FRAMES or time.monotonic() - heartbeat > _HEARTBEAT_SECONDS:
                    yield {"numbers": numbers}, pictures
                    numbers, pictures, heartbeat = [], [], time.monotonic()
            is_as_stored &= rational(stream.sample_aspect_ratio) in {None, Fraction(1)}
    except (av.error.FFmpegError, IndexError) as error:
        raise MediaError(f"{path} does not decode: {error}") from error
    yield {"numbers": numbers}, pictures
    yield {"n_frames": n_frames, "sizes": list(sizes), "is_as_stored": is_as_stored}, []


def _only(container: Any, stream: Any, wanted: Sequence[FilmPart], rate: Fraction) -> Iterator[tuple[int, Any]]:
    """The frames of some parts, numbered by their times, each part sought."""
    beat = Fraction(stream.time_base.numerator, stream.time_base.denominator) * rate
    for part in wanted:
        container.seek(round(part.first_frame / beat), stream=stream, backward=True)
        for frame in container.decode(stream):
            number = round(frame.pts * beat)
            if number >= part.end_frame:
                break
            if number >= part.first_frame:
                yield number, frame


class _WindowScaler:
    """Makes the small pictures of a window of frames."""

    def __init__(self) -> None:
        from av.video.reformatter import VideoReformatter

        self._scaler: Any = VideoReformatter()

    def __call__(self, frame: Any, part: FilmPart) -> bytes:
        import av

        left, top, right, bottom = part.window
        if (left, top, right, bottom) != (0, 0, frame.width, frame.height):
            grey = self._scaler.reformat(frame, format="gray").to_ndarray()[top:bottom, left:right]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(grey), format="gray")
        shrinks = part.width_px < frame.width
        size = {
            "width": part.width_px,
            "height": part.height_px,
            "interpolation": "AREA" if shrinks else "BICUBIC",
        }
        return bytes(self._scaler.reformat(frame, format="gray", **size).to_ndarray().tobytes())
