"""Small videos whose every frame carries its own number, and the reader that gets the numbers back.

The number is drawn as 4 x 4 black and white blocks over the whole picture: twelve bits of number, four of
checksum. The blocks survive H.264, scaling and black bars, so a rendered file says for each of its frames which
frame of the source it shows: the proof of exactness to the frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from indexer.media.decode import VideoReader
from indexer.media.ffmpeg import Ffmpeg, open_own, save
from indexer.media.pictures import PictureMaker
from search_app.search.ranking import Hit
from store.records import Boundary, Shot, ShotRow, VideoFacts, VideoRow
from store.timespan import TimeSpan

GRID = 4
MAX_NUMBER = 1 << 12
BURST_SECONDS = Fraction(1, 50)
SPLIT = Fraction(1, 2)


@dataclass(frozen=True)
class CountedVideo:
    """How to make one.

    Args:
        name: file name; its ending chooses the container.
        rate: frames per second.
        n_frames: how many.
        codec: name of the encoder.
        size: stored width and height.
        times: presentation times, for a variable rate; `rate` apart if empty.
        start: time stamp of the first frame, in seconds.
        pixel_aspect: width of a pixel relative to its height.
        turn: clockwise turn that a player must apply.
        layout: speakers, empty for no sound; the sound is a 1 kHz burst of 20 ms at each half second.
        sample_rate: of the sound.
        sound_seconds: where the sound ends; with the pictures if None.
        sound_gap: from when to when there is no sound, as where a recorder lost packets; empty for nowhere.
        options: for the encoder.
        first_number: the number in the first frame.
    """

    name: str
    rate: Fraction = Fraction(25)
    n_frames: int = 50
    codec: str = "libx264"
    size: tuple[int, int] = (128, 96)
    times: tuple[Fraction, ...] = ()
    start: Fraction = Fraction(0)
    pixel_aspect: Fraction = Fraction(1)
    turn: int = 0
    layout: str = ""
    sample_rate: int = 48_000
    sound_seconds: Fraction | None = None
    sound_gap: tuple[Fraction, ...] = ()
    options: tuple[tuple[str, str], ...] = field(default=())
    first_number: int = 0

    def write(self, folder: Path, program: Ffmpeg) -> Path:
        """Make the file in a folder."""
        path = folder / self.name
        upright = folder / f"upright-{self.name}" if self.turn else path
        with av.open(f"file:{upright}", "w") as container:
            self._write_streams(container)
        if self.turn:
            # The option counts counterclockwise.
            turned = open_own(upright, display_rotation=-self.turn)
            program.run(save([turned["v:0"]], path, c="copy"))
            upright.unlink()
        return path

    def _write_streams(self, container: Any) -> None:
        base = Fraction(1, 90_000) if self.times else 1 / self.rate
        pictures = container.add_stream(self.codec, rate=self.rate)
        pictures.width, pictures.height = self.size
        pictures.pix_fmt = {"prores_ks": "yuv422p10le", "mjpeg": "yuvj420p"}.get(self.codec, "yuv420p")
        pictures.codec_context.time_base = base
        pictures.codec_context.sample_aspect_ratio = self.pixel_aspect
        pictures.codec_context.options = dict(self.options)
        pictures.codec_context.gop_size = 25
        sound = (
            container.add_stream(_SOUND_CODECS[Path(self.name).suffix], rate=self.sample_rate)
            if self.layout
            else None
        )
        if sound:
            sound.layout = self.layout
        times = self.times or tuple(n / self.rate for n in range(self.n_frames))
        for number, time in enumerate(times, self.first_number):
            frame = av.VideoFrame.from_ndarray(draw_number(number, self.size, self.turn), format="gray")
            frame = frame.reformat(format=pictures.pix_fmt)
            frame.pts, frame.time_base = round((time + self.start) / base), base
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        if sound:
            self._write_sound(container, sound, float(self.sound_seconds or times[-1] + 1 / self.rate))

    def _write_sound(self, container: Any, sound: Any, seconds: float) -> None:
        samples = bursts(seconds, self.sample_rate)
        n_channels = sound.layout.nb_channels
        gap = [round(instant * self.sample_rate) for instant in self.sound_gap] or [0, 0]
        for at in range(0, len(samples), 960):
            if gap[0] <= at < gap[1]:
                continue
            piece = np.repeat(samples[None, at : at + 960], n_channels, axis=0)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), format="fltp", layout=self.layout)
            frame.sample_rate = self.sample_rate
            frame.time_base = Fraction(1, self.sample_rate)
            frame.pts = at + round(self.start * self.sample_rate)
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))


_SOUND_CODECS = {
    ".mp4": "aac",
    ".mov": "pcm_s16le",
    ".mkv": "libopus",
    ".webm": "libopus",
    ".ts": "mp2",
    ".avi": "mp2",
    ".mpg": "mp2",
    ".vob": "mp2",
}


def bursts(seconds: float, sample_rate: int) -> NDArray[np.float32]:
    """Sound that is silent but for 20 ms of 1 kHz from each half second on."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    heard = (time % float(SPLIT)) < float(BURST_SECONDS)
    return (0.5 * heard * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)


