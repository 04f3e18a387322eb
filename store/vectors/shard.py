"""Vectors: FAISS shards, immutable files that are made anew or merged, never changed.

A shard holds vectors as 16-bit floats with their frame ids: half the memory of 32-bit ones, the same ranking but
for ties, and faster (README). Shards are written in pieces through the archive's own file writer, since FAISS
neither syncs nor notices every failed write, and are memory-mapped after size and digest were found right, since
FAISS itself loads most damaged files without complaint.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from store.errors import ArchiveDamagedError, CacheDamagedError
from store.files import Replacement, digest_file
from store.records import MAX_DIM, Embeddings

FrameIds = NDArray[np.int64]
Positions = NDArray[np.intp]
"""Places of vectors in a shard, from 0."""
COPY_ROWS = 65_536
GATHERED_ROWS = 2_048
TIER_BASE = 1_024
TIER_WIDTH = 4
MAX_SHARD_ROWS = 2_000_000
_READING = threading.Lock()


@dataclass(frozen=True, slots=True)
class ShardFile:
    """Manifest entry of a shard file.

    Args:
        name: file name below the folder of its space.
        size_bytes: size of the file.
        digest: digest of the file.
        n_vectors: how many vectors it holds, removed ones included.
    """

    name: str
    size_bytes: int
    digest: str
    n_vectors: int


def write_index(index: Any, folder: Path, kind: str) -> tuple[str, int, str]:
    """Write a FAISS index durably, under a name made of its kind and content.

    Returns:
        Name, size in bytes and digest.
    """
    replacement = Replacement(folder / kind, kind)
    try:
        writer = faiss.PyCallbackIOWriter(replacement.write)  # type: ignore[attr-defined] # not in its stubs
        faiss.write_index(index, writer)
        del writer
    except BaseException:
        replacement.discard()
        raise
    digest = replacement.digest
    name = f"{kind}-{digest[:16]}.faiss"
    # Overwriting replaces a damaged file of that name by a whole one; no open map is disturbed.
    replacement.commit(overwrite=True, path=folder / name)
    return name, replacement.size_bytes, digest


class ShardBuilder:
    """Collects vectors for a new shard, once in memory.

    Args:
        dim: length of a vector.
    """

    def __init__(self, dim: int) -> None:
        self._index = faiss.IndexIDMap(_flat_index(dim))

    @property
    def n_vectors(self) -> int:
        """Number of vectors so far."""
        return int(self._index.ntotal)

    def add(self, frame_ids: FrameIds, embeddings: Embeddings) -> None:
        """Add vectors under their frame ids."""
        if len(frame_ids):
            self._index.add_with_ids(np.ascontiguousarray(embeddings), np.ascontiguousarray(frame_ids))

    def write(self, folder: Path) -> ShardFile:
        """Write the shard under a name made of its content, durably."""
        name, size_bytes, digest = write_index(self._index, folder, "shard")
        return ShardFile(name, size_bytes, digest, self.n_vectors)


class Shard:
    """An open shard, safe to search from several threads.

    Args:
        path: the file.
        expected: what the manifest says of it.

    Raises:
        CacheDamagedError: the file is missing, differs from what the manifest says, or is no shard.
    """

    def __init__(self, path: Path, expected: ShardFile) -> None:
        self.file = expected
        try:
            whole = path.stat().st_size == expected.size_bytes and digest_file(path) == expected.digest
        except OSError as error:
            raise CacheDamagedError(f"shard {path} cannot be read ({error.strerror})", path.name) from error
        if not whole:
            raise CacheDamagedError(f"shard {path} is damaged", path.name)
        try:
            # With the second flag FAISS refuses vectors in another file, which it would open to write.
            flags = faiss.IO_FLAG_MMAP_IFC | faiss.IO_FLAG_ONDISK_SAME_DIR
            with bounded_reading(expected.size_bytes):
                self._index: Any = faiss.read_index(str(path), flags)
        except (RuntimeError, MemoryError) as error:
            raise CacheDamagedError(f"shard {path} is no FAISS index", path.name) from error
        if not _is_shard(self._index, expected.n_vectors):
            raise CacheDamagedError(f"shard {path} holds something else than a shard", path.name)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    @cached_property
    def frame_ids(self) -> FrameIds:
        """Id of every vector, in order."""
        return np.asarray(faiss.vector_to_array(self._index.id_map), dtype=np.int64)

    def vectors(self, start: int, count: int) -> Embeddings:
        """Vectors by position, as they were rounded to 16 bits."""
        return np.asarray(self._index.index.reconstruct_n(start, count), dtype=np.float32)

    @cached_property
    def _codes(self) -> NDArray[np.uint8]:
        """The 16-bit floats where they are mapped, a row of bytes for each vector."""
        flat: Any = faiss.downcast_index(self._index.index)
        codes = flat.codes
        return np.asarray(faiss.rev_swig_ptr(codes.data(), codes.size())).reshape(-1, 2 * self.dim)

    @cached_property
    def _by_id(self) -> tuple[FrameIds, Positions]:
        """Ids in ascending order, and the position of each."""
        ids = self.frame_ids
        order = np.argsort(ids, kind="stable")
        return ids[order], order

    def positions(self, frame_ids: FrameIds) -> tuple[Positions, Positions]:
        """Ids of these that this shard holds, as positions in `frame_ids`, and their positions in the shard."""
        known, order = self._by_id
        places = np.minimum(np.searchsorted(known, frame_ids), max(len(known) - 1, 0))
        held = np.flatnonzero(known[places] == frame_ids) if len(known) else np.empty(0, np.intp)
        return held, order[places[held]]

    def find(self, frame_ids: FrameIds) -> tuple[Positions, Embeddings]:
        """Ids of these that this shard holds, as positions in `frame_ids`, and their vectors."""
        held, positions = self.positions(frame_ids)
        return held, self.vectors_at(positions)

    def vectors_at(self, positions: Positions) -> Embeddings:
        """Vectors at these positions, in their order."""
        return self._codes[positions].view(np.float16).astype(np.float32)

    def search(self, vector: Embeddings, n: int, removed: FrameIds | None = None) -> tuple[Embeddings, FrameIds]:
        """Scores and ids of the nearest vectors that are not removed, best first; every vector is looked at."""
        if removed is None or not len(removed):
            scores, ids = self._index.search(vector, n)
        else:
            gone = faiss.IDSelectorBatch(removed)
            kept = faiss.IDSelectorNot(gone)
            scores, ids = self._index.search(vector, n, params=_selecting(kept))
        found = ids[0] >= 0
        return scores[0][found], ids[0][found]

    def search_at(self, positions: Positions, vector: Embeddings, n: int) -> tuple[Embeddings, FrameIds]:
        """Scores and ids of the nearest of the vectors at these positions, read from where they are mapped.

        FAISS scores the gathered rows, so that a vector has the same score, to the last bit, as in `search`.
        """
        scores, ids = [np.empty(0, np.float32)], [np.empty(0, np.int64)]
        for start in range(0, len(positions), GATHERED_ROWS):
            piece = positions[start : start + GATHERED_ROWS]
            picked = _flat_index(self.dim)
            picked.add_sa_codes(self._codes[piece])
            found = picked.search(vector, min(n, len(piece)))
            scores.append(found[0][0])
            ids.append(self.frame_ids[piece[found[1][0]]])
        return best_of(scores, ids, n)


@contextmanager
def bounded_reading(size_bytes: int) -> Iterator[None]:
    """Bound what FAISS allocates for one vector of a file that it reads, which may be a stranger's: its size."""
    with _READING:  # the bound holds for all threads
        before = faiss.get_deserialization_vector_byte_limit()
        faiss.set_deserialization_vector_byte_limit(2 * size_bytes + 2**20)
        try:
            yield
        finally:
            faiss.set_deserialization_vector_byte_limit(before)


