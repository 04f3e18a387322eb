"""Small pictures to compare: thumbnails of the archive, and frames of a source between two times."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import Ffmpeg, send
from search_app.conforming.source_frames import (
    FrameLog,
    frames_between,
    is_in_time,
    look_at,
    source_frames,
    tick_seconds,
    tick_span,
    tried_prerolls,
)
from search_app.cutting.cut_list import Clip
from search_app.errors import QueryError
from search_app.query.picture import read_picture
from search_app.relinking.alignment import Frames, SmallPictures
from store.records import VideoFacts
from store.timespan import TimeSpan

WIDTH_PX, HEIGHT_PX = 32, 18
"""Size of the pictures that are compared, whatever the shape of the video."""

NO_PICTURES: SmallPictures = np.empty((0, HEIGHT_PX, WIDTH_PX, 3), np.float32)


def read_thumbnails(paths: Sequence[str]) -> list[SmallPictures]:
    """Each thumbnail as (1, height, width, 3), or empty where it is gone: thumbnails are a cache."""
    from PIL import Image

    pictures: list[SmallPictures] = []
    for path in paths:
        try:
            image = Image.fromarray(read_picture(path)).resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.BOX)
            pictures.append(np.asarray(image, np.float32)[None] / np.float32(255))
        except QueryError:
            pictures.append(NO_PICTURES)
    return pictures


def read_frames(program: Ffmpeg, source: Path, facts: VideoFacts, video_id: str, span: TimeSpan) -> Frames:
    """Every frame of a source that begins within a span, small.

    Raises:
        FfmpegError: the file cannot be decoded there.
    """
    clip = Clip(video_id, (str(source),), span, (), facts)
    look = look_at(program, clip, source)
    first, end = tick_span(span, facts)
    start = tick_seconds(first, facts)
    for preroll in tried_prerolls(facts, start):
        log, data = FrameLog(), bytearray()
        inside = frames_between(source_frames(facts, source, start, preroll, look), facts, look, first, end)
        small = inside.filter("scale", WIDTH_PX, HEIGHT_PX, flags="area").filter("format", "rgb24")
        output = send([small], format="rawvideo", fps_mode="passthrough")
        program.run(output, on_bytes=data.extend, on_line=log.read)
        if is_in_time(log, facts, start, first, preroll):
            break
    else:
        raise FfmpegError("ffmpeg found no picture there")
    ticks = [tick for tick in sorted(log.ticks) if first <= tick < end]
    times: tuple[Fraction, ...] = tuple(tick_seconds(tick, facts) for tick in ticks)
    cells = np.frombuffer(bytes(data), np.uint8).reshape(-1, HEIGHT_PX, WIDTH_PX, 3)
    pictures = cells.astype(np.float32) / np.float32(255)
    n = min(len(times), len(pictures))
    return Frames(times[:n], pictures[:n])