def draw_number(number: int, size: tuple[int, int], turn: int = 0) -> NDArray[np.uint8]:
    """A grey picture of a frame's number, stored so that it is upright after a clockwise turn."""
    assert 0 <= number < MAX_NUMBER
    word = number | _checksum(number) << 12
    cells = np.array([(word >> bit) & 1 for bit in range(GRID * GRID)], np.uint8).reshape(GRID, GRID)
    cells = np.rot90(cells, turn // 90)
    width, height = size
    rows, columns = np.arange(height) * GRID // height, np.arange(width) * GRID // width
    return np.ascontiguousarray(32 + 192 * cells[rows][:, columns])


def join_files(paths: Sequence[Path], target: Path, program: Ffmpeg) -> Path:
    """The packets of MPEG-TS files in one file, one file after another, each with its own headers."""
    listing = target.with_suffix(".ffconcat")
    listing.write_text("".join(f"file {path.name}\n" for path in paths))
    program.run(save([open_own(listing, format="concat", safe=1)["v:0"]], target, c="copy"))
    return target


def read_number(picture: NDArray[np.uint8]) -> int | None:
    """The number in a grey picture without bars, None if it cannot be read."""
    height, width = picture.shape
    word = 0
    for bit in range(GRID * GRID):
        row, column = divmod(bit, GRID)
        top, left = (2 * row + 1) * height // (2 * GRID), (2 * column + 1) * width // (2 * GRID)
        word |= int(picture[top - 1 : top + 2, left - 1 : left + 2].mean() > 128) << bit
    number = word % MAX_NUMBER
    return number if word >> 12 == _checksum(number) else None


def _checksum(number: int) -> int:
    return ((number >> 8) * 3 + (number >> 4) * 5 + number * 7 + 9) & 15


def read_numbers(path: Path, fits: Sequence[tuple[int, int]]) -> list[int | None]:
    """The number in each frame of a video, each read in the middle rectangle of the width and height given for it.

    Fewer rectangles than frames: the last one holds for the rest.
    """
    numbers = []
    with av.open(f"file:{path}") as container:
        for i, frame in enumerate(container.decode(video=0)):
            grey = frame.to_ndarray(format="gray").astype(np.uint8)
            width, height = fits[min(i, len(fits) - 1)]
            top, left = (grey.shape[0] - height) // 2, (grey.shape[1] - width) // 2
            numbers.append(read_number(grey[top : top + height, left : left + width]))
    return numbers


def frame_times(path: Path) -> list[Fraction]:
    """Presentation time of every frame of a rendered file, in exact seconds."""
    container: Any
    with av.open(f"file:{path}") as container:
        base = Fraction(container.streams.video[0].time_base)
        return [frame.pts * base for frame in container.decode(video=0)]


def burst_times(path: Path, sample_rate: int = 48_000) -> list[float]:
    """When each burst of sound begins in a file, in seconds."""
    container: Any
    with av.open(f"file:{path}") as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=sample_rate)
        pieces = []
        for frame in container.decode(audio=0):
            for piece in resampler.resample(frame):
                assert piece.pts is not None
                assert piece.time_base is not None
                pieces.append((round(piece.pts * piece.time_base * sample_rate), piece.to_ndarray().ravel()))
    samples = np.zeros(pieces[-1][0] + len(pieces[-1][1]), np.float32)
    for at, piece_samples in pieces:
        begin = max(at, 0)
        samples[begin : at + len(piece_samples)] = piece_samples[begin - at :]
    loud = np.flatnonzero(np.abs(samples) > 0.15)
    begins = loud[np.flatnonzero(np.diff(loud, prepend=-sample_rate) > sample_rate // 10)]
    return [float(begin / sample_rate) for begin in begins]


def row_of(path: Path) -> tuple[VideoRow, list[Fraction]]:
    """The catalog's row of a video, and the exact times of its frames, read as the indexer reads them."""
    with VideoReader(str(path)) as reader:
        timed = [frame for frame in reader.frames() if frame is not None]
        shape = PictureMaker(reader.pixel_aspect, reader.crop).shape_of(timed[0].frame)
        facts = VideoFacts(
            container=reader.container_name,
            video_codec=reader.codec_name,
            width_px=shape.width_px,
            height_px=shape.height_px,
            rotation_degrees=shape.orientation.rotation_degrees,
            frame_rate=reader.frame_rate,
            time_base=reader.time_base,
            start_pts_offset=reader.start_time / reader.time_base,
            span=TimeSpan(timed[0].time, reader.span_end),
            n_frames=len(timed),
            has_audio=reader.has_audio,
            mirrored=shape.orientation.mirrored,
            crop=astuple(shape.crop),
            video_track=reader.video_track,
            clock_jumps=reader.clock_jumps,
            usual_rate=reader.usual_rate,
            audio_channels=reader.audio_channels,
        )
    video_id = path.name.encode("utf-8", "surrogateescape").hex()[:32].ljust(32, "0")
    return VideoRow(video_id, str(path), True, (), facts, 1, {}), [frame.time for frame in timed]


def hit_of(row: VideoRow, span: TimeSpan, rank: int) -> Hit:
    """A hit on a span of a video."""
    shot = ShotRow(f"{rank:016x}", row.video_id, row.path, Shot(rank, span, Boundary.CUT), "")
    return Hit(rank, 1 - rank / 1000, shot, span.start, "")
