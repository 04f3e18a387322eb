"""A stand-in for an indexer, to be killed: `python -m tests.integration.store.writer_process ARCHIVE ACK FIRST N`.

Puts videos FIRST to FIRST + N - 1 where they are not yet in the archive, publishes after every second one, and
appends a line to the file ACK for each video that it may call done. At the end it trains inverted files.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from store.archive import Archive, VectorSettings
from store.events import Dropped
from tests.integration.store.samples import KEY, SPACE, captions_of, fingerprint_of, library, seen, segment_of


def main(folder: str, acknowledgements: str, first: int, n_videos: int) -> None:
    """Index the videos that are missing, after saying that everything is imported."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    with Archive.create(folder) as archive, Path(acknowledgements).open("a") as done:
        archive.claim_space(SPACE, "made-up")
        known = {location.fingerprint for location in archive.snapshot().locations()}
        for video in range(first, first + n_videos):
            fingerprint = fingerprint_of(video)
            if not archive.has_segment(fingerprint, "visual", KEY):
                archive.put_thumbnail(f"{fingerprint}-0.webp", b"picture")
                archive.put_segment(segment_of(video))
            if not archive.has_segment(fingerprint, "caption", KEY):
                archive.put_text(captions_of(video))
            if fingerprint not in known:
                archive.record([library(), seen(video), Dropped("library", "no such file.mp4")])
            done.write(f"{video}\n")
            done.flush()
            os.fsync(done.fileno())
            if video % 2:
                archive.publish()
        archive.publish()
        archive.build_inverted_files(VectorSettings(least_vectors=1))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
