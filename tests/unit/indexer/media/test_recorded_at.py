"""When a video was recorded, from what its file says."""

import pytest

from indexer.media.tags import read_recorded_at


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"creation_time": "2021-05-03T22:30:00.000000Z"}, "2021-05-03T22:30:00+00:00"),
        (
            {
                "creation_time": "2021-05-03T22:30:00Z",
                "com.apple.quicktime.creationdate": "2021-05-04T00:30:00+0200",
            },
            "2021-05-04T00:30:00+02:00",
        ),
        ({"com.apple.quicktime.creationdate": "spring", "creation_time": "2021-05-03"}, "2021-05-03T00:00:00"),
        ({"creation_time": "1904-01-01T00:00:00Z"}, None),
        ({"creation_time": "1970-01-01T00:00:00Z"}, None),
        ({"creation_time": "\ufffd\x00"}, None),
        ({}, None),
    ],
)
def test_the_time_of_recording_is_read_from_the_tags(tags: dict[str, str], expected: str | None) -> None:
    """Local time goes before Greenwich's, and what is no time, or a clock that was never set, says nothing."""
    assert expected == read_recorded_at(tags)
