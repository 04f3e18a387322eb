"""One generation, open for reading: a catalog and the shards that belong to it."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from store.catalog import cuts, decisions, filter_sql, frame_rows, place_names, places, text_rows
from store.catalog.reader import CatalogReader
from store.errors import ArchiveDamagedError, SpaceMismatchError
from store.names import display_names
from store.publishing.generations import verify_catalog
from store.snapshot_runs import SnapshotRuns
from store.truth.segments import read_segment, segment_path, to_segment
from store.vectors.nearest import LiveShard, search_shards
from store.vectors.shard import find_vectors
from store.words.index import LexicalIndex, telling_words, verify_folder
from store.words.search import TextSearch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from store.filters import Filter, TextMatch
    from store.names import NamedPlace
    from store.publishing.generations import Generations, Manifest
    from store.publishing.open_shards import ShardShelf
    from store.records import (
        Counts,
        CutStep,
        Embeddings,
        EmbeddingSpace,
        FrameHit,
        FrameRow,
        Judgement,
        Location,
        Outcome,
        RightsFlag,
        SavedSearch,
        Segment,
        SetMember,
        ShotRow,
        TextHit,
        VideoRow,
    )
    from store.timespan import TimeSpan
    from store.vectors.shard import FrameIds, ShardFile

BACKGROUND_FRAMES = 2_048
BACKGROUND_SEED = 7


class Snapshot(SnapshotRuns):
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
        self.folder = self._folder = generations.folder
        path = generations.catalog_path(manifest)
        verify_catalog(path, manifest.catalog)
        for shard in manifest.all_shards:
            shelf.get(manifest.space_of(shard.name), shard)  # refused before the catalog is opened
        self._catalog = CatalogReader(path, self._folder / "thumbs")
        removed = self._catalog.removed_frames()
        live = partial(_live_shards, shelf, manifest, removed)
        self._shards = live(manifest.shards)
        words = None
        if manifest.lexical is not None:
            folder = generations.lexical_path(manifest.lexical)
            verify_folder(folder, manifest.lexical)
            words = LexicalIndex(folder, [file.name for file in manifest.lexical.files])
        text_shards = {stage: live(shards) for stage, shards in manifest.text_shards.items()}
        self._texts = TextSearch(self._catalog, words, text_shards)
        claimed = self._catalog.space()
        self.space: EmbeddingSpace | None = claimed[0] if claimed else None
        """The embedding space of the archive's vectors; None before one was claimed."""
        self.text_space: EmbeddingSpace | None = self._catalog.text_space() or self.space
        """The embedding space of the vectors of texts: that of pictures, unless texts have one of their own."""
        self.space_source: str | None = claimed[1] if claimed else None
        """How to load the encoder of that space: what was given to `Archive.claim_space`."""

    def close(self) -> None:
        """Let go of the catalog and the shards; only who owns the snapshot does this."""
        self._catalog.close()
        self._shards = []

    def roots(self, *, in_use: bool = False) -> dict[str, str]:
        """Name and absolute path of every library root, or only of those that hold a video or a failed file."""
        return places.read_roots(self._catalog, in_use=in_use)

    def locations(self) -> list[Location]:
        """Every place that holds a video, indexed or not, by root and path."""
        return places.read_locations(self._catalog)

    def locations_without_segment(self) -> list[Location]:
        """Places whose content has no rows: its segment was lost, or is not written yet."""
        return places.read_locations(self._catalog, without_rows=True)

    def places_of(self, video_ids: Sequence[str]) -> dict[str, list[Location]]:
        """The places of these videos: present ones first, and of these the one that held the video first."""
        return places.read_places_of(self._catalog, video_ids)

    def former_places(self, video_id: str) -> list[str]:
        """Absolute paths of every place that ever held a video, the oldest first."""
        return places.read_former_places(self._catalog, video_id)

    def failures(self) -> list[Outcome]:
        """Files that could not be indexed, with the reason, by path; ignored ones too."""
        return places.read_failures(self._catalog)

    def ignored_contents(self) -> set[str]:
        """Fingerprints of files that are to be passed over wherever they lie."""
        return places.read_ignored_contents(self._catalog)

    def erased(self) -> set[str]:
        """Fingerprints of the videos that a person removed for good."""
        return self._catalog.erased()

    def run_events(self) -> list[tuple[int, dict[str, Any]]]:
        """Time and fields of the latest begin and end of a run of the indexer, as far as this generation knows."""
        return places.read_run_events(self._catalog)

    def stored_segment(self, video_id: str) -> Segment | None:
        """Visual segment of a video, also of one whose file was replaced; None if there is none.

        Raises:
            ArchiveDamagedError: its segment is damaged.
        """
        name = self._catalog.visual_segment_of(video_id)
        return to_segment(read_segment(segment_path(self._folder / "segments", name))) if name else None

    def answer_sql(self, statement: str, most_rows: int = 100_000) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Names of the columns and the rows of a statement of SQL on the catalog, which is only read.

        Tables and views: `video`, `shot`, `frame`, `location`, and one for each kind of text, such as `caption`,
        `label`, `transcript`, `screen_text`.

        Raises:
            SqlError: it is no statement, fails, or asks for what lies outside the catalog.
        """
        return self._catalog.answer_sql(statement, most_rows)

    def counts(self) -> Counts:
        """Counts of an archive."""
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

    def places_holding(self, words: Iterable[str]) -> tuple[list[NamedPlace], set[str]]:
        """The places of videos whose file names may hold any of some words, by path.

        Also those of the words that stand in so many names that they find none by themselves.

        Args:
            words: as `store.names.split_words` gives them.
        """
        return place_names.places_holding(self._catalog, words)

    def named_places_of(self, video_ids: Iterable[str]) -> list[NamedPlace]:
        """All places of some videos, by path."""
        return place_names.places_of(self._catalog, video_ids)

    def display_names(self) -> dict[str, str]:
        """For the path of every video its file name, and folders before it where two have the same name."""
        return self._display_names

    @cached_property
    def _display_names(self) -> dict[str, str]:
        return display_names(self._catalog.paths())

    def shots(self, video_id: str | None = None) -> list[ShotRow]:
        """The shots of a video, or of all, by path and position."""
        return self._catalog.shots(video_id)

    def shot(self, typed: str) -> ShotRow:
        """One shot, by its id or the beginning of it, with or without `shot/` before: whatever people type.

        Raises:
            UnknownIdError: no id begins so, or more than one.
        """
        return self._catalog.shot(typed)

    def embeddings(self, shot_id: str) -> Embeddings:
        """The embeddings of a shot's sampled frames, in order of time, exactly as they were put.

        Rounded to 16 bits where the run was dropped after this generation was opened.

        Returns:
            float32, (n_frames, dim).

        Raises:
            UnknownIdError: there is no shot of that id.
            ArchiveDamagedError: its segment is damaged.
        """
        name, frame_ids = self._catalog.segment_of_shot(shot_id)
        path = segment_path(self._folder / "segments", name)
        if not path.exists():
            return self.frame_vectors(np.array(frame_ids, np.int64))
        stored = read_segment(path)
        position = {frame_id: row for row, frame_id in enumerate(stored.frame_ids.tolist())}
        return stored.embeddings[[position[frame_id] for frame_id in frame_ids]]

    def shots_by_id(self, shot_ids: Sequence[str]) -> dict[str, ShotRow]:
        """The shots of these ids, by id; unknown ids are left out."""
        return self._catalog.shots_by_id(shot_ids)

    def list_shot_ids(self, among: Iterable[str] | None, n: int) -> list[str]:
        """Ids of the first `n` shots, of all or of some, by path and position."""
        return frame_rows.list_shot_ids(self._catalog, among, n)

    def shot_ids_of_videos(self, video_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Ids of the shots of these videos, in order."""
        return text_rows.shots_of_videos(self._catalog, video_ids)

    def frames_of_shots(self, shot_ids: Sequence[str]) -> list[FrameRow]:
        """The sampled frames of these shots, by video and time."""
        return frame_rows.frames_of_shots(self._catalog, shot_ids)

    def frames_of_videos(self, video_ids: Sequence[str]) -> list[FrameRow]:
        """The sampled frames of these videos, by video and time."""
        return frame_rows.frames_of_videos(self._catalog, video_ids)

    def frame_ids_of(self, shot_ids: Iterable[str]) -> NDArray[np.int64]:
        """Ids of the sampled frames of these shots, ascending."""
        return frame_rows.frame_ids_of(self._catalog, shot_ids)

    def count_shots_of(self, frame_ids: NDArray[np.int64]) -> int:
        """Number of shots of these frames."""
        return frame_rows.count_shots_of(self._catalog, frame_ids)

    def frame_vectors(self, frame_ids: NDArray[np.int64]) -> Embeddings:
        """Embeddings of these frames, in their order, rounded to 16 bits.

        Returns:
            float32, (n_frames, dim).

        Raises:
            ArchiveDamagedError: there are no vectors for one of them.
        """
        return find_vectors([live.shard for live in self._shards], self.space.dim if self.space else 0, frame_ids)

    @cached_property
    def _background(self) -> Embeddings:
        return self.frame_vectors(frame_rows.sample_frame_ids(self._catalog, BACKGROUND_FRAMES, BACKGROUND_SEED))

    def background(self) -> Embeddings:
        """A sample of the archive's frames, against which scores are measured: the same for the same archive.

        Returns:
            float32, (n_frames, dim), 2,048 frames or all if there are fewer.
        """
        return self._background

    def text_counts(self) -> dict[str, int]:
        """Number of texts of each kind; kinds without any are left out."""
        return self._texts.counts

    def text_languages(self) -> list[str]:
        """Codes of the languages of the texts, as far as they are known."""
        return self._texts.languages

    def text_rows(self, video_id: str, stage: str | None = None) -> list[TextHit]:
        """The texts of a video, of one kind or of all, by time."""
        return self._texts.of_video(video_id, stage)

    def search_text(
        self,
        words: str,
        stages: Sequence[str],
        n: int,
        *,
        phrase: bool = False,
        prefix: bool = False,
        all_words: bool = False,
    ) -> list[TextHit]:
        """Texts that hold words, best first by BM25.

        Args:
            words: any text; it is read as words, never as a syntax.
            stages: kinds of text, as in `TextStage`, or `name` for file names, folders and metadata.
            n: how many texts at most.
            phrase: the words stand next to each other, in this order.
            prefix: the last word may go on.
            all_words: every word must be there, stop words aside.
        """
        return self._texts.by_words(words, stages, n, phrase=phrase, prefix=prefix, all_words=all_words)

    def telling_words(self, text: str) -> list[str]:
        """The words of a text that are no stop words of English or of the archive's languages, each once."""
        return telling_words(text, self._texts.languages)

    def search_text_vectors(self, vector: Embeddings, stage: str, n: int) -> list[TextHit]:
        """Texts of one kind whose embeddings are nearest to a vector, best first by cosine.

        Args:
            vector: float32, (dim,), of length 1, from the space of texts (`text_space`).
            stage: name of the stage.
            n: how many at most.

        Raises:
            SpaceMismatchError: the vector has another dimension than the space of texts.
        """
        if self.text_space is not None and vector.shape != (self.text_space.dim,):
            raise SpaceMismatchError(
                f"the space of texts {self.text_space.name} has dimension {self.text_space.dim}, "
                f"the question has shape {vector.shape}; encode it with the encoder of texts"
            )
        return self._texts.by_meaning(vector, stage, n)

    def matching_shots(self, wanted: Filter, holding: Mapping[TextMatch, set[str]]) -> set[str]:
        """Ids of the shots that a filter lets through.

        Args:
            wanted: the filter.
            holding: for each `TextMatch` in it, the shots in whose texts the words stand.
        """
        return filter_sql.matching_shots(self._catalog, wanted, holding)

    def dates(self) -> dict[str, str]:
        """For each video the day it was recorded, as `2021-05-03`, as well as is known."""
        return filter_sql.read_dates(self._catalog)

    def judgements(self, query: str | None = None) -> list[Judgement]:
        """Judgements of people, for one question or for all."""
        return decisions.read_judgements(self._catalog, query)

    def saved_searches(self) -> list[SavedSearch]:
        """Saved searches by name."""
        return decisions.read_saved_searches(self._catalog)

    def sets(self) -> dict[str, int]:
        """Names of sets, and how many stretches of video each holds."""
        return decisions.read_sets(self._catalog)

    def set_members(self, name: str) -> list[SetMember]:
        """The stretches that a set holds, whatever the case of its name."""
        return decisions.read_set_members(self._catalog, name)

    def cut_names(self) -> list[str]:
        """Names of all cut lists that ever were, sorted."""
        return cuts.read_cut_names(self._catalog)

    def cut_steps(self, name: str) -> list[CutStep]:
        """Versions of a cut list, in order."""
        return cuts.read_cut_steps(self._catalog, name)

    def cut_clips(self, name: str, version: str) -> list[dict[str, Any]]:
        """The clips of a version of a cut list, in order, as they were put."""
        return cuts.read_cut_clips(self._catalog, name, version)

    def cut_seen(self, name: str) -> list[tuple[str, TimeSpan]]:
        """Video and span of all that was ever in a cut list, or looked at for it."""
        return cuts.read_cut_seen(self._catalog, name)

    def rights(self) -> list[RightsFlag]:
        """Blocks and marks of exports, by video."""
        return cuts.read_rights(self._catalog)

    def search(self, vector: Embeddings, n_frames: int, among: NDArray[np.int64] | None = None) -> list[FrameHit]:
        """The sampled frames nearest to a vector, best first.

        Args:
            vector: float32, (dim,), of length 1, from the archive's own embedding space.
            n_frames: how many at most.
            among: ids of the frames to choose from; None for all.

        Raises:
            SpaceMismatchError: the vector has another dimension than the archive's space.
        """
        scores, frame_ids = self.nearest(vector, n_frames, among)
        return self._catalog.frame_hits(frame_ids.tolist(), scores.tolist())

    def nearest(
        self, vector: Embeddings, n_frames: int, among: NDArray[np.int64] | None = None
    ) -> tuple[Embeddings, NDArray[np.int64]]:
        """Scores and frame ids of what `search` finds, without their rows: float32 and int64, (n,)."""
        question = np.ascontiguousarray(vector, dtype=np.float32)
        nothing = np.empty(0, np.float32), np.empty(0, np.int64)
        if self.space is None:
            return nothing
        if question.shape != (self.space.dim,):
            raise SpaceMismatchError(
                f"the archive's embedding space {self.space.name} has dimension {self.space.dim}, "
                f"the question has shape {question.shape}; encode it with the archive's own encoder"
            )
        if n_frames < 1:
            return nothing
        return search_shards(self._shards, question[None], n_frames, among)


def _live_shards(
    shelf: ShardShelf, manifest: Manifest, removed: Mapping[str, FrameIds], shards: Iterable[ShardFile]
) -> list[LiveShard]:
    return [
        LiveShard(
            shelf.get(manifest.space_of(shard.name), shard),
            removed.get(shard.name),
            shelf.get_inverted(manifest, shard),
        )
        for shard in shards
    ]


def open_snapshot(generations: Generations, generation: int, shelf: ShardShelf) -> Snapshot:
    """Open a generation, every file of it verified.

    Raises:
        ArchiveDamagedError: something of it is missing or damaged.
    """
    manifest = generations.read(generation)
    if manifest is None:
        raise ArchiveDamagedError(generations.why_unreadable(generation))
    return Snapshot(generations, manifest, shelf)
