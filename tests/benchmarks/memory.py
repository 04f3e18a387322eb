"""Peak memory of indexing a video: `python -m tests.benchmarks.memory VIDEO ARCHIVE` prints it as JSON.

One video for each process: what one length leaves behind in the allocator must not count for the next.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from indexer.models.open_clip_encoder import load_encoder
from tests.benchmarks.footage import repeat, write_footage
from tests.benchmarks.index_speed import index_into
from tests.benchmarks.peak import PeakWatch

PIECE_SECONDS = 60


def bench_memory(folder: Path, quick: bool) -> Iterator[str]:
    """Peak memory of indexing, children included, for short and long videos: it must not grow."""
    piece = write_footage(folder / "piece.mp4", PIECE_SECONDS, (320, 180))
    yield "| drawn 320x180 video of | before, MiB | peak MiB | of it decoder | frames | seconds |"
    yield "|---|---|---|---|---|---|"
    for minutes in (1, 10) if quick else (1, 10, 60, 180):
        clip = repeat(piece, minutes, folder / f"{minutes}.mp4")
        command = [sys.executable, "-m", "tests.benchmarks.memory", str(clip), str(folder / f"archive{minutes}")]
        answer = subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parents[2])
        seen = json.loads(answer.stdout)
        yield (
            f"| {minutes} min | {seen['before']:.0f} | {seen['peak']:.0f} | {seen['decoder']:.0f} "
            f"| {minutes * 60 * 24:,} | {seen['seconds']:.0f} |"
        )


def main(video: str, archive: str) -> None:
    """Index one video, and print the peak."""
    encoder = load_encoder("demo", device="cpu")
    started = time.perf_counter()
    with PeakWatch() as watch:
        index_into(Path(archive), [Path(video)], encoder)
    seconds = time.perf_counter() - started
    answer = {"before": watch.before, "peak": watch.peak, "decoder": watch.children, "seconds": seconds}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
