"""A small drawn video with letters in its pictures and subtitles beside it: what the demo reads and hears.

No recording of a voice comes with Rushes, and none can be made on a bare machine: so the demo's speech is read
from subtitles, as it is of any video that brings some.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from indexer.demo.drawing import RgbPicture, draw_scene
from indexer.demo.world import Group, Scene
from indexer.media.writer import VideoFormat, write_video

NAME: Final = "noticeboard.mp4"
_WIDTH_PX, _HEIGHT_PX, _RATE, _SHOT_SECONDS = 640, 360, 25, 3
_SHOTS: Final = (
    (Scene(Group("boat", "white"), "harbour"), "HARBOUR OFFICE", "The last ferry leaves at noon."),
    (Scene(Group("house", "blue"), "city"), "NO ENTRY", "Nobody is allowed behind this door."),
    (Scene(Group("bus", "red"), "road"), "BUS STOP 42", "This bus goes to the mountains."),
)


def draw_noticeboard(folder: Path, seed: int) -> None:
    """Draw the video and write its subtitles beside it.

    Args:
        folder: where; it is there.
        seed: another number draws other scenes behind the same boards.

    Raises:
        MediaError: the video cannot be written.
    """
    form = VideoFormat("libx264", _RATE, options={"preset": "ultrafast", "crf": "26"})
    write_video(folder / NAME, _frames(seed), form)
    (folder / NAME).with_suffix(".srt").write_text(_subtitles(), encoding="utf-8")


def _frames(seed: int) -> Iterator[tuple[int, RgbPicture]]:
    for place, (scene, letters, _) in enumerate(_SHOTS):
        board = _board(letters)
        top, left = _HEIGHT_PX - board.shape[0] - 30, (_WIDTH_PX - board.shape[1]) // 2
        for number in range(_SHOT_SECONDS * _RATE):
            picture = draw_scene(scene, _WIDTH_PX, _HEIGHT_PX, 1 + number / _RATE, seed + place).copy()
            picture[top : top + board.shape[0], left : left + board.shape[1]] = board
            yield place * _SHOT_SECONDS * _RATE + number, picture


def _board(letters: str) -> RgbPicture:
    """Dark letters on a light board, RGB."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(44)
    left, top, right, bottom = font.getbbox(letters)
    board = Image.new("RGB", (round(right - left) + 40, round(bottom - top) + 32), (245, 240, 225))
    ImageDraw.Draw(board).text((20 - left, 16 - top), letters, font=font, fill=(25, 30, 45))
    return np.asarray(board)


def _subtitles() -> str:
    """SubRip: what is said in each shot."""
    lines = []
    for place, (_, _, said) in enumerate(_SHOTS):
        start = place * _SHOT_SECONDS
        lines.append(f"{place + 1}\n00:00:{start:02d},300 --> 00:00:{start + 2:02d},700\n{said}\n")
    return "\n".join(lines)
