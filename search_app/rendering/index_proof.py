"""Proof that ffmpeg's clock for a source is the indexer's, by pictures that the indexer itself has made.

Whatever else verification compares comes out of one program: were its times of a file other than the indexer's,
cut and proof would be off alike. Thumbnails are of sampled frames, whose exact times the archive knows.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import Ffmpeg, send
from search_app.conforming.source_frames import FrameLog, shown_upright, source_frames, tried_prerolls
from search_app.cutting.cut_list import Clip
from search_app.errors import QueryError
from search_app.frame_rates import mean_rate
from search_app.query.picture import read_picture
from search_app.rendering.verify import ClipCheck, Placed

WIDTH_PX, HEIGHT_PX = 160, 90
"""Both are shrunk to this, whatever their shape."""

PREROLLS: tuple[Fraction | None, ...] = (Fraction(2), Fraction(16), None)
"""Other than those of cutting."""

N_FRAMES_AROUND = 3
N_TRIES = 3
"""So many thumbnails of a source are tried until one tells; where nothing moves, none does."""

CLEARLY_NEARER = 0.7
"""A frame is the thumbnail's if it is nearer than this part of the distance of every other one."""

Small = NDArray[np.float32]
"""(WIDTH_PX * HEIGHT_PX,): luma of mean 0 and length 1."""


def check_clocks(
    program: Ffmpeg, placed: Sequence[Placed], checks: Sequence[ClipCheck], cancel: threading.Event | None = None
) -> list[ClipCheck]:
    """Finding where a source's frames have other times than the index says: not exact.

    Args:
        program: ffmpeg.
        placed: the clips.
        checks: what was found out about each so far.
        cancel: stops it when set.

    Raises:
        FfmpegError: it was cancelled.
    """
    by_video: dict[str, list[Placed]] = {}
    for place in placed:
        by_video.setdefault(place.clip.video_id, []).append(place)
    offsets = {video_id: _offset(program, places, cancel) for video_id, places in by_video.items()}
    return [_told(check, offsets[place.clip.video_id]) for place, check in zip(placed, checks, strict=True)]


def _told(check: ClipCheck, offset: int) -> ClipCheck:
    if not offset:
        return check
    first, last = (replace(edge, is_exact=False, seen_offset=-offset) for edge in (check.first, check.last))
    told = f"the archive has other times for its frames, {offset:+d} frame off: index it again"
    return ClipCheck(first, last, "; ".join(filter(None, [told, check.reason])))


def _offset(program: Ffmpeg, places: Sequence[Placed], cancel: threading.Event | None) -> int:
    """Number of frames by which a thumbnail's picture comes late; 0 where no thumbnail tells."""
    for place in places[:: max(1, len(places) // N_TRIES)][:N_TRIES]:
        thumbnail = _thumbnail(place.clip)
        if thumbnail is None:
            continue
        try:
            offset = judge(thumbnail, _frames_around(program, place, cancel))
        except FfmpegError:
            if cancel and cancel.is_set():
                raise
            continue
        if offset is not None:
            return offset
    return 0


def judge(thumbnail: Small, frames: dict[int, Small]) -> int | None:
    """Number of the frame that a thumbnail shows, 0 for the right one; None if none inside stands out.

    Args:
        thumbnail: the picture.
        frames: those around it, by their place relative to its time.
    """
    distances = sorted((float(np.linalg.norm(thumbnail - frame)), place) for place, frame in frames.items())
    if 0 not in frames or len(distances) < 2 or distances[0][0] > CLEARLY_NEARER * distances[1][0]:
        return None
    nearest = distances[0][1]
    return nearest if abs(nearest) < N_FRAMES_AROUND else None


def _thumbnail(clip: Clip) -> Small | None:
    """Thumbnails of the index in a clip; None if they cannot be read, or were seen at other times."""
    path = Path(clip.hits[0].thumbnail if clip.hits else "")
    if not clip.hits or path.stem != f"{round(clip.hits[0].time * 1_000_000):012d}":
        return None  # a thumbnail is named by its microsecond; a clip may borrow one from nearby
    try:
        picture = read_picture(path)
    except QueryError:
        return None
    from PIL import Image

    small = Image.fromarray(picture).convert("L").resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.BOX)
    return normed(np.asarray(small))


def normed(luma: NDArray[np.uint8]) -> Small:
    """A picture made comparable whatever its range of light and colours."""
    flat = luma.astype(np.float32).ravel()
    flat -= flat.mean()
    return flat / max(1.0, float(np.linalg.norm(flat)))


def _frames_around(program: Ffmpeg, place: Placed, cancel: threading.Event | None) -> dict[int, Small]:
    """Frames of the source around the time of a clip's thumbnail, by their place relative to it."""
    facts, hit = place.clip.facts, place.clip.hits[0]
    tick = round(hit.time / facts.time_base + facts.start_pts_offset)
    margin = round((N_FRAMES_AROUND + 0.5) / (mean_rate(facts) * facts.time_base)) + 1
    for preroll in tried_prerolls(facts, hit.time, PREROLLS):
        log, data = FrameLog(), bytearray()
        shown = source_frames(facts, place.source, hit.time, preroll, place.look)
        around = shown.filter("trim", start_pts=tick - margin, end_pts=tick + margin + 1)
        small = (
            shown_upright(around, facts, place.look)
            .filter("scale", WIDTH_PX, HEIGHT_PX, flags="area")
            .filter("format", "gray")
        )
        output = send([small], format="rawvideo", fps_mode="passthrough")
        program.run(output, cancel=cancel, on_bytes=data.extend, on_line=log.read)
        frames = np.frombuffer(bytes(data), np.uint8).reshape(-1, HEIGHT_PX * WIDTH_PX)
        ticks = [one for one in log.ticks if tick - margin <= one <= tick + margin]
        if len(ticks) == len(frames) and tick in ticks:
            return {i - ticks.index(tick): normed(frame) for i, frame in enumerate(frames)}
    return {}
