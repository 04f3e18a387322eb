"""One pass over a video file: its facts, its shots, and the pictures that stand for them.

The pass runs in a limited child process and streams samples while it goes, so that the model works while the
decoder does; facts and shots, which need the last frame, come at the end.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field, fields
from fractions import Fraction
from typing import Any

import numpy as np

from indexer.errors import VideoUnreadableError
from indexer.media.decode import VideoReader
from indexer.media.display import DisplayShape
from indexer.media.framing import Message
from indexer.media.isolation import run_limited
from indexer.media.limits import ChildLimits
from indexer.media.pictures import (
    PictureMaker,
    RgbImage,
    encode_thumbnail,
    measure_sharpness,
    shrink_rgb,
)
from indexer.visual.frames import Candidate, FrameSampler
from indexer.visual.shots import DecidedBoundary, ShotDetector
from store.records import Boundary, ClockJump, Shot, VideoFacts
from store.timespan import TimeSpan

_CANDIDATE_SHORT_SIDE_PX = 180
_WIDE = 16 / 9
"""Most that the longer side of a kept picture measures of its shorter side; longer ones are made smaller."""

_Entry = tuple[dict[str, Any], list[bytes]]


@dataclass(frozen=True, slots=True)
class DecodeSettings:
    """Settings of decoding and sampling.

    Args:
        longest_stretch_seconds: no more of a shot than this is represented by a single frame.
        decoder_threads: threads of one decoder; 0 lets the decoder choose.
        thumbnail_size_px: shorter side of kept pictures, the longer at most 16/9 of it; never enlarged.
    """

    longest_stretch_seconds: float = 4.5
    decoder_threads: int = 2
    thumbnail_size_px: int = 180

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        if not self.longest_stretch_seconds > 0:
            raise ValueError(f"longest_stretch_seconds must be above 0, got {self.longest_stretch_seconds}")
        if not 0 <= self.decoder_threads <= 64:
            raise ValueError(f"decoder_threads must be from 0 to 64, got {self.decoder_threads}")
        if not 16 <= self.thumbnail_size_px <= 2160:
            raise ValueError(f"thumbnail_size_px must be from 16 to 2160, got {self.thumbnail_size_px}")


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture that stands for a stretch of a shot.

    Args:
        time: its exact presentation time in seconds.
        sharpness: variance of the Laplacian of its luma, for comparison inside one video.
        image: RGB, uint8, (height, width, 3), upright, square pixels, of the size that the model asks for.
        thumbnail_webp: the same picture for people, of the size that is kept.
    """

    time: Fraction
    sharpness: float
    image: RgbImage = field(repr=False)
    thumbnail_webp: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Pictures:
    """One frame twice: for the model, and to be kept; the same picture where that is large enough for both."""

    for_model: RgbImage
    to_keep: RgbImage


@dataclass(frozen=True, slots=True)
class DecodeResult:
    """Facts that are known once the last frame has been decoded.

    Args:
        facts: about the file.
        shots: in order, ordinals from 0, touching but where pictures pause.
        sample_shots: for each sample, in the order they came, the ordinal of its shot.
        seconds: time the child spent on `decode`, `detect` and `shrink`.
    """

    facts: VideoFacts
    shots: tuple[Shot, ...]
    sample_shots: tuple[int, ...]
    seconds: Mapping[str, float]


def decode_pass(
    path: str, settings: DecodeSettings, image_size_px: int, limits: ChildLimits | None = None
) -> Generator[Sample | DecodeResult]:
    """Samples of a video in order of time, and its facts and shots at the end.

    Args:
        path: the video file.
        settings: how to decode and sample.
        image_size_px: shorter side of the pictures for the model; smaller pictures are not enlarged. What is kept
            has a size of its own, in `settings`.
        limits: what the child process may use.

    Raises:
        VideoUnreadableError: not a video, refused, or nothing decodes.
        MediaError: the decoding process failed for a reason of its own.
    """
    arguments = {"path": path, "settings": asdict(settings), "image_size_px": image_size_px}
    sample_times: list[Fraction] = []
    entry = "indexer.visual.decode_pass:run_decode_pass"
    for message in run_limited(entry, arguments, limits or ChildLimits(), path):
        try:
            received = _receive(message, sample_times)
        except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
            raise VideoUnreadableError(f"{path}: the decoder sent nonsense ({error})") from error
        if isinstance(received, Sample):
            sample_times.append(received.time)
        if received is not None:
            yield received


