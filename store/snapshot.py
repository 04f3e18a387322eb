"""One generation, open for reading: a catalog and the shards that belong to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from store.catalog.reader import CatalogReader
from store.errors import ArchiveDamagedError, SpaceMismatchError
from store.generations import verify_catalog
from store.segments import read_segment, segment_path
from store.vectors import search_shards

if TYPE_CHECKING:
    from store.generations import Generations, Manifest
    from store.publish import ShardShelf
    from store.records import Counts, Embeddings, EmbeddingSpace, FrameHit, Location, Outcome, ShotRow, VideoRow


class Snapshot:
    """The archive as one generation knows it; never changes, and may be used from several threads.

    Args:
        generations: the archive's generations.
        manifest: the generation.
        shelf: open shards.

    Raises:
        ArchiveDamagedError: a file of the generation is missing or differs from what the manifest says.
    """

    def __init__(self, generations: Generations, manifest: Manifest, shelf: ShardShelf) -> None:
        self.generation = manifest.generation
        self.manifest = manifest
        self._folder = generations.folder
        path = generations.catalog_path(manifest)
        verify_catalog(path, manifest.catalog)
        self._shards = [shelf.get(manifest.space_id, shard) for shard in manifest.shards]
        self._catalog = CatalogReader(path, self._folder / "thumbs")
        self._removed = self._catalog.removed_frames()
        claimed = self._catalog.space()
        self.space: EmbeddingSpace | None = claimed[0] if claimed else None
        """The embedding space of the archive's vectors; None before one was claimed."""
        self.space_source: str | None = claimed[1] if claimed else None
        """How to load the encoder of that space: what was given to `Archive.claim_space`."""

    def close(self) -> None:
        """Let go of the catalog and the shards; only who owns the snapshot does this."""
        self._catalog.close()
        self._shards = []

    def roots(self) -> dict[str, str]:
        """Name and absolute path of every library root."""
        return self._catalog.roots()

    def locations(self) -> list[Location]:
        """Every place that holds a video, indexed or not, by root and path."""
        return self._catalog.locations()

    def locations_without_segment(self) -> list[Location]:
        """Places whose content has no rows: its segment was lost, or is not written yet."""
        return self._catalog.locations(without_rows=True)

    def failures(self) -> list[Outcome]:
        """Files that could not be indexed, with the reason, by path."""
        return self._catalog.failures()

    def counts(self) -> Counts:
        """How much is in the archive."""
        return self._catalog.counts()

    def videos(self) -> list[VideoRow]:
        """Every video with shots, by path."""
        return self._catalog.videos()

    def video(self, path_or_id: str) -> VideoRow:
        """The video with that fingerprint, or at that path, or at the only path that ends so.

        Raises:
            UnknownIdError: there is none.
        """
        return self._catalog.video(path_or_id)

    def shots(self, video_id: str | None = None) -> list[ShotRow]:
        """The shots of a video, or of all, by path and position."""
        return self._catalog.shots(video_id)

    def shot(self, shot_id: str) -> ShotRow:
        """One shot.

        Raises:
            UnknownIdError: there is none of that id.
        """
        return self._catalog.shot(shot_id)

    def embeddings(self, shot_id: str) -> Embeddings:
        """The embeddings of a shot's sampled frames, in order of time, exactly as they were put.

        Returns:
            float32, (n_frames, dim).

        Raises:
            UnknownIdError: there is no shot of that id.
            ArchiveDamagedError: its segment is damaged.
        """
        name, frame_ids = self._catalog.segment_of_shot(shot_id)
        stored = read_segment(segment_path(self._folder / "segments", name))
        position = {frame_id: row for row, frame_id in enumerate(stored.frame_ids.tolist())}
        return stored.embeddings[[position[frame_id] for frame_id in frame_ids]]

    def search(self, vector: Embeddings, n_frames: int) -> list[FrameHit]:
        """The sampled frames nearest to a vector, best first.

        Args:
            vector: float32, (dim,), of length 1, from the archive's own embedding space.
            n_frames: how many at most.

        Raises:
            SpaceMismatchError: the vector has another dimension than the archive's space.
        """
        question = np.ascontiguousarray(vector, dtype=np.float32)
        if self.space is None:
            return []
        if question.shape != (self.space.dim,):
            raise SpaceMismatchError(
                f"the archive's embedding space {self.space.name} has dimension {self.space.dim}, "
                f"the question has shape {question.shape}; encode it with the archive's own encoder"
            )
        if n_frames < 1:
            return []
        scores, frame_ids = search_shards(self._shards, self._removed, question[None], n_frames)
        return self._catalog.frame_hits(frame_ids.tolist(), scores.tolist())


def open_snapshot(generations: Generations, generation: int, shelf: ShardShelf) -> Snapshot:
    """Open a generation, every file of it verified.

    Raises:
        ArchiveDamagedError: something of it is missing or damaged.
    """
    manifest = generations.read(generation)
    if manifest is None:
        path: Path = generations.manifest_path(generation)
        raise ArchiveDamagedError(f"manifest {path} is missing or damaged")
    return Snapshot(generations, manifest, shelf)
