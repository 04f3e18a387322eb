"""Which files a folder, a file or a metadata file stands for."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from indexer.errors import ScanError
from indexer.library.listing import Listed, ListedFile, ScanSettings, Unlisted, list_files

NOWHERE = Path("/nonexistent-archive")


def _touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def _list(*inputs: Path, settings: ScanSettings | None = None, skip: Path = NOWHERE) -> list[Listed]:
    return list(list_files(inputs, settings or ScanSettings(), skip))


def _names(items: Iterable[Listed], folder: Path) -> list[str]:
    return [item.path.relative_to(folder).as_posix() for item in items if isinstance(item, ListedFile)]


def test_folders_are_walked_whole_for_what_ends_like_a_video(tmp_path: Path) -> None:
    """Sub-folders count, whatever the case of the ending; other files, hidden folders and the archive do not."""
    for name in ("a.mp4", "sub/B.MOV", "notes.json", "sub/._a.mp4", ".trash/c.mp4", "arch/thumbs/d.mp4"):
        _touch(tmp_path / name)
    assert ["a.mp4", "sub/B.MOV"] == _names(_list(tmp_path, skip=tmp_path / "arch"), tmp_path)


def test_a_film_of_our_own_is_left_out_unless_it_is_named(tmp_path: Path) -> None:
    """A supercut rendered into the footage folder would double its sources; a camera's own .json says nothing."""
    for name in ("footage.mp4", "film.mp4", "camera.mp4"):
        _touch(tmp_path / name)
    (tmp_path / "film.mp4.json").write_text('{\n  "format": "rushes-supercut",\n  "version": 1}')
    (tmp_path / "camera.mp4.json").write_text('{"format": "mp4"}')
    found = _list(tmp_path)
    assert ["camera.mp4", "footage.mp4"] == sorted(_names(found, tmp_path))
    (left_out,) = [item for item in found if isinstance(item, Unlisted)]
    assert ("film.mp4", False) == (left_out.path.name, left_out.is_failure)
    assert ["film.mp4"] == _names(_list(tmp_path / "film.mp4"), tmp_path)


def test_a_file_named_by_the_user_is_taken_whatever_its_ending(tmp_path: Path) -> None:
    """Someone who names a file means it."""
    path = _touch(tmp_path / "reel.bin")
    assert [ListedFile(path, tmp_path)] == _list(path)


def test_every_file_is_listed_once(tmp_path: Path) -> None:
    """Naming a folder and a file in it does not index the file twice."""
    path = _touch(tmp_path / "a.mp4")
    assert 1 == len(_list(tmp_path, path, tmp_path))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (ScanSettings(include=("day1/*",)), ["day1/a.mp4"]),
        (ScanSettings(exclude=("day1/*",)), ["day2/b.mp4"]),
        (ScanSettings(include=("day*",), exclude=("*/b*",)), ["day1/a.mp4"]),
    ],
)
def test_globs_choose_below_the_folder(tmp_path: Path, settings: ScanSettings, expected: list[str]) -> None:
    """Exclusion is stronger than inclusion."""
    _touch(tmp_path / "day1/a.mp4")
    _touch(tmp_path / "day2/b.mp4")
    assert expected == _names(_list(tmp_path, settings=settings), tmp_path)


def test_links_are_followed_inside_the_folder_only(tmp_path: Path) -> None:
    """A loop ends, a link to a neighbour adds nothing, a link out of the folder or to nowhere is reported."""
    library = tmp_path / "library"
    _touch(library / "a.mp4")
    outside = _touch(tmp_path / "outside/b.mp4")
    (library / "loop").symlink_to(library)
    (library / "again.mp4").symlink_to(library / "a.mp4")
    (library / "out.mp4").symlink_to(outside)
    (library / "self.mp4").symlink_to(library / "self.mp4")
    items = _list(library)
    assert ["a.mp4"] == _names(items, library)
    reported = {item.path.name: item.reason for item in items if isinstance(item, Unlisted)}
    assert {"out.mp4", "self.mp4"} == set(reported)
    assert "out of the folder" in reported["out.mp4"]
    assert "in a circle" in reported["self.mp4"]


@pytest.mark.parametrize("text", ['path,scene\nv/a.mp4,"4, take 2"\nmissing.mp4,5\n'])
def test_a_csv_file_lists_videos_and_says_more(tmp_path: Path, text: str) -> None:
    """Its other columns become metadata; a path in it that is no file is reported."""
    _touch(tmp_path / "v/a.mp4")
    table = tmp_path / "shoot.csv"
    table.write_text(text)
    listed, missing = _list(table)
    assert ListedFile(tmp_path / "v/a.mp4", tmp_path, {"scene": "4, take 2"}) == listed
    assert isinstance(missing, Unlisted)
    assert "no such file" in missing.reason


def test_a_text_file_lists_one_path_a_line(tmp_path: Path) -> None:
    """Blank lines and comments do not count."""
    path = _touch(tmp_path / "a.mp4")
    table = tmp_path / "list.txt"
    table.write_text(f"# reel 1\n\n{path}\n")
    assert [ListedFile(path, tmp_path)] == _list(table)


def test_a_json_lines_file_names_its_path_column(tmp_path: Path) -> None:
    """The column is the user's choice; a row without it is refused, saying which columns there are."""
    path = _touch(tmp_path / "a.mp4")
    table = tmp_path / "list.jsonl"
    table.write_text(json.dumps({"file": str(path), "take": 2}) + "\n")
    settings = ScanSettings(path_column="file")
    assert [ListedFile(path, tmp_path, {"take": "2"})] == _list(table, settings=settings)
    with pytest.raises(ScanError, match="row 1 has no 'path'"):
        _list(table)


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """A slip of the pen is no empty library."""
    with pytest.raises(ScanError, match="No such file"):
        _list(tmp_path / "nothing")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_reported(tmp_path: Path) -> None:
    """The rest of the library is still listed."""
    _touch(tmp_path / "a.mp4")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    items = _list(tmp_path)
    closed.chmod(0o755)
    assert ["a.mp4"] == _names(items, tmp_path)
    assert [closed] == [item.path for item in items if isinstance(item, Unlisted)]