def run_decode_pass(path: str, settings: Mapping[str, Any], image_size_px: int) -> Iterator[_Entry]:
    """The child's side of `decode_pass`."""
    chosen = DecodeSettings(**settings)
    with VideoReader(path, chosen.decoder_threads) as reader:
        yield from _Pass(reader, chosen, image_size_px).run()


class _Pass:
    """The stages of one pass, fed frame by frame."""

    def __init__(self, reader: VideoReader, settings: DecodeSettings, image_size_px: int) -> None:
        self._reader = reader
        self._image_size_px = image_size_px
        self._candidate_px = max(image_size_px, _CANDIDATE_SHORT_SIDE_PX)
        self._thumbnail_px = settings.thumbnail_size_px
        self._maker = PictureMaker(reader.pixel_aspect, reader.crop)
        self._detector = ShotDetector()
        self._sampler: FrameSampler[_Pictures] = FrameSampler(
            Fraction(settings.longest_stretch_seconds).limit_denominator(1000)
        )
        self._boundaries: list[DecidedBoundary] = []
        self._cell_start: Fraction | None = None
        self._best: tuple[float, Fraction, Any] | None = None
        self._shape: DisplayShape | None = None
        self._pauses: dict[str, str] = {}  # first instant of a pause, by the time of the frame after it
        self._seconds = {"decode": 0.0, "detect": 0.0, "shrink": 0.0}

    def run(self) -> Iterator[_Entry]:
        clock = time.perf_counter()
        for timed in self._reader.frames():
            clock = self._spend("decode", clock)
            if timed is None:
                yield {"alive": True}, []
                continue
            picture = self._maker.analysis_picture(timed.frame)
            opens = self._detector.push(timed.time, picture, after_pause=timed.pause_start is not None)
            if timed.pause_start is not None:
                self._pauses[str(timed.time)] = str(timed.pause_start)
            sharpness = measure_sharpness(picture.luma)
            clock = self._spend("detect", clock)
            if opens:
                self._close_cell()
                self._cell_start = timed.time
            if self._best is None or sharpness > self._best[0]:
                self._best = (sharpness, timed.time, timed.frame)
            if self._shape is None:
                self._shape = self._maker.shape_of(timed.frame)
            if opens:
                self._pass_on_boundaries()
                yield from self._samples(self._detector.settled_until)
            clock = self._spend("shrink", clock)
        yield from self._finish()

    def _finish(self) -> Iterator[_Entry]:
        if self._shape is None:
            raise _nothing_decoded(self._reader)
        self._detector.finish()
        self._pass_on_boundaries()
        self._close_cell()
        yield from self._samples(None)
        yield self._result(self._shape), []

    def _spend(self, stage: str, since: float) -> float:
        now = time.perf_counter()
        self._seconds[stage] += now - since
        return now

    def _close_cell(self) -> None:
        if self._best is None or self._cell_start is None:
            return
        sharpness, shown, frame = self._best
        # The model's picture never depends on what is kept: the same settings give the same vectors.
        picture = kept = self._maker.rgb_picture(frame, self._candidate_px)
        if self._thumbnail_px > self._candidate_px:
            kept = self._maker.rgb_picture(frame, self._thumbnail_px)
        pictures = _Pictures(picture, kept)
        self._sampler.add(Candidate(self._cell_start, shown, sharpness, sharpness + 1.0, pictures))
        self._best = None

    def _pass_on_boundaries(self) -> None:
        for boundary in self._detector.take_decided():
            self._boundaries.append(boundary)
            self._sampler.add_boundary(boundary.time, (boundary.start, boundary.end))

    def _samples(self, until: Fraction | None) -> Iterator[_Entry]:
        for chosen in self._sampler.settle(until, self._cell_start):
            image = shrink_rgb(chosen.picture.for_model, self._image_size_px)
            size_px = self._thumbnail_px
            thumbnail = encode_thumbnail(chosen.picture.to_keep, size_px * _WIDE, size_px)
            header = {"time": str(chosen.time), "sharpness": chosen.sharpness, "shape": list(image.shape)}
            yield header, [image.tobytes(), thumbnail]

    def _result(self, shape: DisplayShape) -> dict[str, Any]:
        reader = self._reader
        start, end = reader.span_start, reader.span_end
        starts = [str(start), *(str(boundary.time) for boundary in self._boundaries)]
        ends = [*(self._pauses.get(following, following) for following in starts[1:]), str(end)]
        damage = reader.damage.describe()
        return {
            "container": reader.container_name,
            "video_codec": reader.codec_name,
            "width_px": shape.width_px,
            "height_px": shape.height_px,
            "rotation_degrees": shape.orientation.rotation_degrees,
            "mirrored": shape.orientation.mirrored,
            "crop": list(astuple(shape.crop)),
            "video_track": reader.video_track,
            "frame_rate": None if reader.frame_rate is None else str(reader.frame_rate),
            "usual_rate": None if reader.usual_rate is None else str(reader.usual_rate),
            "clock_jumps": [[str(jump.time), jump.tick, jump.n_frames] for jump in reader.clock_jumps],
            "time_base": str(reader.time_base),
            "start_pts_offset": str(reader.start_time / reader.time_base),
            "n_frames": reader.n_frames,
            "has_audio": reader.has_audio,
            "audio_channels": list(reader.audio_channels),
            "recorded_at": reader.recorded_at,
            "start_timecode": reader.start_timecode,
            "reel_name": reader.reel_name,
            "warnings": [*damage, *reader.notices()],
            "partial": bool(damage),
            "starts": starts,
            "ends": ends,
            "kinds": [Boundary.START, *(boundary.kind for boundary in self._boundaries)],
            "seconds": self._seconds,
        }


