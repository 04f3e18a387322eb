"""A small picture of a clip, from inside it: what was trimmed away may be blocked."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg, send
from indexer.media.fingerprint import fingerprint
from indexer.media.pictures import THUMBNAIL_LONG_SIDE_PX, RgbImage
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
from search_app.exports.film import FilmClip
from search_app.query.picture import read_picture
from store.limited import is_own_file


def clip_picture(clip: FilmClip) -> RgbImage | None:
    """The thumbnail of the frame that answers; where none lies inside the clip, a frame of its source.

    Returns:
        (height, width, 3) uint8; None if neither the archive nor a source has a picture.
    """
    thumbnail = Path(clip.hit.thumbnail)
    try:
        if is_own_file(thumbnail, n_folders=2):  # none that a stranger's archive has as a link to another picture
            return read_picture(thumbnail)
    except QueryError:
        pass
    return _decoded(find_ffmpeg(), clip.clip)


def _decoded(program: Ffmpeg, clip: Clip) -> RgbImage | None:
    """A frame of the middle, or of the beginning where no other frame begins in the second half."""
    first, end = tick_span(clip.span, clip.facts)
    for source in map(Path, clip.paths):
        try:
            if fingerprint(source) != clip.video_id:
                continue  # not what was indexed
            look = look_at(program, clip, source)
            for begin in ((first + end) // 2, first):
                picture = _first_frame(program, clip, source, look, range(begin, end))
                if picture is not None:
                    return picture
        except (FfmpegError, OSError):
            continue  # it may lie elsewhere, too
    return None


def _first_frame(program: Ffmpeg, clip: Clip, source: Path, look: FrameLog, ticks: range) -> RgbImage | None:
    facts, start = clip.facts, tick_seconds(ticks.start, clip.facts)
    scale = min(1.0, THUMBNAIL_LONG_SIDE_PX / max(facts.width_px, facts.height_px))
    width, height = (max(1, round(side * scale)) for side in (facts.width_px, facts.height_px))
    for preroll in tried_prerolls(facts, start):
        log, data = FrameLog(), bytearray()
        shown = source_frames(facts, source, start, preroll, look)
        inside = frames_between(shown, facts, look, ticks.start, ticks.stop)
        small = inside.filter("scale", width, height, flags="area").filter("format", "rgb24")
        output = send([small], format="rawvideo", fps_mode="passthrough", **{"frames:v": 1})
        program.run(output, on_bytes=data.extend, on_line=log.read)
        if is_in_time(log, facts, start, ticks.start, preroll) and len(data) == width * height * 3:
            return np.frombuffer(bytes(data), np.uint8).reshape(height, width, 3)
    return None
