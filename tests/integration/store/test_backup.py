"""Backups and restores: complete, consistent, incremental, verified; interrupted ones never look finished."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from search_app.cli import main
from store import backup_files
from store.archive import Archive, check_archive
from store.backup import BackupReport, back_up_archive
from store.errors import (
    ArchiveDamagedError,
    ArchiveFullError,
    ArchiveLockedError,
    ArchiveTooNewError,
    ConfigError,
    NotAnArchiveError,
)
from store.events import Erased, Forgotten, Judged, RootNamed
from store.files import BACKUP_FAILPOINTS, FAILPOINT_VARIABLE, seal
from store.restore import restore_archive
from store.truth.segments import encode_table, segment_name, segment_path
from tests.integration.store.samples import KEY, add_videos, captions_of, fingerprint_of, rows_of, segment_of

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """An archive of three videos with thumbnails, texts, a judgement and a question in its history."""
    with Archive.create(tmp_path / "archive") as opened:
        add_videos(opened, 1, 2, 3)
        for video in (1, 2, 3):
            opened.put_thumbnail(_thumbnail(video), b"picture %d" % video)
        opened.put_text(captions_of(1))
        opened.record([Judged("boat", fingerprint_of(1), "0", "1", "keep")])
        opened.publish()
        opened.note_history({"query": "boat"})
        yield opened


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the backup goes."""
    return tmp_path / "backup"


def _thumbnail(video: int) -> str:
    fingerprint = fingerprint_of(video)
    return f"{fingerprint[:2]}/{fingerprint}/000000000000.webp"


def _truth(folder: Path) -> dict[str, bytes]:
    """Every file that is no cache and no lock, by its path."""
    tops = {"archive.json", "history.jsonl", "segments", "thumbs", "edits", "edits-copy"}
    files = (path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder): path.read_bytes() for path in files}
    return {path.as_posix(): data for path, data in named.items() if path.parts[0] in tops}


def _comparable(archive: Archive) -> dict[str, Any]:
    rows = {name: repr(row).replace(str(archive.folder), "") for name, row in rows_of(archive.snapshot()).items()}
    return {**rows, "judged": archive.snapshot().judgements(), "history": archive.history()}


def _content(target: Path, data: bytes) -> Path:
    """The file of a backup that holds these bytes."""
    (found,) = (path for path in (target / "files").glob("*/*") if path.read_bytes() == data)
    return found


def _segment(folder: Path, video: int) -> Path:
    return segment_path(folder / "segments", segment_name(fingerprint_of(video), "visual", KEY))


def _rushes(*arguments: str | Path, status: int = 0) -> str:
    ran = CliRunner().invoke(main, [*map(str, arguments)])
    assert status == ran.exit_code, ran.output
    return ran.output


def test_a_restored_archive_is_the_archive(archive: Archive, target: Path, tmp_path: Path) -> None:
    """Every file of the truth, byte by byte; caches are in no backup and are made again; `check` finds nothing."""
    report = back_up_archive(archive.folder, target)
    truth = _truth(archive.folder)
    assert (len(truth), sum(map(len, truth.values()))) == (report.n_files, report.size_bytes)
    assert (0, 0, 0, (), ()) == (
        report.n_retained, report.n_removed, report.n_vanished, report.damaged, report.passed_over
    )  # fmt: skip
    contents = [path for path in (target / "files").glob("*/*") if path.is_file()]
    assert report.n_copied + 1 == len(contents)  # and the list
    restored = restore_archive(target, tmp_path / "again")
    assert (report.n_files, report.size_bytes, ()) == (restored.n_files, restored.size_bytes, restored.damaged)
    assert truth == _truth(tmp_path / "again")
    with Archive.open(tmp_path / "again") as again:
        assert _comparable(archive) == _comparable(again)
        assert archive.space == again.space
    assert [] == check_archive(tmp_path / "again", read_data=True)
    assert {"archive", "backup", "again"} == {path.name for path in tmp_path.iterdir()}


