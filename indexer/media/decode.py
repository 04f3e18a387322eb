"""Opens a video file safely and yields its frames in order, each with its exact time.

Runs inside a limited child. Nothing that a header promises is believed: times, lengths and counts come from
the frames that decode.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import av.error
from av.bitstream import BitStreamFilterContext
from av.codec.context import Flags as CodecFlags
from av.container.core import Flags

from indexer.errors import VideoUnreadableError
from indexer.media.clock import FrameClock, StampChooser, clock_notices
from indexer.media.described import Described, count_channels, describe_streams
from indexer.media.display import Crop, read_crop, true_aspect
from indexer.media.limits import MAX_PICTURE_PX, MAX_SIDE_PX, MAX_STREAMS, MAX_TRACKS
from indexer.media.promise import broken_promise, promised_seconds
from indexer.media.tags import read_recorded_at, read_reel_name, read_sound_timecode, read_start_timecode
from indexer.media.timecode_track import read_timecode_track
from indexer.media.tracks import choose_video, codec_of, refusal_of
from store.records import ClockJump

# Demuxers of containers that cannot name another file. Playlists, still pictures and scripts are not here.
_FORMATS = "mov,matroska,avi,mpegts,mpeg,mpegvideo,m4v,flv,asf,ogg,mxf,dv,ivf,h264,hevc"
_STILL_BRANDS = frozenset({"heic", "heix", "heim", "heis", "mif1", "avif", "jpeg"})
_MICROSECONDS = 1_000_000
_GUESSED_RATE = Fraction(25)
_SPARSE_CODECS = frozenset({"h264", "hevc", "mpeg1video", "mpeg2video"})
"""Codecs whose pictures say whether others need them."""

_CLOCK_MAY_JUMP = 0x0200  # AVFMT_TS_DISCONT: MPEG-TS, MPEG-PS, Ogg
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
        pause_start: where a pause began that ends with this frame; None mostly.
    """

    time: Fraction
    frame: av.VideoFrame
    pause_start: Fraction | None = None


