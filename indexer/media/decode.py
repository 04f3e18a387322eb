"""Opens a video file safely and yields its frames in order, each with its exact time.

Runs inside a limited child. Nothing that a header promises is believed: times, lengths and counts come from
the frames that decode.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import av.error
from av.container.core import Flags

from indexer.errors import VideoUnreadableError
from indexer.media.limits import MAX_DURATION, MAX_PICTURE_PX, MAX_SIDE_PX, MAX_STREAMS
from indexer.media.tags import read_recorded_at, read_reel_name, read_sound_timecode, read_start_timecode

# Demuxers of containers that cannot name another file. Playlists, still pictures and scripts are not here.
_FORMATS = "mov,matroska,avi,mpegts,mpeg,mpegvideo,m4v,flv,asf,ogg,mxf,dv,ivf,h264,hevc"
# Decoders in wide use. Rarities are refused: that is where the memory corruption is found.
_CODECS = (
    "av1 cfhd cinepak dnxhd dvvideo ffv1 ffvhuff flv1 h263 h263i h263p h264 hap hevc huffyuv indeo3 mjpeg "
    "mpeg1video mpeg2video mpeg4 msmpeg4v1 msmpeg4v2 msmpeg4v3 msvideo1 prores qtrle rawvideo rpza svq1 svq3 "
    "theora utvideo v210 vc1 vp3 vp6 vp6f vp8 vp9 vvc wmv1 wmv2 wmv3"
)
_STILL_BRANDS = frozenset({"heic", "heix", "heim", "heis", "mif1", "avif", "jpeg"})
_MICROSECONDS = 1_000_000
_GUESSED_RATE = Fraction(25)
_LONGEST_LAST_FRAME = Fraction(10)
_HEARTBEAT_SECONDS = 1.0


def rational(value: Any) -> Fraction | None:
    """A PyAV rational as an exact fraction, None where it says nothing."""
    if value is None or not value.denominator or not value.numerator:
        return None
    return Fraction(int(value.numerator), int(value.denominator))


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A decoded picture and when it is shown.

    Args:
        time: seconds from the container's start time.
        frame: the decoder's own frame (stored orientation and pixel shape).
    """

    time: Fraction
    frame: av.VideoFrame


@dataclass(slots=True)
class _Clock:
    """Chooses between a frame's two time stamps as the ffmpeg program does, so that both agree on time.

    Some containers (AVI, ASF) store only decoding times, and what they call presentation times runs back and
    forth. Whichever of the two has run backwards less often so far is believed.
    """

    last_pts: int | None = None
    last_dts: int | None = None
    n_faulty_pts: int = 0
    n_faulty_dts: int = 0

    def read(self, pts: int | None, dts: int | None) -> int | None:
        """The better of a frame's two time stamps, None where it has none."""
        if dts is not None:
            self.n_faulty_dts += self.last_dts is not None and dts <= self.last_dts
        if pts is not None:
            self.n_faulty_pts += self.last_pts is not None and pts <= self.last_pts
        self.last_dts = dts if dts is not None else pts if pts is not None else self.last_dts
        self.last_pts = pts if pts is not None else dts if dts is not None else self.last_pts
        if pts is not None and (dts is None or self.n_faulty_pts <= self.n_faulty_dts):
            return pts
        return dts


@dataclass(slots=True)
class Damage:
    """What went wrong while decoding, counted."""

    n_errors: int = 0
    n_corrupt: int = 0
    n_backward: int = 0
    n_too_late: int = 0
    n_read_errors: int = 0

    def describe(self) -> list[str]:
        """One line for each kind of damage seen."""
        lines = [
            (self.n_read_errors, "the file ends early or cannot be read to its end"),
            (self.n_errors, f"{self.n_errors} packets do not decode"),
            (self.n_corrupt, f"{self.n_corrupt} frames are damaged"),
            (self.n_backward, f"{self.n_backward} frames left out because the clock runs backwards there"),
            (self.n_too_late, f"{self.n_too_late} frames left out because they lie beyond 24 hours"),
        ]
        return [text for count, text in lines if count]


