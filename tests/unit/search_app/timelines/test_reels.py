"""Names of tapes: as they are where there is room, never another's, whatever cameras call their clips."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_app.timelines.reels import REEL_LENGTH, RESERVED_REELS, SHORT_REEL_LENGTH, name_reels


def digits(n: int) -> st.SearchStrategy[str]:
    """So many digits."""
    return st.text("0123456789", min_size=n, max_size=n)


CAMERAS = st.one_of(
    st.builds(
        "{}{}_C{}_{}{}".format,
        st.sampled_from("AB"),
        digits(3),
        digits(3),
        digits(4),
        st.sampled_from(("XY", "R1")),
    ),
    st.builds("{}{}_C{}".format, st.sampled_from("AB"), digits(3), digits(3)),
    st.builds("{}{}_C{}".format, st.sampled_from("AB"), digits(3), digits(2)),
    st.builds("{}{}C{}_200101_R1BK".format, st.sampled_from("AB"), digits(3), digits(3)),
    st.builds("{}{}_0823{}_C{}".format, st.sampled_from("AB"), digits(3), digits(4), digits(3)),
    st.builds("DJI_{}".format, digits(4)),
    st.builds("G{}{}".format, st.sampled_from(("X01", "H02", "OPR")), digits(4)),
    st.builds("{}{}".format, st.sampled_from(("MVI_", "DSC", "IMG_", "C")), digits(4)),
    st.builds("PXL_2024{}_{}123~2".format, digits(4), digits(6)),
    st.text(string.printable, max_size=50),
    st.sampled_from(("BL", "ax", "Black", "bars", "東京", "übung", "", "…", "../x")),
)


@given(st.lists(CAMERAS, max_size=40))
def test_no_two_reels_are_alike_and_none_is_another_clips_name(names: list[str]) -> None:
    """Every reel fits, is told apart without capitals, and is never the real name of another clip."""
    tapes = {str(number): name for number, name in enumerate(names)}
    reels = name_reels(tapes)
    for part, length in (("name", REEL_LENGTH), ("short", SHORT_REEL_LENGTH)):
        given_names = {key: getattr(reel, part) for key, reel in reels.items()}
        assert len(names) == len({reel.upper() for reel in given_names.values()})
        for key, reel in given_names.items():
            assert 0 < len(reel) <= length
            assert set(reel) <= set(string.ascii_letters + string.digits + "_.-")
            assert reel.upper() not in RESERVED_REELS
            others = {name.upper() for other, name in tapes.items() if other != key}
            assert reel.upper() not in others or reel.upper() == tapes[key].upper()
    assert reels == name_reels(tapes)


@pytest.mark.parametrize(
    "name", ["A001_C004", "A001_C004_0101XY", "A001C003_200101_R1BK", "DJI_0042", "my-clip.v2"]
)
def test_names_stand_as_they_are(name: str) -> None:
    """Nothing is made of a name that has room."""
    assert name == name_reels({"1": name})["1"].name


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("A001_C004", "A001C004"),
        ("A001_C004_0101XY", "A001C004"),
        ("A001C003_200101_R1BK", "A001C003"),
        ("DJI_0042", "DJI_0042"),
        ("GX010042", "GX010042"),
        ("C0001", "C0001"),
    ],
)
def test_eight_characters_keep_roll_and_clip(name: str, short: str) -> None:
    """What a camera calls its clip fits into eight."""
    assert short == name_reels({"1": name})["1"].short


def test_what_must_be_shortened_keeps_its_roll() -> None:
    """A001_C004 never becomes A001_C03, and what is alike in eight characters gets letters, no number."""
    names = ("A001_C003", "A001_C03", "A001C003", "B012_08231245_C003", "GX010042_trim", "GX010042")
    short = [reel.short for reel in name_reels({str(n): name for n, name in enumerate(names)}).values()]
    assert ["A001_C03", "A001C003", "GX010042"] == [short[1], short[2], short[5]]
    assert ["A001_", "B012_"] == [short[0][:5], short[3][:5]]
    assert all(short[n][5:].isalpha() for n in (0, 3, 4))


def test_a_reel_stays_the_same_beside_other_clips() -> None:
    """The letters are made of the tape alone, so that two timelines name it alike."""
    alone = name_reels({"file 1": "a very long name of a clip, longer than all"})
    among = name_reels({"file 0": "another", "file 1": "a very long name of a clip, longer than all"})
    assert alone["file 1"] == among["file 1"]
