"""Records become plain data and come back equal, or are refused."""

import json
from fractions import Fraction

import pytest

from search_app.cutting.cut_list import Clip
from search_app.exports.checksums import read_framemd5
from search_app.exports.serialization import from_plain, to_plain
from tests.unit.search_app.exports.samples import HOSTILE, NTSC, clip_of


def test_a_clip_comes_back_from_json_as_it_was() -> None:
    """With everything that is known of its source and its hits, exact, whatever names hold."""
    clip = clip_of(100, 131, rate=NTSC, path=f"/m/{HOSTILE}\udcff", start_pts_offset=Fraction(1, 3))
    assert clip == from_plain(Clip, json.loads(json.dumps(to_plain(clip))))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"glitter": 1}, "Clip has no glitter"),
        ({"span": {"start": "0/1"}}, "is not whole"),
        ({"span": {"start": "1/1", "end": "0/1"}}, "must end after"),
        ({"video_id": 7}, r"Clip\.video_id cannot be 7"),
        ({"facts": "none"}, r"Clip\.facts cannot be 'none'"),
        ({"paths": [1]}, r"Clip\.paths cannot be 1"),
        ({"span": {"start": "a", "end": "1/0"}}, "no time"),
    ],
)
def test_data_that_does_not_fit_is_refused(change: dict[str, object], reason: str) -> None:
    """The field is named."""
    with pytest.raises(ValueError, match=reason):
        from_plain(Clip, {**to_plain(clip_of(0, 25)), **change})


def test_what_is_no_record_is_not_written() -> None:
    """Nothing is turned into text by guessing."""
    with pytest.raises(TypeError, match="set cannot be written"):
        to_plain({"a": {1}})


def test_films_are_told_apart_by_what_they_decode_to() -> None:
    """Another picture names its clip, another length or sound itself; the same is the same."""
    clips = [(0, 1), (1, 2)]

    def film(*pictures: str, sound: str = "aa") -> str:
        lines = ["#media_type 0: video", "#media_type 1: audio"]
        lines += [f"0, {n}, {n}, 1, 9, {picture}" for n, picture in enumerate(pictures)]
        return "\n".join([*lines, f"1, 0, 0, 1024, 4096, {sound}"])

    one = read_framemd5(film("11", "22", "33"), clips)
    assert "" == one.difference(read_framemd5(film("11", "22", "33"), clips))
    assert "other pictures in clips 2" == one.difference(read_framemd5(film("11", "22", "44"), clips))
    assert "it has 2 frames instead of 3" == one.difference(read_framemd5(film("11", "22"), clips))
    assert "other sound" == one.difference(read_framemd5(film("11", "22", "33", sound="bb"), clips))
