"""Video files from pictures, for the sample library and for tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import MediaError

_SOUND_RATE_HZ = 48_000  # the one rate that every encoder takes
_SOUND_BLOCK = 1152  # samples; what MPEG layers II and III take at once, and AAC takes too


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """Settings for writing a video; the container follows from the file's name.

    Args:
        codec: ffmpeg's name of the video encoder.
        frame_rate: frames per second; picture times are whole multiples of one frame.
        pixel_format: as ffmpeg names it.
        sound_codec: ffmpeg's name of the sound encoder; None for a video without sound.
        tone_hz: pitch of the sound.
        options: further options of the video encoder.
    """

    codec: str
    frame_rate: int
    pixel_format: str = "yuv420p"
    sound_codec: str | None = "aac"
    tone_hz: float = 220.0
    options: Mapping[str, str] = field(default_factory=dict)


def write_video(path: Path, pictures: Iterable[tuple[int, NDArray[np.uint8]]], form: VideoFormat) -> None:
    """Write pictures, and a soft tone if the format has sound, as a video file.

    Args:
        path: where to write.
        pictures: (number of the frame from 0, RGB picture); leaving numbers out makes the rate variable.
        form: how.

    Raises:
        MediaError: the encoder refuses, or the file cannot be written.
    """
    import av

    try:
        with av.open(str(path), "w") as container:
            video: Any = container.add_stream(form.codec, rate=form.frame_rate, options=dict(form.options))
            video.pix_fmt = form.pixel_format
            sound = _Tone(container, form) if form.sound_codec else None
            for number, picture in pictures:
                if not video.codec_context.is_open:
                    video.height, video.width = picture.shape[:2]
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, form.frame_rate)
                container.mux(video.encode(frame))
                if sound:
                    sound.write_until(Fraction(number + 1, form.frame_rate))
            container.mux(video.encode(None))
            if sound:
                sound.finish()
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"cannot write the video {path}: {error}") from error


class _Tone:
    """A soft tone that is written beside the pictures."""

    def __init__(self, container: Any, form: VideoFormat) -> None:
        self._container = container
        self._stream: Any = container.add_stream(form.sound_codec, rate=_SOUND_RATE_HZ)
        self._stream.layout = "mono"
        self._tone_hz = form.tone_hz
        self._n_samples = 0

    def write_until(self, seconds: Fraction) -> None:
        import av

        while self._n_samples < seconds * _SOUND_RATE_HZ:
            at = (self._n_samples + np.arange(_SOUND_BLOCK)) / _SOUND_RATE_HZ
            wave = 3000 * np.sin(2 * np.pi * self._tone_hz * at) * (0.6 + 0.4 * np.sin(2 * np.pi * at / 3))
            block = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], format="s16", layout="mono")
            block.rate, block.pts = _SOUND_RATE_HZ, self._n_samples
            block.time_base = Fraction(1, _SOUND_RATE_HZ)
            self._container.mux(self._stream.encode(block))
            self._n_samples += _SOUND_BLOCK

    def finish(self) -> None:
        self._container.mux(self._stream.encode(None))
