"""Checks before encoding: the target, and the source of every clip."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import Ffmpeg
from search_app.conforming.audio import BYTES_PER_SAMPLE
from search_app.conforming.coding import container_of
from search_app.conforming.picture_names import Codec
from search_app.conforming.source_frames import FrameLog, look_at
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import Clip
from search_app.errors import RenderError
from search_app.output_files import refuse_folder, refuse_taken
from search_app.rendering.film_options import FilmOptions, Subtitles
from search_app.rendering.ledger import ledger_path
from search_app.rendering.prefetch import N_AT_ONCE
from search_app.rendering.subtitles import subtitle_path

LEAST_BITS_PER_PIXEL = 0.02
"""Even still pictures need about as much; used to notice a full disk before an hour of work, not to promise."""


FileState = tuple[int, int, int, int]
"""Size, time of the last change of content, inode, and time of the last change of anything."""


@dataclass(frozen=True, slots=True)
class Sighted:
    """A clip whose source was found, is the one that was indexed, and decodes.

    Args:
        clip: the clip.
        source: the file to cut it from.
        look: how its pictures are stored.
        state: of the file before anything was read of it; changes when it is written to or replaced.
    """

    clip: Clip
    source: Path
    look: FrameLog
    state: FileState = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Unusable:
    """A clip that cannot be rendered.

    Args:
        clip: the clip.
        source: the file it should be cut from.
        reason: why it cannot.
    """

    clip: Clip
    source: Path
    reason: str


def check_target(output: Path, clips: Iterable[Clip], codec: Codec, *, overwrite: bool, film: FilmOptions) -> None:
    """Refuse a target that cannot be written or must not be.

    Raises:
        RenderError: it is a folder, exists, is one of the sources, has no folder, or an ending that does not fit.
    """
    container_of(output, codec)
    refuse_folder(output, RenderError)
    if not os.access(output.parent, os.W_OK | os.X_OK):
        raise RenderError(f"cannot write into the folder {output.parent}: check its permissions")
    beside = [subtitle_path(output)] if film.subtitles is Subtitles.BESIDE else []
    sources = {path for clip in clips for path in clip.paths} | ({str(film.music)} if film.music else set())
    for target in (output, ledger_path(output), *beside):
        refuse_taken(target, sources, overwrite=overwrite, error=RenderError)


def check_space(output: Path, clips: Iterable[Clip], profile: Profile) -> None:
    """Refuse to start where the disk cannot hold even a small result.

    Raises:
        RenderError: there is not enough space.
    """
    seconds = float(sum(clip.span.duration for clip in clips))
    pixels = profile.width_px * profile.height_px * float(profile.frame_rate)
    pictures = pixels * LEAST_BITS_PER_PIXEL / 8
    sound = profile.sample_rate * profile.n_channels * BYTES_PER_SAMPLE
    needed = int(seconds * (2 * pictures + sound)) + 2**20  # the clips, and the file joined from them
    free = shutil.disk_usage(output.parent).free
    if free < needed:
        raise RenderError(
            f"no space left on the disk of {output.parent}: at least {needed // 2**20} MB are needed, "
            f"{free // 2**20} MB are free"
        )


def is_disk_full(error: Exception) -> bool:
    """Whether something failed for want of space."""
    full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
    return full or os.strerror(errno.ENOSPC) in str(error)


def sight_sources(
    program: Ffmpeg,
    clips: Sequence[Clip],
    identify: Callable[[Path], str] | None,
    *,
    cancel: threading.Event | None = None,
    on_clip: Callable[[int], None] | None = None,
) -> list[Sighted | Unusable]:
    """Find and open the source of each clip, in order; each file is opened once.

    Args:
        program: ffmpeg.
        clips: the clips.
        identify: gives the fingerprint of a file, to notice one that changed since it was indexed.
        cancel: stops it when set.
        on_clip: told how many clips were looked at so far.
    """
    pool = ThreadPoolExecutor(N_AT_ONCE)
    try:
        looks: dict[tuple[str, ...], Future[Sighted | Unusable]] = {}
        for clip in clips:
            if clip.paths not in looks:
                looks[clip.paths] = pool.submit(_sight, program, clip, identify, cancel)
        sighted = []
        for n_done, clip in enumerate(clips, start=1):
            sighted.append(replace(looks[clip.paths].result(), clip=clip))
            if on_clip:
                on_clip(n_done)
        return sighted
    finally:
        pool.shutdown(cancel_futures=True)


def _sight(
    program: Ffmpeg, clip: Clip, identify: Callable[[Path], str] | None, cancel: threading.Event | None
) -> Sighted | Unusable:
    first: Unusable | None = None
    for path in map(Path, clip.paths):
        state = file_state(path)
        if not (reason := _refusal(path, clip, identify)):
            try:
                return Sighted(clip, path, look_at(program, clip, path, cancel), state)
            except FfmpegError as error:
                if cancel and cancel.is_set():
                    raise
                reason = f"cannot be read: {error}"
        first = first or Unusable(clip, path, reason)
    return first or Unusable(clip, Path(), "the archive knows no file of it")


def file_state(path: Path) -> FileState:
    """The state of a file; zeros where there is none."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0, 0)
    return (status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns)


def has_changed(seen: Sighted, identify: Callable[[Path], str] | None) -> bool:
    """Whether a source is another file than the one that was looked at.

    A file that was only renamed, linked or given other rights, and one whose disk numbers its files anew, is the
    same: its fingerprint says so.

    Args:
        seen: the source.
        identify: gives the fingerprint of a file; without it every change of its state counts.
    """
    now = file_state(seen.source)
    if now == seen.state:
        return False
    is_untouched = identify is not None and now[:2] == seen.state[:2]
    try:
        return not (is_untouched and identify is not None and identify(seen.source) == seen.clip.video_id)
    except OSError:
        return True


def refuse_changed(seen: Iterable[Sighted], identify: Callable[[Path], str] | None) -> None:
    """Refuse to go on with sources that are not the files any more that were looked at.

    Raises:
        RenderError: names the first of them.
    """
    for one in seen:
        if has_changed(one, identify):
            raise RenderError(
                f"{one.source} changed while it was rendered; nothing was kept: index it again, then render anew"
            )


def _refusal(path: Path, clip: Clip, identify: Callable[[Path], str] | None) -> str:
    try:
        if not path.is_file():
            return "is missing" if not path.exists() else "is no file any more"
        with path.open("rb"):
            pass
        if identify and identify(path) != clip.video_id:
            return "has changed since it was indexed; index it again"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return ""
