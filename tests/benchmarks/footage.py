"""Footage for the benchmarks: drawn by code, as hard to decode as real video, with cuts that are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.media.ffmpeg import find_ffmpeg, open_own, save
from indexer.media.writer import VideoFormat, write_video
from tests.counted_video import draw_number
from tests.shared_media import MEDIA

RATE = 24


def real_clip() -> Path | None:
    """70 seconds of a real film with sound and 26 shots, 800x332 VP8, where it lies beside the project."""
    path = MEDIA / "tears-of-steel-battle-clip-medium.webm"
    return path if path.exists() else None


def write_footage(
    path: Path,
    seconds: float,
    size: tuple[int, int] = (1920, 1080),
    shot_seconds: float = 4,
    group_seconds: float | None = None,
) -> Path:
    """An H.264 video of moving shapes with grain and an AAC tone, a cut every `shot_seconds`.

    Args:
        path: an .mp4 to write.
        seconds: its length.
        size: width and height.
        shot_seconds: length of each shot.
        group_seconds: longest group of pictures; None for what x264 does, about ten seconds.
    """
    options = {"preset": "veryfast", "crf": "23"}
    if group_seconds is not None:
        options["g"] = str(round(group_seconds * RATE))
    form = VideoFormat("libx264", RATE, options=options)
    write_video(path, _draw(round(seconds * RATE), size, round(shot_seconds * RATE)), form)
    return path


def write_counted_footage(
    path: Path, n_frames: int, size: tuple[int, int], frames_per_shot: int, seed: int
) -> Path:
    """The same, with the number of each frame drawn into the middle, for `tests.counted_video.read_numbers`.

    Every shot is one group of pictures: x264 left to itself begins several in a shot, and at some cuts none.

    Args:
        path: an .mp4 to write.
        n_frames: its length.
        size: width and height.
        frames_per_shot: length of each shot.
        seed: other pictures for another number.
    """
    width, height = size[0] // 4, size[1] // 4
    left, top = (size[0] - width) // 2, (size[1] - height) // 2

    def numbered() -> Iterator[tuple[int, NDArray[np.uint8]]]:
        for number, picture in _draw(n_frames, size, frames_per_shot, seed):
            picture[top : top + height, left : left + width] = draw_number(number, (width, height))[:, :, None]
            yield number, picture

    options = {
        "preset": "veryfast",
        "crf": "23",
        "keyint_min": "1",
        "g": str(frames_per_shot),
        "sc_threshold": "0",
    }
    form = VideoFormat("libx264", RATE, options=options)
    write_video(path, numbered(), form)
    return path


def _draw(
    n_frames: int, size: tuple[int, int], per_shot: int, seed: int = 3
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    width, height = size
    chance = np.random.default_rng(seed)
    grain = chance.integers(-6, 7, (height + 64, width + 64, 1), dtype=np.int16)
    for number in range(n_frames):
        if number % per_shot == 0:
            colours = chance.integers(0, 255, (9, 20, 3), dtype=np.int16)
            scene = colours.repeat(height // 9 + 1, 0).repeat(width // 10 + 1, 1)[:height]
        shift = 4 * (number % per_shot) % (scene.shape[1] - width)
        y, x = chance.integers(0, 64, 2)
        picture = scene[:, shift : shift + width] + grain[y : y + height, x : x + width]
        yield number, picture.clip(0, 255).astype(np.uint8)


def repeat(video: Path, times: int, path: Path) -> Path:
    """A file that holds a video several times in a row, copied without coding it again."""
    source = open_own(video, stream_loop=times - 1)
    find_ffmpeg().run(save([source["v:0"], source["a:0"]], path, c="copy"))
    return path
