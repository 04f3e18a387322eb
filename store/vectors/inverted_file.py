"""Inverted files: what makes a large shard fast to search, beside it and never instead of it.

The vectors of a shard lie in lists around centroids found by k-means (Sivic and Zisserman, ICCV 2003), each as a
few bits a dimension (RaBitQ: Gao and Long, SIGMOD 2024; more bits: Gao et al., SIGMOD 2025), of which the first is
compared for 32 vectors at a time. A search ranks the lists, reads the codes of the nearest ones, and gives
candidates; their true scores come from the shard. Codes name vectors by their positions in the shard. A file is
loaded, not mapped.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from store.errors import CacheDamagedError
from store.files import digest_file
from store.records import MAX_DIM, Embeddings
from store.vectors.shard import COPY_ROWS, Positions, Shard, bounded_reading, write_index

LISTS_PER_ROOT = 4
"""Lists for each square root of the number of vectors."""
CODE_BITS = 2
"""Bits a dimension of a code."""
SAMPLE_PER_LIST = 32
"""Vectors that k-means sees for each list."""
ROUNDS = 6
"""Rounds of k-means: more of them change recall by less than a thousandth."""
_SEED = 20261121
_AT_ONCE = 32
"""Vectors whose codes are compared at once."""


@dataclass(frozen=True, slots=True)
class InvertedFileEntry:
    """Manifest entry of an inverted file.

    Args:
        name: file name below the folder of its space.
        size_bytes: size of the file.
        digest: digest of the file.
    """

    name: str
    size_bytes: int
    digest: str


def bytes_per_vector(dim: int) -> int:
    """Memory of an inverted file per vector, centroids included, a little too high."""
    return dim * CODE_BITS // 8 + 70


class InvertedFileBuilder:
    """Trains the inverted file of a shard: minutes for a million vectors, and its codes in memory.

    Args:
        shard: the shard, of at least one vector.
    """

    def __init__(self, shard: Shard) -> None:
        n = shard.file.n_vectors
        n_lists = max(1, min(round(LISTS_PER_ROOT * n**0.5), n // SAMPLE_PER_LIST))
        chosen = np.random.default_rng(_SEED).permutation(n)[: n_lists * SAMPLE_PER_LIST]
        sample = shard.vectors_at(np.sort(chosen))
        centroids = faiss.IndexFlatL2(shard.dim)
        own_lists = True
        self._index: Any = faiss.IndexIVFRaBitQFastScan(
            centroids, shard.dim, n_lists, faiss.METRIC_L2, _AT_ONCE, own_lists, CODE_BITS
        )
        self._index.cp.niter = ROUNDS
        self._index.cp.min_points_per_centroid = 1
        self._index.train(sample)
        for start in range(0, n, COPY_ROWS):
            self._index.add(shard.vectors(start, min(COPY_ROWS, n - start)))

    def write(self, folder: Path) -> InvertedFileEntry:
        """Write the file under a name made of its content, durably."""
        return InvertedFileEntry(*write_index(self._index, folder, "inverted"))


def _is_inverted_file(index: Any) -> bool:
    """Whether an index is what `InvertedFileBuilder` makes: one of the same shape is made to compare."""
    if type(index) is not faiss.IndexIVFRaBitQFastScan or not 1 <= index.d <= MAX_DIM:
        return False
    centroids: Any = faiss.downcast_index(index.quantizer)
    if type(centroids) is not faiss.IndexFlatL2 or index.nlist < 1:
        return False
    like: Any = faiss.IndexIVFRaBitQFastScan(
        faiss.IndexFlatL2(index.d), index.d, 1, faiss.METRIC_L2, _AT_ONCE, True, CODE_BITS
    )
    shape = ("code_size", "bbs", "M", "M2", "nbits", "ksub", "qb", "metric_type")
    return bool(
        all(getattr(index, name, None) == getattr(like, name, None) for name in shape)
        and (centroids.d, centroids.ntotal) == (index.d, index.nlist)
        and centroids.codes.size() == 4 * index.d * index.nlist
        and getattr(index.invlists, "nlist", 0) == index.nlist
    )


class InvertedFile:
    """An open inverted file, safe to search from several threads.

    Args:
        path: the file.
        expected: what the manifest says of it.

    Raises:
        CacheDamagedError: the file is missing, differs from what the manifest says, or is no inverted file.
    """

    def __init__(self, path: Path, expected: InvertedFileEntry) -> None:
        try:
            whole = path.stat().st_size == expected.size_bytes and digest_file(path) == expected.digest
            if not whole:
                raise CacheDamagedError(f"inverted file {path} is damaged", path.name)
            # With this flag, and a reader that is no file's, FAISS refuses lists in another file, which it
            # would open to write.
            reader = faiss.BufferedIOReader(faiss.FileIOReader(str(path)))
            with bounded_reading(expected.size_bytes):
                index: Any = faiss.read_index(reader, faiss.IO_FLAG_ONDISK_SAME_DIR)
        except OSError as error:
            raise CacheDamagedError(
                f"inverted file {path} cannot be read ({error.strerror})", path.name
            ) from error
        except (RuntimeError, MemoryError) as error:
            raise CacheDamagedError(f"inverted file {path} is no FAISS index", path.name) from error
        if not _is_inverted_file(index):
            raise CacheDamagedError(f"inverted file {path} holds something else", path.name)
        self._index = index
        centroids: Any = self._index.quantizer
        self._centroids = np.asarray(centroids.reconstruct_n(0, self._index.nlist), np.float32)
        self._squares = np.einsum("ij,ij->i", self._centroids, self._centroids)
        try:
            self._list_of = self._read_lists()
        except (IndexError, ValueError) as error:
            raise CacheDamagedError(f"inverted file {path} names vectors that are none", path.name) from error
        self._sizes = np.bincount(self._list_of, minlength=self._index.nlist)

    @property
    def n_vectors(self) -> int:
        """Number of proposed vectors."""
        return int(self._index.ntotal)

    def _read_lists(self) -> NDArray[np.int32]:
        """The list of every vector, by its position."""
        list_of = np.full(self._index.ntotal, -1, np.int32)
        lists = self._index.invlists
        for number in range(self._index.nlist):
            size = lists.list_size(number)
            if size:
                positions = faiss.rev_swig_ptr(lists.get_ids(number), size)
                if positions.min() < 0:
                    raise IndexError(int(positions.min()))
                list_of[positions] = number
        if (list_of < 0).any():
            raise ValueError("vectors that are in no list")
        return list_of

    def candidates(
        self, vector: Embeddings, n: int, share: float, allowed: NDArray[np.bool_] | None = None
    ) -> Positions:
        """Positions of the vectors whose codes say that they are nearest, in ascending order.

        Args:
            vector: float32, (1, dim).
            n: how many at most.
            share: the nearest lists are searched until they hold this share of the vectors allowed.
            allowed: for each position whether it may be found; None for all.
        """
        distances = self._squares - 2 * (self._centroids @ vector[0])
        sizes = self._sizes if allowed is None else self._count(allowed)
        lists = np.argsort(distances, kind="stable")
        lists = lists[sizes[lists] > 0]
        held = np.cumsum(sizes[lists])
        lists = lists[: int(np.searchsorted(held, share * held[-1])) + 1] if len(held) else lists
        if not len(lists):
            return np.empty(0, np.intp)
        bitmap: Any = faiss.IDSelectorBitmap  # its stubs know no arguments
        selector = None if allowed is None else bitmap(np.packbits(allowed, bitorder="little"))
        found = self._search_lists(vector, n, lists, distances[lists] + 1, selector)  # questions have length 1
        return np.sort(found[found >= 0])

    def _search_lists(
        self, vector: Embeddings, n: int, lists: NDArray[np.intp], distances: Embeddings, selector: Any
    ) -> Positions:
        """FAISS's hits in these lists; by its C interface, since the other takes no parameters here."""
        parameters: Any = faiss.SearchParametersIVF
        question = np.ascontiguousarray(vector, np.float32)
        numbers = np.ascontiguousarray(lists, np.int64)
        distances = np.ascontiguousarray(distances, np.float32)
        found, scores = np.empty(n, np.int64), np.empty(n, np.float32)
        self._index.search_preassigned_c(
            1,
            faiss.swig_ptr(question),
            n,
            faiss.swig_ptr(numbers),
            faiss.swig_ptr(distances),
            faiss.swig_ptr(scores),
            faiss.swig_ptr(found),
            False,
            parameters(nprobe=len(lists), sel=selector),
        )
        return found

    def _count(self, allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Number of allowed vectors of each list."""
        return np.bincount(self._list_of[allowed], minlength=len(self._sizes))
