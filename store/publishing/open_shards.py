"""Open shards and inverted files, kept from one generation to the next."""

from __future__ import annotations

import logging
import threading

from store.errors import CacheDamagedError
from store.publishing.generations import Generations, Manifest
from store.vectors.inverted_file import InvertedFile
from store.vectors.shard import Shard, ShardFile

_LOG = logging.getLogger(__name__)


class ShardShelf:
    """Open shards and inverted files, verified once each; safe to use from several threads.

    Args:
        generations: where the shards lie.
    """

    def __init__(self, generations: Generations) -> None:
        self._generations = generations
        self._open: dict[tuple[str, str], Shard] = {}
        self._inverted: dict[tuple[str, str], InvertedFile] = {}
        self._lock = threading.Lock()

    def get(self, space_id: str, expected: ShardFile) -> Shard:
        """The shard, opened now if it is not yet open.

        Raises:
            CacheDamagedError: its file is missing or differs from what the manifest says.
        """
        path = self._generations.shards_folder(space_id) / expected.name
        with self._lock:
            shard = self._open.get((space_id, expected.digest))
            if shard is None:
                shard = self._open[space_id, expected.digest] = Shard(path, expected)
            elif not path.exists() or path.stat().st_size != expected.size_bytes:
                raise CacheDamagedError(f"shard {path} is missing or damaged", path.name)
        return shard

    def get_inverted(self, manifest: Manifest, shard: ShardFile) -> InvertedFile | None:
        """The inverted file of a shard; None if it has none, or a damaged one: the shard alone answers as well."""
        entry = manifest.inverted.get(shard.name)
        if entry is None:
            return None
        space_id = manifest.space_of(shard.name)
        path = self._generations.shards_folder(space_id) / entry.name
        key = (space_id, entry.digest)
        with self._lock:
            try:
                if key not in self._inverted:
                    inverted = InvertedFile(path, entry)
                    if inverted.n_vectors != shard.n_vectors:
                        raise CacheDamagedError(f"inverted file {path} is of another shard", path.name)
                    self._inverted[key] = inverted
                elif not path.exists() or path.stat().st_size != entry.size_bytes:
                    raise CacheDamagedError(f"inverted file {path} is missing or damaged", path.name)
            except CacheDamagedError as error:
                _LOG.warning("searched without: %s; run `rushes repair`", error)
                return None
            return self._inverted[key]

    def keep_only(self, manifest: Manifest | None) -> None:
        """Let go of all that a generation does not name; who still searches one keeps it."""
        wanted = {(space_id, file.digest) for space_id, file in manifest.placed_files} if manifest else set()
        with self._lock:
            self._open = {key: shard for key, shard in self._open.items() if key in wanted}
            self._inverted = {key: inverted for key, inverted in self._inverted.items() if key in wanted}
