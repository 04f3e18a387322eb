"""The stage that reads texts in pictures, with a reader that says what it sees."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.stages.screen_text import ScreenTextSettings, ScreenTextStage, has_changed, make_small
from indexer.stages.stage import RgbPicture, ShownStretch, Stretch
from store.records import Boundary, FrameRow, Shot, ShotRow
from store.shot_outcomes import ShotState
from store.timespan import TimeSpan
from tests.fake_readers import BROKEN, FakeTextReader

RED, BLUE, PLAIN = (200, 0, 0), (0, 0, 200), (90, 90, 90)
SAYS = {RED: ["GATE 4", "Departures"], BLUE: ["Arrivals"]}


def stretch(start: Fraction | int, end: Fraction | int, frames: Sequence[Fraction | int] = ()) -> Stretch:
    span = TimeSpan(Fraction(start), Fraction(end))
    shot = ShotRow("0" * 16, "f" * 32, "", Shot(0, span, Boundary.CUT), "")
    rows = tuple(FrameRow(0, "0" * 16, "f" * 32, Fraction(at), 1.0, "") for at in frames)
    return Stretch(shot, span, rows)


def flat(colour: tuple[int, int, int]) -> RgbPicture:
    return np.full((36, 64, 3), colour, np.uint8)


def shown(*colours: tuple[int, int, int]) -> ShownStretch:
    times = tuple(Fraction(at) for at in range(len(colours)))
    return ShownStretch(stretch(0, len(colours)), times, tuple(map(flat, colours)))


def make(reader: FakeTextReader | None = None) -> ScreenTextStage:
    return ScreenTextStage(reader or FakeTextReader(SAYS), ScreenTextSettings())


def test_one_row_for_each_line_with_its_span() -> None:
    """In order of time, then of reading; the span ends with the last picture that shows the line."""
    (result,) = make().read([shown(PLAIN, RED, RED, BLUE)])
    assert ["GATE 4", "Departures", "Arrivals"] == [row.text for row in result.rows]
    assert [(Fraction(1), Fraction(51, 25))] * 2 == [(row.span.start, row.span.end) for row in result.rows[:2]]
    first = result.rows[0]
    assert {"order": 0, "pictures": 2, "before": 0.0, "after": 3.0} == first.payload
    assert (0.1, 0.1) == pytest.approx(first.box[:2] if first.box else ())


def test_pictures_that_look_the_same_are_read_once() -> None:
    """A slide of ten pictures costs one look, and lasts for all of them."""
    reader = FakeTextReader(SAYS)
    (result,) = make(reader).read([shown(*[RED] * 10)])
    usual = ScreenTextSettings()
    assert [usual.glance_px, usual.find_px] == reader.sides
    assert all(10 == (row.payload or {})["pictures"] for row in result.rows)


def test_only_one_picture_is_looked_at_thoroughly_without_text() -> None:
    """All others are only glanced at."""
    reader = FakeTextReader({})
    usual = ScreenTextSettings()
    make(reader).read([shown((10, 0, 0), (60, 0, 0), (110, 0, 0), (160, 0, 0))])
    assert [usual.find_px] == [side for side in reader.sides if side != usual.glance_px]


def test_a_stretch_without_text_has_nothing() -> None:
    """That is an outcome of its own."""
    (result,) = make().read([shown(PLAIN, PLAIN)])
    assert ShotState.NOTHING is result.state and () == result.rows


def test_a_stretch_that_breaks_the_reader_fails_alone() -> None:
    """The others keep their texts."""
    before, broken, after = make().read([shown(RED), shown(PLAIN, BROKEN), shown(BLUE)])
    assert ShotState.ERROR is broken.state and "broke" in broken.reason
    assert ["GATE 4", "Departures"] == [row.text for row in before.rows]
    assert ["Arrivals"] == [row.text for row in after.rows]


def test_company_makes_no_difference() -> None:
    """Stretches together, or one by one: the same results."""
    stretches = [shown(RED, BLUE), shown(PLAIN), shown(BLUE, BLUE, RED)]
    assert make().read(stretches) == [make().read([one])[0] for one in stretches]


@settings(max_examples=25)
@given(
    st.fractions(0, 1000, max_denominator=1001),
    st.fractions(Fraction(1, 100), 60, max_denominator=1001),
    st.lists(st.fractions(0, 1, max_denominator=97), max_size=90, unique=True),
)
def test_times_lie_in_order_inside_the_stretch(
    start: Fraction, duration: Fraction, places: list[Fraction]
) -> None:
    """At least one, at most 64, whatever the stretch."""
    frames = sorted(start + duration * place for place in places if place < 1)
    times = make().times(stretch(start, start + duration, frames))
    assert 1 <= len(times) <= 64
    assert list(times) == sorted(set(times))
    assert all(start <= time < start + duration for time in times)


def test_the_sampled_frames_are_among_the_times() -> None:
    """So that what the search shows was read."""
    frames = [Fraction(1, 3), Fraction(7, 3), Fraction(5)]
    assert set(frames) <= set(make().times(stretch(0, 6, frames)))


def test_a_small_text_is_a_change_and_noise_is_none() -> None:
    """A word of a fiftieth of the picture's height counts; grain over all of it does not."""
    rng = np.random.default_rng(0)
    plain = np.full((720, 1280, 3), 120, np.uint8)
    written = plain.copy()
    written[400:414, 600:680:3] = 250
    grain = np.clip(plain + rng.normal(0, 4, plain.shape), 0, 255).astype(np.uint8)
    small = make_small(plain)
    assert (180, 320) == small.shape
    assert has_changed(small, make_small(written), 6.0)
    assert not has_changed(small, make_small(grain), 6.0)
    assert has_changed(small, make_small(plain[:, :640]), 6.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"step_seconds": 0.0}, {"picture_px": 8}, {"find_px": 9999}, {"glance_px": 1}, {"lowest_score": 1.5},
        {"lowest_once": -0.1}, {"threads": 0}, {"change": -1.0},
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    """Before anything is loaded."""
    with pytest.raises(ValueError, match="must be"):
        ScreenTextSettings(**wrong)  # type: ignore[arg-type]


def test_settings_decide_the_run() -> None:
    """Other settings are another run; threads are none of what decides."""
    reader = FakeTextReader(SAYS)
    keys = {
        ScreenTextStage(reader, settings).run.key
        for settings in (ScreenTextSettings(), ScreenTextSettings(threads=7), ScreenTextSettings(find_px=640))
    }
    assert 2 == len(keys)
