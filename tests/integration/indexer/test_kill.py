"""`kill -9` of the whole indexer, at every named step and at random moments, loses nothing acknowledged."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from store.archive import Archive
from store.files import FAILPOINT_VARIABLE, FAILPOINTS
from store.publishing.health import Kind, check_archive
from tests.colour_clips import write_colour_library

ROOT = Path(__file__).parents[3]
N_VIDEOS = 6
HARMLESS = {Kind.LEFTOVER, Kind.TORN_EDITS}  # what a killed writer leaves, and `rushes repair` clears away
STEPS_OF_INDEXING = [name for name in FAILPOINTS if not name.startswith("repair.")]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few small videos."""
    folder = tmp_path_factory.mktemp("library")
    write_colour_library(folder, N_VIDEOS)
    return folder


@pytest.fixture(scope="module")
def undisturbed(library: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """What an archive holds when nobody is killed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert 0 == _start(folder / "archive", library, folder / "ack").wait()
    return _rows(folder / "archive")


def _start(archive: Path, library: Path, ack: Path, failpoint: str = "") -> subprocess.Popen[bytes]:
    environment = {**os.environ, FAILPOINT_VARIABLE: failpoint}
    command = [sys.executable, "-m", "tests.index_run", str(archive), str(library), str(ack)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)


def _rows(folder: Path) -> list[tuple[Any, ...]]:
    """Every shot with its id and every video, but for where the archive lies."""
    with Archive.open(folder) as archive:
        snapshot = archive.snapshot()
        shots = [(row.shot_id, row.video_id, row.path, *astuple(row.shot)) for row in snapshot.shots()]
        videos = [(video.video_id, video.path, video.n_shots) for video in snapshot.videos()]
    return [*shots, *videos]


def _acknowledged(ack: Path) -> set[str]:
    lines = ack.read_text().splitlines() if ack.exists() else []
    return {line.split(" ", 1)[1] for line in lines if line.startswith(("indexed ", "unchanged "))}


def _check_survivor(archive: Path, library: Path, ack: Path, undisturbed: list[tuple[Any, ...]]) -> None:
    """The archive opens, holds what was acknowledged, is sound, and a rerun makes it whole."""
    if (archive / "archive.json").exists():
        with Archive.open(archive) as opened:
            opened.publish()
            held = {video.path for video in opened.snapshot().videos()}
        assert _acknowledged(ack) <= held
    assert 0 == _start(archive, library, ack).wait()
    assert undisturbed == _rows(archive)
    found = check_archive(archive, read_data=True)
    assert [] == [finding for finding in found if finding.kind not in HARMLESS]


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS_OF_INDEXING)
def test_killed_at_a_named_step(
    step: str, library: Path, undisturbed: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    """Wherever the power goes off, at most the video in progress is lost."""
    archive, ack = tmp_path / "archive", tmp_path / "ack"
    process = _start(archive, library, ack, failpoint=step)
    # A step that one run does not pass, such as a merge of shards, must end well instead.
    assert process.wait() in (0, -signal.SIGKILL)
    _check_survivor(archive, library, ack, undisturbed)


def _kill_at_random(n_kills: int, library: Path, tmp_path: Path, whole: list[tuple[Any, ...]]) -> Iterator[int]:
    """Kills indexers until there were enough, checking after each; gives how many videos each had finished.

    When they are killed is measured in whole runs, so that a slow machine gets as far as a fast one.
    """
    chance = random.Random(5)
    started = time.monotonic()
    assert 0 == _start(tmp_path / "timed", library, tmp_path / "timed-ack").wait()
    run_seconds = time.monotonic() - started
    archive, ack = tmp_path / "archive0", tmp_path / "ack0"
    for number in range(n_kills):
        process = _start(archive, library, ack)
        time.sleep(run_seconds * chance.uniform(0.1, 1.1))
        process.kill()
        process.wait()
        done = _acknowledged(ack)
        if (archive / "archive.json").exists():
            with Archive.open(archive) as opened:
                opened.publish()
                assert done <= {video.path for video in opened.snapshot().videos()}
        yield len(done)
        if len(done) == N_VIDEOS:
            _check_survivor(archive, library, ack, whole)
            archive, ack = tmp_path / f"archive{number + 1}", tmp_path / f"ack{number + 1}"


@pytest.mark.slow
def test_killed_at_random_moments(library: Path, undisturbed: list[tuple[Any, ...]], tmp_path: Path) -> None:
    """Twenty-five kills, one after the other on the same archives, lose nothing and do not stop progress."""
    finished = list(_kill_at_random(25, library, tmp_path, undisturbed))
    assert max(finished) == N_VIDEOS, f"the harness must make progress, got {finished}"


@pytest.mark.optin
@pytest.mark.timeout(3600)
def test_killed_three_hundred_times(library: Path, undisturbed: list[tuple[Any, ...]], tmp_path: Path) -> None:
    """The long run."""
    finished = list(_kill_at_random(300, library, tmp_path, undisturbed))
    assert finished.count(N_VIDEOS) >= 30, f"the harness must make progress, got {finished}"
