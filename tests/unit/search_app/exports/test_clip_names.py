"""Names of separate clips are good on every file system, and no two alike."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_app.errors import ExportError
from search_app.exports.separate_clips import MAX_NAME_BYTES, clip_paths, safe_name
from tests.unit.search_app.exports.samples import HOSTILE, NTSC, clip_of, film_of


def test_names_hold_place_source_and_timecode() -> None:
    """In the folder by default; a template chooses what is in the name, and the container."""
    film = film_of(clip_of(25, 50), clip_of(60, 90, rate=NTSC, path="/m/b.c.mov"), caption="a <boat>")
    assert [
        Path("/out/001_a_10-00-01-00.mp4"),
        Path("/out/002_b.c_10-00-02-00.mp4"),
    ] == clip_paths(film, Path("/out"))
    named = clip_paths(film, Path("/out/{place} {caption}.mov"))
    assert [Path("/out/001 a _boat_.mov"), Path("/out/002 a _boat_.mov")] == named


def test_names_that_collide_or_ask_for_nonsense_are_refused() -> None:
    """Also if they differ in case alone, which some file systems do not see."""
    film = film_of(clip_of(0, 25, path="/m/A.mov"), clip_of(0, 25, path="/m/a.mov"))
    with pytest.raises(ExportError, match=r"several clips would be called A\.mp4"):
        clip_paths(film, Path("/out/{source}.mp4"))
    with pytest.raises(ExportError, match=r"there is no \{place\.x\}"):
        clip_paths(film, Path("/out/{place.x}.mp4"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("CON", "_CON"),
        ("nul.tar", "_nul.tar"),
        ("console", "console"),
        ("-rf", "_-rf"),
        ("..", "_"),
        ("a/b\\c:d*e?", "a_b_c_d_e_"),
        ("a\u202egpj.exe\n", "a_gpj.exe_"),
        ("trailing. ", "trailing"),
        ("e\u0301", "é"),
    ],
)
def test_known_traps(text: str, name: str) -> None:
    """Devices, options, separators, turned text, and what Windows drops."""
    assert name == safe_name(text)


@given(st.text())
def test_any_text_makes_a_good_name(text: str) -> None:
    """Not empty, not too long, nothing forbidden, and good again when made good twice."""
    name = safe_name(text + HOSTILE if "x" in text else text)
    assert 0 < len(name.encode()) <= MAX_NAME_BYTES + 1
    assert not set(name) & set('<>:"/\\|?*\n\0')
    assert not name.startswith(("-", " ")) and not name.endswith((".", " "))
    assert name.isprintable()
