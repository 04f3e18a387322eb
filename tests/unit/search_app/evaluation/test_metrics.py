"""Our figures are those of trec_eval, whatever is judged and ranked; ties included."""

from __future__ import annotations

import ir_measures
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import AP, RR, P, Qrel, R, ScoredDoc, nDCG

from search_app.evaluation.metrics import (
    Mean,
    average_precision,
    benchmark_measures,
    bootstrap_mean,
    judgement_measures,
    ndcg_at,
    precision_at,
    recall_at,
    reciprocal_rank,
)
from search_app.evaluation.trec import rank_documents

DEPTHS = (1, 2, 5, 10)
DOCUMENTS = [f"{number:03x}" for number in range(24)]
SCORES = st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(0, 6).map(float), min_size=1)
"""Few different scores, so that most rankings have ties; whole ones, since trec_eval keeps single precision."""
GRADES = st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(0, 4), min_size=1).filter(
    lambda grades: any(grades.values())
)


@given(scores=SCORES, grades=GRADES)
def test_figures_are_those_of_trec_eval(scores: dict[str, float], grades: dict[str, int]) -> None:
    """Every measure equals that of ir-measures over the same scores, equal ones ordered by falling name."""
    ranking = rank_documents(scores)
    ours = {
        RR: reciprocal_rank(ranking, grades),
        AP: average_precision(ranking, grades),
        **{R @ k: recall_at(k, ranking, grades) for k in DEPTHS},
        **{P @ k: precision_at(k, ranking, grades) for k in DEPTHS},
        **{nDCG @ k: ndcg_at(k, ranking, grades) for k in DEPTHS},
    }
    qrels = [Qrel("q", document, grade) for document, grade in grades.items()]
    run = [ScoredDoc("q", document, score) for document, score in scores.items()]
    theirs = ir_measures.calc_aggregate(list(ours), qrels, run)
    assert theirs == pytest.approx(ours, abs=1e-9)


@given(
    st.lists(st.tuples(SCORES, GRADES), min_size=1, max_size=4),
)
def test_means_are_over_questions(questions: list[tuple[dict[str, float], dict[str, int]]]) -> None:
    """The mean of nDCG over questions equals that of ir-measures over the same questions."""
    ours = bootstrap_mean([ndcg_at(10, rank_documents(scores), grades) for scores, grades in questions]).value
    qrels = [
        Qrel(str(i), name, grade) for i, (_, grades) in enumerate(questions) for name, grade in grades.items()
    ]
    run = [
        ScoredDoc(str(i), name, score) for i, (scores, _) in enumerate(questions) for name, score in scores.items()
    ]
    assert ir_measures.calc_aggregate([nDCG @ 10], qrels, run)[nDCG @ 10] == pytest.approx(ours, abs=1e-9)


def test_figures_by_hand() -> None:
    """A small ranking whose figures were computed with pencil and paper."""
    ranking, grades = ["a", "b", "c", "d"], {"b": 2, "d": 1, "e": 1, "a": 0, "c": -1}
    assert 1 / 3 == recall_at(2, ranking, grades)
    assert 0.2 == precision_at(10, ranking, grades)
    assert 0.5 == reciprocal_rank(ranking, grades)
    assert pytest.approx((1 / 2 + 2 / 4) / 3) == average_precision(ranking, grades)
    gain, ideal = 2 / 1.5849625 + 1 / 2.3219281, 2 + 1 / 1.5849625 + 1 / 2
    assert pytest.approx(gain / ideal) == ndcg_at(10, ranking, grades)


@pytest.mark.parametrize("name", [*benchmark_measures(DEPTHS), *judgement_measures()])
def test_nothing_found_or_nothing_to_find_is_zero(name: str) -> None:
    """No ranking, no answers, or neither: every measure is 0, as in trec_eval."""
    measure = {**benchmark_measures(DEPTHS), **judgement_measures()}[name]
    assert [0.0] * 3 == [measure([], {"a": 1}), measure(["a"], {}), measure([], {})]


def test_the_interval_holds_the_mean_and_is_the_same_every_time() -> None:
    """The seed is fixed; more questions narrow the interval; equal values have none."""
    few, many = bootstrap_mean([0.0, 1.0] * 5), bootstrap_mean([0.0, 1.0] * 500)
    assert bootstrap_mean([0.0, 1.0] * 5) == few
    assert few.low < many.low < 0.5 < many.high < few.high
    assert Mean(0.25, 0.25, 0.25) == bootstrap_mean([0.25] * 7)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Of 300 samples of 60 coins that fall on 1 in three of ten throws, about 95 % of the intervals hold 0.3."""
    import numpy as np

    rng = np.random.default_rng(1)
    held = 0
    for _ in range(300):
        mean = bootstrap_mean((rng.random(60) < 0.3).astype(float).tolist(), n_resamples=400)
        held += mean.low <= 0.3 <= mean.high
    assert 0.90 <= held / 300 <= 0.98


def test_a_mean_of_nothing_is_refused() -> None:
    """There is no figure without a question."""
    with pytest.raises(ValueError, match="at least one"):
        bootstrap_mean([])
