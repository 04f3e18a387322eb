"""What a player shows of a video, frame by frame, by the ffmpeg program: to tell which frame a film shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from indexer.media.ffmpeg import find_ffmpeg, open_own, send

Grey = NDArray[np.int16]
"""(height, width)."""


def player_frames(path: Path, size: tuple[int, int], stream: str = "V:0", **options: Any) -> list[Grey]:
    """All frames, in the order stored, turned, flipped and cropped as players do, at a width and height."""
    data, (width, height) = bytearray(), size
    opened = open_own(path, max_streams=1000, **options)[stream]
    shown = opened.filter("scale", width, height).filter("format", "gray")
    find_ffmpeg().run(send([shown], format="rawvideo", fps_mode="passthrough"), on_bytes=data.extend)
    return list(np.frombuffer(bytes(data), np.uint8).reshape(-1, height, width).astype(np.int16))


def film_frames(path: Path) -> list[Grey]:
    """All frames of a film as they are stored; it must not ask players to change them."""
    container: Any
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    assert all(side.type.name != "DISPLAYMATRIX" for frame in frames for side in frame.side_data)
    return [frame.to_ndarray(format="gray").astype(np.int16) for frame in frames]


def nearest_frames(film: Sequence[Grey], source: Sequence[Grey], most: float = 8.0) -> list[int | None]:
    """Which frame of a source each frame of a film shows; None where it is none of them, in shape or in looks."""
    return [_nearest(frame, source, most) for frame in film]


def _nearest(frame: Grey, source: Sequence[Grey], most: float) -> int | None:
    distances = [float(np.abs(frame - one).mean()) if frame.shape == one.shape else 255.0 for one in source]
    best = int(np.argmin(distances))
    return best if distances[best] < most else None