def test_a_second_backup_copies_only_what_is_new(archive: Archive, target: Path, tmp_path: Path) -> None:
    """One more video is its segment, its thumbnail and the edits that grew."""
    first = back_up_archive(archive.folder, target)
    again = back_up_archive(archive.folder, target)
    assert (0, 0, first.n_files) == (again.n_copied, again.copied_bytes, again.n_files)
    before = {path: path.stat().st_mtime_ns for path in (target / "files").glob("*/*")}
    add_videos(archive, 4)
    archive.put_thumbnail(_thumbnail(4), b"picture 4")
    second = back_up_archive(archive.folder, target)
    assert (3, first.n_files + 2) == (second.n_copied, second.n_files)
    segment = _segment(archive.folder, 4)
    (edits,) = (archive.folder / "edits").iterdir()
    assert segment.stat().st_size + len(b"picture 4") + edits.stat().st_size == second.copied_bytes
    after = {path: path.stat().st_mtime_ns for path in (target / "files").glob("*/*")}
    assert second.n_files - 3 <= len(before.items() & after.items())
    restore_archive(target, tmp_path / "again")
    assert _truth(archive.folder) == _truth(tmp_path / "again")


def test_a_backup_is_consistent_while_others_index(archive: Archive, target: Path, tmp_path: Path) -> None:
    """Videos come, and one is removed for good, while files are copied: no event names what is not there."""
    writer = Archive.open(archive.folder)

    def index(progress: backup_files.Progress) -> None:
        if progress.n_done == 1:
            writer.record([Erased(fingerprint_of(3)), Forgotten(fingerprint_of(3))])
        add_videos(writer, 10 + progress.n_done)
        writer.publish()

    report = back_up_archive(archive.folder, target, on_progress=index)
    writer.close()
    assert report.n_vanished >= 1
    restore_archive(target, tmp_path / "again")
    with Archive.open(tmp_path / "again") as again:
        lost = [place.fingerprint for place in again.locations_without_segment()]
        assert {fingerprint_of(1), fingerprint_of(2)} <= {row.video_id for row in again.snapshot().videos()}
    assert [fingerprint_of(3)] == lost  # erased after its event was read
    assert [] == check_archive(tmp_path / "again", read_data=True)
    shutil.rmtree(tmp_path / "again")
    back_up_archive(archive.folder, target)
    restore_archive(target, tmp_path / "again")
    assert _truth(archive.folder) == _truth(tmp_path / "again")


def test_an_erased_video_leaves_the_next_backup(archive: Archive, target: Path) -> None:
    """Its segment and thumbnail are deleted there too."""
    back_up_archive(archive.folder, target)
    segment, thumbnail = _content(target, _segment(archive.folder, 2).read_bytes()), _content(target, b"picture 2")
    archive.record([Erased(fingerprint_of(2)), Forgotten(fingerprint_of(2))])
    archive.publish()
    report = back_up_archive(archive.folder, target)
    assert (0, ()) == (report.n_retained, report.damaged)
    assert report.n_removed >= 2
    assert not segment.exists()
    assert not thumbnail.exists()


def test_what_the_archive_lost_stays_in_its_backup(archive: Archive, target: Path, tmp_path: Path) -> None:
    """A damaged segment does not take the place of a whole one; one that is gone comes back."""
    back_up_archive(archive.folder, target)
    whole = _truth(archive.folder)
    damaged, gone = _segment(archive.folder, 1), _segment(archive.folder, 2)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    gone.unlink()
    report = back_up_archive(archive.folder, target)
    assert (damaged.relative_to(archive.folder).as_posix(),) == report.damaged
    assert 1 == report.n_retained
    restore_archive(target, tmp_path / "again")
    assert whole == _truth(tmp_path / "again")


def test_damaged_edits_do_not_take_the_place_of_whole_ones(archive: Archive, target: Path, tmp_path: Path) -> None:
    """But without an earlier backup their whole lines are copied."""
    back_up_archive(archive.folder, target)
    (edits,) = (archive.folder / "edits").iterdir()
    whole = edits.read_bytes()
    edits.write_bytes(whole[:20] + b"#" + whole[21:])
    name = f"edits/{edits.name}"
    assert (name,) == back_up_archive(archive.folder, target).damaged
    restore_archive(target, tmp_path / "again")
    assert whole == (tmp_path / "again" / name).read_bytes()
    assert (name,) == back_up_archive(archive.folder, tmp_path / "other").damaged
    restore_archive(tmp_path / "other", tmp_path / "third")
    with Archive.open(tmp_path / "third") as third:
        assert 3 == third.snapshot().counts().videos


def test_an_unfinished_line_of_a_living_writer_is_left_out(archive: Archive, target: Path, tmp_path: Path) -> None:
    """It was never acknowledged."""
    (edits,) = (archive.folder / "edits").iterdir()
    whole = edits.read_bytes()
    edits.write_bytes(whole + b'{"at":1,"kin')
    assert () == back_up_archive(archive.folder, target).damaged
    restore_archive(target, tmp_path / "again")
    assert whole == (tmp_path / "again" / "edits" / edits.name).read_bytes()


