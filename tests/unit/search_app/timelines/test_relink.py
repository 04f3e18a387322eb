"""Where a timeline says that its sources lie."""

from pathlib import Path

import pytest

from search_app.timelines.relink import Relinker, read_path_map
from store.errors import ConfigError


@pytest.mark.parametrize(
    ("there", "path", "url"),
    [
        ("/Volumes/Media 1", "/Volumes/Media 1/day/a#1.mov", "file:///Volumes/Media%201/day/a%231.mov"),
        ("D:\\media", "D:\\media\\day\\a#1.mov", "file:///D:/media/day/a%231.mov"),
        ("D:/", "D:\\day\\a#1.mov", "file:///D:/day/a%231.mov"),
        ("\\\\server\\media", "\\\\server\\media\\day\\a#1.mov", "file://server/media/day/a%231.mov"),
        ("media", "media/day/a#1.mov", "./media/day/a%231.mov"),
    ],
)
def test_a_path_map_leads_to_another_machine(there: str, path: str, url: str) -> None:
    """Folders of any system stand for those here."""
    assert (path, url) == Relinker((("/here", there),)).place("/here/day/a#1.mov")


def test_only_whole_folders_are_mapped_and_the_longest_wins() -> None:
    """`/here` is not the beginning of `/hereafter`."""
    relink = Relinker((("/here", "/a"), ("/here/day", "/b")))
    assert "/b/x.mov" == relink.place("/here/day/x.mov")[0]
    assert "/a/night/x.mov" == relink.place("/here/night/x.mov")[0]
    assert "/hereafter/x.mov" == relink.place("/hereafter/x.mov")[0]


def test_relative_paths_count_from_the_timeline() -> None:
    """Folder and timeline can move together; a colon does not make a name an address."""
    relink = Relinker(relative_to=Path("/jobs/cuts"))
    assert ("../media/a:1.mov", "./../media/a%3A1.mov") == relink.place("/jobs/media/a:1.mov")


def test_names_that_are_no_text_keep_their_bytes() -> None:
    """An address is made of the bytes of the name."""
    assert "file:///m/%FFx.mov" == Relinker().place("/m/\udcffx.mov")[1]


@pytest.mark.parametrize("pair", ["/here", "=/there", "/here=", ""])
def test_a_map_that_maps_nothing_is_refused(pair: str) -> None:
    """The message says how it is written."""
    with pytest.raises(ConfigError, match="FROM=TO"):
        read_path_map([pair])


def test_maps_are_read() -> None:
    """What stands before the first `=` is here."""
    assert (("/here", "D:\\a=b"),) == read_path_map(["/here/=D:\\a=b"])
