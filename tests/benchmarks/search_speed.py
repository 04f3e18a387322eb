"""Vector search on one core: recall, latency, memory and building, beside what a user would take instead.

Questions run in a process pinned to one core, with one thread. A hit is the place of a vector in the drawn set: an
archive's frame hits are turned back into it by their video and time. Truth is an exact scan of the vectors as
32-bit floats, so rounding to 16 bits counts against Rushes. All questions of a kind are asked in turn, three times
over: p50 is over the best time of each, since other work on the machine only ever adds, p99 is over all times.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.archive import Archive, Snapshot, VectorSettings
from store.records import Embeddings
from store.vectors.nearest import LiveShard, search_shards
from tests.benchmarks.synthetic import DIM, World, fill_archive

SIZES = (100_000, 1_000_000)
N_HITS = 10
N_QUESTIONS = 100
N_SLOW_QUESTIONS = 20  # of each kind, to who scans everything
N_FILTERED = 5
N_ROUNDS = 3
KINDS = ("frame", "shot", "text")
FILTER_SHARES = (0.001, 0.01, 0.1, 0.5)
Answer = Callable[[Embeddings], Sequence[int]]


@dataclass(frozen=True)
class _Contender:
    """Something that answers questions.

    Args:
        name: what the table calls it.
        answer: places of the ten nearest of one question.
        build_seconds: how long it took to make it searchable, after the vectors were there.
        file_bytes: what lies on disk, per vector; 0 if nothing does.
        own_bytes: how much the process's own memory grew by it, per vector; mapped files are not in it.
        n_questions: of each kind.
    """

    name: str
    answer: Answer
    build_seconds: float
    file_bytes: float
    own_bytes: float
    n_questions: int = N_QUESTIONS


def bench_search(folder: Path, quick: bool, sizes: Sequence[int] = ()) -> Iterator[str]:
    """Rushes with and without inverted file, FAISS flat, DuckDB and numpy; then Rushes behind filters."""
    for n in sizes or ((50_000,) if quick else SIZES):
        vectors, questions = World().draw(n, N_QUESTIONS)
        truth = {kind: _exact(vectors, questions[kind]) for kind in KINDS}
        yield (
            f"| {n:,} frames of dimension {DIM}, best {N_HITS} | recall@{N_HITS} frame / shot / text "
            "| p50 ms frame / shot / text | p99 ms | file B/vector | memory B/vector | build s |"
        )
        yield "|---|---|---|---|---|---|---|"
        with fill_archive(folder / str(n), vectors) as archive:
            yield from (_row(one, questions, truth) for one in _rushes(archive, n))
            for contender in (_faiss_flat, _duckdb, _numpy):
                yield _row(contender(vectors, folder), questions, truth)
            yield ""
            yield from _filtered(archive, questions)
        yield ""


def _exact(vectors: Embeddings, questions: Embeddings) -> NDArray[np.intp]:
    """Places of the nearest vectors of each question."""
    scores = np.empty((len(questions), len(vectors)), np.float32)
    for start in range(0, len(vectors), 65_536):
        scores[:, start : start + 65_536] = questions @ vectors[start : start + 65_536].T
    return np.argpartition(-scores, N_HITS - 1, axis=1)[:, :N_HITS]


def _pin(cores: set[int]) -> None:
    """Let every thread of this process run on these cores alone, those of numpy and DuckDB too."""
    for thread in Path("/proc/self/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


@contextmanager
def _one_core() -> Iterator[None]:
    import faiss

    cores, threads = os.sched_getaffinity(0), faiss.omp_get_max_threads()
    _pin({max(cores)})
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        _pin(cores)
        faiss.omp_set_num_threads(threads)


def _row(one: _Contender, questions: dict[str, Embeddings], truth: dict[str, NDArray[np.intp]]) -> str:
    recalls, medians, every = [], [], list[float]()
    with _one_core():
        for kind in KINDS:
            one.answer(questions[kind][-1])
            asked = questions[kind][: one.n_questions]
            seconds = np.empty((N_ROUNDS, len(asked)))
            found = 0
            for turn in range(N_ROUNDS):
                for i, question in enumerate(asked):
                    started = time.perf_counter()
                    places = one.answer(question)
                    seconds[turn, i] = time.perf_counter() - started
                    found += len(np.intersect1d(truth[kind][i], np.asarray(places)))
            recalls.append(f"{found / (N_HITS * N_ROUNDS * len(asked)):.3f}")
            medians.append(f"{1000 * np.median(seconds.min(axis=0)):.1f}")
            every += seconds.ravel().tolist()
    return (
        f"| {one.name} | {' / '.join(recalls)} | {' / '.join(medians)} | {1000 * np.percentile(every, 99):.0f} "
        f"| {one.file_bytes:.0f} | {one.own_bytes:.0f} | {one.build_seconds:.0f} |"
    )


def _own_bytes() -> int:
    """Memory of this process that no file stands behind, after what is free was given back."""
    ctypes.CDLL(None).malloc_trim(0)
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) << 10
    raise OSError("this kernel does not tell RssAnon; run the benchmark on Linux 4.5 or later")


def _place(path: str, seconds: float) -> int:
    return int(path[-len("000000000.mp4") : -len(".mp4")]) + int(seconds)


def _whole_search(snapshot: Snapshot, places: dict[int, int]) -> Answer:
    """Searching as everybody does, hits with the rows of their shots; notes which place each frame id has."""

    def answer(question: Embeddings) -> list[int]:
        hits = snapshot.search(question, N_HITS)
        for hit in hits:
            places[hit.frame_id] = _place(hit.shot.path, float(hit.time))
        return [places[hit.frame_id] for hit in hits]

    return answer


def _vectors_alone(snapshot: Snapshot, places: dict[int, int]) -> Answer:
    """The part of it that is comparable with the others."""

    def answer(question: Embeddings) -> list[int]:
        ids = search_shards(snapshot._shards, question[None], N_HITS)[1]
        return [places[frame_id] for frame_id in ids.tolist()]

    return answer


def _rushes(archive: Archive, n: int) -> Iterator[_Contender]:
    shards = archive.folder / "vectors"
    places = dict[int, int]()
    flat_bytes = sum(path.stat().st_size for path in shards.glob("*/shard-*"))
    yield _Contender(
        "Rushes, exhaustive", _whole_search(archive.snapshot(), places), 0, flat_bytes / n, 8, N_SLOW_QUESTIONS
    )
    started = time.perf_counter()
    archive.build_inverted_files(VectorSettings(least_vectors=1))
    seconds = time.perf_counter() - started
    file_bytes = flat_bytes + sum(path.stat().st_size for path in shards.glob("*/inverted-*"))
    before = _own_bytes()
    with Archive.open(archive.folder) as opened:
        snapshot = opened.snapshot()
        snapshot.search(np.eye(1, DIM, dtype=np.float32)[0], N_HITS)
        own = (_own_bytes() - before) / n
        for name, way in (("Rushes, with the rows of the hits", _whole_search), ("Rushes", _vectors_alone)):
            yield _Contender(name, way(snapshot, places), seconds, file_bytes / n, own)


def _filtered(archive: Archive, questions: dict[str, Embeddings]) -> Iterator[str]:
    """Rushes behind filters that let through a random share of the frames; truth is exhaustive search."""
    yield f"| a filter lets through | recall@{N_HITS} | p50 ms | p50 ms exhaustive |\n|---|---|---|---|"
    lives = archive.snapshot()._shards
    plain = [LiveShard(live.shard, None, None) for live in lives]
    ids = np.concatenate([live.shard.frame_ids for live in lives])
    with _one_core():
        for share in FILTER_SHARES:
            among = np.sort(np.random.default_rng(5).permutation(ids)[: round(share * len(ids))])
            found, seconds = 0, dict[str, list[float]](ours=[], plain=[])
            for question in np.concatenate([questions[kind][:N_FILTERED] for kind in KINDS]):
                hits = {}
                for name, shards in (("ours", lives), ("plain", plain)):
                    started = time.perf_counter()
                    hits[name] = search_shards(shards, question[None], N_HITS, among)[1]
                    seconds[name].append(time.perf_counter() - started)
                found += len(np.intersect1d(hits["ours"], hits["plain"]))
            medians = [f"{1000 * np.median(seconds[name]):.1f}" for name in ("ours", "plain")]
            recall = found / (N_HITS * N_FILTERED * len(KINDS))
            yield f"| {100 * share:g} % | {recall:.3f} | {' | '.join(medians)} |"


def _faiss_flat(vectors: Embeddings, _folder: Path) -> _Contender:
    import faiss

    started, before = time.perf_counter(), _own_bytes()
    index = faiss.IndexFlatIP(DIM)
    index.add(vectors)
    seconds = time.perf_counter() - started
    own = (_own_bytes() - before) / len(vectors)

    def answer(question: Embeddings) -> list[int]:
        return list(index.search(question[None], N_HITS)[1][0])

    return _Contender("FAISS IndexFlatIP", answer, seconds, 0, own, N_SLOW_QUESTIONS)


def _duckdb(vectors: Embeddings, folder: Path) -> _Contender:
    import duckdb
    import pyarrow as pa

    started = time.perf_counter()
    path = folder / f"scan-{len(vectors)}.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(f"CREATE TABLE frame (place BIGINT, embedding FLOAT[{DIM}])")
        for start in range(0, len(vectors), 50_000):
            piece = vectors[start : start + 50_000]
            table = pa.table(
                {
                    "place": np.arange(start, start + len(piece)),
                    "embedding": pa.FixedSizeListArray.from_arrays(pa.array(piece.reshape(-1)), DIM),
                }
            )
            con.register("piece", table)
            con.execute("INSERT INTO frame SELECT * FROM piece")
            con.unregister("piece")
    seconds = time.perf_counter() - started
    con = duckdb.connect(str(path), read_only=True, config={"threads": 1})
    statement = (
        f"SELECT place FROM frame ORDER BY array_inner_product(embedding, ?::FLOAT[{DIM}]) "  # noqa: S608
        f"DESC LIMIT {N_HITS}"
    )

    def answer(question: Embeddings) -> list[int]:
        return [row[0] for row in con.execute(statement, [question.tolist()]).fetchall()]

    answer(vectors[0])
    (buffered,) = con.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchall()[0]
    own = buffered / len(vectors)
    return _Contender("DuckDB array_inner_product", answer, seconds, path.stat().st_size / len(vectors), own, 3)


def _numpy(vectors: Embeddings, _folder: Path) -> _Contender:
    def answer(question: Embeddings) -> Any:
        scores = vectors @ question
        best = np.argpartition(-scores, N_HITS)[:N_HITS]
        return best[np.argsort(-scores[best])]

    return _Contender("numpy", answer, 0, 0, 4.0 * DIM, N_SLOW_QUESTIONS)
