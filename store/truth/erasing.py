"""Deleting the results of a video that a person removed: the only truth that is ever deleted."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from store.files import failpoint, sync_folder, translated_errors
from store.truth.segments import segment_path


def remove_results(folder: Path, fingerprint: str, segments: Sequence[str]) -> None:
    """Delete the thumbnails and segments of a video, those in quarantine included.

    The segments go last, so that a kill leaves one behind, by which the next publisher sees what is left to do.

    Args:
        folder: the archive's folder.
        fingerprint: the video.
        segments: names of its segments; no generation may cover them any more.
    """
    thumbnails = folder / "thumbs" / fingerprint[:2] / fingerprint
    with translated_errors(thumbnails):
        for place in (thumbnails, folder / "quarantine"):
            for path in sorted(place.glob("*" if place is thumbnails else f"{fingerprint}.*")):
                path.unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            thumbnails.rmdir()
        failpoint("erase.thumbnails")
        for name in segments:
            path = segment_path(folder / "segments", name)
            path.unlink(missing_ok=True)
            sync_folder(path.parent)
            failpoint("erase.segment")
