"""A clip to be made into a file: everything that making its pictures and its sound needs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from indexer.media.ffmpeg import Ffmpeg
from search_app.conforming.overlays_and_fades import PLAIN, Dress
from search_app.conforming.source_frames import FrameLog
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import Clip


@dataclass(frozen=True, slots=True)
class ClipJob:
    """A clip to be made into a file.

    Args:
        program: ffmpeg.
        clip: the clip.
        source: its file.
        look: how its pictures are stored.
        profile: the shape of the film.
        target: the file to write.
        dress: what lies over its pictures, and how they blend with those before and after.
        cancel: stops it when set.
        on_frame_count: told how many of its frames are encoded.
    """

    program: Ffmpeg
    clip: Clip
    source: Path
    look: FrameLog
    profile: Profile
    target: Path
    dress: Dress = PLAIN
    cancel: threading.Event | None = None
    on_frame_count: Callable[[int], None] | None = None
