"""Searching among some frames, and reading frames and their vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from store.archive import Archive
from store.errors import ArchiveDamagedError
from store.events import Forgotten
from store.snapshot import BACKGROUND_FRAMES
from tests.integration.store.samples import add_videos, embeddings_of, fingerprint_of

QUESTION = embeddings_of(999, 1)[0]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    opened = Archive.create(tmp_path / "archive")
    for start in (0, 30, 55):  # several shards
        add_videos(opened, *range(start, start + 30 if start < 55 else 60))
        opened.publish()
    opened.record([Forgotten(fingerprint_of(5))])
    opened.publish()
    return opened


@pytest.mark.parametrize("share", [0.01, 0.1, 0.6, 1.0])
def test_the_true_best_among_some_frames(archive: Archive, share: float) -> None:
    """However few frames are let through, the ten nearest of them come back, as a plain search finds them."""
    with archive:
        snapshot = archive.snapshot()
        every = snapshot.frames_of_videos([video.video_id for video in snapshot.videos()])
        chosen = np.random.default_rng(3).permutation([row.frame_id for row in every])[: int(share * len(every))]
        vectors = snapshot.frame_vectors(chosen)
        best = chosen[np.argsort(-(vectors @ QUESTION), kind="stable")[:10]]
        assert best.tolist() == [hit.frame_id for hit in snapshot.search(QUESTION, 10, among=chosen)]


def test_removed_frames_never_come_back(archive: Archive) -> None:
    """Frames of a forgotten video are not found, even when they are asked for by id."""
    with archive:
        snapshot = archive.snapshot()
        alive = {hit.frame_id for hit in snapshot.search(QUESTION, 1000)}
        everything = np.arange(1, 2**62, 2**62 // 1000)
        assert 59 * 4 == len(alive)
        assert [] == snapshot.frames_of_videos([fingerprint_of(5)])
        assert [] == snapshot.search(QUESTION, 10, among=everything)


def test_vectors_come_in_the_order_asked(archive: Archive) -> None:
    """Vectors of frames are those of their shots, rounded to 16 bits, whichever shard they lie in."""
    with archive:
        snapshot = archive.snapshot()
        shots = [shot.shot_id for shot in snapshot.shots()][::-7]
        for shot_id in shots:
            rows = snapshot.frames_of_shots([shot_id])
            vectors = snapshot.frame_vectors(np.array([row.frame_id for row in rows], np.int64))
            assert [row.time for row in rows] == sorted(row.time for row in rows)
            assert np.allclose(snapshot.embeddings(shot_id), vectors, atol=1e-3)
        with pytest.raises(ArchiveDamagedError, match="no vectors"):
            snapshot.frame_vectors(np.array([12345], np.int64))


def test_the_background_is_a_fixed_sample(archive: Archive) -> None:
    """The sample is the same for every reader, holds only live frames, and is bounded."""
    with archive, Archive.open(archive.folder) as other:
        sample = archive.snapshot().background()
        assert np.array_equal(sample, other.snapshot().background())
        assert min(BACKGROUND_FRAMES, 59 * 4) == len(sample)


def test_shots_are_listed_by_place(archive: Archive) -> None:
    """The first shots of all, or of some, come in the order of path and position."""
    with archive:
        snapshot = archive.snapshot()
        every = [shot.shot_id for shot in snapshot.shots()]
        assert every[:7] == snapshot.list_shot_ids(None, 7)
        assert every[3:40:9] == snapshot.list_shot_ids(set(every[3:40:9]), 100)
        assert set(every[:3]) == set(snapshot.shots_by_id([*every[:3], "unknown"]))
