"""`kill -9` of the whole indexer, at every named step and at random moments, loses nothing acknowledged."""

import random
import shutil
import signal
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from store.archive import Archive
from store.files import FAILPOINTS
from store.publishing.health import Kind, check_archive
from tests.colour_clips import write_colour_library
from tests.fork_server import ForkServer
from tests.index_run import index_library
from tests.sampled import sampled

N_BEGUN = 1
N_VIDEOS = 3
HARMLESS = {Kind.LEFTOVER, Kind.TORN_EDITS}  # what a killed writer leaves, and `rushes repair` clears away
STEPS_AROUND_A_RENAME = [
    f"{name.partition('.')[0]}.{step}"
    for name in FAILPOINTS
    if name.endswith(".before-rename")
    for step in ("before-write", "torn", "before-sync", "after-sync")
]
"""They leave what the steps beside them leave, as the store's crash tests prove; only `make soak` takes them."""
STEPS_OF_INDEXING = [
    *sampled([n for n in FAILPOINTS if not n.startswith("repair.") and n not in STEPS_AROUND_A_RENAME], 3),
    *(pytest.param(name, marks=pytest.mark.optin) for name in STEPS_AROUND_A_RENAME),
]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few small videos."""
    folder = tmp_path_factory.mktemp("library")
    write_colour_library(folder, N_BEGUN)
    return folder


@pytest.fixture(scope="module")
def begun(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an archive that was made before there were all videos, and of what was acknowledged."""
    folder = tmp_path_factory.mktemp("begun") / "begun"
    folder.mkdir()
    _index(folder, library)
    write_colour_library(library, N_VIDEOS)
    return folder


@pytest.fixture(scope="module")
def undisturbed(library: Path, begun: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """What an archive holds when nobody is killed."""
    assert _acknowledged(begun)
    folder = tmp_path_factory.mktemp("undisturbed")
    _index(folder, library)
    return _rows(folder / "archive")


def _index(folder: Path, library: Path) -> None:
    index_library(folder / "archive", library, folder / "ack")


def _rows(folder: Path) -> list[tuple[Any, ...]]:
    """Every shot with its id and every video, but for where the archive lies."""
    with Archive.open(folder) as archive:
        snapshot = archive.snapshot()
        shots = [(row.shot_id, row.video_id, row.path, *astuple(row.shot)) for row in snapshot.shots()]
        videos = [(video.video_id, video.path, video.n_shots) for video in snapshot.videos()]
    return [*shots, *videos]


def _acknowledged(folder: Path) -> set[str]:
    ack = folder / "ack"
    lines = ack.read_text().splitlines() if ack.exists() else []
    return {line.split(" ", 1)[1] for line in lines if line.startswith(("indexed ", "unchanged "))}


def _check_nothing_lost(folder: Path) -> None:
    """The archive opens and holds what was acknowledged."""
    if (folder / "archive/archive.json").exists():
        with Archive.open(folder / "archive") as opened:
            opened.publish()
            held = {video.path for video in opened.snapshot().videos()}
        assert _acknowledged(folder) <= held


def _check_made_whole(folder: Path, library: Path, undisturbed: list[tuple[Any, ...]]) -> None:
    """A rerun makes the archive whole, and it is sound."""
    _index(folder, library)
    assert undisturbed == _rows(folder / "archive")
    found = check_archive(folder / "archive", read_data=True)
    assert [] == [finding for finding in found if finding.kind not in HARMLESS]


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS_OF_INDEXING)
def test_killed_at_a_named_step(
    step: str,
    fork_server: ForkServer,
    library: Path,
    begun: Path,
    undisturbed: list[tuple[Any, ...]],
    tmp_path: Path,
) -> None:
    """Wherever the power goes off, at most the video in progress is lost."""
    folder = tmp_path / "killed"
    if step.startswith("archive."):
        folder.mkdir()  # a step of making an archive
    else:
        shutil.copytree(begun, folder)
    # A step that one run does not pass, such as a merge of shards, must end well instead.
    assert fork_server.run(_index, folder, library, failpoint=step) in (0, -signal.SIGKILL)
    _check_nothing_lost(folder)
    _check_made_whole(folder, library, undisturbed)


def _kill_at_random(
    server: ForkServer, n_kills: int, library: Path, tmp_path: Path, whole: list[tuple[Any, ...]]
) -> Iterator[int]:
    """Kills indexers until there were enough, checking after each; gives how many videos each had finished.

    When they are killed is measured in the calls that a whole run makes, so that a slow machine gets as far as a
    fast one; half of the indexers die inside a call.
    """
    chance = random.Random(5)
    folder = tmp_path / "counted"
    folder.mkdir()
    n_calls = server.count_calls(_index, folder, library)
    for number in range(n_kills):
        if len(_acknowledged(folder)) == N_VIDEOS:
            folder = tmp_path / f"killed{number}"
            folder.mkdir()
        moment = round(n_calls * chance.uniform(0.1, 1.1))
        process = server.start(_index, folder, library, die_after=moment, die_beside=bool(moment % 2))
        assert process.wait() in (0, -signal.SIGKILL)
        _check_nothing_lost(folder)
        yield len(_acknowledged(folder))
        if len(_acknowledged(folder)) == N_VIDEOS:
            _check_made_whole(folder, library, whole)


@pytest.mark.slow
def test_killed_at_random_moments(
    fork_server: ForkServer, library: Path, undisturbed: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    """Twenty-five kills, one after the other on the same archives, lose nothing and do not stop progress."""
    finished = list(_kill_at_random(fork_server, 12, library, tmp_path, undisturbed))
    assert max(finished) == N_VIDEOS, f"the harness must make progress, got {finished}"


@pytest.mark.optin
@pytest.mark.timeout(3600)
def test_killed_three_hundred_times(
    fork_server: ForkServer, library: Path, undisturbed: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    """The long run."""
    finished = list(_kill_at_random(fork_server, 300, library, tmp_path, undisturbed))
    assert finished.count(N_VIDEOS) >= 30, f"the harness must make progress, got {finished}"
