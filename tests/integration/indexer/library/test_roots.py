"""Library roots: their ids, the list of them, and moving one to where its files are now."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from indexer.library.file_events import Journal
from indexer.library.listing import ScanSettings, list_files
from indexer.library.presence import look_for_files
from indexer.library.roots import Verdict, compare_root, find_root, list_roots, move_root
from indexer.library.scan import scan_library
from indexer.media.fingerprint import fingerprint
from search_app.cli import main
from store.archive import Archive
from store.errors import ArchiveError, ConfigError, UnknownIdError
from store.events import RootNamed
from tests.integration.store.samples import KEY, SPACE, segment_of


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """An empty archive."""
    with Archive.create(tmp_path / "archive") as opened:
        opened.claim_space(SPACE, "made-up")
        yield opened


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder of three files."""
    return _write(tmp_path / "a" / "lib", one="one", two="two", three="three")


def _write(folder: Path, **contents: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / f"{name}.mp4").write_text(content, encoding="utf-8")
    return folder


def _index(archive: Archive, folder: Path) -> None:
    """What the indexer does with files and events, without decoding anything."""
    journal = Journal(archive)
    scan = scan_library(
        list_files([folder], ScanSettings(), archive.folder), archive.snapshot().locations(), [folder]
    )
    for file in scan.files:
        if not archive.has_segment(file.fingerprint, "visual", KEY):
            archive.put_segment(replace(segment_of(len(file.file.path.name)), fingerprint=file.fingerprint))
        journal.note_seen(file)
    for location in scan.missing:
        journal.note_missing(location)
    archive.publish()


def _folders(archive: Archive) -> dict[str, tuple[str, int]]:
    """For the folder of each root its id and number of videos."""
    roots = list_roots(archive.snapshot())
    assert len(roots) == len({root.folder for root in roots})
    return {root.folder: (root.root_id, root.n_videos) for root in roots}


def _move(archive: Archive, old: str | Path, new: Path) -> dict[str, int]:
    snapshot = archive.snapshot()
    found = compare_root(snapshot, find_root(snapshot, str(old)), new)
    move_root(archive, found)
    return {verdict.value: len(found.with_verdict(verdict)) for verdict in Verdict}


def _states(archive: Archive) -> dict[str, tuple[str, str]]:
    """For the content of each video where it is shown to lie, and how."""
    found = look_for_files(archive.snapshot(), (video.video_id for video in archive.snapshot().videos()))
    return {video_id: (one.path, one.state.value) for video_id, one in found.items()}


def _rushes(*arguments: str | Path, status: int = 0) -> str:
    ran = CliRunner().invoke(main, [*map(str, arguments)])
    assert status == ran.exit_code, ran.output
    return ran.output


def test_another_disk_at_the_old_path_is_another_root(archive: Archive, library: Path, tmp_path: Path) -> None:
    """The moved library stays where it was moved to; a hash of the path was the same id."""
    _index(archive, library)
    elsewhere = library.rename(tmp_path / "elsewhere")
    _move(archive, library, elsewhere)
    _write(library, four="four")
    _index(archive, library)
    roots = _folders(archive)
    assert {str(elsewhere): 3, str(library): 1} == {folder: n for folder, (_, n) in roots.items()}
    assert {"present"} == {state for _, state in _states(archive).values()}


def test_two_indexers_of_a_new_folder_name_one_root(archive: Archive, library: Path) -> None:
    """Both read the archive before either named the root."""
    with Archive.open(archive.folder) as second:
        journals = [Journal(archive), Journal(second)]
        listed = list(list_files([library], ScanSettings(), archive.folder))
        for journal, file in zip(journals, scan_library(listed, [], [library]).files, strict=False):
            journal.note_seen(file)
    archive.publish()
    assert 1 == len(archive.snapshot().roots())
    assert 2 == len(archive.snapshot().locations())


def test_a_root_of_an_older_rushes_keeps_its_id(archive: Archive, library: Path) -> None:
    """It is found by its folder."""
    archive.record([RootNamed("lib-0a1b2c3d", str(library))])
    archive.publish()
    _index(archive, library)
    assert {str(library): ("lib-0a1b2c3d", 3)} == _folders(archive)