def test_what_only_a_newer_rushes_knows_is_copied(archive: Archive, target: Path, tmp_path: Path) -> None:
    """Segments of a stage, kinds of events, and folders."""
    from store.truth.segments import read_table

    table, header = read_table(_segment(archive.folder, 1))
    data = encode_table(table, {**header, "format": 99, "stage": "smell", "news": [1]})
    segment_path(archive.folder / "segments", segment_name(fingerprint_of(1), "smell", "k9")).write_bytes(data)
    event = seal({"at": 1, "by": "newer", "kind": "smelt", "of": "boat"})
    (archive.folder / "edits" / "0123456789ab-000000.jsonl").write_bytes(event)
    (archive.folder / "smells" / "aa").mkdir(parents=True)
    (archive.folder / "smells" / "aa" / "one.bin").write_bytes(b"smell")
    assert () == back_up_archive(archive.folder, target).damaged
    restore_archive(target, tmp_path / "again")
    assert b"smell" == (tmp_path / "again" / "smells" / "aa" / "one.bin").read_bytes()
    assert _truth(archive.folder) == _truth(tmp_path / "again")


def _killed_at(failpoint: str, call: str) -> None:
    script = f"from pathlib import Path\nfrom store.{call}"
    environment = {**os.environ, FAILPOINT_VARIABLE: failpoint}
    killed = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, env=environment, check=False)
    assert -signal.SIGKILL == killed.returncode


@pytest.mark.parametrize("failpoint", [name for name in BACKUP_FAILPOINTS if name.startswith("backup.")])
def test_a_killed_backup_never_looks_finished(
    archive: Archive, target: Path, tmp_path: Path, failpoint: str
) -> None:
    """The first leaves none; a later one leaves the one before, or the new one whole; the next run goes on."""
    call = f"backup import back_up_archive\nback_up_archive(Path({str(archive.folder)!r}), Path({str(target)!r}))"
    _killed_at(failpoint, call)
    if failpoint != "backup.published":
        with pytest.raises(NotAnArchiveError, match="never finished"):
            restore_archive(target, tmp_path / "none")
    back_up_archive(archive.folder, target)
    first = _truth(archive.folder)
    add_videos(archive, 4)
    _killed_at(failpoint, call)
    restore_archive(target, tmp_path / "between")
    second = _truth(archive.folder)
    assert (second if failpoint == "backup.published" else first) == _truth(tmp_path / "between")
    back_up_archive(archive.folder, target)
    restore_archive(target, tmp_path / "after")
    assert second == _truth(tmp_path / "after")


@pytest.mark.parametrize("failpoint", [name for name in BACKUP_FAILPOINTS if name.startswith("restore.")])
def test_a_killed_restore_leaves_no_archive(
    archive: Archive, target: Path, tmp_path: Path, failpoint: str
) -> None:
    """The next run goes on with what is there, and leaves nothing else behind."""
    back_up_archive(archive.folder, target)
    again = tmp_path / "again"
    _killed_at(
        f"{failpoint}",
        f"restore import restore_archive\nrestore_archive(Path({str(target)!r}), Path({str(again)!r}))",
    )
    assert not again.exists()
    with pytest.raises(NotAnArchiveError):
        Archive.open(again)
    kept = {path.stat().st_ino for path in (tmp_path / ".again.restoring").rglob("*") if path.suffix == ".parquet"}
    restore_archive(target, again)
    assert kept <= {path.stat().st_ino for path in again.rglob("*.parquet")}
    assert _truth(archive.folder) == _truth(again)
    assert {"archive", "backup", "again"} == {path.name for path in tmp_path.iterdir()}


