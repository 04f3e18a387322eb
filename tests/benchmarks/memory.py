"""Peak memory of indexing a video: `python -m tests.benchmarks.memory VIDEO ARCHIVE` prints it as JSON.

One video for each process: what one length leaves behind in the allocator must not count for the next.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # ships no types

from indexer.models.open_clip_encoder import load_encoder
from tests.benchmarks.footage import repeat, write_footage
from tests.benchmarks.index_speed import index_into

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


class PeakWatch:
    """Looks at the memory of this process and its children ten times a second; use it as a context.

    Memory that processes share is counted once (proportional set size), where the system tells it.
    """

    def __init__(self) -> None:
        self.before = _mebibytes(psutil.Process())
        self.peak = self.decoder = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> PeakWatch:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop looking; `peak` and `decoder` are final, in MiB."""
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._done.wait(0.1):
            children = sum(_mebibytes(child) for child in me.children(recursive=True))
            self.decoder = max(self.decoder, children)
            self.peak = max(self.peak, children + _mebibytes(me))


def _mebibytes(process: psutil.Process) -> float:
    try:
        memory = process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0
    size: float = getattr(memory, "pss", memory.rss) / 2**20
    return size


def main(video: str, archive: str) -> None:
    """Index one video, and print the peak."""
    encoder = load_encoder("demo", device="cpu")
    started = time.perf_counter()
    with PeakWatch() as watch:
        index_into(Path(archive), [Path(video)], encoder)
    seconds = time.perf_counter() - started
    answer = {"before": watch.before, "peak": watch.peak, "decoder": watch.decoder, "seconds": seconds}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
