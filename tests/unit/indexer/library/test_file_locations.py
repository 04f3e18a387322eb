"""Paths as places below named roots."""

from pathlib import Path

import pytest

from indexer.library.file_locations import Place, Places, name_of_root, new_root_id


def test_the_deepest_known_root_is_used() -> None:
    """A folder inside a known root needs no root of its own."""
    places = Places({"library": "/media/library", "day": "/media/library/day1"})
    assert Place("day", "a.mp4") == places.locate(Path("/media/library/day1/a.mp4"), Path("/media"))
    assert Place("library", "day2/a.mp4") == places.locate(
        Path("/media/library/day2/a.mp4"), Path("/media/library/day2")
    )


def test_a_new_folder_becomes_a_root_of_its_own() -> None:
    """It is named once."""
    named: list[Path] = []

    def name(folder: Path) -> str:
        named.append(folder)
        return "card"

    places = Places({}, name)
    root = Path("/media/card 7")
    assert Place("card", "a.mp4") == places.locate(root / "a.mp4", root)
    assert Place("card", "sub/b.mp4") == places.locate(root / "sub/b.mp4", root / "sub")
    assert [root] == named


def test_of_two_roots_at_one_folder_the_first_id_holds() -> None:
    """In whatever order they are given."""
    roots = {"b-2": "/media/card", "a-1": "/media/card"}
    for given in (roots, dict(reversed(roots.items()))):
        assert "a-1" == Places(given).locate(Path("/media/card/a.mp4"), Path("/media/card")).root


def test_the_id_of_a_root_can_be_read_and_says_nothing_of_its_path() -> None:
    """Two cards are often called the same, and one mount point holds many."""
    folder = Path("/media/DCIM")
    assert new_root_id(folder) != new_root_id(folder)
    assert "DCIM" == name_of_root(new_root_id(folder))


@pytest.mark.parametrize(
    ("root_id", "name"),
    [("lib-0a1b2c3d", "lib"), ("lib-2021", "lib-2021"), ("a-b-00000000", "a-b")],
)
def test_the_name_of_a_root_is_its_id_without_the_random_digits(root_id: str, name: str) -> None:
    """Ids of an older Rushes and made-up ones have names too."""
    assert name == name_of_root(root_id)
