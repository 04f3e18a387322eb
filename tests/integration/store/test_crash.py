"""kill -9 at every named step and at random moments: nothing acknowledged is lost, a rerun completes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from store.archive import Archive, check_archive, repair_archive
from store.files import FAILPOINT_VARIABLE, FAILPOINTS
from tests.integration.store.samples import fingerprint_of, rows_of

N_VIDEOS = 5
RANDOM_KILLS = 25
SOAK_KILLS = 300
LONGEST_LIFE_SECONDS = 1.5
REPOSITORY = Path(__file__).parents[3]
_NOT_WRITING = tuple(name for name in FAILPOINTS if name.startswith(("repair.", "edits.")))
_REPAIRING = (
    *(name for name in _NOT_WRITING if name != "edits.torn"),
    *("archive.before-rename", "publish.applied", "text.after-rename", "catalog.after-rename"),
    *("manifest.after-rename", "publish.published"),
)


def _run(archive: Path, done: Path, n_videos: int, failpoint: str = "") -> int:
    """Let a writer run to its end, or to the step at which it kills itself; gives its exit status."""
    with _start(archive, done, n_videos, failpoint) as writer:
        writer.communicate()
    return writer.returncode


def _start(archive: Path, done: Path, n_videos: int, failpoint: str = "") -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "tests.integration.store.writer_process",
        str(archive),
        str(done),
        "0",
        str(n_videos),
    ]
    return subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, env={**os.environ, FAILPOINT_VARIABLE: failpoint}
    )


def _acknowledged(done: Path) -> set[str]:
    return {fingerprint_of(int(line)) for line in done.read_text().split()} if done.exists() else set()


def _verify_nothing_lost(folder: Path, done: Path) -> None:
    """A killed archive opens, and after publishing holds whatever was acknowledged."""
    with Archive.create(folder) as archive:
        archive.publish()
        assert _acknowledged(done) <= {video.video_id for video in archive.snapshot().videos()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, Any]]:
    """Rows of an archive whose writer was left in peace, by the number of its videos."""
    rows = {}
    for n_videos in (N_VIDEOS, 2 * N_VIDEOS):
        folder = tmp_path_factory.mktemp("undisturbed")
        assert _run(folder / "archive", folder / "done", n_videos) == 0
        with Archive.open(folder / "archive") as archive:
            rows[n_videos] = _comparable(archive)
    return rows


def _comparable(archive: Archive) -> dict[str, Any]:
    text = {
        name: repr(rows).replace(str(archive.folder), "") for name, rows in rows_of(archive.snapshot()).items()
    }
    return {**text, "n": archive.snapshot().counts().videos}


@pytest.mark.slow
@pytest.mark.parametrize("failpoint", [name for name in FAILPOINTS if name not in _NOT_WRITING])
def test_kill_at_named_step(tmp_path: Path, undisturbed: dict[int, dict[str, Any]], failpoint: str) -> None:
    """A writer killed at this step loses nothing it acknowledged; the next run ends as if nothing had happened."""
    folder, done = tmp_path / "archive", tmp_path / "done"
    assert _run(folder, done, N_VIDEOS, failpoint) == -signal.SIGKILL
    _verify_nothing_lost(folder, done)
    assert _run(folder, done, N_VIDEOS) == 0
    with Archive.open(folder) as archive:
        assert _comparable(archive) == undisturbed[N_VIDEOS]
    assert [found for found in check_archive(folder, read_data=True) if found.kind != "torn edits"] == []


def _kill_at_random(tmp_path: Path, n_kills: int, expected: dict[str, Any]) -> None:
    """Kill writers at random moments, each going on where the last one was killed, over many archives."""
    rng = random.Random(2026)
    kills = with_progress = rounds = 0
    while kills < n_kills:
        folder, done = tmp_path / f"archive-{rounds}", tmp_path / f"done-{rounds}"
        rounds += 1
        finished = False
        while not finished and kills < n_kills:
            before = len(_acknowledged(done))
            with _start(folder, done, 2 * N_VIDEOS) as writer:
                assert writer.stdout is not None
                assert writer.stdout.readline() == b"ready\n"
                time.sleep(rng.uniform(0, LONGEST_LIFE_SECONDS))
                writer.kill()
            finished = writer.returncode == 0
            kills += not finished
            with_progress += len(_acknowledged(done)) > before
            _verify_nothing_lost(folder, done)
        assert _run(folder, done, 2 * N_VIDEOS) == 0
        with Archive.open(folder) as archive:
            assert _comparable(archive) == expected
        assert [found for found in check_archive(folder, read_data=True) if found.kind != "torn edits"] == []
    assert with_progress >= n_kills // 4, f"only {with_progress} of {kills} killed writers had got anywhere"


@pytest.mark.slow
def test_kill_at_random_moments(tmp_path: Path, undisturbed: dict[int, dict[str, Any]]) -> None:
    """25 writers killed at random moments lose nothing, and the archives end as if nothing had happened."""
    _kill_at_random(tmp_path, RANDOM_KILLS, undisturbed[2 * N_VIDEOS])


@pytest.mark.optin
@pytest.mark.timeout(3600)
def test_kill_300_times_at_random_moments(tmp_path: Path, undisturbed: dict[int, dict[str, Any]]) -> None:
    """The same with 300 kills."""
    _kill_at_random(tmp_path, SOAK_KILLS, undisturbed[2 * N_VIDEOS])


@pytest.mark.slow
@pytest.mark.parametrize("failpoint", _REPAIRING)
def test_kill_while_repairing(tmp_path: Path, undisturbed: dict[int, dict[str, Any]], failpoint: str) -> None:
    """A repair killed at this step can be repeated, and loses nothing more than was damaged."""
    folder, done = tmp_path / "archive", tmp_path / "done"
    assert _run(folder, done, N_VIDEOS) == 0
    segment = sorted((folder / "segments").glob("*/*.visual.*.parquet"))[0]
    segment.write_bytes(segment.read_bytes()[:-1])
    (edits,) = (folder / "edits").iterdir()
    edits.write_bytes(edits.read_bytes() + b'{"torn')
    (folder / "archive.json").unlink()
    for words in (folder / "text").glob("*/*.idx"):
        words.write_bytes(words.read_bytes()[::-1])
    script = f"from store.archive import repair_archive; repair_archive({str(folder)!r}, dry_run=False)"
    repair = subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        env={**os.environ, FAILPOINT_VARIABLE: failpoint},
        check=False,
    )
    assert repair.returncode == -signal.SIGKILL
    repair_archive(folder, dry_run=False)
    assert check_archive(folder, read_data=True) == []
    with Archive.open(folder) as archive:
        assert archive.snapshot().counts().videos == N_VIDEOS - 1
        assert len(archive.locations_without_segment()) == 1
    assert _run(folder, done, N_VIDEOS) == 0
    with Archive.open(folder) as archive:
        assert _comparable(archive) == undisturbed[N_VIDEOS]
