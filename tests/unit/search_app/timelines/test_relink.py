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


def test_what_changes_nothing_is_said() -> None:
    """A path map that holds for no source, one that others are deeper than, and --relative beside maps for all."""
    relink = Relinker((("/here", "/a"), ("/here/day", "/b"), ("/gone", "/c")), Path("/jobs"))
    assert ["/gone=/c"] == [
        said.split()[1] for said in relink.without_effect(["/here/x", "/here/day/x", "/jobs/x"])
    ]
    said = relink.without_effect(["/here/day/x"])
    assert "a longer one holds" in said[0]
    assert "no clip's source lies below /gone" in said[1]
    assert "--relative changes nothing" in said[2]
    assert [] == Relinker(relative_to=Path("/jobs")).without_effect(["/here/x"])


def test_a_path_map_goes_before_relative_paths() -> None:
    """Only what no map holds for is counted from the timeline's folder."""
    relink = Relinker((("/here", "/a"),), Path("/jobs"))
    assert ["/a/x.mov", "media/x.mov"] == [relink.place(path)[0] for path in ("/here/x.mov", "/jobs/media/x.mov")]


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
