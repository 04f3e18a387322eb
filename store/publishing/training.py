"""Inverted files for large shards: trained while everybody goes on, and shown by a generation of their own.

Publishing never waits for k-means: a new shard is searched exhaustively until `build_inverted_files` has been
here. That trains without the writer lock, since a shard never changes, and takes it only to write the file and a
manifest that names it. The catalog stays the same file.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import filelock

from store.errors import ArchiveDamagedError
from store.files import failpoint, translated_errors
from store.publishing.generations import verify_catalog
from store.publishing.publisher import writer_lock
from store.vectors.inverted_file import InvertedFileBuilder, bytes_per_vector

if TYPE_CHECKING:
    from store.publishing.generations import Generations, Manifest
    from store.publishing.open_shards import ShardShelf
    from store.vectors.shard import ShardFile

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VectorSettings:
    """Bounds from which a shard is searched by inverted file.

    Args:
        least_vectors: smaller shards are searched exhaustively, right to the last vector.
        memory_mib: how much memory the inverted files of an archive may take, in MiB; the largest shards come
            first. The vectors themselves are mapped, and take none that another program needs.
    """

    least_vectors: int = 100_000
    memory_mib: int = 4_096

    def __post_init__(self) -> None:
        """Check the values."""
        if self.least_vectors < 1 or self.memory_mib < 0:
            raise ValueError("least_vectors must be at least 1, and memory_mib 0 or more")


def choose_shards(shards: list[ShardFile], dim: int, settings: VectorSettings) -> list[ShardFile]:
    """The shards that should have an inverted file: the large ones, as many as fit the memory, largest first."""
    left = settings.memory_mib << 20
    chosen = []
    for shard in sorted(shards, key=lambda shard: (-shard.n_vectors, shard.name)):
        size_bytes = shard.n_vectors * bytes_per_vector(dim)
        if shard.n_vectors >= settings.least_vectors and size_bytes <= left:
            chosen.append(shard)
            left -= size_bytes
    return chosen


def build_inverted_files(generations: Generations, shelf: ShardShelf, settings: VectorSettings) -> int:
    """Train and publish what large shards lack; gives how many inverted files were made.

    Returns at once if another process is doing this.

    Raises:
        ArchiveLockedError: another process has been publishing for too long.
        ArchiveFullError: no space; the last generation stays.
    """
    path = generations.folder / "training.lock"
    lock = filelock.FileLock(path, timeout=0)
    with translated_errors(path):
        try:
            lock.acquire()
        except filelock.Timeout:
            return 0
    try:
        return _build(generations, shelf, settings)
    finally:
        lock.release()


def _build(generations: Generations, shelf: ShardShelf, settings: VectorSettings) -> int:
    n_built = 0
    tried = set[str]()
    while (manifest := generations.read(generations.current() or 0)) is not None:
        lacking = [shard for shard in _lacking(manifest, shelf, settings) if shard.name not in tried]
        if not lacking:
            break
        tried.add(lacking[0].name)
        builder = InvertedFileBuilder(shelf.get(manifest.space_of(lacking[0].name), lacking[0]))
        failpoint("inverted.trained")
        with writer_lock(generations.folder):
            n_built += _publish(generations, lacking[0], builder)
    return n_built


def _lacking(manifest: Manifest, shelf: ShardShelf, settings: VectorSettings) -> list[ShardFile]:
    shards = list(manifest.all_shards)
    if not shards:
        return []
    dim = max(shelf.get(manifest.space_of(shard.name), shard).dim for shard in shards)
    chosen = choose_shards(shards, dim, settings)
    return [shard for shard in chosen if shelf.get_inverted(manifest, shard) is None]


def _publish(generations: Generations, shard: ShardFile, builder: InvertedFileBuilder) -> bool:
    """Name a new inverted file in a new generation, if its shard is still in use; the writer lock is held."""
    manifest = generations.read(generations.current() or 0)
    if manifest is None or shard not in manifest.all_shards:
        return False
    try:
        verify_catalog(generations.catalog_path(manifest), manifest.catalog)
    except ArchiveDamagedError as error:
        _LOG.warning("no inverted file is published: %s", error)
        return False
    entry = builder.write(generations.shards_folder(manifest.space_of(shard.name)))
    failpoint("inverted.written")
    number = generations.next_number()
    generations.write(replace(manifest, generation=number, inverted={**manifest.inverted, shard.name: entry}))
    failpoint("inverted.published")
    # Nothing is collected: the generation before may be the only other one, and has the same catalog.
    return True
