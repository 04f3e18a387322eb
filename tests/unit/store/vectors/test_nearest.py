"""An inverted file changes how fast an answer comes, not which: also behind filters, removals and deep answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from store.errors import ArchiveDamagedError
from store.records import Embeddings
from store.vectors import nearest
from store.vectors.inverted_file import InvertedFile, InvertedFileBuilder
from store.vectors.nearest import LiveShard, search_shards
from store.vectors.shard import Shard, ShardBuilder

DIM = 64
N = 30_000
N_QUESTIONS = 20


def _clustered(n: int, seed: int) -> Embeddings:
    """Unit vectors around 200 centres whose sizes follow a power law, as videos of few kinds fill an archive."""
    centres = np.random.default_rng(0).standard_normal((200, DIM))
    chance = np.random.default_rng(seed)
    sizes = 1 / np.arange(1, 201)
    vectors = centres[chance.choice(200, n, p=sizes / sizes.sum())] + 0.7 * chance.standard_normal((n, DIM))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors, np.float16).astype(np.float32)  # as a shard rounds them


VECTORS = _clustered(N, 1)
IDS = np.random.default_rng(2).permutation(10 * N)[:N].astype(np.int64)
QUESTIONS = _clustered(N_QUESTIONS, 3)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shard, InvertedFile]:
    """A shard of clustered vectors and its inverted file."""
    folder = tmp_path_factory.mktemp("vectors")
    builder = ShardBuilder(DIM)
    builder.add(IDS, VECTORS)
    file = builder.write(folder)
    shard = Shard(folder / file.name, file)
    entry = InvertedFileBuilder(shard).write(folder)
    return shard, InvertedFile(folder / entry.name, entry)


def _recall(live: LiveShard, among: NDArray[np.int64] | None, kept: NDArray[np.intp]) -> float:
    """Share of the true ten nearest of the vectors kept that are found."""
    found = 0
    for question in QUESTIONS:
        true = IDS[kept[np.argsort(-(VECTORS[kept] @ question), kind="stable")[:10]]]
        found += len(np.intersect1d(true, live.search(question[None], 10, among)[1]))
    return found / (N_QUESTIONS * 10)


def test_true_nearest_are_found(opened: tuple[Shard, InvertedFile]) -> None:
    """Of the true ten nearest, at least 99 % are found by inverted file."""
    assert _recall(LiveShard(opened[0], None, opened[1]), None, np.arange(N)) >= 0.99


@pytest.mark.parametrize("by_lists", [False, True])
@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5])
def test_filters_keep_their_true_nearest(
    opened: tuple[Shard, InvertedFile], monkeypatch: pytest.MonkeyPatch, share: float, by_lists: bool
) -> None:
    """Whatever share of the vectors a filter lets through, its own ten nearest are found, and nothing else."""
    monkeypatch.setattr(nearest, "NARROW_ROWS", 0 if by_lists else 2 * N)
    live = LiveShard(opened[0], None, opened[1])
    kept = np.sort(np.random.default_rng(4).permutation(N)[: round(share * N)])
    assert _recall(live, IDS[kept], kept) >= (0.99 if by_lists else 1.0)
    assert set(live.search(QUESTIONS[:1], 50, IDS[kept])[1].tolist()) <= set(IDS[kept].tolist())


@pytest.mark.parametrize("share", [0.0025, 0.05, 0.5])
def test_filter_far_from_the_question(
    opened: tuple[Shard, InvertedFile], monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    """A filter that lets through only lists furthest from the question still gives its ten nearest."""
    monkeypatch.setattr(nearest, "NARROW_ROWS", 0)
    live = LiveShard(opened[0], None, opened[1])
    found = n_true = 0
    for question in QUESTIONS[:10]:
        kept = np.setdiff1d(np.arange(N), opened[1].candidates(question[None], N, 1 - share))
        true = IDS[kept[np.argsort(-(VECTORS[kept] @ question))[:10]]]
        found += len(np.intersect1d(true, live.search(question[None], 10, IDS[kept])[1]))
        n_true += len(true)
    assert found >= 0.99 * n_true


def test_removed_are_not_found_and_hide_nothing(opened: tuple[Shard, InvertedFile]) -> None:
    """With half of the vectors removed, the ten nearest of the others are found, filtered or not."""
    gone = np.random.default_rng(5).permutation(N)[: N // 2]
    kept = np.setdiff1d(np.arange(N), gone)
    live = LiveShard(opened[0], IDS[gone], opened[1])
    assert _recall(live, None, kept) >= 0.99
    assert _recall(live, IDS[: N // 3], kept[kept < N // 3]) >= 0.99


def test_nearest_one_removed(opened: tuple[Shard, InvertedFile]) -> None:
    """A frame's own vector is not found once it is removed."""
    assert IDS[7] == LiveShard(opened[0], None, opened[1]).search(VECTORS[7:8], 1)[1][0]
    assert IDS[7] not in LiveShard(opened[0], IDS[7:8], opened[1]).search(VECTORS[7:8], 100)[1]