def _is_shard(index: Any, n_vectors: int) -> bool:
    """Whether an index is what `ShardBuilder` makes, and has as many ids and codes as vectors."""
    if type(index) is not faiss.IndexIDMap:
        return False
    flat: Any = faiss.downcast_index(index.index)
    if type(flat) is not faiss.IndexScalarQuantizer:
        return False
    dim, code_size = index.d, 2 * index.d
    return bool(
        1 <= dim <= MAX_DIM
        and (flat.d, flat.sq.d, flat.code_size, flat.sq.code_size) == (dim, dim, code_size, code_size)
        and flat.sq.qtype == faiss.ScalarQuantizer.QT_fp16
        and (index.metric_type, flat.metric_type) == (faiss.METRIC_INNER_PRODUCT,) * 2
        and (index.ntotal, flat.ntotal, index.id_map.size()) == (n_vectors,) * 3
        and flat.codes.size() == n_vectors * code_size
    )


def _flat_index(dim: int) -> Any:
    return faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)


def _selecting(selector: Any) -> Any:
    parameters: Any = faiss.SearchParameters  # its stubs know no arguments
    return parameters(sel=selector)


def best_of(scores: Sequence[Embeddings], ids: Sequence[FrameIds], n: int) -> tuple[Embeddings, FrameIds]:
    """The best of several rankings, best first; ties by id, so that order is stable."""
    all_scores, all_ids = np.concatenate(scores), np.concatenate(ids)
    order = np.lexsort((all_ids, -all_scores))[:n]
    return all_scores[order], all_ids[order]


