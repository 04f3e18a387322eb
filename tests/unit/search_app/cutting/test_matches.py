"""Only matches are taken unless more is asked for; what lies below is left out with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_app.cutting.cut_film import find_candidates
from search_app.cutting.matches import (
    LOOKED_AT,
    NOT_KNOWN,
    NOT_SURE,
    USED,
    Bar,
    reason_with_way_out,
    refuse_no_answer,
    take_answers,
)
from search_app.errors import CutError, QueryError
from search_app.search.fusion import Match
from search_app.search.ranking import Hit
from store.records import Boundary, Shot, ShotRow
from store.timespan import TimeSpan


def answer(*confidences: float | None, measured: bool = True) -> list[Hit]:
    """Hits of these confidences, best first."""
    hits = []
    for rank, confidence in enumerate(confidences, start=1):
        span = TimeSpan(Fraction(10 * rank), Fraction(10 * rank + 2))
        shot = ShotRow(f"s{rank}", "v", "/v.mp4", Shot(rank, span, Boundary.CUT), "")
        hits.append(Hit(rank, 0.2, shot, span.start, "", confidence=confidence, is_measured=measured))
    return hits


def found_by_words(hit: Hit) -> Hit:
    """The same hit, with a word of the question in its caption."""
    return replace(hit, matches=(Match("caption", 1, 1.0, "a boat", ("boat",)),))


def ranks(hits: Sequence[Hit]) -> list[int]:
    """Their places among the answers."""
    return [hit.rank for hit in hits]


def test_three_boats_make_a_film_of_three_boats() -> None:
    """However many were asked for; what lies between and below is named as not sure, as far as was asked for."""
    hits = answer(0.97, 0.2, 0.9, 0.5, *[0.04] * 30)
    taken, left_out = take_answers(hits, 24, Bar())
    assert [1, 3, 4] == ranks(taken)
    assert [2, *range(5, 25)] == [left.hit.rank for left in left_out]
    assert {NOT_SURE} == {left.reason for left in left_out}


def test_the_limit_counts_what_is_taken() -> None:
    """A match behind others that are none is taken, and those before it are named."""
    taken, left_out = take_answers(answer(0.9, 0.1, 0.1, 0.8, 0.1, 0.7), 2, Bar())
    assert ([1, 4], [2, 3]) == (ranks(taken), [left.hit.rank for left in left_out])


def test_words_and_filters_are_enough() -> None:
    """What words found is a match at any confidence, and so is everything that filters alone let through."""
    low = [found_by_words(hit) for hit in answer(0.0, None)]
    assert [1, 2] == ranks(take_answers(low, 9, Bar())[0]) == ranks(take_answers(low, 9, Bar(min_sure=99))[0])
    assert [1, 2, 3] == ranks(take_answers(answer(None, None, None, measured=False), 9, Bar())[0])


def test_the_unknown_is_no_match_and_says_why() -> None:
    """Nor at any bar; only the nearest take it."""
    hits = answer(None, 0.9)
    for bar in (Bar(), Bar(min_sure=0)):
        taken, (left,) = take_answers(hits, 9, bar)
        assert ([2], NOT_KNOWN) == (ranks(taken), left.reason)
    assert [1, 2] == ranks(take_answers(hits, 9, Bar(nearest=True))[0])


def test_the_bar_can_be_set() -> None:
    """In per cent, its own value included; --nearest asks for no confidence."""
    hits = answer(0.9, 0.3, 0.29, 0.0)
    assert [1, 2] == ranks(take_answers(hits, 9, Bar(min_sure=30))[0])
    assert [1] == ranks(take_answers(hits, 9, Bar(min_sure=90))[0])
    assert [1, 2, 3, 4] == ranks(take_answers(hits, 9, Bar(min_sure=0))[0])
    assert [1, 2] == ranks(take_answers(hits, 2, Bar(nearest=True))[0])


def test_used_ones_are_named_and_the_next_are_taken() -> None:
    """Being no match comes before being used."""
    taken, left_out = take_answers(answer(0.9, 0.1, 0.8, 0.7), 1, Bar(), {"s1", "s2"})
    assert [3] == ranks(taken)
    assert {1: USED, 2: NOT_SURE} == {left.hit.rank: left.reason for left in left_out}


@pytest.mark.parametrize("bar", [-1.0, 100.5, float("nan"), float("inf")])
def test_what_is_no_per_cent_is_refused(bar: float) -> None:
    """Numbers from 0 to 100 alone."""
    with pytest.raises(QueryError, match="from 0 to 100"):
        Bar(min_sure=bar)


def test_where_nothing_matches_both_ways_out_are_named() -> None:
    """With how sure the surest is; of an archive that cannot tell, the one way that there is."""
    with pytest.raises(CutError, match=r"nothing here matches 'boat'.*35 %.*--nearest .*--min-sure 35 "):
        refuse_no_answer(answer(0.1, 0.355), "boat", Bar())
    with pytest.raises(CutError, match=r"nothing here is 90 % sure for 'boat'.*35 %"):
        refuse_no_answer(answer(0.355), "boat", Bar(min_sure=90))
    with pytest.raises(CutError, match=r"too few frames to tell; --nearest "):
        refuse_no_answer(answer(None, None), "boat", Bar())
    with pytest.raises(CutError, match="no shots"):
        refuse_no_answer([], "boat", Bar(nearest=True))
    refuse_no_answer(answer(0.355), "boat", Bar(nearest=True))
    refuse_no_answer(answer(0.355), "boat", Bar(min_sure=35))


def test_candidates_are_matches_or_what_the_cut_list_was_made_with() -> None:
    """A bar that a cut list was made with holds for what comes to it later; --nearest was for that day."""
    hits = answer(0.9, 0.4, None)
    assert [1] == ranks(find_candidates(hits, ()))
    assert [1, 2] == ranks(find_candidates(hits, (), Bar.of_provenance({"min_sure": 30.0})))
    assert [1] == ranks(find_candidates(hits, (), Bar.of_provenance({"nearest": True})))
    assert [1] == ranks(find_candidates(hits, (), Bar.of_provenance({})))
    assert {"min_sure": 30.0} == Bar(min_sure=30.0).provenance()


@given(
    st.lists(st.none() | st.floats(0, 1), max_size=60),
    st.integers(1, 40),
    st.sampled_from([Bar(), Bar(nearest=True), Bar(min_sure=30), Bar(min_sure=0)]),
    st.sets(st.integers(1, 60).map("s{}".format)),
)
def test_none_vanishes(confidences: list[float | None], n_shots: int, bar: Bar, used: set[str]) -> None:
    """Up to the last one taken, and among the first so many, each is taken or left out; none is both."""
    hits = answer(*confidences)
    taken, left_out = take_answers(hits, n_shots, bar, used)
    assert len(taken) <= n_shots
    assert all(bar.takes(hit) and hit.shot.shot_id not in used for hit in taken)
    named = sorted([*ranks(taken), *(left.hit.rank for left in left_out)])
    assert list(range(1, len(named) + 1)) == named
    assert len(taken) == n_shots or len(named) >= min(n_shots, len(hits))


def test_more_answers_are_looked_at_than_are_taken() -> None:
    """Matches may lie behind what is none; whoever takes the nearest needs no more than those."""
    assert (LOOKED_AT, 1000, LOOKED_AT) == (Bar().depth(7), Bar().depth(1000), Bar(nearest=True).depth(7))


def test_reasons_name_their_way_out() -> None:
    """On the command line; a reason without one is as it is."""
    assert "not sure (--nearest or --min-sure takes such shots)" == reason_with_way_out(NOT_SURE)
    assert USED == reason_with_way_out(USED)
