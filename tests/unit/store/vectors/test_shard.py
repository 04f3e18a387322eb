"""Shards answer like numpy, and merging them changes no answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.errors import ArchiveDamagedError
from store.records import Embeddings
from store.vectors.nearest import LiveShard, search_shards
from store.vectors.shard import Shard, ShardBuilder, choose_merge, merge_shards

DIM = 8


def _unit(n: int, seed: int) -> Embeddings:
    vectors = np.random.default_rng(seed).standard_normal((n, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def _shard(folder: Path, ids: range, seed: int) -> Shard:
    builder = ShardBuilder(DIM)
    builder.add(np.array(ids, np.int64), _unit(len(ids), seed))
    file = builder.write(folder)
    return Shard(folder / file.name, file)


def test_search_over_shards_is_numpy(tmp_path: Path) -> None:
    """The best of all shards, without removed ones, are those that numpy finds."""
    shards = [_shard(tmp_path, range(0, 50), 1), _shard(tmp_path, range(50, 60), 2)]
    vectors = np.concatenate([_unit(50, 1), _unit(10, 2)])
    removed = {shards[0].file.name: np.arange(0, 50, 3), shards[1].file.name: np.array([51])}
    alive = np.setdiff1d(np.arange(60), np.concatenate([*removed.values()]))
    question = _unit(1, 9)
    live = [LiveShard(shard, removed[shard.file.name], None) for shard in shards]
    scores, ids = search_shards(live, question, 20)
    expected = alive[np.argsort(-(vectors[alive] @ question[0]), kind="stable")][:20]
    assert np.array_equal(expected, ids)
    assert np.allclose(vectors[expected] @ question[0], scores, atol=1e-3)
    assert len(search_shards(live, question, 1000)[1]) == len(alive)
    assert len(search_shards([], question, 5)[1]) == 0


def test_merging_keeps_every_live_vector_bit_for_bit(tmp_path: Path) -> None:
    """A merged shard has the live vectors of its sources, rounded no further."""
    shards = [_shard(tmp_path, range(0, 30), 1), _shard(tmp_path, range(30, 37), 2)]
    removed = {shards[0].file.name: np.array([4, 7])}
    file = merge_shards(DIM, shards, removed).write(tmp_path)
    merged = Shard(tmp_path / file.name, file)
    assert [i for i in range(37) if i not in (4, 7)] == merged.frame_ids.tolist()
    before = np.concatenate([np.delete(shards[0].vectors(0, 30), [4, 7], axis=0), shards[1].vectors(0, 7)])
    assert np.array_equal(before, merged.vectors(0, 35))


def test_damaged_shard_is_refused(tmp_path: Path) -> None:
    """A shard of another size or content is not opened."""
    file = _shard(tmp_path, range(20), 1).file
    path = tmp_path / file.name
    data = path.read_bytes()
    for damaged in (data[:-1], data[:100] + b"\xff" + data[101:], b""):
        path.write_bytes(damaged)
        with pytest.raises(ArchiveDamagedError, match="damaged"):
            Shard(path, file)


@settings(derandomize=True)
@given(sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=200))
def test_number_of_shards_stays_logarithmic(sizes: list[int]) -> None:
    """However vectors arrive, there are never more than three shards in any tier."""
    shards: dict[str, int] = {}
    for number, size in enumerate(sizes):
        shards[f"{number:06d}"] = size
        while names := choose_merge(shards, {}):
            shards[f"{number:06d}m{len(shards)}"] = sum(shards.pop(name) for name in names)
    assert sum(shards.values()) == sum(sizes)
    assert len(shards) <= 3 * (1 + int(np.log(max(sum(sizes), 1024) / 1024) / np.log(4)) + 1)


def test_half_removed_shard_is_written_anew() -> None:
    """A shard of which more than half is removed is chosen by itself."""
    assert choose_merge({"a": 100, "b": 5000}, {"a": 50}) == []
    assert choose_merge({"a": 100, "b": 5000}, {"a": 51}) == ["a"]
