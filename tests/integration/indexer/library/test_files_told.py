"""What the commands say of files that fail, vanish, double or are not wanted, and of runs that come to nothing."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from indexer.commands import archive_commands
from indexer.config import IndexSettings
from indexer.pipeline import Progress, index_videos
from search_app.cli import main
from store.archive import Archive
from store.records import Outcome, Status
from tests.colour_clips import write_colour_clip
from tests.fakes import FakeEncoder

BROKEN = b"not a video at all" * 100


@pytest.fixture(autouse=True)
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A fake takes the place of models, and notes when one is loaded."""
    noted: list[str] = []

    def load(*_: Any) -> FakeEncoder:
        noted.append("loaded")
        archive_commands._tell("loading the encoder fake ...")
        return FakeEncoder()

    monkeypatch.setattr(archive_commands, "_load_new", load)
    monkeypatch.setattr(archive_commands, "encoder_for", lambda *_: FakeEncoder())
    return noted


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Two videos and a file that is none."""
    write_colour_clip(tmp_path / "lib" / "red.mp4", ["red", "green"])
    write_colour_clip(tmp_path / "lib" / "blue.mp4", ["blue"])
    (tmp_path / "lib" / "broken.mp4").write_bytes(BROKEN)
    return tmp_path / "lib"


def _index(archive: Path, *paths: Path, again: bool = False) -> dict[str, Outcome]:
    with Archive.create(archive) as opened:
        encoder = FakeEncoder()
        opened.claim_space(encoder.space, source="fake")
        run = index_videos(opened, paths, encoder, IndexSettings(), lambda _: None, again=again)
        return {Path(outcome.path).name: outcome for outcome in run}


def _rushes(*arguments: str | Path, status: int = 0) -> str:
    ran = CliRunner().invoke(main, [*map(str, arguments)])
    assert status == ran.exit_code, ran.output
    return ran.output


def _status(archive: Path) -> Any:
    return json.loads(_rushes("status", archive, "--json"))


def test_nothing_to_index_loads_nothing_and_leaves_nothing(tmp_path: Path, loads: list[str]) -> None:
    """Said, exit 1; neither an archive nor the time to load a model."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no videos here", encoding="utf-8")
    for archive in (tmp_path / "new", tmp_path / "there"):
        if archive.name == "there":
            archive.mkdir()
        assert "no videos in" in _rushes("index", archive, tmp_path / "empty", status=1)
        assert (archive.name == "there") == archive.exists()
    assert [] == list((tmp_path / "there").iterdir())
    assert [] == loads


def test_why_there_is_nothing_to_index_is_true(tmp_path: Path, library: Path, loads: list[str]) -> None:
    """Films that Rushes made and videos that patterns leave out do end like videos."""
    made, settings = tmp_path / "made", tmp_path / "settings.toml"
    made.mkdir()
    shutil.copy(library / "red.mp4", made / "film.mp4")
    (made / "film.mp4.json").write_text('{"format": "rushes-supercut"}', encoding="utf-8")
    told = _rushes("index", tmp_path / "arch", made, status=1)
    assert "1 film made by Rushes (indexed only by name)" in told
    settings.write_text('[scan]\nexclude = ["*.mp4"]\n', encoding="utf-8")
    excluded = _rushes("index", tmp_path / "arch", library, "--config", settings, status=1)
    assert "3 videos left out by the patterns" in excluded
    assert "ends like a video" not in told + excluded
    assert [] == loads


def test_a_place_where_no_archive_can_be_is_refused_before_a_model_is_loaded(
    tmp_path: Path, library: Path, loads: list[str]
) -> None:
    """Inside an archive, a file, and a folder of other things."""
    _index(tmp_path / "arch", library)
    for place, why in (
        (tmp_path / "arch" / "new", "lies inside the archive"),
        (library / "red.mp4", "is a file"),
        (library, "is not empty and not an archive"),
    ):
        assert why in _rushes("index", place, library, status=2)
    assert [] == loads