def _nothing_decoded(reader: VideoReader) -> VideoUnreadableError:
    return VideoUnreadableError(f"{reader.path}: no video frame decodes (damaged, encrypted or empty)")


def _receive(message: Message, sample_times: Sequence[Fraction]) -> Sample | DecodeResult | None:
    header = message.header
    if "starts" in header:
        return _result_of(header, sample_times)
    if "time" in header:
        return Sample(Fraction(header["time"]), float(header["sharpness"]), _image_of(message), message.blobs[1])
    return None


def _image_of(message: Message) -> RgbImage:
    height, width, depth = (int(side) for side in message.header["shape"])
    if depth != 3:
        raise ValueError("a picture that is not RGB")
    return np.frombuffer(message.blobs[0], np.uint8).reshape(height, width, depth)


def _result_of(header: Mapping[str, Any], sample_times: Sequence[Fraction]) -> DecodeResult:
    starts, ends = ([Fraction(text) for text in header[name]] for name in ("starts", "ends"))
    if any(end > following for end, following in zip(ends, starts[1:], strict=False)):
        raise ValueError("shots that overlap")
    shots = tuple(
        Shot(ordinal, TimeSpan(start, end), Boundary(kind))
        for ordinal, (start, end, kind) in enumerate(zip(starts, ends, header["kinds"], strict=True))
    )
    rate, usual_rate = header["frame_rate"], header["usual_rate"]
    plain = {name.name: header[name.name] for name in fields(VideoFacts) if name.name in header}
    exact = {
        "frame_rate": None if rate is None else Fraction(rate),
        "usual_rate": None if usual_rate is None else Fraction(usual_rate),
        "audio_channels": tuple(int(n) for n in header["audio_channels"]),
        "time_base": Fraction(header["time_base"]),
        "start_pts_offset": Fraction(header["start_pts_offset"]),
        "span": TimeSpan(starts[0], ends[-1]),
        "crop": tuple(int(side) for side in header["crop"]),
        "clock_jumps": tuple(
            ClockJump(Fraction(time), int(tick), int(n)) for time, tick, n in header["clock_jumps"]
        ),
        "warnings": tuple(str(line) for line in header["warnings"]),
        "partial": bool(header["partial"]),
    }
    facts = VideoFacts(**{**plain, **exact})
    edges = [float(start) for start in starts[1:]]
    ordinals = np.searchsorted(edges, [float(time) for time in sample_times], "right")
    return DecodeResult(facts, shots, tuple(int(ordinal) for ordinal in ordinals), dict(header["seconds"]))
