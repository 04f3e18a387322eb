"""How a library on disk compares with what the archive knows."""

import os
from pathlib import Path

from indexer.library.listing import ScanSettings, list_files
from indexer.library.scan import Change, Scan, fingerprint_file, scan_library
from store.records import Location

NOWHERE = Path("/nonexistent-archive")


def _scan(folder: Path, known: list[Location] | None = None) -> Scan:
    listed = list_files([folder], ScanSettings(), NOWHERE)
    return scan_library(listed, known or [], [folder])


def _known(scan: Scan) -> list[Location]:
    """What an archive would know after this scan."""
    return [
        Location(
            "root",
            file.file.path.name,
            str(file.file.path),
            file.size_bytes,
            file.mtime_ns,
            file.fingerprint,
            True,
        )
        for file in scan.files
    ]


def _changes(scan: Scan) -> dict[str, Change]:
    return {file.file.path.name: file.change for file in scan.files}


def test_a_second_look_finds_nothing_new(tmp_path: Path) -> None:
    """Without a change, everything is unchanged and already noted."""
    (tmp_path / "a.mp4").write_bytes(b"one")
    first = _scan(tmp_path)
    second = _scan(tmp_path, _known(first))
    assert {"a.mp4": Change.NEW} == _changes(first)
    assert {"a.mp4": Change.UNCHANGED} == _changes(second)
    assert second.files[0].is_noted


def test_a_touched_file_is_unchanged_but_news_for_the_archive(tmp_path: Path) -> None:
    """Identity is content, not time; the new time is noted so that the next look is cheap."""
    (tmp_path / "a.mp4").write_bytes(b"one")
    known = _known(_scan(tmp_path))
    os.utime(tmp_path / "a.mp4", ns=(1, 1))
    (file,) = _scan(tmp_path, known).files
    assert Change.UNCHANGED == file.change
    assert not file.is_noted


def test_a_renamed_file_has_moved(tmp_path: Path) -> None:
    """It is neither new nor is its old place missing content."""
    (tmp_path / "a.mp4").write_bytes(b"one")
    known = _known(_scan(tmp_path))
    (tmp_path / "a.mp4").rename(tmp_path / "b.mp4")
    scan = _scan(tmp_path, known)
    assert {"b.mp4": Change.MOVED} == _changes(scan)
    assert str(tmp_path / "a.mp4") == scan.files[0].other
    assert [] == scan.missing


def test_a_copy_is_a_duplicate_whether_the_original_is_new_or_known(tmp_path: Path) -> None:
    """Content that is there twice is indexed once."""
    (tmp_path / "b.mp4").write_bytes(b"one")
    known = _known(_scan(tmp_path))
    (tmp_path / "a.mp4").write_bytes(b"one")
    assert {"a.mp4": Change.NEW, "b.mp4": Change.DUPLICATE} == _changes(_scan(tmp_path))
    assert {"a.mp4": Change.DUPLICATE, "b.mp4": Change.UNCHANGED} == _changes(_scan(tmp_path, known))


def test_other_content_at_the_same_path_is_a_change(tmp_path: Path) -> None:
    """Even of the same size."""
    (tmp_path / "a.mp4").write_bytes(b"one")
    known = _known(_scan(tmp_path))
    (tmp_path / "a.mp4").write_bytes(b"two")
    os.utime(tmp_path / "a.mp4", ns=(1, 1))
    assert {"a.mp4": Change.CHANGED} == _changes(_scan(tmp_path, known))


def test_a_file_that_is_gone_is_missing_only_below_the_scanned_folders(tmp_path: Path) -> None:
    """What was not looked at is not missing."""
    for name in ("day1/a.mp4", "day2/b.mp4"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(name.encode())
    known = _known(_scan(tmp_path))
    for location in known:
        Path(location.path).unlink()
    missing = _scan(tmp_path / "day1", known).missing
    assert ["a.mp4"] == [Path(location.path).name for location in missing]


def test_a_file_that_vanishes_while_scanning_is_reported(tmp_path: Path) -> None:
    """One lost file never stops a scan."""
    (tmp_path / "a.mp4").write_bytes(b"one")
    (tmp_path / "b.mp4").write_bytes(b"two")
    listed = list(list_files([tmp_path], ScanSettings(), NOWHERE))
    (tmp_path / "a.mp4").unlink()
    scan = scan_library(listed, [], [tmp_path])
    assert {"b.mp4": Change.NEW} == _changes(scan)
    assert ["a.mp4"] == [item.path.name for item in scan.unreadable]


def test_a_fingerprint_sees_head_middle_tail_and_size(tmp_path: Path) -> None:
    """A change in any of them is another file; the middle of a long file is sampled, not read whole."""
    path = tmp_path / "film.mp4"
    size = 1_000_000
    plain = bytes(size)
    path.write_bytes(plain)
    seen = {fingerprint_file(path)}
    for offset in (0, size // 2, size - 1):
        path.write_bytes(plain[:offset] + b"x" + plain[offset + 1 :])
        seen.add(fingerprint_file(path))
    path.write_bytes(plain + b"\0")
    seen.add(fingerprint_file(path))
    assert 5 == len(seen)
    assert all(32 == len(fingerprint) for fingerprint in seen)
