"""Names of files: their words, what stands in them, and how two of one name are told apart."""

from __future__ import annotations

import pytest

from store.names import display_names, find_run, fits_part, fold, split_words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("DJI_0042", ("dji", "0042")),
        ("Foreman - site visit", ("foreman", "site", "visit")),
        ("vp9cake", ("vp", "9", "cake")),
        ("SiteVisit", ("site", "visit")),
        ("HTMLPage", ("html", "page")),
        ("IMG2HTML", ("img", "2", "html")),
        ("Caf\u00e9", ("cafe",)),
        ("cafe\u0301", ("cafe",)),
        ("STRASSE stra\u00dfe", ("strasse", "strasse")),
        ("\uff24\uff2a\uff29", ("dji",)),
        ("旅行2021", ("旅", "行", "2021")),
        ("Москва-Ночь", ("москва", "ночь")),
        ("broken\udce9name", ("broken", "name")),
        ("--", ()),
        ("", ()),
    ],
)
def test_a_name_has_words(name: str, words: tuple[str, ...]) -> None:
    """They end at signs, digits, underscores and capitals; case and accents make no difference."""
    assert words == split_words(name)


@pytest.mark.parametrize(
    ("words", "among", "run"),
    [
        ("visit", "Foreman - site visit", (2, 3)),
        ("sitevisit", "Foreman - site visit", (1, 3)),
        ("site visit", "sitevisit", (0, 1)),
        ("site", "sitevisit", None),
        ("an", "a narrow", None),
        ("iphone", "iPhone", (0, 2)),
        ("旅行", "家族旅行2021", (2, 4)),
        ("", "boat", None),
    ],
)
def test_words_stand_in_a_row(words: str, among: str, run: tuple[int, int] | None) -> None:
    """Whole words, however they are spaced."""
    assert run == find_run(split_words(words), split_words(among))


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("phone", "phone.mp4", True),
        ("PHONE.MP4", "phone.mp4", True),
        ("phone", "My Phone/a.mp4", True),
        ("phone", "myPhone_2/a.mp4", True),
        ("phone", "megaphone/a.mp4", False),
        ("phone", "headphones.mp4", False),
        ("mp4", "phone.mp4", False),
        ("my a", "my/a.mp4", False),
        ("..", "a/b.mp4", False),
    ],
)
def test_a_part_of_a_path_fits(pattern: str, path: str, fits: bool) -> None:
    """A folder or file by its name, its stem, or whole words of it; never by its ending or across folders."""
    assert fits == fits_part(pattern, path)


def test_files_of_one_name_are_told_apart() -> None:
    """By the nearest folder that differs; what is alone keeps its bare name."""
    paths = ["/x/a/clip.mp4", "/x/b/clip.mp4", "/x/a/v/dup.mp4", "/x/b/v/dup.mp4", "/x/one.mp4", "/clip.mp4"]
    assert {
        "/x/a/clip.mp4": "a/clip.mp4",
        "/x/b/clip.mp4": "b/clip.mp4",
        "/x/a/v/dup.mp4": "a/v/dup.mp4",
        "/x/b/v/dup.mp4": "b/v/dup.mp4",
        "/x/one.mp4": "one.mp4",
        "/clip.mp4": "/clip.mp4",
    } == display_names(paths)
    assert {"a.mp4": "a.mp4", "": ""} == display_names(["a.mp4", "a.mp4", ""])


def test_folding_is_the_same_however_a_letter_is_written() -> None:
    """Capitals, accents and joined letters."""
    assert fold("\u00c9\ufb01") == fold("e\u0301FI") == "efi"
