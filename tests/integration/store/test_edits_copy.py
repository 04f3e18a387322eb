"""The second copy of edits: a damaged, cut or lost file of edits costs nothing that was published."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from store.archive import Archive, check_archive, repair_archive
from store.events import Described, Dropped
from store.truth.edits_copy import COPY_FOLDER
from tests.integration.store.samples import add_videos, fingerprint_of, rows_of, seen
from tests.sampled import sampled_product


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An archive whose edits two writers wrote."""
    with Archive.create(tmp_path / "archive") as archive:
        add_videos(archive, 1, 2, 3)
        archive.publish()
    with Archive.open(tmp_path / "archive") as archive:
        archive.record([Described(fingerprint_of(number), {"title": f"film {number}"}) for number in (1, 2, 3)])
        archive.publish()
    return tmp_path / "archive"


def _flip(position: float) -> Callable[[Path], object]:
    def flip(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[int(position * (len(data) - 1))] ^= 4
        path.write_bytes(data)

    return flip


DAMAGES: dict[str, Callable[[Path], object]] = {
    **{f"bit at {place:.0%}": _flip(place) for place in (0, 0.2, 0.5, 0.9, 1)},
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-50]),
    "emptied": lambda path: path.write_bytes(b""),
    "deleted": lambda path: path.unlink(),
}


@pytest.mark.parametrize(("which", "damage"), sampled_product(["edits", COPY_FOLDER], DAMAGES, every=3))
def test_damage_is_named_and_restored(folder: Path, damage: str, which: str) -> None:
    """Check names either copy and says that nothing is lost; repair restores it."""
    with Archive.open(folder) as archive:
        expected = rows_of(archive.snapshot())
    for path in sorted((folder / which).iterdir()):
        DAMAGES[damage](path)
    findings = check_archive(folder, read_data=True)
    assert {"edits" if which == "edits" else "second copy of edits"} == {found.kind.value for found in findings}
    assert all("nothing is lost" in found.what_to_do for found in findings)
    repair_archive(folder, dry_run=False)
    assert [] == check_archive(folder, read_data=True)
    with Archive.open(folder) as archive:
        assert expected == rows_of(archive.snapshot())
        assert "film 2" == archive.snapshot().video("2.mp4").metadata["title"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_rebuild_reads_the_second_copy(folder: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    """With damaged edits and no cache at all, an archive opens with everything, and says where it had it from."""
    with Archive.open(folder) as archive:
        expected = rows_of(archive.snapshot())
    for path in sorted((folder / "edits").iterdir()):
        DAMAGES[damage](path)
    for name in ("catalog", "vectors", "generations", "text"):
        shutil.rmtree(folder / name)
    (folder / "CURRENT").unlink()
    with Archive.open(folder) as archive:
        assert expected == rows_of(archive.snapshot())
    assert "second copy" in caplog.text


def test_both_copies_damaged_in_different_lines(folder: Path) -> None:
    """Lines are taken from wherever they are sound."""
    path, *_ = sorted((folder / "edits").iterdir())
    with Archive.open(folder) as archive:
        expected = rows_of(archive.snapshot())
    _flip(0.1)(path)
    _flip(0.9)(folder / COPY_FOLDER / path.name)
    repair_archive(folder, dry_run=False)
    assert [] == check_archive(folder, read_data=True)
    with Archive.open(folder) as archive:
        assert expected == rows_of(archive.snapshot())


def test_archive_without_copies_gets_them(folder: Path) -> None:
    """An archive of a Rushes that made no second copies is sound, and has them after it is next published."""
    shutil.rmtree(folder / COPY_FOLDER)
    assert [] == check_archive(folder, read_data=True)
    with Archive.open(folder) as archive:
        archive.publish()
    for path in (folder / "edits").iterdir():
        assert path.read_bytes() == (folder / COPY_FOLDER / path.name).read_bytes()


def test_unfinished_line_of_a_copy_is_completed(folder: Path) -> None:
    """A publisher killed while it copied leaves half a line, which the next one writes again."""
    (path, *_) = sorted((folder / COPY_FOLDER).iterdir())
    path.write_bytes(path.read_bytes()[:-20])
    with Archive.open(folder) as archive:
        archive.publish()
    assert (folder / "edits" / path.name).read_bytes() == path.read_bytes()
    assert [] == check_archive(folder, read_data=True)


def test_file_of_a_running_writer_is_left_alone(folder: Path) -> None:
    """Repair does not replace a file that a writer has open: its next lines would be lost."""
    with Archive.open(folder) as archive:
        archive.record([Dropped("library", "no such film.mp4")])
        archive.publish()
        live = max((folder / "edits").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        _flip(0.5)(live)
        assert ["leave alone"] == [action.what for action in repair_archive(folder, dry_run=False)]
        archive.record([seen(9)])
    assert ["restore from the second copy, move the original to quarantine"] == [
        action.what for action in repair_archive(folder, dry_run=True)
    ]
    repair_archive(folder, dry_run=False)
    assert [] == check_archive(folder, read_data=True)
    with Archive.open(folder) as archive:
        assert "9.mp4" in {location.relative_path for location in archive.snapshot().locations()}
