"""Pictures on request against decoding a whole film for them: the same pictures, seconds and peak memory."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from indexer.media.pictures_at import PictureRequest, RequestedPicture, read_pictures
from store.records import VideoFacts
from store.timespan import TimeSpan
from tests.benchmarks.contest import cpu_seconds
from tests.benchmarks.footage import repeat, write_footage
from tests.benchmarks.peak import PeakWatch

SHOT_SECONDS = 4
PIECE_SECONDS = 20
SIZE_PX = 448


def bench_pictures(folder: Path, quick: bool) -> Iterator[str]:
    """One picture from the middle of each shot of 1080p films, which were coded in two ways."""
    for seconds in (10, 2):
        piece = write_footage(
            folder / f"piece{seconds}.mp4", PIECE_SECONDS, shot_seconds=SHOT_SECONDS, group_seconds=seconds
        )
        yield (
            f"| 1080p24 H.264, groups of {seconds} s at most | shots | seconds | processor s | ratio "
            "| peak MiB of the decoder |"
        )
        yield "|---|---|---|---|---|---|"
        for n_shots in (20,) if quick or seconds == 2 else (20, 200):
            n_pieces = -(-n_shots * SHOT_SECONDS // PIECE_SECONDS)
            yield from _compare(repeat(piece, n_pieces, folder / f"{seconds}-{n_shots}.mp4"), n_shots)
        yield ""


def _compare(film: Path, n_shots: int) -> Iterator[str]:
    times = [Fraction(SHOT_SECONDS * shot) + Fraction(SHOT_SECONDS, 2) for shot in range(n_shots)]
    base = 0.0
    sums: list[list[int]] = []
    for name, facts in (("decoding all of it", _facts(partial=True)), ("on request", _facts(partial=False))):
        started, cpu_started = time.perf_counter(), cpu_seconds()
        with PeakWatch() as watch:
            sums.append(_take(film, times, facts))
        seconds, cpu = time.perf_counter() - started, cpu_seconds() - cpu_started
        base = base or cpu
        yield f"| {name} | {n_shots} | {seconds:.1f} | {cpu:.1f} | {cpu / base:.2f} | {watch.children:.0f} |"
    if sums[0] != sums[1]:
        raise RuntimeError(f"{film}: pictures on request are not those of the film")


def _take(film: Path, times: Sequence[Fraction], facts: VideoFacts) -> list[int]:
    requests = [PictureRequest(at, SIZE_PX) for at in times]
    return [_sum(one) for one in read_pictures(str(film), requests, facts)]


def _sum(one: RequestedPicture) -> int:
    return int(np.multiply(one.picture, np.arange(one.picture.size).reshape(one.picture.shape) % 251).sum())


def _facts(*, partial: bool) -> VideoFacts:
    """What the index knows of a film; of one in part, every frame is decoded."""
    span = TimeSpan(Fraction(0), Fraction(1))
    return VideoFacts(
        "mov", "h264", 1920, 1080, 0, None, Fraction(1, 90_000), Fraction(0), span, 1, False, partial=partial
    )
