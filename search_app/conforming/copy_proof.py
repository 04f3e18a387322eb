"""Proof, without decoding, that copied clips of a finished file are the pictures of their sources, bit for bit.

The ffmpeg program copied; PyAV reads both the film and the sources anew, each source by the clock of the index.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import FfmpegError, MediaError
from indexer.media.coded_pictures import CodedStretch, read_coded
from indexer.media.frames_at import FilmLook
from search_app.conforming.conform import Conformed
from search_app.conforming.source_frames import tick_span
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import Clip


@dataclass(frozen=True, slots=True)
class CopyProof:
    """Proof of the copied clips of a film.

    Args:
        proven: numbers in the film of the first frames of those that are copies bit for bit.
        look: what the film is; None if it was not read.
    """

    proven: frozenset[int] = frozenset()
    look: FilmLook | None = None


def prove_copied(
    rendered: Path,
    copied: Sequence[tuple[int, Clip, Path, Conformed]],
    profile: Profile,
    cancel: threading.Event | None = None,
) -> CopyProof:
    """Compare copied clips with their sources.

    Args:
        rendered: the film.
        copied: number of its first frame in the film, clip, source and what was made of it, for each clip.
        profile: of the film.
        cancel: stops it when set.

    Raises:
        FfmpegError: the film cannot be read, or it was cancelled.
    """
    if not copied:
        return CopyProof()
    wanted = [(str(source), clip.span.start, clip.span.end) for _, clip, source, _ in copied]
    film, *sources = read_coded([(str(rendered), None, None), *wanted])
    if cancel and cancel.is_set():
        raise FfmpegError("cancelled")
    if isinstance(film, MediaError):
        raise FfmpegError(str(film)) from film
    numbers = [round(picture.time * profile.frame_rate) for picture in film.pictures]
    proven = frozenset(
        first_frame
        for (first_frame, clip, _, made), source in zip(copied, sources, strict=True)
        if isinstance(source, CodedStretch) and _is_same(film, numbers, first_frame, clip, made, source, profile)
    )
    return CopyProof(proven, FilmLook(len(numbers), (film.size,), film.is_as_stored))


def _is_same(
    film: CodedStretch,
    numbers: Sequence[int],
    first_frame: int,
    clip: Clip,
    made: Conformed,
    source: CodedStretch,
    profile: Profile,
) -> bool:
    """Whether the frames of a clip in the film are exactly those of its source, shown in the same way."""
    first, end = tick_span(clip.span, clip.facts)
    ticks = [one.time / clip.facts.time_base + clip.facts.start_pts_offset for one in source.pictures]
    due = source.pictures[bisect_left(ticks, first) : bisect_left(ticks, end)]
    seen = slice(place := bisect_left(numbers, first_frame), place + made.n_frames)
    is_shaped = source.is_as_stored and source.size == (profile.width_px, profile.height_px)
    is_counted = list(numbers[seen]) == list(range(first_frame, first_frame + made.n_frames))
    return is_shaped and is_counted and [one.sums for one in due] == [one.sums for one in film.pictures[seen]]
