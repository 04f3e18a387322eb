"""Open shards, kept from one generation to the next."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from store.errors import ArchiveDamagedError
from store.generations import Generations
from store.vectors import Shard, ShardFile


class ShardShelf:
    """Open shards, verified once each; safe to use from several threads.

    Args:
        generations: where the shards lie.
    """

    def __init__(self, generations: Generations) -> None:
        self._generations = generations
        self._open: dict[tuple[str, str], Shard] = {}
        self._lock = threading.Lock()

    def get(self, space_id: str, expected: ShardFile) -> Shard:
        """The shard, opened now if it is not yet open.

        Raises:
            ArchiveDamagedError: its file is missing or differs from what the manifest says.
        """
        path = self._generations.shards_folder(space_id) / expected.name
        with self._lock:
            shard = self._open.get((space_id, expected.digest))
            if shard is None:
                shard = self._open[space_id, expected.digest] = Shard(path, expected)
            elif not path.exists() or path.stat().st_size != expected.size_bytes:
                raise ArchiveDamagedError(f"shard {path} is missing or damaged")
        return shard

    def keep_only(self, space_id: str, shards: Sequence[ShardFile]) -> None:
        """Let go of all others; who still searches one keeps it."""
        wanted = {(space_id, shard.digest) for shard in shards}
        with self._lock:
            for key in [key for key in self._open if key not in wanted]:
                del self._open[key]
