"""kill -9 at every named step and at random moments: nothing acknowledged is lost, a rerun completes."""

from __future__ import annotations

import random
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from store.archive import Archive, check_archive, repair_archive
from store.files import FAILPOINTS
from tests.fork_server import ForkServer
from tests.integration.store import writer_process
from tests.integration.store.samples import fingerprint_of, rows_of
from tests.sampled import sampled

N_BEGUN = 2
N_VIDEOS = 3
N_AT_RANDOM = 4
RANDOM_KILLS = 12
SOAK_KILLS = 300
_NOT_WRITING = tuple(name for name in FAILPOINTS if name.startswith(("repair.", "edits.")))
_REPAIRING = (
    *(name for name in _NOT_WRITING if name != "edits.torn"),
    *("archive.before-rename", "publish.applied", "text.after-rename", "catalog.after-rename"),
    *("manifest.after-rename", "publish.published"),
)


def _write(folder: Path, n_videos: int) -> None:
    """What a writer does on the archive of a folder; what it calls done stands beside it."""
    writer_process.main(str(folder / "archive"), str(folder / "done"), 0, n_videos)


def _repair(folder: Path) -> None:
    repair_archive(folder / "archive", dry_run=False)


def _acknowledged(folder: Path) -> set[str]:
    done = folder / "done"
    return {fingerprint_of(int(line)) for line in done.read_text().split()} if done.exists() else set()


def _verify_nothing_lost(folder: Path) -> None:
    """A killed archive opens, and after publishing holds whatever was acknowledged."""
    with Archive.create(folder / "archive") as archive:
        archive.publish()
        assert _acknowledged(folder) <= {video.video_id for video in archive.snapshot().videos()}


def _verify_whole(folder: Path, expected: dict[str, Any]) -> None:
    """After another run the archive is as if nobody had been killed, and sound."""
    _write(folder, expected["n"])
    with Archive.open(folder / "archive") as archive:
        assert _comparable(archive) == expected
    found = check_archive(folder / "archive", read_data=True)
    assert [one for one in found if one.kind != "torn edits"] == []


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, Any]]:
    """Rows of an archive whose writer was left in peace, by the number of its videos."""
    rows = {}
    for n_videos in (N_VIDEOS, N_AT_RANDOM):
        folder = tmp_path_factory.mktemp("undisturbed")
        _write(folder, n_videos)
        with Archive.open(folder / "archive") as archive:
            rows[n_videos] = _comparable(archive)
    return rows


def _comparable(archive: Archive) -> dict[str, Any]:
    text = {
        name: repr(rows).replace(str(archive.folder), "") for name, rows in rows_of(archive.snapshot()).items()
    }
    return {**text, "n": archive.snapshot().counts().videos}


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive that a writer has published, for the next one to go on with."""
    folder = tmp_path_factory.mktemp("begun") / "begun"
    folder.mkdir()
    _write(folder, N_BEGUN)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("failpoint", sampled([name for name in FAILPOINTS if name not in _NOT_WRITING], 2))
def test_kill_at_named_step(
    tmp_path: Path, fork_server: ForkServer, begun: Path, undisturbed: dict[int, dict[str, Any]], failpoint: str
) -> None:
    """A writer killed at this step loses nothing it acknowledged; the next run ends as if nothing had happened."""
    folder = tmp_path / "killed"
    if failpoint.startswith("archive."):
        folder.mkdir()  # a step of making an archive
    else:
        shutil.copytree(begun, folder)
    assert fork_server.run(_write, folder, N_VIDEOS, failpoint=failpoint) == -signal.SIGKILL
    _verify_nothing_lost(folder)
    _verify_whole(folder, undisturbed[N_VIDEOS])


def _kill_at_random(server: ForkServer, tmp_path: Path, n_kills: int, expected: dict[str, Any]) -> None:
    """Kill writers at random moments, each going on where the last one was killed, over many archives.

    A moment is so many calls after the start, of those that a whole run makes; half of them die inside a call.
    """
    rng = random.Random(2026)
    (tmp_path / "counted").mkdir()
    n_calls = server.count_calls(_write, tmp_path / "counted", expected["n"])
    kills = with_progress = rounds = 0
    while kills < n_kills:
        folder = tmp_path / f"round-{rounds}"
        folder.mkdir()
        rounds += 1
        finished = False
        while not finished and kills < n_kills:
            before = len(_acknowledged(folder))
            moment = rng.randint(1, n_calls)
            status = server.start(
                _write, folder, expected["n"], die_after=moment, die_beside=bool(moment % 2)
            ).wait()
            assert status in (0, -signal.SIGKILL)
            finished = status == 0
            kills += not finished
            with_progress += len(_acknowledged(folder)) > before
            _verify_nothing_lost(folder)
        _verify_whole(folder, expected)
    assert with_progress >= n_kills // 4, f"only {with_progress} of {kills} killed writers had got anywhere"


@pytest.mark.slow
def test_kill_at_random_moments(
    tmp_path: Path, fork_server: ForkServer, undisturbed: dict[int, dict[str, Any]]
) -> None:
    """Writers killed at random moments lose nothing, and the archives end as if nothing had happened."""
    _kill_at_random(fork_server, tmp_path, RANDOM_KILLS, undisturbed[N_AT_RANDOM])


@pytest.mark.optin
@pytest.mark.timeout(3600)
def test_kill_300_times_at_random_moments(
    tmp_path: Path, fork_server: ForkServer, undisturbed: dict[int, dict[str, Any]]
) -> None:
    """The same with 300 kills."""
    _kill_at_random(fork_server, tmp_path, SOAK_KILLS, undisturbed[N_AT_RANDOM])


@pytest.fixture(scope="module")
def damaged(begun: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of all videos, damaged wherever a repair mends something."""
    folder = shutil.copytree(begun, tmp_path_factory.mktemp("damaged") / "damaged")
    _write(folder, N_VIDEOS)
    archive = folder / "archive"
    segment = sorted((archive / "segments").glob("*/*.visual.*.parquet"))[0]
    segment.write_bytes(segment.read_bytes()[:-1])
    edits = max((archive / "edits").iterdir())
    edits.write_bytes(edits.read_bytes() + b'{"torn')
    (archive / "archive.json").unlink()
    for words in (archive / "text").glob("*/*.idx"):
        words.write_bytes(words.read_bytes()[::-1])
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("failpoint", _REPAIRING)
def test_kill_while_repairing(
    tmp_path: Path, fork_server: ForkServer, damaged: Path, undisturbed: dict[int, dict[str, Any]], failpoint: str
) -> None:
    """A repair killed at this step can be repeated, and loses nothing more than was damaged."""
    folder = shutil.copytree(damaged, tmp_path / "damaged")
    assert fork_server.run(_repair, folder, failpoint=failpoint) == -signal.SIGKILL
    _repair(folder)
    assert check_archive(folder / "archive", read_data=True) == []
    with Archive.open(folder / "archive") as archive:
        assert archive.snapshot().counts().videos == N_VIDEOS - 1
        assert len(archive.locations_without_segment()) == 1
    _verify_whole(folder, undisturbed[N_VIDEOS])
