"""Frames of a source between two instants, small: for what only looks at them or compares them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.media.ffmpeg import Ffmpeg, send
from search_app.conforming.source_frames import (
    PREROLLS,
    FrameLog,
    frames_between,
    is_in_time,
    source_frames,
    tick_seconds,
    tried_prerolls,
)
from store.records import VideoFacts


@dataclass(frozen=True, slots=True)
class SmallFrames:
    """Frames of a source.

    Args:
        ticks: time stamps of the frames between the instants, in order, whether all were read or not.
        pictures: uint8, (n, height, width, 3), RGB.
        is_whole: whether decoding began early enough for the first of them.
    """

    ticks: tuple[int, ...]
    pictures: NDArray[np.uint8]
    is_whole: bool


def read_small_frames(
    program: Ffmpeg,
    facts: VideoFacts,
    source: Path,
    look: FrameLog,
    ticks: range,
    size: tuple[int, int],
    *,
    start: Fraction | None = None,
    prerolls: Sequence[Fraction | None] = PREROLLS,
    rate: float | None = None,
    n_most: int | None = None,
    cancel: threading.Event | None = None,
) -> SmallFrames:
    """The frames whose time stamps lie in a range.

    Args:
        program: ffmpeg.
        facts: of the source.
        source: its file.
        look: how its pictures are stored.
        ticks: the range, in ticks of the source's time base.
        size: width and height in pixels.
        start: the instant that is sought, in seconds; that of the first tick if None.
        prerolls: how long before it decoding is tried to start, in turn.
        rate: so many frames a second, each the nearest; all of them if None.
        n_most: no more than so many; all of them if None.
        cancel: stops it when set.

    Raises:
        FfmpegError: the file cannot be decoded there, or it was cancelled.
    """
    start, (width, height) = tick_seconds(ticks.start, facts) if start is None else start, size
    is_whole, log, data = False, FrameLog(), bytearray()
    for preroll in tried_prerolls(facts, start, prerolls):
        log, data = FrameLog(), bytearray()
        shown = source_frames(facts, source, start, preroll, look)
        inside = frames_between(shown, facts, look, ticks.start, ticks.stop)
        if rate is not None:
            inside = inside.filter("fps", fps=f"{rate:.6f}", round="near")
        small = inside.filter("scale", width, height, flags="area").filter("format", "rgb24")
        most = {} if n_most is None else {"frames:v": n_most}
        output = send([small], format="rawvideo", **({} if rate else {"fps_mode": "passthrough"}), **most)
        program.run(output, cancel=cancel, on_bytes=data.extend, on_line=log.read)
        is_whole = is_in_time(log, facts, start, ticks.start, preroll)
        if data and is_whole:
            break
    pictures = np.frombuffer(bytes(data), np.uint8).reshape(-1, height, width, 3)
    return SmallFrames(tuple(tick for tick in sorted(log.ticks) if tick in ticks), pictures, is_whole)