@dataclass(slots=True)
class VideoReader:
    """An opened video file.

    Use as a context manager. `span_end`, `n_frames` and `damage` are complete once `frames` has ended.

    Args:
        path: the file.
        n_threads: decoder threads.
    """

    path: str
    n_threads: int = 2
    n_frames: int = 0
    span_start: Fraction | None = None
    span_end: Fraction = Fraction(0)
    damage: Damage = field(default_factory=Damage)
    _container: Any = None
    _stream: Any = None

    def __enter__(self) -> VideoReader:
        """Open the file, or say in one line why not."""
        _refuse_unfit_path(self.path)
        try:
            self._container = av.open(
                f"file:{os.path.abspath(self.path)}",  # noqa: PTH100  # keeps undecodable names as they are
                mode="r",
                options={"protocol_whitelist": "file", "format_whitelist": _FORMATS},
                metadata_errors="replace",
            )
        except MemoryError:
            raise
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise self._unreadable(f"not a video that can be read ({_reason(error)})") from error
        try:
            # PyAV lets the demuxer make up presentation times where a container has none, the ffmpeg program
            # does not: H.264 in AVI came out of order, which cost frames, and a frame apart from what was cut.
            self._container.flags &= ~Flags.gen_pts.value
            self._stream = self._choose_stream()
            self._configure()
        except BaseException:
            self._container.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._container.close()

    @property
    def container_name(self) -> str:
        """Short name of the container format."""
        return str(self._container.format.name).partition(",")[0]

    @property
    def codec_name(self) -> str:
        """Name of the video codec."""
        return str(self._stream.codec_context.codec.canonical_name)

    @property
    def has_audio(self) -> bool:
        """Whether there is a sound track."""
        return len(self._container.streams.audio) > 0

    @property
    def recorded_at(self) -> str | None:
        """When it was recorded, as the container or the stream says, ISO 8601; None where neither does."""
        return read_recorded_at(self._container.metadata) or read_recorded_at(self._stream.metadata)

    @property
    def start_timecode(self) -> str | None:
        """Timecode of the first frame, from the video stream, the container, or a timecode track beside it.

        Without one it is counted from what the sound recorder wrote, if that is there.
        """
        found = (read_start_timecode(tags) for tags in self._tags())
        return next(filter(None, found), None) or self._sound_timecode()

    def _sound_timecode(self) -> str | None:
        sound = next(iter(self._container.streams.audio), None)
        if sound is None or not sound.rate or self.frame_rate is None:
            return None
        clocks = sound.rate, self.frame_rate, self._first_time(self._stream) - self._first_time(sound)
        found = (read_sound_timecode(tags, *clocks) for tags in (self._container.metadata, sound.metadata))
        return next(filter(None, found), None)

    @staticmethod
    def _first_time(stream: Any) -> Fraction:
        return (stream.start_time or 0) * (rational(stream.time_base) or Fraction(0))

    @property
    def reel_name(self) -> str | None:
        """Name of the tape or card it was recorded on, from the same places; None where none says."""
        return next((found for tags in self._tags() if (found := read_reel_name(tags))), None)

    def _tags(self) -> list[Mapping[str, str]]:
        """Tags of the video stream, of the container, and of timecode tracks beside it, the nearest first."""
        beside = [stream.metadata for stream in self._container.streams if stream.type == "data"]
        return [self._stream.metadata, self._container.metadata, *beside]

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick of the stream's `pts`."""
        return rational(self._stream.time_base) or Fraction(1, _MICROSECONDS)

    @property
    def frame_rate(self) -> Fraction | None:
        """Average frames per second as the file says, None where it says nothing sensible."""
        rate = rational(self._stream.average_rate)
        return rate if rate is not None and 0 < rate <= 1000 else None

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel relative to its height; 1 where the file says nothing sensible."""
        aspect = rational(self._stream.sample_aspect_ratio)
        return aspect if aspect is not None and Fraction(1, 8) <= aspect <= 8 else Fraction(1)

    @property
    def start_time(self) -> Fraction:
        """The container's start time in seconds, exact where one of its streams starts it.

        The container's own field is rounded to microseconds, the streams' are not.
        """
        start_us = self._container.start_time
        if start_us is None:
            return Fraction(0)
        for stream in self._container.streams:
            base = rational(stream.time_base)
            if base is None or stream.start_time is None:
                continue
            exact = Fraction(stream.start_time) * base
            if abs(exact * _MICROSECONDS - start_us) <= 1:
                return exact
        return Fraction(start_us, _MICROSECONDS)

    def frames(self) -> Iterator[TimedFrame | None]:
        """Frames in order of time, and None as a sign of life where decoding takes long.

        Frames whose time does not advance are left out and counted, as are packets that do not decode.
        """
        start, base = self.start_time, self.time_base
        usual_step = step = 1 / (self.frame_rate or _GUESSED_RATE)
        clock = _Clock()
        last: Fraction | None = None
        for frame in self._decoded():
            if frame is None:
                yield None
                continue
            ticks = clock.read(frame.pts, frame.dts)
            # A raw stream has no clock, nor have the last frames of H.264 in AVI: count on.
            counted_on = Fraction(0) if last is None else last + step
            shown = counted_on if ticks is None else ticks * base - start
            if not self._advances(shown, last):
                continue
            length = frame.duration * base if frame.duration else Fraction(0)
            if frame.duration == 1 and last is not None and shown - last > 2 * base:
                length = shown - last  # made up by the demuxer; the ffmpeg program does not believe it either
            step = length if 0 < length <= _LONGEST_LAST_FRAME else usual_step
            self.span_end = shown + step
            self.span_start = shown if last is None else self.span_start
            last = shown
            self.n_frames += 1
            self.damage.n_corrupt += bool(frame.is_corrupt)
            yield TimedFrame(shown, frame)

    def _advances(self, shown: Fraction, last: Fraction | None) -> bool:
        if last is not None and shown <= last:
            self.damage.n_backward += 1
            return False
        if shown > MAX_DURATION:
            self.damage.n_too_late += 1
            return False
        return True

    def _decoded(self) -> Iterator[av.VideoFrame | None]:
        beat = time.monotonic()
        for packet in self._packets():
            try:
                yield from packet.decode()
            except MemoryError:
                raise
            except (av.error.FFmpegError, ValueError):
                self.damage.n_errors += 1
            if time.monotonic() - beat > _HEARTBEAT_SECONDS:
                beat = time.monotonic()
                yield None

    def _packets(self) -> Iterator[Any]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:
                self.damage.n_read_errors += 1
                # The demuxer's generator has ended with its error; what the decoder still holds is not lost.
                yield av.Packet()
                return
            self.damage.n_corrupt += bool(packet.is_corrupt)
            yield packet

    def _choose_stream(self) -> Any:
        container = self._container
        if len(container.streams) > MAX_STREAMS:
            raise self._unreadable(f"{len(container.streams)} streams, more than the {MAX_STREAMS} allowed")
        if str(container.metadata.get("major_brand", "")).strip().lower() in _STILL_BRANDS:
            raise self._unreadable("a still picture, not a video")
        covers = 0
        for stream in container.streams.video:
            if int(stream.disposition) & int(av.stream.Disposition.attached_pic):
                covers += 1
                continue
            return stream
        raise self._unreadable("no video stream (only a cover picture)" if covers else "no video stream")

    def _configure(self) -> None:
        context = self._stream.codec_context
        if context is None or context.codec is None:
            raise self._unreadable("its video codec is unknown")
        if context.codec.canonical_name not in _CODECS.split():
            raise self._unreadable(f"videos of codec {context.codec.canonical_name} are not read")
        self.check_size(context.width, context.height)
        self._stream.thread_type = "AUTO"
        context.thread_count = self.n_threads
        context.options = {"max_pixels": str(MAX_PICTURE_PX)}

    def check_size(self, width_px: int, height_px: int) -> None:
        """Refuse pictures that are too large to decode."""
        if max(width_px, height_px) > MAX_SIDE_PX or width_px * height_px > MAX_PICTURE_PX:
            raise self._unreadable(f"a picture of {width_px} x {height_px} pixels is too large")

    def _unreadable(self, reason: str) -> VideoUnreadableError:
        return VideoUnreadableError(f"{self.path}: {reason}")


def _refuse_unfit_path(path: str) -> None:
    try:
        status = os.stat(path)  # noqa: PTH116  # Path would refuse nothing more, and says less
        if stat.S_ISDIR(status.st_mode):
            raise VideoUnreadableError(f"{path}: a folder, not a video")
        if not stat.S_ISREG(status.st_mode):
            raise VideoUnreadableError(f"{path}: not a regular file")
        if status.st_size == 0:
            raise VideoUnreadableError(f"{path}: an empty file")
        with open(path, "rb") as file:  # noqa: PTH123  # as above
            file.read(1)
    except (OSError, ValueError) as error:
        text = getattr(error, "strerror", None) or str(error)
        raise VideoUnreadableError(f"{path}: cannot be read ({text})") from error


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
