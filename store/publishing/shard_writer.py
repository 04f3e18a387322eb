"""New vectors into shards, and small shards into larger ones, while a generation is being made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from store.vectors.shard import MAX_SHARD_ROWS, ShardBuilder, ShardFile, choose_merge, merge_shards

if TYPE_CHECKING:
    from store.catalog.writer import CatalogWriter
    from store.publishing.generations import Generations
    from store.publishing.open_shards import ShardShelf
    from store.records import Embeddings, EmbeddingSpace
    from store.vectors.shard import FrameIds


class ShardWriter:
    """Writes the shards of one generation.

    Args:
        writer: the catalog that is being made, which notes in which shard the vectors of each segment lie.
        generations: the archive's generations.
        shelf: its open shards.
        space: the embedding space of the vectors.
    """

    def __init__(
        self, writer: CatalogWriter, generations: Generations, shelf: ShardShelf, space: EmbeddingSpace
    ) -> None:
        self._writer = writer
        self._folder = generations.shards_folder(space.space_id)
        self._shelf = shelf
        self._space = space

    def add(
        self, shards: Sequence[ShardFile], segments: Iterable[tuple[str, FrameIds, Embeddings]]
    ) -> list[ShardFile]:
        """Put the vectors of segments beside the shards that are there, and merge.

        Args:
            shards: shards of one kind of vectors.
            segments: name, ids and vectors of each segment that is in no shard yet.
        """
        result, builder, held = list(shards), ShardBuilder(self._space.dim), list[str]()
        for name, ids, vectors in segments:
            builder.add(ids, vectors)
            held.append(name)
            if builder.n_vectors >= MAX_SHARD_ROWS:
                result.append(self._write(builder, held))
                builder, held = ShardBuilder(self._space.dim), []
        if builder.n_vectors:
            result.append(self._write(builder, held))
        return self._merge(result)

    def _write(self, builder: ShardBuilder, held: Sequence[str]) -> ShardFile:
        file = builder.write(self._folder)
        self._writer.set_shard(held, file.name)
        return file

    def _merge(self, shards: Iterable[ShardFile]) -> list[ShardFile]:
        by_name = {shard.name: shard for shard in shards}
        while True:
            removed = self._writer.removed_frames()
            n_removed = {name: len(ids) for name, ids in removed.items()}
            names = choose_merge({name: shard.n_vectors for name, shard in by_name.items()}, n_removed)
            if not names:
                return list(by_name.values())
            sources = [self._shelf.get(self._space.space_id, by_name.pop(name)) for name in names]
            merged = merge_shards(self._space.dim, sources, removed)
            if merged.n_vectors:
                file = merged.write(self._folder)
                by_name[file.name] = file
                self._writer.replace_shards(names, file.name)
            else:
                self._writer.replace_shards(names, None)
