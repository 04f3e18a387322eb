"""Small pictures to compare: thumbnails of the archive, and frames of a source between two times."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import Ffmpeg
from search_app.conforming.small_frames import read_small_frames
from search_app.conforming.source_frames import look_at, tick_seconds, tick_span
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
    ticks = range(*tick_span(span, facts))
    found = read_small_frames(program, facts, source, look, ticks, (WIDTH_PX, HEIGHT_PX))
    if not found.is_whole:
        raise FfmpegError("ffmpeg found no picture there")
    times = tuple(tick_seconds(tick, facts) for tick in found.ticks)
    pictures = found.pictures.astype(np.float32) / np.float32(255)
    n = min(len(times), len(pictures))
    return Frames(times[:n], pictures[:n])
