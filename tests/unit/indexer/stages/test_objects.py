"""The stage of objects, with a detector that finds blocks of colour."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from indexer.errors import ModelError
from indexer.stages.objects import ObjectSettings, ObjectStage
from indexer.stages.stage import RgbPicture, ShownStretch, Stretch
from store.records import Boundary, FrameRow, Shot, ShotRow
from store.shot_outcomes import ShotState
from store.timespan import TimeSpan
from tests.fake_readers import BROKEN, FakeDetector
from tests.fakes import COLOURS


def picture(*blocks: tuple[str, int]) -> RgbPicture:
    drawn = np.zeros((40, 100, 3), np.uint8)
    for name, left in blocks:
        drawn[10:30, left : left + 20] = COLOURS[name]
    return drawn


def broken() -> RgbPicture:
    return np.full((40, 100, 3), BROKEN, np.uint8)


def shown(*pictures: RgbPicture, start: int = 0) -> ShownStretch:
    times = tuple(Fraction(start + at) for at in range(len(pictures)))
    span = TimeSpan(Fraction(start), Fraction(start + len(pictures)))
    shot = ShotRow("0" * 16, "f" * 32, "", Shot(0, span, Boundary.CUT), "")
    return ShownStretch(Stretch(shot, span), times, pictures)


def make() -> ObjectStage:
    return ObjectStage(FakeDetector(), ObjectSettings())


def test_a_row_for_each_class_with_count_and_boxes() -> None:
    """The count is the most that are seen at once; every box has the number of its track."""
    (result,) = make().read([shown(picture(("red", 0), ("red", 40), ("blue", 70)), picture(("red", 2)))])
    red, blue = sorted(result.rows, key=lambda row: row.text, reverse=True)
    assert ("red", 2, "blue", 1) == (red.text, red.count, blue.text, blue.count)
    assert red.payload is not None and red.payload["tracks"] == 2 and red.payload["looked_at"] == 2
    assert [[0, 1], [0]] == [sorted(one["tracks"]) for one in red.payload["pictures"]]
    assert [0.02, 0.25, 0.2, 0.5] == red.payload["pictures"][1]["boxes"][0]
    assert red.span == blue.span == TimeSpan(Fraction(0), Fraction(2))


def test_nothing_found_is_an_outcome() -> None:
    """No rows, and no error."""
    (result,) = make().read([shown(picture())])
    assert ShotState.NOTHING is result.state


def test_each_stretch_gets_what_it_shows() -> None:
    """Together, one by one and in another order: the objects stay with their stretch."""
    stretches = [shown(picture((name, 10)), start=at) for at, name in enumerate(("red", "blue", "green"))]
    together = make().read(stretches)
    assert ["red", "blue", "green"] == [one.rows[0].text for one in together]
    assert list(together) == [make().read([one])[0] for one in stretches]
    assert list(together)[::-1] == list(make().read(stretches[::-1]))


def test_a_stretch_that_breaks_the_model_fails_alone() -> None:
    """The others keep their objects; if all fail, the model is at fault."""
    good, bad = make().read([shown(picture(("red", 10))), shown(broken())])
    assert "red" == good.rows[0].text
    assert ShotState.ERROR is bad.state and "broke" in bad.reason
    with pytest.raises(ModelError, match="broke"):
        make().read([shown(broken()), shown(broken())])


def test_the_sampled_frames_are_looked_at() -> None:
    """At most 64 of them, evenly; of a stretch without any its middle."""
    span = TimeSpan(Fraction(0), Fraction(60))
    shot = ShotRow("0" * 16, "f" * 32, "", Shot(0, span, Boundary.CUT), "")
    frames = tuple(FrameRow(0, "0" * 16, "f" * 32, Fraction(at, 2), 1.0, "") for at in range(120))
    assert [Fraction(0), Fraction(1, 2)] == list(make().times(Stretch(shot, span, frames[:2])))
    assert 64 == len(set(make().times(Stretch(shot, span, frames))))
    assert [Fraction(30)] == list(make().times(Stretch(shot, span)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompts": ("dog", " ")},
        {"prompts": ("x",) * 1001},
        {"lowest_score": 2.0},
        {"batch_size": 0},
        {"picture_px": 1},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    """Empty prompts, and more than a detector can read."""
    with pytest.raises(ValueError, match=r"prompt|must be"):
        ObjectSettings(**wrong)  # type: ignore[arg-type]