@dataclass(slots=True)
class Damage:
    """Decoding faults, counted."""

    n_errors: int = 0
    n_corrupt: int = 0
    n_backward: int = 0
    n_too_late: int = 0
    n_read_errors: int = 0
    broken_promise: str = ""

    def describe(self) -> list[str]:
        """One line for each kind of damage seen."""
        lines = [
            (self.n_read_errors, "the file ends early or cannot be read to its end"),
            (bool(self.broken_promise), self.broken_promise),
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
        decoder: ffmpeg's name of another decoder than the usual one of the codec.
    """

    path: str
    n_threads: int = 2
    decoder: str = ""
    n_frames: int = 0
    span_start: Fraction | None = None
    span_end: Fraction = Fraction(0)
    damage: Damage = field(default_factory=Damage)
    crop: Crop = field(default_factory=Crop)
    _container: Any = None
    _stream: Any = None
    _clock: Any = None
    _described: Described = field(default_factory=dict)
    _decoder: Any = None
    _is_lost: bool = False
    _sparse_until: Fraction | None = None
    _last_sparse: Fraction | None = None
    _ends: dict[int, Fraction] = field(default_factory=dict)

    def __enter__(self) -> VideoReader:
        """Open the file, or say in one line why not."""
        _refuse_unfit_path(self.path)
        self._container = self._open()
        try:
            # PyAV lets the demuxer make up presentation times where a container has none, the ffmpeg program
            # does not: H.264 in AVI came out of order, which cost frames, and a frame apart from what was cut.
            self._container.flags &= ~Flags.gen_pts.value
            self._described = describe_streams(self._container)
            self._stream = self._choose_stream()
            self._configure()
            self.crop = read_crop(self._described.get(self._stream.index, ()))
            self._clock = self._new_clock()
        except BaseException:
            self._container.close()
            raise
        return self

    def _new_clock(self) -> FrameClock:
        usual_step = 1 / (self.frame_rate or _GUESSED_RATE)
        return FrameClock(self.start_time, self.time_base, self.clock_may_jump, usual_step)

    @property
    def clock_may_jump(self) -> bool:
        """Whether the container is one whose clock may start again: MPEG-TS, MPEG-PS, Ogg."""
        return bool(int(self._container.format.flags) & _CLOCK_MAY_JUMP)

    def _open(self) -> Any:
        try:
            return av.open(
                f"file:{os.path.abspath(self.path)}",  # noqa: PTH100  # keeps undecodable names as they are
                mode="r",
                options={
                    "protocol_whitelist": "file",
                    "format_whitelist": _FORMATS,
                    "max_streams": str(MAX_STREAMS),
                    # Recordings put together may change the numbers of their tracks; they are one track each.
                    "merge_pmt_versions": "1",
                },
                metadata_errors="replace",
            )
        except MemoryError:
            raise
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise self._unreadable(f"not a video that can be read ({_reason(error)})") from error

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
    def n_audio_tracks(self) -> int:
        """Number of sound tracks."""
        return len(self._container.streams.audio)

    @property
    def audio_channels(self) -> tuple[int, ...]:
        """Number of channels of each sound track, in the order of the file."""
        counts = (count_channels(self._described.get(s.index, ())) for s in self._container.streams.audio)
        return tuple(n for n in counts if n > 0)

    def audio_track(self, track: int) -> tuple[Any, Sequence[str]] | None:
        """One of the sound tracks, counted from 0, and what FFmpeg prints of it; None where there is none."""
        streams = self._container.streams.audio
        if not 0 <= track < len(streams):
            return None
        return streams[track], self._described.get(streams[track].index, ())

    def text_tracks(self, codecs: frozenset[str]) -> list[Any]:
        """Subtitle tracks that hold text, coded in one of these ways, in the order of the file."""
        streams = self._container.streams.subtitles
        return [one for one in streams if one.codec_context is not None and one.codec_context.name in codecs]

    @property
    def container(self) -> Any:
        """The open container, for reading packets of other tracks than the video."""
        return self._container

    def audio_frames(self, stream: Any, damage: Damage) -> Iterator[Any]:
        """Decoded sound of a track in the order of the file, None as a sign of life, damage counted apart."""
        beat = time.monotonic()
        packets = self._container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:
                damage.n_read_errors += 1
                return
            try:
                yield from stream.decode(packet)
            except MemoryError:
                raise
            except (av.error.FFmpegError, ValueError):
                damage.n_errors += 1
            if time.monotonic() - beat > _HEARTBEAT_SECONDS:
                beat = time.monotonic()
                yield None

    @property
    def recorded_at(self) -> str | None:
        """Recording time by the container or the stream, ISO 8601; None where neither has one."""
        return read_recorded_at(self._container.metadata) or read_recorded_at(self._stream.metadata)

    @property
    def start_timecode(self) -> str | None:
        """Timecode of the first frame, from the video stream, the container, or a timecode track beside it.

        Without one it is counted from what the sound recorder wrote, if that is there.
        """
        found = (read_start_timecode(tags) for tags in self._tags())
        return next(filter(None, found), None) or self._untold_timecode() or self._sound_timecode()

    def _untold_timecode(self) -> str | None:
        if self.frame_rate is None or not any(stream.type == "data" for stream in self._container.streams):
            return None
        with self._open() as container:
            return read_timecode_track(container, self.frame_rate)

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
        if aspect is None or not Fraction(1, 8) <= aspect <= 8:
            return Fraction(1)
        context = self._stream.codec_context
        return true_aspect(aspect, context.width, context.height, self.crop)

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

    def packet_ticks(self) -> Iterator[int]:
        """Time stamps of the packets of the video stream, in ticks of `time_base`, nothing decoded.

        Decoding times where the container has no others, as AVI; the order is that of the file.
        """
        for packet in self._packets():
            ticks = packet.dts if packet.pts is None else packet.pts
            if ticks is not None and packet.size:
                yield int(ticks)

    def frames(self) -> Generator[TimedFrame | None]:
        """Frames in order of time, and None as a sign of life where decoding takes long.

        Frames whose time does not advance are left out and counted, as are packets that do not decode.
        """
        chooser = StampChooser()
        for frame in self._decoded():
            if frame is None:
                yield None
                continue
            if self._is_lost and not (frame.key_frame and frame.pts is not None):
                continue
            self._is_lost = False
            placed = self._clock.place(chooser.read(frame.pts, frame.dts), frame.duration)
            if placed is None:
                continue
            self.span_end = placed.time + placed.length
            self.span_start = placed.time if self.span_start is None else self.span_start
            self.n_frames += 1
            self.damage.n_corrupt += bool(frame.is_corrupt)
            yield TimedFrame(placed.time, frame, placed.pause_start)
        self._sum_up()

    def _sum_up(self) -> None:
        """Complete the account of what is wrong, once the last frame is known."""
        self.damage.n_backward, self.damage.n_too_late = self._clock.n_backward, self._clock.n_too_late
        there = max(self._ends.values(), default=self.start_time) - self.start_time
        promised = promised_seconds(self._container, self._stream, self.path)
        self.damage.broken_promise = broken_promise(promised, there)

    @property
    def clock_jumps(self) -> tuple[ClockJump, ...]:
        """Places where the stream's own clock starts again or jumps; complete once `frames` has ended."""
        return tuple(self._clock.jumps)

    @property
    def usual_rate(self) -> Fraction | None:
        """Frames per second by most distances between frames; complete once `frames` has ended."""
        rate: Fraction | None = self._clock.usual_rate
        return rate

    def notices(self) -> list[str]:
        """One line for each thing that people should know, though nothing is wrong with what was indexed."""
        return clock_notices(self._clock)

    @property
    def video_track(self) -> int:
        """Number of this video stream among those of the file, from 0, covers included."""
        return [stream.index for stream in self._container.streams.video].index(self._stream.index)

    def seek(self, time: Fraction) -> bool:
        """Let `frames` begin near a time, with the first picture there that needs no other; False if that fails.

        It may come too late, in containers without an index. Where a clock jumps, or does not say when each
        picture is shown, times are only right from the beginning on.
        """
        ticks = int((time + self.start_time) / self.time_base)
        try:
            self._container.seek(ticks, stream=self._stream, backward=True)
        except av.error.FFmpegError:
            return False
        self._is_lost, self._last_sparse = True, None
        self._clock = self._new_clock()
        return True

    def has_i_frame_between(self, after: Fraction, until: Fraction) -> bool | None:
        """Whether the container's index names a picture that needs no other there; None where it has no index.

        Args:
            after: seconds, excluded.
            until: seconds, included.
        """
        entries = self._stream.index_entries
        if not len(entries):
            return None
        first, last = (int((time + self.start_time) / self.time_base) for time in (after, until))
        place: int | None = entries.search_timestamp(last, backward=True)
        return place is not None and place >= 0 and int(entries[place].timestamp) > first

    def decode_sparsely(self, until: Fraction | None) -> None:
        """Leave out pictures before a time that no other picture needs; the others stay what they are.

        Args:
            until: seconds; None to decode every picture.
        """
        self._sparse_until = until if self.codec_name in _SPARSE_CODECS else None

    @property
    def last_sparse(self) -> Fraction | None:
        """Latest time of a picture that may have been left out since the last `seek`; None without any."""
        return self._last_sparse

    def coded_pictures(self, filters: str) -> Iterator[tuple[int | None, bytes]]:
        """Time stamp and bytes of each packet of the video, in the order stored, as filters of packets leave them.

        Raises:
            VideoUnreadableError: they cannot be read or filtered.
        """
        try:
            context = BitStreamFilterContext(filters, self._stream)
            for packet in self._container.demux(self._stream):
                for one in context.filter(packet if packet.size else None):
                    yield one.pts, bytes(one)
        except (av.error.FFmpegError, ValueError) as error:
            raise self._unreadable(f"its packets cannot be read ({_reason(error)})") from error

    def _decoded(self) -> Iterator[av.VideoFrame | None]:
        beat = time.monotonic()
        for packet in self._packets():
            self._skip_unless_needed(packet)
            try:
                yield from self._decoder.decode(packet)
            except MemoryError:
                raise
            except (av.error.FFmpegError, ValueError):
                self.damage.n_errors += 1
            if time.monotonic() - beat > _HEARTBEAT_SECONDS:
                beat = time.monotonic()
                yield None

    def _skip_unless_needed(self, packet: Any) -> None:
        is_sparse = False
        if self._sparse_until is not None and packet is not None and packet.pts is not None:
            time = packet.pts * self.time_base - self.start_time
            if is_sparse := time < self._sparse_until:
                self._last_sparse = time if self._last_sparse is None else max(time, self._last_sparse)
        self._stream.codec_context.skip_frame = "NONREF" if is_sparse else "DEFAULT"

    def _packets(self) -> Iterator[Any]:
        """Packets of the video, None to empty the decoder; of all other tracks only the times are looked at."""
        packets, wanted = self._container.demux(), self._stream.index
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:
                self.damage.n_read_errors += 1
                # The demuxer's generator has ended with its error; what the decoder still holds is not lost.
                yield None
                return
            self._note_time(packet)
            if packet.stream.index == wanted:
                self.damage.n_corrupt += bool(packet.is_corrupt)
                yield packet

    def _note_time(self, packet: Any) -> None:
        stamp, base = packet.pts if packet.pts is not None else packet.dts, packet.time_base
        if stamp is None or not packet.size or base is None:
            return
        index, end = packet.stream.index, (stamp + (packet.duration or 0)) * rational(base)
        if end > self._ends.get(index, end - 1):
            self._ends[index] = end
        if packet.stream.type == "audio":
            self._clock.hear(int(end))

    def _choose_stream(self) -> Any:
        container = self._container
        n_tracks = len(container.streams.video) + len(container.streams.audio)
        if n_tracks > MAX_TRACKS:
            raise self._unreadable(f"{n_tracks} tracks of pictures and sound, more than the {MAX_TRACKS} allowed")
        if str(container.metadata.get("major_brand", "")).strip().lower() in _STILL_BRANDS:
            raise self._unreadable("a still picture, not a video")
        stream = choose_video(container, self._open)
        if stream is None:
            covers = len(container.streams.video)
            raise self._unreadable("no video stream (only a cover picture)" if covers else "no video stream")
        return stream

    def _configure(self) -> None:
        context, codec = self._stream.codec_context, codec_of(self._stream)
        if not codec:
            raise self._unreadable("its video codec is unknown")
        if refusal := refusal_of(codec):
            raise self._unreadable(refusal)
        self.check_size(context.width, context.height)
        self._stream.thread_type = "AUTO"
        context.thread_count = self.n_threads
        # Pictures begin exactly where their headers say, as in the ffmpeg program, and not at a rounder address.
        context.flags |= CodecFlags.unaligned.value
        context.options = {"max_pixels": str(MAX_PICTURE_PX)}
        self._decoder = self._stream
        if self.decoder:
            self._decoder = av.CodecContext.create(self.decoder, "r")
            self._decoder.options = context.options

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
