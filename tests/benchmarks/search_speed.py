"""Latency of the vector search in the process, beside an exact scan."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from store.records import Embeddings
from tests.benchmarks.synthetic import fill_archive


def _scan(vectors: Embeddings, question: Embeddings) -> object:
    return np.argpartition(-(vectors @ question), 80)[:80]


def bench_search(folder: Path, quick: bool) -> Iterator[str]:
    """Search latency in the process, beside an exact numpy scan; vectors are drawn around 1,000 centres."""
    yield "| frames (dim 512) | Rushes p50 ms | p99 ms | numpy p50 ms | same best frame |\n|---|---|---|---|---|"
    for n_frames in (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000):
        with fill_archive(folder / str(n_frames), n_frames) as (archive, vectors):
            snapshot = archive.snapshot()
            questions = vectors[:: max(1, n_frames // 50)][:50]
            ours, exact, same = [], [], 0
            for question in questions:
                started = time.perf_counter()
                hits = snapshot.search(question, 80)
                ours.append(1000 * (time.perf_counter() - started))
                started = time.perf_counter()
                _scan(vectors, question)
                exact.append(1000 * (time.perf_counter() - started))
                same += hits[0].score > 0.99
            p50, p99 = np.percentile(ours, [50, 99])
            yield f"| {n_frames:,} | {p50:.1f} | {p99:.1f} | {np.median(exact):.1f} | {same}/{len(questions)} |"