def test_scores_are_those_of_exhaustive_search(opened: tuple[Shard, InvertedFile]) -> None:
    """A vector has the same score to the last bit, by whichever way it was found."""
    shard, inverted = opened
    by_lists = LiveShard(shard, None, inverted).search(QUESTIONS[:1], 100)
    exhaustive = dict(zip(*[part.tolist() for part in shard.search(QUESTIONS[:1], N)[::-1]], strict=True))
    assert [exhaustive[frame_id] for frame_id in by_lists[1].tolist()] == by_lists[0].tolist()
    gathered = shard.search_at(np.arange(N), QUESTIONS[:1], 100)
    assert [exhaustive[frame_id] for frame_id in gathered[1].tolist()] == gathered[0].tolist()


def test_longer_answers_go_on_where_shorter_ones_end(opened: tuple[Shard, InvertedFile]) -> None:
    """Answers are the same each time, pages of one depth go together, and a deep answer is exhaustive."""
    live, flat = (LiveShard(opened[0], None, inverted) for inverted in (opened[1], None))
    ids = {n: search_shards([live], QUESTIONS[:1], n)[1].tolist() for n in (10, 20, 500, 2_000, 2_001, N)}
    assert ids[20][:10] == ids[10]
    assert ids[2_000][:500] == ids[500]
    assert ids[500] == search_shards([live], QUESTIONS[:1], 500)[1].tolist()
    assert search_shards([flat], QUESTIONS[:1], 2_001)[1].tolist() == ids[2_001]
    assert sorted(IDS.tolist()) == sorted(ids[N])


def test_training_twice_gives_the_same_file(tmp_path: Path, opened: tuple[Shard, InvertedFile]) -> None:
    """The inverted file follows from its shard."""
    entries = [InvertedFileBuilder(opened[0]).write(tmp_path) for _ in range(2)]
    assert entries[0] == entries[1]


@pytest.mark.parametrize("n", [1, 2, 31, 33, 100])
def test_smallest_shards(tmp_path: Path, n: int) -> None:
    """Any number of vectors can have an inverted file, and all of them are found."""
    builder = ShardBuilder(DIM)
    builder.add(IDS[:n], VECTORS[:n])
    file = builder.write(tmp_path)
    shard = Shard(tmp_path / file.name, file)
    entry = InvertedFileBuilder(shard).write(tmp_path)
    live = LiveShard(shard, None, InvertedFile(tmp_path / entry.name, entry))
    assert sorted(IDS[:n].tolist()) == sorted(live.search(QUESTIONS[:1], n)[1].tolist())


def test_damaged_inverted_file_is_refused(tmp_path: Path, opened: tuple[Shard, InvertedFile]) -> None:
    """An inverted file that is missing, or of another size or content, is not opened."""
    entry = InvertedFileBuilder(opened[0]).write(tmp_path)
    path = tmp_path / entry.name
    data = path.read_bytes()
    for damaged in (data[:-1], data[:100] + bytes([data[100] ^ 1]) + data[101:], b""):
        path.write_bytes(damaged)
        with pytest.raises(ArchiveDamagedError, match="damaged"):
            InvertedFile(path, entry)
    path.unlink()
    with pytest.raises(ArchiveDamagedError, match="cannot be read"):
        InvertedFile(path, entry)
