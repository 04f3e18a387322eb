"""Cut lists and candidates as people read them."""

import re
from fractions import Fraction

import pytest

from indexer.library.presence import Presence
from search_app.commands.cut_view import print_candidates
from search_app.search.ranking import Hit
from store.records import Boundary, Shot, ShotRow
from store.timespan import TimeSpan

SHOT = ShotRow("shot", "video", "/a.mp4", Shot(0, TimeSpan(Fraction(0), Fraction(1)), Boundary.CUT), "")


@pytest.mark.parametrize(
    ("confidence", "is_calibrated", "is_measured", "said"),
    [
        (0.93, True, True, "93 %, high"),
        (0.7, False, True, "medium"),
        (None, True, True, "unknown"),
        (None, True, False, "0:00.0"),
    ],
)
def test_candidates_say_how_sure_they_are(
    confidence: float | None,
    is_calibrated: bool,
    is_measured: bool,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A number only of an encoder that is calibrated, and nothing of a question of filters alone."""
    hit = Hit(
        1,
        0.5,
        SHOT,
        Fraction(0),
        "",
        confidence=confidence,
        is_measured=is_measured,
        is_calibrated=is_calibrated,
    )
    print_candidates([hit], {"video": Presence("/a.mp4")})
    row = capsys.readouterr().out.splitlines()[1]
    assert ["1", said] == re.split(r"\s{2,}", row.strip())[:2]
