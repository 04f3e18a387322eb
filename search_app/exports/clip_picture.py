"""A small picture of a clip, from inside it: what was trimmed away may be blocked."""

from __future__ import annotations

from pathlib import Path

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from indexer.media.fingerprint import fingerprint
from indexer.media.pictures import THUMBNAIL_LONG_SIDE_PX, RgbImage
from search_app.conforming.small_frames import read_small_frames
from search_app.conforming.source_frames import FrameLog, look_at, tick_span
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
    facts = clip.facts
    scale = min(1.0, THUMBNAIL_LONG_SIDE_PX / max(facts.width_px, facts.height_px))
    width, height = (max(1, round(side * scale)) for side in (facts.width_px, facts.height_px))
    found = read_small_frames(program, facts, source, look, ticks, (width, height), n_most=1)
    return found.pictures[0] if found.is_whole and len(found.pictures) else None
