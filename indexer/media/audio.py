"""Sound on request: a track of a video as float samples at one rate, in blocks, on the time line of its pictures.

Sample n belongs to the time n / rate. Where nothing was recorded, before the sound begins and in its gaps, there
is silence. A limited child decodes; the parent holds one block.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import NoAudioError, VideoUnreadableError
from indexer.media.audio_blocks import AudioBlocks, Samples
from indexer.media.clock import JUMP_BACK
from indexer.media.frames_at import LIMITS
from indexer.media.isolation import run_limited
from indexer.media.limits import MAX_DURATION, ChildLimits
from store.records import VideoFacts

if TYPE_CHECKING:  # whoever starts the child decodes nothing itself
    from indexer.media.decode import VideoReader

_Entry = tuple[dict[str, Any], list[bytes]]
_Piece = tuple[Fraction | None, Samples, int]

_BESIDE = Fraction(5)
"""So far from the picture that the index names, sound jumps with a clock that jumps."""

_MAX_RATE_HZ = 192_000
_SCALES = {"u8": 2**7, "s16": 2**15, "s32": 2**31, "s64": 2**63}
_WEIGHTS = {"FC": 2**0.5, "FL": 1.0, "FR": 1.0, "LFE": 0.0, "LFE2": 0.0}
_OTHER_WEIGHT = 0.5**0.5
"""Shares of channels in mono, those behind and above; divided by their sum, so that nothing clips."""


@dataclass(frozen=True, slots=True)
class AudioBlock:
    """A second of sound; less at the end.

    Args:
        first_sample: number of the first sample, counted from zero of the video's time line.
        rate_hz: samples per second.
        samples: float32, (n_channels, n_samples), full scale from -1 to 1.
        n_lost: packets up to here that did not decode, and are silence.
    """

    first_sample: int
    rate_hz: int
    samples: Samples = field(repr=False)
    n_lost: int = 0

    @property
    def time(self) -> Fraction:
        """Time of the first sample, in exact seconds."""
        return Fraction(self.first_sample, self.rate_hz)


@dataclass(frozen=True, slots=True)
class AudioRequest:
    """Sound wanted of a video.

    Args:
        rate_hz: samples per second.
        is_mono: all channels mixed into one, which never clips; else each of them.
        track: which sound track, from 0.
        start: seconds on the time line at which blocks begin.
        end: seconds at which they end; None for the end of the sound.
    """

    rate_hz: int = 16_000
    is_mono: bool = True
    track: int = 0
    start: Fraction = Fraction(0)
    end: Fraction | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not 1 <= self.rate_hz <= _MAX_RATE_HZ:
            raise ValueError(f"sound has 1 to {_MAX_RATE_HZ} samples per second, not {self.rate_hz}")
        if self.start < 0 or (self.end is not None and self.end < self.start):
            raise ValueError(f"sound from {self.start} to {self.end} s is none")


def read_audio(
    path: str, request: AudioRequest, facts: VideoFacts | None = None, limits: ChildLimits = LIMITS
) -> Generator[AudioBlock]:
    """The sound of a video in blocks without gaps; the child waits while nobody takes them.

    Args:
        path: the video file.
        request: what is wanted.
        facts: what the index knows of the video. Without them, the pictures of a file whose clock may start again
            (MPEG-TS, MPEG-PS, Ogg) are decoded first, to see whether it does.
        limits: what the child process may use.

    Raises:
        NoAudioError: the video has no such sound track.
        VideoUnreadableError: not a video, or refused.
        MediaError: the decoding process failed for a reason of its own.
    """
    arguments = {
        "path": path,
        "rate_hz": request.rate_hz,
        "is_mono": request.is_mono,
        "track": request.track,
        "first": round(request.start * request.rate_hz),
        "end": None if request.end is None else round(request.end * request.rate_hz),
        "jumps": facts and [[str(jump.time), jump.tick] for jump in facts.clock_jumps],
    }
    for message in run_limited(f"{__name__}:run_read_audio", arguments, limits, path):
        header = message.header
        if "n_tracks" in header:
            raise NoAudioError(f"{path}: {_no_track(int(header['n_tracks']), request.track)}")
        if "first" not in header:
            continue
        try:
            samples = np.frombuffer(message.blobs[0], np.float32).reshape(int(header["n_channels"]), -1)
            yield AudioBlock(int(header["first"]), request.rate_hz, samples, int(header["n_lost"]))
        except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError) as error:
            raise VideoUnreadableError(f"{path}: the decoder sent nonsense ({error})") from error


def _no_track(n_tracks: int, track: int) -> str:
    if not n_tracks:
        return "the video has no sound"
    return f"the video has {n_tracks} sound track{'s' if n_tracks > 1 else ''}, so there is no track {track}"


def run_read_audio(
    path: str,
    rate_hz: int,
    is_mono: bool,
    track: int,
    first: int,
    end: int | None,
    jumps: Sequence[tuple[str, int]] | None,
) -> Iterator[_Entry]:
    """The child's side of `read_audio`: blocks, and empty messages as signs of life."""
    from indexer.media.decode import Damage, VideoReader

    known = jumps
    if known is None:
        with VideoReader(path) as reader:
            if reader.clock_may_jump and reader.has_audio:
                yield from (({}, []) for timed in reader.frames() if timed is None)
            known = [(str(jump.time), jump.tick) for jump in reader.clock_jumps]
    with VideoReader(path) as reader:
        found = reader.audio_track(track)
        if found is None:
            yield {"n_tracks": reader.n_audio_tracks}, []
            return
        line = _Line(reader, [(Fraction(time), tick) for time, tick in known])
        damage = Damage()
        pieces = _pieces(reader, found, damage, line, is_mono=is_mono)
        blocks = AudioBlocks(rate_hz, first, end)
        for piece in pieces:
            if piece is None:
                yield {}, []
                continue
            for at, samples in blocks.push(*piece):
                yield _block(at, samples, damage.n_errors)
            if blocks.is_full:
                return
        for at, samples in blocks.finish():
            yield _block(at, samples, damage.n_errors)


