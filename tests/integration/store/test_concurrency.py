"""Several processes and threads on one archive at once."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from store.archive import Archive, check_archive
from store.errors import ArchiveLockedError
from store.publishing.publisher import writer_lock
from tests.integration.store.samples import add_videos, embeddings_of, fingerprint_of

REPOSITORY = Path(__file__).parents[3]
N_EACH = 8


def _start(module: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", f"tests.integration.store.{module}", *map(str, arguments)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_two_indexers_and_four_searchers(tmp_path: Path) -> None:
    """Nobody fails, no answer mixes generations, and everything both indexers acknowledged is there."""
    folder, stop = tmp_path / "archive", tmp_path / "stop"
    with Archive.create(folder) as archive:
        add_videos(archive, 99)
        archive.publish()
    searchers = [_start("searcher_process", folder, stop) for _ in range(4)]
    indexers = [_start("writer_process", folder, tmp_path / f"done-{first}", first, N_EACH) for first in (0, 50)]
    try:
        for indexer in indexers:
            indexer.communicate(timeout=300)
        assert [indexer.returncode for indexer in indexers] == [0, 0]
    finally:
        stop.touch()
    told = [searcher.communicate(timeout=60)[0].split() for searcher in searchers]
    assert [searcher.returncode for searcher in searchers] == [0, 0, 0, 0]
    for n_asked, n_generations in told:
        assert int(n_asked) > 3
        assert int(n_generations) > 2
    with Archive.open(folder) as archive:
        expected = {fingerprint_of(video) for video in (99, *range(N_EACH), *range(50, 50 + N_EACH))}
        assert expected == {video.video_id for video in archive.snapshot().videos()}
    assert check_archive(folder, read_data=True) == []


@pytest.mark.slow
def test_threads_share_one_archive(tmp_path: Path) -> None:
    """Threads that search, read, write and publish with one Archive each get their own right answers."""
    with Archive.create(tmp_path / "archive") as archive:
        add_videos(archive, 0)
        archive.publish()

        def ask(number: int) -> float:
            snapshot = archive.snapshot()
            question = embeddings_of(number, 1)[0]
            hits = snapshot.search(question, 1000)
            assert len(hits) == snapshot.counts().frames
            best = max(
                float((embeddings_of(int(v.path.split("/")[-1][:-4]), 4) @ question).max())
                for v in snapshot.videos()
            )
            return abs(hits[0].score - best)

        def write(video: int) -> int:
            add_videos(archive, video)
            return archive.publish()

        with ThreadPoolExecutor(8) as pool:
            differences = [pool.submit(ask, number) for number in range(150)]
            generations = [pool.submit(write, video) for video in range(1, 9)]
            assert max(future.result() for future in differences) < 2e-3
            assert len({future.result() for future in generations}) > 1
        archive.publish()
        assert archive.snapshot().counts().videos == 9
        assert np.isclose(archive.snapshot().search(embeddings_of(8, 1)[0], 1)[0].score, 1, atol=1e-3)


def test_who_waits_too_long_for_the_writer_lock_is_told(tmp_path: Path) -> None:
    """A second publisher gives up with an error of its own kind, not with one about the disk."""
    with (
        writer_lock(tmp_path),
        pytest.raises(ArchiveLockedError, match="another process has been publishing"),
        writer_lock(tmp_path, timeout_seconds=0.01),
    ):
        pass