def test_a_first_run_in_which_all_fails_leaves_no_archive(tmp_path: Path, library: Path) -> None:
    """Nor does one that is stopped; a folder that was there stays, empty; one video is enough for an archive."""
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(library / "broken.mp4", alone)
    told = _rushes("index", tmp_path / "arch", alone, status=1)
    assert "failed: " in told
    assert "no archive was made" in told
    assert not (tmp_path / "arch").exists()
    (tmp_path / "arch").mkdir()
    _rushes("index", tmp_path / "arch", alone, status=1)
    assert [] == list((tmp_path / "arch").iterdir())
    told = _rushes("index", tmp_path / "arch", library, status=1)
    assert "loading the encoder fake ..." in told
    assert 2 == _status(tmp_path / "arch")["videos"]
    _rushes("index", tmp_path / "arch", alone, status=1)
    assert 2 == _status(tmp_path / "arch")["videos"]


def test_a_stopped_first_run_leaves_no_archive(
    tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C before the first video is done."""

    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(archive_commands, "run_index", stop)
    _rushes("index", tmp_path / "arch", library, status=130)
    assert not (tmp_path / "arch").exists()


def test_an_ignored_file_makes_no_run_fail(tmp_path: Path, library: Path) -> None:
    """Until its content changes, and then until that is ignored; --undo and a mended file end it."""
    archive = tmp_path / "arch"
    _index(archive, library)
    assert "failed: " in _rushes("index", archive, library, status=1)
    assert "ignored: " in _rushes("ignore", archive, "broken.mp4")
    assert "skipped: " in _rushes("index", archive, library)
    state = _status(archive)
    assert (0, 1) == (state["failed"], state["ignored"])
    assert ["ignored"] == [problem["status"] for problem in state["problems"]]
    (library / "broken.mp4").rename(library / "renamed.mp4")
    _rushes("index", archive, library)
    assert ["renamed.mp4"] == [Path(problem["video"]).name for problem in _status(archive)["problems"]]
    (library / "renamed.mp4").write_bytes(BROKEN + b"other")
    _rushes("index", archive, library, status=1)
    assert 1 == _status(archive)["failed"]
    _rushes("ignore", archive, "--all")
    _rushes("index", archive, library)
    _rushes("ignore", archive, "--undo", library / "renamed.mp4")
    _rushes("index", archive, library, status=1)
    _rushes("ignore", archive, library / "renamed.mp4")
    write_colour_clip(library / "renamed.mp4", ["yellow"])
    assert Status.INDEXED == _index(archive, library)["renamed.mp4"].status
    assert (0, 0) == (_status(archive)["failed"], _status(archive)["ignored"])
    assert "has not failed" in _rushes("ignore", archive, "red.mp4", status=2)


def test_what_cannot_be_read_is_ignored_by_its_place(tmp_path: Path, library: Path) -> None:
    """A link that leads nowhere has no content to go by."""
    archive = tmp_path / "arch"
    (library / "broken.mp4").unlink()
    (library / "link.mp4").symlink_to(library / "nowhere.mp4")
    _index(archive, library)
    _rushes("index", archive, library, status=1)
    _rushes("ignore", archive, "link.mp4")
    _rushes("index", archive, library)
    (library / "other.mp4").symlink_to(library / "nowhere.mp4")
    _rushes("index", archive, library, status=1)


def test_known_bad_files_are_no_news(tmp_path: Path, library: Path) -> None:
    """With --known-bad a run fails only for what failed otherwise, or not at all, before."""
    archive = tmp_path / "arch"
    assert not _index(archive, library)["broken.mp4"].is_known
    _rushes("index", archive, library, "--known-bad")
    (library / "broken.mp4").write_bytes(BROKEN + b"changed")
    _rushes("index", archive, library, "--known-bad", status=1)
    _rushes("index", archive, library, "--known-bad")
    (library / "second.mp4").write_bytes(BROKEN + b"second")
    _rushes("index", archive, library, "--known-bad", status=1)


def test_a_forgotten_video_stays_away_until_it_is_wanted_again(tmp_path: Path, library: Path) -> None:
    """Said and passed over by later runs, under any name; --again brings it back."""
    archive = tmp_path / "arch"
    (library / "broken.mp4").unlink()
    _index(archive, library)
    told = CliRunner().invoke(main, ["forget", str(archive), "red.mp4"], input="n\n")
    assert 1 == told.exit_code
    assert "2 shots" in told.output
    assert 2 == _status(archive)["videos"]
    assert "1 video forgotten" in _rushes("forget", archive, "red.mp4", "--yes")
    state = _status(archive)
    assert (1, 1) == (state["videos"], state["forgotten"])
    (library / "red.mp4").rename(library / "scarlet.mp4")
    outcome = _index(archive, library)["scarlet.mp4"]
    assert Status.SKIPPED == outcome.status
    assert "rushes index --again" in outcome.reason
    assert 1 == _status(archive)["videos"]
    assert Status.INDEXED == _index(archive, library / "scarlet.mp4", again=True)["scarlet.mp4"].status
    state = _status(archive)
    assert (2, 0) == (state["videos"], state["forgotten"])
    assert Status.UNCHANGED == _index(archive, library)["scarlet.mp4"].status


def test_all_missing_videos_are_forgotten_and_no_offline_one(tmp_path: Path, library: Path) -> None:
    """Whether the last run saw it or not; a disk that is not there is not missing."""
    archive = tmp_path / "arch"
    (library / "broken.mp4").unlink()
    write_colour_clip(tmp_path / "disk" / "a.mp4", ["yellow"])
    _index(archive, library, tmp_path / "disk")
    (tmp_path / "disk").rename(tmp_path / "unplugged")
    (library / "blue.mp4").unlink()
    assert {"missing", "offline"} == {problem["status"] for problem in _status(archive)["problems"]}
    told = _rushes("forget", archive, "--missing", "--yes")
    assert "blue.mp4" in told
    assert "1 video forgotten" in told
    assert 2 == _status(archive)["videos"]
    assert "no video is missing" in _rushes("forget", archive, "--missing", "--yes")


def test_a_deleted_file_is_marked_wherever_it_is_listed(tmp_path: Path, library: Path) -> None:
    """At once, and since when after the next run; nothing is marked while all files are there."""
    archive = tmp_path / "arch"
    _index(archive, library)
    assert {"present"} == {shot["file"] for shot in json.loads(_rushes("shots", archive, "--json"))}
    assert "missing" not in _rushes("shots", archive)
    (library / "red.mp4").unlink()
    found = json.loads(_rushes("search", archive, "in:red.mp4", "--json"))
    assert [("missing", None)] * 2 == [(hit["file"], hit["missing_since"]) for hit in found]
    assert "missing since the last index run" in _rushes("search", archive, "in:red.mp4")
    _index(archive, library)
    found = json.loads(_rushes("search", archive, "in:red.mp4", "--json"))
    (day,) = {hit["missing_since"][:10] for hit in found}
    for command, *asked in (("search", "in:red.mp4"), ("shots", "red.mp4"), ("status",)):
        assert f"missing since {day}" in _rushes(command, archive, *asked)
    assert 1 == _status(archive)["missing"]


def test_an_empty_mount_point_is_offline(tmp_path: Path) -> None:
    """An unplugged disk leaves its folder behind: its files are not called missing."""
    disk, archive = tmp_path / "disk", tmp_path / "arch"
    write_colour_clip(disk / "a.mp4", ["yellow"])
    _index(archive, disk)
    disk.rename(tmp_path / "unplugged")
    disk.mkdir()
    assert f"offline: {disk} is not there" in _rushes("shots", archive)
    disk.rmdir()
    (tmp_path / "unplugged").rename(disk)
    assert "offline" not in _rushes("shots", archive)


def test_a_copy_never_takes_the_place_of_its_original(tmp_path: Path) -> None:
    """Original, copy, deleted original (noticed at once), restored original; the copies are listed."""
    library, archive = tmp_path / "lib", tmp_path / "arch"
    original, copy = library / "z" / "original.mp4", library / "a" / "copy.mp4"
    write_colour_clip(original, ["red"])
    _index(archive, library)
    copy.parent.mkdir()
    shutil.copy(original, copy)
    _index(archive, library)

    def shown() -> tuple[str, list[str], str]:
        (shot,) = json.loads(_rushes("shots", archive, "--json"))
        (hit,) = json.loads(_rushes("search", archive, "dur:>0s", "--json"))
        assert shot["video"] == hit["video"]
        return Path(shot["video"]).name, [Path(path).name for path in shot["also_at"]], shot["file"]

    assert ("original.mp4", ["copy.mp4"], "present") == shown()
    assert "also at" in _rushes("search", archive, "dur:>0s")
    kept = tmp_path / "kept.mp4"
    shutil.copy2(original, kept)
    original.unlink()
    assert ("copy.mp4", ["original.mp4"], "present") == shown()
    _index(archive, library)
    assert ("copy.mp4", ["original.mp4"], "present") == shown()
    shutil.copy2(kept, original)
    assert ("original.mp4", ["copy.mp4"], "present") == shown()
    _index(archive, library)
    assert ("original.mp4", ["copy.mp4"], "present") == shown()
    original.rename(library / "z" / "moved.mp4")
    _index(archive, library)
    assert "moved.mp4" in shown()[0] + shown()[1][-1]


def test_status_tells_size_dates_roots_and_the_last_run(tmp_path: Path, library: Path) -> None:
    """Of all kinds of files; roots that hold nothing any more are not listed."""
    archive = tmp_path / "arch"
    _index(archive, library)
    os.utime(library / "blue.mp4", (1_600_000_000, 1_600_000_000))
    _index(archive, library)
    state = _status(archive)
    on_disk = sum(path.stat().st_size for path in archive.rglob("*") if path.is_file())
    total = state["size_bytes"].pop("total")
    assert on_disk == total == sum(state["size_bytes"].values())
    assert {"segments", "edits", "thumbnails", "catalog", "vectors"} <= set(state["size_bytes"])
    assert "2020-09-13" == state["recorded"][0]
    assert ("done", {"unchanged": 2, "failed": 1}) == (state["last_run"]["how"], state["last_run"]["files"])
    assert [str(library)] == state["last_run"]["paths"]
    told = _rushes("status", archive)
    for line in ("size: ", "last run: ", "recorded: 2020-09-13 to "):
        assert line in told
    library.rename(tmp_path / "elsewhere")
    _index(archive, tmp_path / "elsewhere")
    _index(archive, tmp_path / "elsewhere")
    assert [str(tmp_path / "elsewhere")] == [
        path for path in _status(archive)["roots"].values() if "lib" not in Path(path).name
    ]


def test_the_last_run_says_how_it_ended(tmp_path: Path, library: Path) -> None:
    """Stopped by whoever took its outcomes, or killed: then there is no end."""
    archive = tmp_path / "arch"
    _index(archive, library)
    with Archive.open(archive) as opened:
        run = index_videos(opened, [library], FakeEncoder(), IndexSettings(), lambda _: None)
        next(run)
        del run
    assert "stopped" == _status(archive)["last_run"]["how"]
    with Archive.open(archive) as opened:
        run = index_videos(opened, [library], FakeEncoder(), IndexSettings(), lambda _: None)
        next(run)
        last = opened.last_run()
        assert last is not None
        assert (None, "") == (last.ended_ns, last.ended)
        del run


def test_what_is_no_archive_says_how_one_is_made(tmp_path: Path, library: Path) -> None:
    """Of the footage folder, not in it; an archive nearby is named."""
    told = _rushes("search", library, "red", status=2)
    assert f"rushes index ARCHIVE {library}" in told
    assert "make one with `rushes index lib" not in told
    _index(tmp_path / "arch", library)
    for folder in (library, tmp_path, tmp_path / "typo"):
        assert str(tmp_path / "arch") in _rushes("search", folder, "red", status=2)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ({"decode": 0.0, "encode": 0.0}, ""),
        ({"decode": 0.01, "encode": 0.0}, ""),
        ({"decode": 4.0, "encode": 0.1}, "decode 5x real time"),
        ({"decode": 100.0, "encode": 2.0}, "decode 0.2x real time, encode 32 pictures/s"),
    ],
)
def test_speed_is_told_once_it_means_something(seconds: dict[str, float], expected: str) -> None:
    """Never 0x real time: nothing was measured yet, or it is slow, which is told as a part of one."""
    progress = Progress(n_frames=64, decoded_seconds=20.0, seconds={**seconds, "write": 0.0})
    assert expected == archive_commands._speeds(progress)