def test_a_moved_library_keeps_everything(archive: Archive, library: Path, tmp_path: Path) -> None:
    """Same id, same videos, all there; the next run finds nothing to do."""
    _index(archive, library)
    ((root_id, _),) = _folders(archive).values()
    new = tmp_path / "b" / "moved"
    shutil.copytree(library, new, copy_function=shutil.copyfile)  # other times of modification
    shutil.rmtree(library)
    assert {"same": 3, "other content": 0, "missing": 0} == _move(archive, "lib", new)
    assert {str(new): (root_id, 3)} == _folders(archive)
    assert {"present"} == {state for _, state in _states(archive).values()}
    scan = scan_library(list_files([new], ScanSettings(), archive.folder), archive.snapshot().locations(), [new])
    assert all(file.is_noted for file in scan.files)
    assert 3 == len(scan.files)


def test_other_content_under_the_same_name_does_not_go_along(
    archive: Archive, library: Path, tmp_path: Path
) -> None:
    """It stays at the old folder, of the same size or not; what is in neither folder goes along as missing."""
    _index(archive, library)
    _write(library, gone="gone")
    _index(archive, library)
    contents = {name: fingerprint(library / f"{name}.mp4") for name in ("one", "two", "three", "gone")}
    (library / "gone.mp4").unlink()
    new = _write(tmp_path / "new", one="one", two="TWO")
    assert {"same": 1, "other content": 1, "missing": 2} == _move(archive, library, new)
    states = _states(archive)
    assert (str(new / "one.mp4"), "present") == states[contents["one"]]
    assert (str(library / "two.mp4"), "present") == states[contents["two"]]
    assert (str(library / "three.mp4"), "present") == states[contents["three"]]
    assert (str(new / "gone.mp4"), "missing") == states[contents["gone"]]
    assert {str(new): 2, str(library): 2} == {folder: n for folder, (_, n) in _folders(archive).items()}
    _index(archive, new)
    assert 5 == len(archive.snapshot().videos())


def test_a_folder_without_any_of_the_files_is_refused(archive: Archive, library: Path, tmp_path: Path) -> None:
    """With how many are missing and other; nothing changes."""
    _index(archive, library)
    new = _write(tmp_path / "new", one="ONE")
    with pytest.raises(
        ConfigError, match=r"no file of lib .* \(2 missing, 1 of other content\): nothing was moved"
    ):
        _move(archive, library, new)
    assert [str(library)] == [*_folders(archive)]


def test_a_move_onto_a_root_joins_it(archive: Archive, library: Path, tmp_path: Path) -> None:
    """The new folder was indexed already, in part: every path has one place, and what is not there stays."""
    _index(archive, library)
    new = _write(tmp_path / "new", one="one")
    _index(archive, new)
    _write(new, two="two")
    assert {"same": 2, "other content": 0, "missing": 1} == _move(archive, library, new)
    assert {str(new): 2, str(library): 1} == {folder: n for folder, (_, n) in _folders(archive).items()}
    paths = [location.path for location in archive.snapshot().locations()]
    assert sorted(paths) == sorted({str(new / "one.mp4"), str(new / "two.mp4"), str(library / "three.mp4")})


def test_a_move_into_a_folder_of_another_root_joins_what_it_knows(
    archive: Archive, library: Path, tmp_path: Path
) -> None:
    """A library that was put into another one, which was indexed again."""
    outer = _write(tmp_path / "outer", four="four")
    _index(archive, library)
    _index(archive, outer)
    shutil.copytree(library, outer / "lib")
    _index(archive, outer)
    assert 3 == _move(archive, library, outer / "lib")["same"]
    assert {str(outer): 4} == {folder: n for folder, (_, n) in _folders(archive).items()}
    assert 4 == len(archive.snapshot().locations())


def test_a_file_that_was_missing_is_there_again_below_the_new_folder(
    archive: Archive, library: Path, tmp_path: Path
) -> None:
    """As a disk that was away while the library was indexed."""
    _index(archive, library)
    new = library.rename(tmp_path / "new")
    library.mkdir()
    _index(archive, library)
    assert not any(location.present for location in archive.snapshot().locations())
    _move(archive, library, new)
    assert all(location.present for location in archive.snapshot().locations())


