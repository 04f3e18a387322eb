"""What may be exported."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from search_app.cutting.cut_list import CutList, add_handles, build_cut_list
from search_app.cutting.rights import Rule, keep_rights, rule_clips
from search_app.errors import RightsError
from store.records import RightsFlag
from store.timespan import TimeSpan
from tests.unit.search_app.cutting.test_cut_list import hit, video

DAY = date(2026, 11, 21)


def flag(rule: str, span: tuple[int, int] | None = None, until: str = "", text: str = "") -> RightsFlag:
    """A flag on video a."""
    stretch = None if span is None else TimeSpan(*map(Fraction, span))
    return RightsFlag("a", stretch, rule, text, until, "embargo", "anna")


@pytest.fixture
def cut_list() -> CutList:
    """Two clips of video a, one of b."""
    a, b = video("a"), video("b")
    return build_cut_list([hit(a, 0, 0, 5), hit(a, 1, 5, 9), hit(b, 0, 0, 4)], {"a": a, "b": b})


@pytest.mark.parametrize(
    ("flags", "rules"),
    [
        ([], [Rule.FREE, Rule.FREE, Rule.FREE]),
        ([flag("block")], [Rule.BLOCK, Rule.BLOCK, Rule.FREE]),
        ([flag("block", (5, 6))], [Rule.FREE, Rule.BLOCK, Rule.FREE]),
        ([flag("block", (9, 12))], [Rule.FREE, Rule.FREE, Rule.FREE]),
        ([flag("block", (3, 5)), flag("block", (4, 6))], [Rule.BLOCK, Rule.BLOCK, Rule.FREE]),
        (
            [flag("watermark", (0, 6), text="draft"), flag("block", (5, 9))],
            [Rule.WATERMARK, Rule.BLOCK, Rule.FREE],
        ),
        ([flag("block", (4, 5)), flag("watermark", text="draft")], [Rule.BLOCK, Rule.WATERMARK, Rule.FREE]),
        ([flag("block", until="2026-11-21")], [Rule.BLOCK, Rule.BLOCK, Rule.FREE]),
        ([flag("block", until="2026-11-20")], [Rule.FREE, Rule.FREE, Rule.FREE]),
    ],
)
def test_a_flag_holds_for_its_video_stretch_and_days(
    cut_list: CutList, flags: list[RightsFlag], rules: list[Rule]
) -> None:
    """Ends are excluded, the last day is included, and blocking goes before marking."""
    assert rules == [ruling.rule for ruling in rule_clips(cut_list.clips, flags, DAY)]


def test_what_is_blocked_is_refused_by_place_name_and_reason_or_left_out(cut_list: CutList) -> None:
    """Nothing goes without a word."""
    flags = [flag("block", (5, 6))]
    with pytest.raises(RightsError, match=r"clip 2 \(/videos/a.mp4\) is blocked by anna: embargo; go on$"):
        keep_rights(cut_list, flags, way_out="go on", today=DAY)
    kept, rulings = keep_rights(cut_list, flags, skip_blocked=True, today=DAY)
    assert 2 == len(kept.clips) == len(rulings)
    assert ["rights: blocked by anna: embargo"] == [left.reason for left in kept.left_out]


@pytest.mark.parametrize(
    ("before", "is_refused"), [(Fraction(9, 10), False), (Fraction(11, 10), True), (Fraction(2), True)]
)
def test_a_handle_that_reaches_into_a_blocked_stretch_is_refused(before: Fraction, *, is_refused: bool) -> None:
    """The stretch up to 4 s is blocked, and the clip begins at 5 s: a handle of less than a second is free."""
    a = video("a")
    found = build_cut_list([hit(a, 0, 5, 9)], {"a": a})
    widened = CutList(tuple(add_handles(found.clips, [(before, Fraction(0))])))
    (ruling,) = rule_clips(widened.clips, [flag("block", (2, 4))], DAY)
    assert is_refused == (ruling.rule is Rule.BLOCK)


def test_a_mark_that_cannot_be_drawn_blocks(cut_list: CutList) -> None:
    """Only an export that draws marks may have the clip, and is told what to draw."""
    flags = [flag("watermark", text="© Anna")]
    with pytest.raises(RightsError, match="draws no marks"):
        keep_rights(cut_list, flags, today=DAY)
    kept, rulings = keep_rights(cut_list, flags, can_mark=True, today=DAY)
    assert 3 == len(kept.clips)
    assert ["© Anna", "© Anna", ""] == [ruling.text for ruling in rulings]


def test_all_blocked_cannot_be_skipped(cut_list: CutList) -> None:
    """A film of nothing is refused."""
    only_a = CutList(cut_list.clips[:2])
    with pytest.raises(RightsError, match="clip 1"):
        keep_rights(only_a, [flag("block")], skip_blocked=True, today=DAY)
