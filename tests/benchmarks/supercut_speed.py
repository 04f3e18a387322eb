"""The same supercut made in eight ways: time, memory, and whether it shows what it should."""

from __future__ import annotations

import json
import pickle
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from search_app.cutting.cut_list import CutList, build_cut_list
from search_app.search.ranking import Hit
from store.records import VideoRow
from store.timespan import TimeSpan
from tests.benchmarks.footage import RATE, write_counted_footage
from tests.benchmarks.supercut_ways import WAYS
from tests.counted_video import hit_of, read_numbers, row_of

N_SOURCES = 3
BASE = "MoviePy"


@dataclass(frozen=True)
class Material:
    """What is cut.

    Args:
        size: width and height of all sources.
        shot_seconds: length of every shot; a clip is one shot.
        n_rounds: how often each way is timed.
    """

    size: tuple[int, int]
    shot_seconds: int
    n_rounds: int


def material_for(n_clips: int, quick: bool) -> Material:
    """Large pictures, and for very many clips small ones, which show what each clip costs by itself."""
    if n_clips <= 10:
        return Material((1280, 720), 4, 1 if quick else 3)
    return Material((1280, 720) if n_clips <= 50 else (320, 180), 2, 1)


@dataclass
class Result:
    """What one way took, an entry for each round, and what it made."""

    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    grown: list[float] = field(default_factory=list)
    made: str = ""


def bench_supercut(folder: Path, quick: bool, clips: Sequence[int] = ()) -> Iterator[str]:
    """Each number of clips in a table of its own."""
    for n_clips in clips or ((10,) if quick else (10, 50, 200)):
        home = folder / str(n_clips)
        home.mkdir()
        material = material_for(n_clips, quick)
        yield from _table(n_clips, material, _compete(home, n_clips, material))
        yield ""


def _compete(home: Path, n_clips: int, material: Material) -> dict[str, Result]:
    cut_list, numbers = _cut(home, n_clips, material)
    cut = home / "cut.pickle"
    cut.write_bytes(pickle.dumps(cut_list))
    results = {way: Result() for way in WAYS}
    names = list(WAYS)
    for turn in range(material.n_rounds):
        # Nobody has a fixed place.
        for way in names[turn % len(names) :] + names[: turn % len(names)]:
            film = home / f"{names.index(way)}-{turn}.mp4"
            command = [sys.executable, "-m", "tests.benchmarks.supercut_ways", way, str(cut), str(film)]
            answer = subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parents[2])
            took, result = json.loads(answer.stdout), results[way]
            result.seconds.append(took["seconds"])
            result.cpu_seconds.append(took["cpu_seconds"])
            result.grown.append(took["peak"] - took["before"])
            result.made = _judge(film, numbers, material)
            film.unlink()
    return results


def _cut(home: Path, n_clips: int, material: Material) -> tuple[CutList, list[list[int]]]:
    """Shots of several sources in turn, and the numbers that the frames of each must carry."""
    n_shots = -(-n_clips // N_SOURCES)
    per_shot = material.shot_seconds * RATE
    videos: dict[str, VideoRow] = {}
    rows = []
    for source in range(N_SOURCES):
        path = home / f"source{source}.mp4"
        write_counted_footage(path, n_shots * per_shot, material.size, per_shot, source + 1)
        rows.append(row_of(path)[0])
        videos[rows[-1].video_id] = rows[-1]
    hits: list[Hit] = []
    numbers = []
    for place in range(n_clips):
        shot, source = divmod(place, N_SOURCES)
        first = shot * per_shot
        span = TimeSpan(Fraction(first, RATE), Fraction(first + per_shot, RATE))
        hits.append(hit_of(rows[source], span, place + 1))
        numbers.append(list(range(first, first + per_shot)))
    return build_cut_list(hits, videos), numbers


def _judge(film: Path, numbers: Sequence[Sequence[int]], material: Material) -> str:
    """How many clips begin and end on the right frame, and how many frames there are."""
    seen = read_numbers(film, [_patch(material.size)])
    place = n_exact = 0
    for clip in numbers:
        here = seen[place : place + len(clip)]
        n_exact += bool(here) and len(here) == len(clip) and (here[0], here[-1]) == (clip[0], clip[-1])
        place += len(clip)
    return f"{n_exact}/{len(numbers)} | {len(seen) - place:+d}"


def _patch(size: tuple[int, int]) -> tuple[int, int]:
    return size[0] // 4, size[1] // 4


def _table(n_clips: int, material: Material, results: dict[str, Result]) -> Iterator[str]:
    width, height = material.size
    yield (
        f"| {n_clips} clips of {material.shot_seconds} s, {width}x{height}, {N_SOURCES} sources, "
        f"{material.n_rounds} rounds | median s (range) | times {BASE} | processor s | times {BASE} "
        "| memory, MiB | cuts exact | frames too many |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    wall, cpu = (statistics.median(getattr(results[BASE], name)) for name in ("seconds", "cpu_seconds"))
    for way, result in results.items():
        seconds, cpu_seconds = statistics.median(result.seconds), statistics.median(result.cpu_seconds)
        spread = f"{min(result.seconds):.1f}-{max(result.seconds):.1f}"
        yield (
            f"| {way} | {seconds:.1f} ({spread}) | {wall / seconds:.1f}x "
            f"| {cpu_seconds:.1f} | {cpu / cpu_seconds:.1f}x | {max(result.grown):.0f} | {result.made} |"
        )
