"""Small real videos whose shots are plain colours: `FakeEncoder` finds them, and their cuts are known."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.fakes import make_picture

RATE = 25


def write_colour_clip(path: Path, colours: Sequence[str], shot_seconds: float = 1.0, salt: int = 0) -> Path:
    """A video with one shot for each colour, hard cuts between them, H.264 or whatever the ending asks for.

    Args:
        path: where to write it.
        colours: words that `FakeEncoder` knows.
        shot_seconds: length of each shot.
        salt: another number makes another file of the same look.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(salt)
    with av.open(f"file:{path}", "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(RATE), options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for colour in colours:
            picture = make_picture(colour).astype(np.int16)
            picture += noise.integers(-3, 4, (36, 64, 1), dtype=np.int16)
            frame = av.VideoFrame.from_ndarray(picture.clip(0, 255).astype(np.uint8), format="rgb24")
            for _ in range(round(shot_seconds * RATE)):
                frame.pts = None
                container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_colour_library(folder: Path, n_videos: int) -> list[Path]:
    """Different videos of three shots each."""
    colours = ("red", "green", "blue", "yellow", "purple", "white")
    return [
        write_colour_clip(
            folder / f"clip{number:02d}.mp4",
            [colours[(number + step * (1 + number % 3)) % len(colours)] for step in range(3)],
            shot_seconds=0.6,
            salt=number,
        )
        for number in range(n_videos)
    ]
