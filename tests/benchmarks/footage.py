"""Footage for the benchmarks: drawn by code, as hard to decode as real video, with cuts that are known."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE = 24


def write_footage(
    path: Path, seconds: float, size: tuple[int, int] = (1920, 1080), shot_seconds: float = 4
) -> Path:
    """An H.264 video of moving shapes with grain, a cut every `shot_seconds`.

    Args:
        path: an .mp4 to write.
        seconds: its length.
        size: width and height.
        shot_seconds: length of each shot.
    """
    width, height = size
    chance = np.random.default_rng(3)
    grain = chance.integers(-6, 7, (height + 64, width + 64, 1), dtype=np.int16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(RATE), options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        per_shot = round(shot_seconds * RATE)
        for number in range(round(seconds * RATE)):
            if number % per_shot == 0:
                colours = chance.integers(0, 255, (9, 20, 3), dtype=np.int16)
                scene = colours.repeat(height // 9 + 1, 0).repeat(width // 10 + 1, 1)[:height]
            shift = 4 * (number % per_shot) % (scene.shape[1] - width)
            y, x = chance.integers(0, 64, 2)
            picture = scene[:, shift : shift + width] + grain[y : y + height, x : x + width]
            frame = av.VideoFrame.from_ndarray(picture.clip(0, 255).astype(np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
