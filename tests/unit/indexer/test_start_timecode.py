"""The timecode of the first frame, from what a file says."""

import pytest

from indexer.media.decode import read_start_timecode


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"timecode": "01:00:00:00"}, "01:00:00:00"),
        ({"TIMECODE": " 00:59:59;28 "}, "00:59:59;28"),
        ({"timecode": "00:59:59.28"}, "00:59:59;28"),
        ({"timecode": "10:00:00:100"}, "10:00:00:100"),
        ({"timecode": "01:00:61:00"}, None),
        ({"timecode": "an hour"}, None),
        ({"timecode_note": "01:00:00:00"}, None),
        ({}, None),
    ],
)
def test_the_start_timecode_is_read_from_the_tags(tags: dict[str, str], expected: str | None) -> None:
    """Every container writes it its own way; what is no timecode says nothing."""
    assert expected == read_start_timecode(tags)
