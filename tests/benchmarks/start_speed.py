"""What a question costs from the command line: processor time and peak memory of whole processes (Linux only)."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from indexer.demo.sample_library import draw_sample_library

ROOT = Path(__file__).parents[2]
QUESTION = "a red boat on the sea at night"
_SAY = """
import atexit, resource, sys
def say():
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(used.ru_utime + used.ru_stime, peak, file=sys.stderr)
atexit.register(say)
"""
_RUN = f"{_SAY}from search_app.cli import main; main(sys.argv[1:])"
_WHOLE = f"""{_SAY}
from indexer.models import asking
from indexer.models.open_clip_encoder import load_encoder_of
asking.load_asking_encoder = load_encoder_of
from search_app.cli import main; main(sys.argv[1:])
"""
WAYS = {
    "words, the whole model (until 2026-12-01)": (_WHOLE, QUESTION),
    "words, the text side alone, first time on a machine": (_RUN, QUESTION),
    "words, the text side alone": (_RUN, QUESTION),
    "filters alone: what a helper that encodes would leave": (_RUN, "in:harbour"),
}


def bench_start(folder: Path, quick: bool) -> Iterator[str]:
    """Searches of the demo archive, each a process of its own, in turns."""
    library, archive = folder / "library", folder / "archive"
    draw_sample_library(library, 7)
    command = [sys.executable, "-c", _RUN, "index", str(archive), str(library), "--model", "demo"]
    subprocess.run(command, capture_output=True, check=False)  # a broken file of the library ends it with status 1
    seen: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for number in range(2 if quick else 7):
        for way, (code, question) in WAYS.items():
            cache = folder / (f"cache{number}" if "first time" in way else "cache")
            seen[way].append(_measure([sys.executable, "-c", code, "search", str(archive), question], cache))
    before = statistics.median(seconds for seconds, _ in next(iter(seen.values())))
    yield "| one search of the demo archive | processor s, median (range) | ratio | peak MiB |"
    yield "|---|---|---|---|"
    for way, runs in seen.items():
        seconds, sizes = zip(*runs, strict=True)
        middle = statistics.median(seconds)
        spread = f"{middle:.2f} ({min(seconds):.2f}-{max(seconds):.2f})"
        yield f"| {way} | {spread} | {before / middle:.1f}x | {statistics.median(sizes):.0f} |"


def _measure(command: list[str], cache: Path) -> tuple[float, float]:
    """Processor seconds of a command, and its peak memory in MiB as it says itself: a fork has its parent's."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RUSHES_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}
    ran = subprocess.run(command, capture_output=True, env=environment, text=True, check=False)
    if ran.returncode not in (0, 1):
        raise RuntimeError(f"{command} ended with {ran.returncode}: {ran.stderr}")
    seconds, peak_kib = ran.stderr.splitlines()[-1].split()
    return float(seconds), float(peak_kib) / 1024
