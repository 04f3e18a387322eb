"""Speed against what a user would write instead: `python -m tests.benchmarks [NAME...] [--quick]`.

Prints Markdown tables. Figures of one table come from one run on one machine, in turns; read the ratios.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.index_speed import bench_index
from tests.benchmarks.memory import bench_memory
from tests.benchmarks.pictures_speed import bench_pictures
from tests.benchmarks.search_speed import bench_search
from tests.benchmarks.start_speed import bench_start
from tests.benchmarks.supercut_speed import bench_supercut

BENCHMARKS: dict[str, Callable[[Path, bool], Iterator[str]]] = {
    "index": bench_index,
    "supercut": bench_supercut,
    "search": bench_search,
    "memory": bench_memory,
    "start": bench_start,
    "pictures": bench_pictures,
}


def main() -> None:
    """Run the benchmarks named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="smaller material and fewer rounds")
    parser.add_argument("--sizes", default="", help="search only: how many vectors, as 100000,1000000")
    parser.add_argument("--clips", default="", help="supercut only: how many clips, as 10,50,200")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",") if size]
    clips = [int(number) for number in options.clips.split(",") if number]
    benchmarks: dict[str, Callable[[Path, bool], Iterator[str]]] = {
        **BENCHMARKS,
        "search": partial(bench_search, sizes=sizes),
        "supercut": partial(bench_supercut, clips=clips),
    }
    if unknown := [name for name in options.names if name not in BENCHMARKS]:
        parser.exit(2, f"there is no benchmark {unknown[0]!r}: choose from {', '.join(BENCHMARKS)}\n")
    for name in options.names or BENCHMARKS:
        with tempfile.TemporaryDirectory() as folder:
            for line in benchmarks[name](Path(folder), options.quick):
                print(line, flush=True)  # noqa: T201 - the table is the result
            print()  # noqa: T201


if __name__ == "__main__":
    main()