def find_vectors(shards: Sequence[Shard], dim: int, frame_ids: FrameIds) -> Embeddings:
    """Vectors of these ids, in their order, as they were rounded to 16 bits: float32, (n, dim).

    Raises:
        ArchiveDamagedError: no shard holds one of them.
    """
    rows = np.empty((len(frame_ids), dim), np.float32)
    missing = np.ones(len(frame_ids), dtype=bool)
    for shard in shards:
        held, vectors = shard.find(frame_ids)
        rows[held] = vectors
        missing[held] = False
    if missing.any():
        raise ArchiveDamagedError(f"{int(missing.sum())} frames have no vectors; run `rushes repair`")
    return rows


def choose_merge(n_vectors: Mapping[str, int], n_removed: Mapping[str, int]) -> list[str]:
    """Names of shards to write anew as one, or nothing.

    Four shards of one tier are merged, a tier being four times as large as the one below, so that the number of
    shards grows with the logarithm of the vectors; a shard of which half was removed is written anew by itself.
    """
    tiers: dict[int, list[str]] = {}
    for name in sorted(n_vectors):
        if n_removed.get(name, 0) * 2 > n_vectors[name]:
            return [name]
        tier = int(math.log(max(n_vectors[name], TIER_BASE) / TIER_BASE, TIER_WIDTH))
        tiers.setdefault(tier, []).append(name)
    for tier in sorted(tiers):
        names = tiers[tier][:TIER_WIDTH]
        if len(names) == TIER_WIDTH and sum(n_vectors[name] for name in names) <= MAX_SHARD_ROWS:
            return names
    return []


def merge_shards(dim: int, shards: Iterable[Shard], removed: Mapping[str, FrameIds]) -> ShardBuilder:
    """A new shard with all vectors of the given ones that are not removed.

    The old shards are mapped, not loaded, so only the new one and a piece of 65,536 rows are in memory. 16-bit
    floats become 32-bit and 16-bit again without loss.
    """
    builder = ShardBuilder(dim)
    for shard in shards:
        ids = shard.frame_ids
        keep = ~np.isin(ids, removed.get(shard.file.name, np.empty(0, np.int64)))
        for start in range(0, len(ids), COPY_ROWS):
            kept = keep[start : start + COPY_ROWS]
            piece = shard.vectors(start, len(kept))
            builder.add(ids[start : start + COPY_ROWS][kept], piece[kept])
    return builder