def test_what_was_moved_meanwhile_is_not_moved_again(archive: Archive, library: Path, tmp_path: Path) -> None:
    """The comparison is of another folder then."""
    _index(archive, library)
    new = tmp_path / "new"
    shutil.copytree(library, new)
    snapshot = archive.snapshot()
    found = compare_root(snapshot, find_root(snapshot, "lib"), new)
    move_root(archive, found)
    with pytest.raises(ArchiveError, match="moved by another process"):
        move_root(archive, found)


def test_roots_are_found_by_id_folder_and_name(archive: Archive, library: Path, tmp_path: Path) -> None:
    """A name that two have is refused with both ids; an unknown one names the nearest."""
    _index(archive, library)
    other = _write(tmp_path / "b" / "lib", four="four")
    _index(archive, other)
    snapshot = archive.snapshot()
    for folder, (root_id, _) in _folders(archive).items():
        assert root_id == find_root(snapshot, folder).root_id == find_root(snapshot, root_id).root_id
    with pytest.raises(UnknownIdError, match=r"more than one .* 'lib': .*give the id"):
        find_root(snapshot, "lib")
    with pytest.raises(UnknownIdError, match="did you mean lib"):
        find_root(snapshot, "libb")
    with pytest.raises(UnknownIdError, match="called 'zzz'; `rushes roots ARCHIVE` lists them"):
        find_root(snapshot, "zzz")


def test_the_command_lists_compares_and_moves(archive: Archive, library: Path, tmp_path: Path) -> None:
    """Offline roots are told; --dry-run changes nothing."""
    _index(archive, library)
    folder = archive.folder
    new = library.rename(tmp_path / "new")
    (listed,) = json.loads(_rushes("roots", folder, "--json"))
    assert ("lib", str(library), 3, False) == tuple(
        listed[name] for name in ("name", "folder", "n_videos", "is_reachable")
    )
    assert ["lib", str(library), listed["root_id"], "3", "no"] == _rushes("roots", folder).splitlines()[1].split()
    (new / "two.mp4").write_text("TWO", encoding="utf-8")
    (new / "three.mp4").unlink()
    said = f"lib: {library} -> {new}: 1 same, 1 other content, 1 missing"
    told = _rushes("roots", "move", folder, "lib", new, "--dry-run").splitlines()
    assert f"compared: {said}" == told[-1]
    assert f"other content: {new / 'two.mp4'}; stays at {library / 'two.mp4'}" in told
    assert f"missing: {new / 'three.mp4'}" in told
    assert str(library) == json.loads(_rushes("roots", folder, "--json"))[0]["folder"]
    moved: dict[str, Any] = json.loads(_rushes("roots", "move", folder, "lib", new, "--json"))
    assert {"same": 1, "other content": 1, "missing": 1} == moved["counts"]
    assert {str(new): "yes", str(library): "no"} == {
        line.split()[1]: line.split()[-1] for line in _rushes("roots", folder).splitlines()[1:]
    }


def test_what_cannot_be_moved_is_refused_in_one_line(archive: Archive, library: Path, tmp_path: Path) -> None:
    """An unknown root, and a new folder that is not there, is a file, is the old one, or lies in an archive."""
    _index(archive, library)
    for old, new, why in (
        ("lbi", library, "did you mean lib?"),
        ("lib", tmp_path / "nowhere", "is not there"),
        ("lib", library / "one.mp4", "is no folder"),
        ("lib", library, "already"),
        ("lib", archive.folder / "thumbs", "lies in the archive"),
    ):
        told = _rushes("roots", "move", archive.folder, old, new, status=2)
        assert why in told
        assert 1 == len(told.splitlines())
    assert [str(library)] == [*_folders(archive)]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to the superuser")
def test_a_read_only_archive_is_listed_and_not_moved(archive: Archive, library: Path, tmp_path: Path) -> None:
    """In one line that names the folder."""
    _index(archive, library)
    shutil.copytree(library, tmp_path / "new")
    archive.folder.chmod(0o555)
    try:
        assert str(library) in _rushes("roots", archive.folder)
        assert str(archive.folder) in _rushes("roots", "move", archive.folder, "lib", tmp_path / "new", status=1)
    finally:
        archive.folder.chmod(0o755)
