"""Shifts that the timecodes of two videos propose."""

from dataclasses import replace
from fractions import Fraction

import pytest

from search_app.relinking.alignment import TIMECODE, propose_shifts
from tests.unit.search_app.cutting.test_cut_list import video

FACTS = replace(video("a").facts, start_timecode="10:00:00:00")


@pytest.mark.parametrize(
    ("said", "usual", "start"),
    [(24, None, "10:00:02;00"), (None, 24, "10:00:02:00"), (600, 24, "10:00:02:00"), (600, 24, "10:00:02;00")],
)
def test_a_timecode_proposes_at_the_rate_of_its_source(said: int | None, usual: int | None, start: str) -> None:
    """Also of a file whose header says ticks, or nothing, or that names are dropped where none can be."""
    of_file, of_frames = (None if rate is None else Fraction(rate) for rate in (said, usual))
    n_frames = round(24 * FACTS.span.duration)
    later = replace(FACTS, frame_rate=of_file, usual_rate=of_frames, start_timecode=start, n_frames=n_frames)
    assert -2 == propose_shifts(FACTS, later)[TIMECODE]
