"""Paths as places below named roots."""

from pathlib import Path

from indexer.library.file_locations import Place, Places, name_root


def test_the_deepest_known_root_is_used() -> None:
    """A folder inside a known root needs no root of its own."""
    places = Places({"library": "/media/library", "day": "/media/library/day1"})
    assert Place("day", "a.mp4") == places.locate(Path("/media/library/day1/a.mp4"), Path("/media"))
    assert Place("library", "day2/a.mp4") == places.locate(
        Path("/media/library/day2/a.mp4"), Path("/media/library/day2")
    )
    assert {} == places.named


def test_a_new_folder_becomes_a_root_of_its_own() -> None:
    """It is named once, readably, and the same by every indexer."""
    places = Places({})
    root = Path("/media/card 7")
    name = name_root(root)
    assert Place(name, "a.mp4") == places.locate(root / "a.mp4", root)
    assert Place(name, "sub/b.mp4") == places.locate(root / "sub/b.mp4", root / "sub")
    assert {name: str(root)} == places.named
    assert name.startswith("card 7-")


def test_folders_of_one_name_are_different_roots() -> None:
    """Two cards are often called the same."""
    assert name_root(Path("/a/DCIM")) != name_root(Path("/b/DCIM"))
