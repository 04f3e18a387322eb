"""Takes turns: every contestant once to warm up, then round after round in changing order."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass
class Timing:
    """What one contestant took, one entry for each round.

    Args:
        seconds: by the clock on the wall.
        cpu_seconds: of all processors, in this process and the children it has waited for.
    """

    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Seconds of the middle round."""
        return statistics.median(self.seconds)

    @property
    def cpu_median(self) -> float:
        """Processor seconds of the middle round."""
        return statistics.median(self.cpu_seconds)


def compete(contestants: Mapping[str, Callable[[str], object]], n_rounds: int) -> dict[str, Timing]:
    """Time every contestant `n_rounds` times.

    Nobody has a fixed place: each round begins with the next contestant, and the untimed first round pays for
    what is loaded only once (models, libraries, the page cache).

    Args:
        contestants: what to call, by name; it is given a name of the round that no other call gets.
        n_rounds: timed calls of each.
    """
    names = list(contestants)
    for name in names:
        contestants[name](f"{names.index(name)}-warm-up")
    timings = {name: Timing() for name in names}
    for turn in range(n_rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            started, cpu_started = time.perf_counter(), cpu_seconds()
            contestants[name](f"{names.index(name)}-{turn}")
            timings[name].seconds.append(time.perf_counter() - started)
            timings[name].cpu_seconds.append(cpu_seconds() - cpu_started)
    return timings


def table(title: str, timings: Mapping[str, Timing], base: str) -> Iterator[str]:
    """Rows of Markdown: seconds, range, processor seconds, and how many times as fast as `base`."""
    yield f"| {title} | median s (range) | ratio | processor s | ratio |\n|---|---|---|---|---|"
    wall, cpu = timings[base].median, timings[base].cpu_median
    for name, timing in timings.items():
        spread = f"{min(timing.seconds):.2f}-{max(timing.seconds):.2f}"
        yield (
            f"| {name} | {timing.median:.2f} ({spread}) | {wall / timing.median:.2f}x "
            f"| {timing.cpu_median:.2f} | {cpu / timing.cpu_median:.2f}x |"
        )


def cpu_seconds() -> float:
    """Processor seconds of this process and the children it has waited for."""
    ours, theirs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return ours.ru_utime + ours.ru_stime + theirs.ru_utime + theirs.ru_stime
