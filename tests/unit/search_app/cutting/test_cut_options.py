"""Options of cutting: defaults, contradictions, and what the ledger says about them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from search_app.cutting.choice import worth_of_hits
from search_app.cutting.cut_options import CutOptions
from search_app.errors import QueryError
from search_app.search.fusion import Match
from search_app.search.ranking import Hit
from store.records import Boundary, Shot, ShotRow
from store.timespan import TimeSpan


def hit(relevance: float, confidence: float | None, *channels: str) -> Hit:
    """A hit with its vote and how sure it is."""
    span = TimeSpan(Fraction(0), Fraction(1))
    matches = tuple(Match(channel, 1, 0.5) for channel in channels)
    shot = ShotRow("shot", "video", "/video.mp4", Shot(0, span, Boundary.CUT), "")
    return Hit(1, 0.3, shot, span.start, "", relevance=relevance, confidence=confidence, matches=matches)


def test_defaults_depend_on_fit() -> None:
    """Ten shots are taken, or two hundred to choose from, in clips of one to eight seconds."""
    assert 10 == CutOptions().n_shots
    fitted = CutOptions(fit=60)
    assert 200 == fitted.n_shots
    limits = fitted.limits
    assert (Fraction(60), Fraction(1), Fraction(8)) == (limits.seconds, limits.min_clip, limits.max_clip)
    assert 30 == replace(fitted, limit=30).n_shots


def test_one_bound_of_the_clips_moves_the_default_of_the_other() -> None:
    """Who asks for clips of ten seconds, or of half a second, need not say it twice."""
    assert Fraction(1, 2) == CutOptions(fit=0.5).limits.min_clip
    assert Fraction(10) == CutOptions(fit=60, min_clip=10).limits.max_clip
    assert Fraction(1, 2) == CutOptions(fit=60, max_clip=0.5).limits.min_clip


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"max_per_source": 2, "min_gap": 1.5}, "--max-per-source, --min-gap: only with --fit"),
        ({"fit": 60, "handles": 1.0}, "--handles: not together with --fit"),
        ({"fit": 60, "max_seconds": 60}, "--max-seconds: not together with --fit"),
        ({"fit": 60, "limit": 5_000}, "at most 2000 shots"),
        ({"fit": 60, "min_clip": 3, "max_clip": 2}, "--min-clip 3 is longer than --max-clip 2"),
        ({"fit": 2, "min_clip": 3}, "--min-clip 3 is longer than --fit 2"),
        ({"fit": float("inf")}, "--fit must be a finite number"),
        ({"max_seconds": float("nan")}, "--max-seconds must be a finite number"),
        ({"order": "look", "seed": 3}, "--seed: only with --order random"),
        ({"seed": 0}, "--seed: only with --order random"),
        ({"min_gap": 0.0, "min_clip": 0.0}, "--min-gap, --min-clip: only with --fit"),
        ({"min_sure": float("nan")}, "--min-sure must be a finite number"),
        ({"min_sure": 101.0}, "--min-sure must be a number from 0 to 100"),
        ({"min_sure": 30.0, "nearest": True}, "--nearest .*not together with --min-sure"),
    ],
)
def test_contradictions_are_refused(wrong: dict[str, Any], message: str) -> None:
    """Nothing that was asked for is silently ignored."""
    with pytest.raises(QueryError, match=message):
        CutOptions(**wrong)


def test_provenance_names_the_limits_that_held() -> None:
    """Defaults are written out, so that the same cut can be made when they have changed."""
    wanted = {"seconds": 5.0, "max_per_source": 2, "min_gap": 0.0, "min_clip": 1.0, "max_clip": 5.0}
    entries = CutOptions(fit=5, max_per_source=2).provenance()
    assert {**wanted, "chosen_from": 200} == entries["fit"]


def test_worth_is_vote_times_odds() -> None:
    """What is surely right counts for more than several that may be; words make sure, and an unknown is even."""
    in_text = replace(hit(0.02, 0.0), matches=(Match("caption", 1, 0.5, words=("boat",)),))
    hits = [hit(0.04, 1.0, "picture"), hit(0.02, 0.9, "picture"), in_text, hit(0.02, 0.5), hit(0.0, 1.0)]
    assert pytest.approx([1.0, 9 / 198, 0.5, 1 / 198, 0.5]) == worth_of_hits(hits)
    assert [1.0, 1.0] == worth_of_hits([hit(0.0, None), hit(0.0, None)])
    assert pytest.approx([0.5, 1.0]) == worth_of_hits([hit(0.1, 0.0), hit(0.2, 0.0)])
