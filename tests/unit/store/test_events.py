"""Events as lines of edits."""

import pytest

from store.event_fields import event_from_fields, event_to_fields
from store.events import (
    CutEdited,
    CutMoved,
    Event,
    Exported,
    Judged,
    RightsChanged,
    SetChanged,
)

_CLIP = {"fingerprint": "f1", "start": "0/1", "end": "1/1", "note": "the best"}


@pytest.mark.parametrize(
    "event",
    [
        Judged("a boat", "f1", "1001/1000", "2/1", "keep"),
        SetChanged("best", "f1", "0/1", "1/1", True),
        Exported("cut.mp4", (("f1", "0/1", "1/1"), ("f2", "1/3", "2/3"))),
        CutEdited(
            "cut",
            "v2",
            "v1",
            "moved",
            "anna",
            ("a", "b"),
            {"b": _CLIP},
            (("f1", "0/1", "1/1"),),
            {"query": "x"},
            "cut~2",
        ),
        CutMoved("cut", "v1", "v2", "undo", "anna", "cut~2"),
        RightsChanged("f1", "", "", "watermark", "draft", "2027-01-31", "embargo", "anna"),
    ],
)
def test_decisions_come_back_from_plain_data(event: Event) -> None:
    """What is written as a line is read as the same event."""
    assert event == event_from_fields(event_to_fields(event))


@pytest.mark.parametrize("times", [("x", "1/1"), ("0/1", "1/0"), ("2/1", "1/1"), ("1/1", "1/1"), ("nan", "1/1")])
def test_stretches_that_are_none_are_never_written(times: tuple[str, str]) -> None:
    """Times that cannot be read, or that do not go forward, are refused before they reach the archive."""
    for make in (
        lambda: Judged("a boat", "f1", *times, "keep"),
        lambda: SetChanged("best", "f1", *times, True),
        lambda: Exported("cut.mp4", (("f1", *times),)),
        lambda: CutEdited("cut", "v", "", "", "", ("a",), {"a": {"start": times[0], "end": times[1]}}),
        lambda: CutEdited("cut", "v", "", "", "", (), {}, (("f1", *times),)),
        lambda: RightsChanged("f1", *times, "block"),
    ):
        with pytest.raises(ValueError, match=r"time|span|Fraction"):
            make()
