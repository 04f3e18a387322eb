"""A stand-in for a searcher: `python -m tests.integration.store.searcher_process ARCHIVE STOP`.

Searches until the file STOP exists and compares every answer with numpy on the vectors of the same generation.
Prints how many questions it asked and how many generations it saw.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from store.archive import Archive
from tests.integration.store.samples import embeddings_of, segment_of


def main(folder: str, stop: Path) -> None:
    """Ask until told to stop."""
    videos = {segment_of(video).fingerprint: video for video in range(100)}
    n_asked, generations = 0, set()
    with Archive.open(folder) as archive:
        while not stop.exists():
            snapshot = archive.snapshot()
            question = embeddings_of(1000 + n_asked, 1)[0]
            hits = snapshot.search(question, 10)
            shown = [videos[video.video_id] for video in snapshot.videos()]
            every = [embeddings_of(video, 4) @ question for video in shown]
            best = np.sort(np.concatenate([*every, np.empty(0, np.float32)]))[::-1][:10]
            if not np.allclose(best, [hit.score for hit in hits], atol=2e-3):
                raise AssertionError(f"generation {snapshot.generation}: {best} != {[hit.score for hit in hits]}")
            for hit in hits:
                if snapshot.shot(hit.shot.shot_id) != hit.shot:
                    raise AssertionError(f"generation {snapshot.generation}: {hit} is not in its own catalog")
            n_asked += 1
            generations.add(snapshot.generation)
    sys.stdout.write(f"{n_asked} {len(generations)}\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