def test_a_full_disk_leaves_the_backup_before(
    archive: Archive, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line that names the disk; no unfinished file stays."""
    back_up_archive(archive.folder, target)
    first = _truth(archive.folder)
    add_videos(archive, 4)

    def write(path: Path, data: bytes) -> int:
        with path.open("wb") as stream:
            stream.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", write)
        with pytest.raises(ArchiveFullError, match=f"no space left on the disk of {target.parent}"):
            back_up_archive(archive.folder, target)
        with pytest.raises(ArchiveFullError):
            restore_archive(target, tmp_path / "again")
    assert [] == [*target.rglob(".tmp-*")]
    assert not (tmp_path / "again").exists()
    restore_archive(target, tmp_path / "again")
    assert first == _truth(tmp_path / "again")


def test_damage_of_a_backup_is_refused_mended_and_skipped(archive: Archive, target: Path, tmp_path: Path) -> None:
    """A bit that flipped in the target is found by restoring, and mended by --read-data."""
    back_up_archive(archive.folder, target)
    content = _content(target, _segment(archive.folder, 1).read_bytes())
    whole = content.read_bytes()
    content.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    name = _segment(archive.folder, 1).relative_to(archive.folder).as_posix()
    with pytest.raises(ArchiveDamagedError, match=f"{name} is damaged in the backup"):
        restore_archive(target, tmp_path / "again")
    assert (name,) == restore_archive(target, tmp_path / "again", skip_damaged=True).damaged
    with Archive.open(tmp_path / "again") as again:
        assert [fingerprint_of(1)] == [place.fingerprint for place in again.locations_without_segment()]
    assert 0 == back_up_archive(archive.folder, target).n_copied
    assert 1 == back_up_archive(archive.folder, target, read_data=True).n_copied
    assert whole == content.read_bytes()


def test_lines_of_damaged_edits_are_restored(archive: Archive, target: Path, tmp_path: Path) -> None:
    """With --skip-damaged: each line has its own digest."""
    (copy,) = (archive.folder / "edits-copy").iterdir()
    archive.record([Judged("rain", fingerprint_of(1), "0", "1", "keep")])  # so that the copy differs
    (edits,) = (archive.folder / "edits").iterdir()
    back_up_archive(archive.folder, target)
    for path in (copy, edits):
        content = _content(target, path.read_bytes())
        content.write_bytes(content.read_bytes().replace(b"boat", b"goat"))
    assert 2 == len(restore_archive(target, tmp_path / "again", skip_damaged=True).damaged)
    with Archive.open(tmp_path / "again") as again:
        assert ["rain"] == [one.query for one in again.snapshot().judgements()]
        assert 3 == again.snapshot().counts().videos


def test_targets_that_are_not_for_backups_are_refused(archive: Archive, tmp_path: Path) -> None:
    """Archives and what lies in them, files, footage, a library whose disk is away, folders of other things."""
    library, away, other = tmp_path / "library", tmp_path / "away", tmp_path / "other"
    for folder in (library, away, other):
        folder.mkdir()
    (library / "film.mp4").write_bytes(b"film")
    (other / "letter.txt").write_bytes(b"letter")
    archive.record([RootNamed("library", str(library)), RootNamed("away", str(away))])
    with Archive.create(tmp_path / "second") as second:
        add_videos(second, 9)
        back_up_archive(second.folder, tmp_path / "of-second")
    for refused, why in (
        (archive.folder / "backup", "lies inside the archive"),
        (archive.folder, "is an archive"),
        (tmp_path / "second", "is an archive"),
        (tmp_path / "second" / "thumbs", "lies inside the archive"),
        (library / "film.mp4", "is a file"),
        (library, "is where the library"),
        (away / "backup", "is where the library"),
        (other, "is not empty and holds no backup"),
        (tmp_path / "of-second", "the backup of another archive"),
    ):
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(ConfigError, match=why):
            back_up_archive(archive.folder, refused)
        assert before == sorted(tmp_path.rglob("*"))
    assert back_up_archive(archive.folder, library / "backup").n_copied > 0


def test_places_where_no_archive_may_be_restored_are_refused(
    archive: Archive, target: Path, tmp_path: Path
) -> None:
    """An archive, a file, a folder that holds anything, and one inside an archive or the backup."""
    back_up_archive(archive.folder, target)
    (tmp_path / "film.mp4").write_bytes(b"film")
    (tmp_path / "footage").mkdir()
    (tmp_path / "footage" / "film.mp4").write_bytes(b"film")
    for refused, why in (
        (archive.folder, "is an archive"),
        (archive.folder / "new", "lies inside the archive"),
        (tmp_path / "film.mp4", "is a file"),
        (tmp_path / "footage", "is not empty"),
        (target / "new", "lies inside the backup"),
    ):
        with pytest.raises(ConfigError, match=why):
            restore_archive(target, refused)
    for source, why in (
        (tmp_path / "nowhere", "no such folder"),
        (archive.folder, "is an archive, not a backup"),
        (tmp_path / "footage", "holds no backup"),
    ):
        with pytest.raises(NotAnArchiveError, match=why):
            restore_archive(source, tmp_path / "again")
    (tmp_path / "empty").mkdir()
    restore_archive(target, tmp_path / "empty")
    assert _truth(archive.folder) == _truth(tmp_path / "empty")


def test_a_backup_of_a_newer_rushes_or_a_damaged_one_is_left_alone(
    archive: Archive, target: Path, tmp_path: Path
) -> None:
    """Neither added to nor restored."""
    back_up_archive(archive.folder, target)
    said = target / "backup.json"
    for data, error in (
        (seal({"format": 2}), ArchiveTooNewError),
        (said.read_bytes()[:-5], ArchiveDamagedError),
        (seal({"format": 1, "archive_id": "x", "list": "../../../etc/passwd"}), ArchiveDamagedError),
    ):
        said.write_bytes(data)
        with pytest.raises(error):
            back_up_archive(archive.folder, target)
        with pytest.raises(error):
            restore_archive(target, tmp_path / "again")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    "path", ["../out", "/etc/out", "segments/../../out", "catalog/gen-000001.duckdb", ".hidden"]
)
def test_a_forged_list_leads_out_of_no_archive(archive: Archive, target: Path, tmp_path: Path, path: str) -> None:
    """Nor into its caches."""
    report = back_up_archive(archive.folder, target)
    assert isinstance(report, BackupReport)
    said = backup_files.read_identity(target)
    assert said is not None
    entries = backup_files.read_list(target, said.list_digest)
    entries[path] = next(iter(entries.values()))
    digest = backup_files.write_list(backup_files.Writer(target), target, entries)
    backup_files.write_identity(target, backup_files.Identity(said.archive_id, digest))
    with pytest.raises(ArchiveDamagedError, match="names no file of an archive"):
        restore_archive(target, tmp_path / "again")
    assert not (tmp_path / "out").exists()


def test_two_backups_to_one_target_do_not_meet(archive: Archive, target: Path) -> None:
    """The second says so at once."""

    def other(progress: backup_files.Progress) -> None:
        if progress.n_done == 0:
            with pytest.raises(ArchiveLockedError, match="another backup or restore is at work"):
                back_up_archive(archive.folder, target)

    back_up_archive(archive.folder, target, on_progress=other)


def test_the_commands_say_what_was_copied(archive: Archive, target: Path, tmp_path: Path) -> None:
    """In one line, or as JSON; a library that is not there is told after a restore."""
    told = _rushes("backup", archive.folder, target)
    truth = _truth(archive.folder)
    size = sum(map(len, truth.values()))
    assert 1 == len(told.splitlines())
    assert told.startswith("copied ")
    assert f"{target} holds {len(truth)} files, {size:,} bytes" in told
    assert 0 == json.loads(_rushes("backup", archive.folder, target, "--json"))["copied_bytes"]
    told = _rushes("restore", target, tmp_path / "again")
    assert f"restored {len(truth)} files, {size:,} bytes: 3 videos, 6 shots" == told.splitlines()[0]
    assert "1 library root not there: see `rushes roots " in told
    assert "is an archive, which is left alone" in _rushes("restore", target, tmp_path / "again", status=2)
    damaged = _segment(archive.folder, 1)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert f"damaged, run `rushes repair {archive.folder}`: {damaged}" in _rushes(
        "backup", archive.folder, target, status=1
    )


def test_a_broken_disk_is_noticed(archive: Archive, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written is read again before it counts."""
    write = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", lambda path, data: write(path, data[:-1] + b"?"))
    with pytest.raises(ArchiveDamagedError, match="is not what was written there"):
        back_up_archive(archive.folder, target)


def test_a_segment_of_a_video_that_came_back_stays(archive: Archive, target: Path, tmp_path: Path) -> None:
    """Erased, then recalled and indexed again: it is in the backup."""
    from store.events import Recalled

    archive.record([Erased(fingerprint_of(2)), Forgotten(fingerprint_of(2))])
    archive.publish()
    archive.record([Recalled(fingerprint_of(2))])
    archive.put_segment(segment_of(2))
    archive.publish()
    back_up_archive(archive.folder, target)
    restore_archive(target, tmp_path / "again")
    assert _segment(tmp_path / "again", 2).exists()


def test_what_is_no_file_of_an_archive_is_told(archive: Archive, target: Path, tmp_path: Path) -> None:
    """Links are not followed, and what a file manager leaves is not copied."""
    (archive.folder / "link").symlink_to(tmp_path)
    (archive.folder / ".DS_Store").write_bytes(b"view")
    report = back_up_archive(archive.folder, target)
    assert (".DS_Store", "link") == report.passed_over
    assert len(_truth(archive.folder)) == report.n_files
