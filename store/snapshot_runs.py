"""Reading stages and their runs in one generation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from store.catalog import runs
from store.errors import SpaceMismatchError
from store.results import Correction, Coverage, CoverageState, PassedSegment, RunRow, SpaceHit, StageRow
from store.stages import is_known
from store.timespan import TimeSpan
from store.truth.segments import read_segment, segment_path, stage_of, to_segment
from store.truth.text_segments import read_text_segment, rows_of_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from store.catalog.reader import CatalogReader
    from store.records import Embeddings, EmbeddingSpace, TextRow
    from store.shot_outcomes import ShotOutcome
    from store.stages import Run


class SnapshotRuns:
    """The part of a snapshot that is about stages and their runs."""

    _catalog: CatalogReader
    _folder: Path

    def runs(self) -> list[RunRow]:
        """Every run that was asked for or has results, by stage, the one asked for last first."""
        return runs.read_runs(self._catalog)

    def chosen_run(self, stage: str) -> str | None:
        """Key of the run of a stage that was asked for last, and not dropped since; None if none ever was."""
        return runs.read_chosen(self._catalog, stage)

    def coverage(self, run: Run, video_id: str) -> Coverage:
        """Coverage of a video by a run; missing for a video without shots."""
        found = runs.read_coverage(self._catalog, run.stage, run.key, video_id)
        return found.get(video_id, Coverage(CoverageState.MISSING))

    def coverages(self, run: Run) -> Mapping[str, Coverage]:
        """Coverage of every video that has shots, by fingerprint."""
        return runs.read_coverage(self._catalog, run.stage, run.key)

    def failures_of_run(self, run: Run) -> Mapping[str, str]:
        """For each video with which a run failed, the reason; what it has done since is left out."""
        return runs.read_failures_of_run(self._catalog, run.stage, run.key)

    def stage_rows(self, video_id: str, stage: str = "") -> list[StageRow]:
        """The live rows of a video, of one stage or of all, by time, with all that they carry."""
        return runs.read_stage_rows(self._catalog, video_id, stage)

    def corrections(self, video_id: str, stage: str) -> list[Correction]:
        """What people put in place of what a stage found in a video, by time."""
        return runs.read_corrections(self._catalog, video_id, stage)

    def rows_of_run(self, run: Run, video_id: str) -> list[TextRow]:
        """The rows of a run for a video, by time, live or not; none if it has no result.

        Raises:
            ArchiveDamagedError: a segment is damaged, or was dropped after this generation was opened.
        """
        rows: list[TextRow] = []
        for name in runs.read_segments_of(self._catalog, run.stage, run.key, video_id):
            rows += rows_of_table(read_text_segment(segment_path(self._folder / "segments", name)).table)
        return sorted(rows, key=lambda row: (row.span.start, row.span.end))

    def shot_outcomes(self, run: Run, video_id: str = "") -> list[ShotOutcome]:
        """The shots of a video, or of all, that a run did not simply do, by time."""
        return runs.read_outcomes(self._catalog, run.stage, run.key, video_id)

    def shots_of_run(self, run: Run, video_id: str) -> list[TimeSpan]:
        """The shots of a visual run for a video, in order, live or not; none if it has no result.

        Raises:
            ArchiveDamagedError: its segment is damaged, or was dropped after this generation was opened.
        """
        names = runs.read_segments_of(self._catalog, run.stage, run.key, video_id)
        stored = (read_segment(segment_path(self._folder / "segments", name)) for name in names)
        return [shot.span for one in stored for shot in to_segment(one).shots]

    def passed_segments(self) -> list[PassedSegment]:
        """Segments that are kept and passed over: of a stage or format that only a later version knows."""
        return [one for one in runs.read_passed(self._catalog) if one.format or not is_known(stage_of(one.name))]

    def doubtful_segments(self) -> Mapping[str, tuple[str, str]]:
        """Segments of which rows are passed over, or fields are unknown: which rows and fields, by name."""
        return runs.read_doubts(self._catalog)

    def video_span(self, video_id: str) -> TimeSpan | None:
        """From the first frame of a video to the end of its last; None if it has no shots here."""
        return runs.read_span(self._catalog, video_id)

    def spaces(self) -> Mapping[str, tuple[EmbeddingSpace, str]]:
        """Every embedding space of the archive with the source of its encoder, by id; one of them answers."""
        return runs.read_spaces(self._catalog)

    def space_coverage(self, space_id: str) -> tuple[int, int]:
        """Number of videos with pictures in a space, and of all videos."""
        return runs.read_space_coverage(self._catalog, space_id)

    def videos_in_space(self, space_id: str) -> set[str]:
        """Fingerprints of the videos that have pictures in a space."""
        return set(runs.read_segments_in_space(self._catalog, space_id))

    def search_space(self, space: EmbeddingSpace, vector: Embeddings, n: int) -> list[SpaceHit]:
        """The shots nearest to a vector in any space of the archive, best first, compared one by one.

        Reads every segment of that space: for comparing encoders, not for searching.

        Args:
            space: the space.
            vector: float32, (dim,), of length 1, from that space.
            n: how many at most.

        Raises:
            SpaceMismatchError: the vector has another dimension than the space.
            ArchiveDamagedError: a segment is damaged.
        """
        if vector.shape != (space.dim,):
            raise SpaceMismatchError(f"the space {space.name} has dimension {space.dim}, got {vector.shape}")
        hits = list[SpaceHit]()
        for video_id, name in runs.read_segments_in_space(self._catalog, space.space_id).items():
            segment = to_segment(read_segment(segment_path(self._folder / "segments", name)))
            scores = segment.embeddings @ vector
            for shot in segment.shots:
                frames = [i for i, frame in enumerate(segment.frames) if frame.shot_ordinal == shot.ordinal]
                best = frames[int(np.argmax(scores[frames]))]
                hits.append(SpaceHit(video_id, shot.span, segment.frames[best].time, float(scores[best])))
            hits = sorted(hits, key=lambda hit: (-hit.score, hit.video_id, hit.time))[:n]
        return hits