def _block(at: int, samples: Samples, n_lost: int) -> _Entry:
    return {"first": at, "n_channels": len(samples), "n_lost": n_lost}, [samples.tobytes()]


class _Line:
    """Position of sound on the time line of the pictures, whatever the stream's own clock does.

    Args:
        reader: the open file.
        jumps: time on the line and tick of each picture before which the clock jumps, in order.
    """

    def __init__(self, reader: VideoReader, jumps: Sequence[tuple[Fraction, int]]) -> None:
        self._start = reader.start_time
        self._jumps = [(time, tick * reader.time_base - self._start) for time, tick in jumps]
        self._shift = Fraction(0)
        self._raw_end: Fraction | None = None

    def place(self, stamp: Fraction | None, length: Fraction) -> Fraction | None:
        """Time of a frame; None for one that has none, or one beyond what is believed.

        Args:
            stamp: its time stamp in seconds of the stream's clock.
            length: how long it lasts, in seconds.
        """
        if stamp is None:
            return None
        raw = stamp - self._start
        if self._jumps and self._raw_end is not None and abs(raw - self._raw_end) > JUMP_BACK:
            time, picture = self._jumps[0]
            if abs(raw - picture) <= _BESIDE:
                self._shift = time - picture
                del self._jumps[0]
        self._raw_end = raw + length
        placed = raw + self._shift
        return placed if placed <= MAX_DURATION else None


def _pieces(
    reader: VideoReader, track: tuple[Any, Sequence[str]], damage: Any, line: _Line, *, is_mono: bool
) -> Iterator[_Piece | None]:
    """Decoded sound with its time and its rate, None as a sign of life."""
    from indexer.media.decode import rational
    from indexer.media.described import channel_names, count_channels

    stream, described = track
    names, n_channels = channel_names(described), count_channels(described)
    if stream.codec_context is None or not n_channels:
        raise VideoUnreadableError(f"{reader.path}: its sound is of an unknown kind")
    if not names:  # else PyAV makes a copy of the layout with each frame, and frees its memory twice
        stream.codec_context.layout = f"{n_channels} channels"
    for frame in reader.audio_frames(stream, damage):
        if frame is None:
            yield None
            continue
        base, rate = rational(frame.time_base), int(frame.sample_rate)
        if not frame.samples or rate <= 0:
            continue
        samples = _to_float(frame, int(frame.layout.nb_channels))
        stamp = None if frame.pts is None or base is None else frame.pts * base
        if is_mono:
            samples = _mix(samples, names if len(names) == len(samples) else ())
        yield line.place(stamp, Fraction(samples.shape[1], rate)), samples, rate


def _to_float(frame: Any, n_channels: int) -> Samples:
    """(n_channels, n_samples), whatever the format."""
    name = str(frame.format.name)
    kind = name.removesuffix("p")
    dtype = {
        "u8": np.uint8,
        "s16": np.int16,
        "s32": np.int32,
        "s64": np.int64,
        "flt": np.float32,
        "dbl": np.float64,
    }[kind]
    if frame.format.is_planar:
        raw = np.stack([np.frombuffer(plane, dtype)[: frame.samples] for plane in frame.planes])
    else:
        count = frame.samples * n_channels
        raw = np.frombuffer(frame.planes[0], dtype)[:count].reshape(-1, n_channels).T
    if kind not in _SCALES:
        return np.nan_to_num(raw.astype(np.float32), posinf=0.0, neginf=0.0)
    middle = 128.0 if kind == "u8" else 0.0
    return ((raw.astype(np.float64) - middle) / _SCALES[kind]).astype(np.float32)


def _mix(samples: Samples, names: Sequence[str]) -> Samples:
    """One channel of all, by the weights of their names, or alike."""
    weights = np.array([_WEIGHTS.get(name, _OTHER_WEIGHT) for name in names] or [1.0] * len(samples))
    if not weights.sum():
        weights = np.ones(len(samples))
    mixed: Samples = (weights / weights.sum()).astype(np.float32)[None] @ samples
    return mixed
