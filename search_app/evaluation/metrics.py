"""Quality of rankings: the measures of information retrieval, and confidence intervals of their means.

A ranking is a sequence of document ids, best first, each at most once: it has no ties, since whoever made it had
to settle them (`trec` settles those of files as trec_eval does). Grades give each judged document its relevance: 0
and below is not relevant, 1 and above is, and more is better. What is not judged counts as not relevant. Every
measure lies between 0 and 1, higher is better, and is 0 where nothing is relevant, as in trec_eval, against which
all of them are tested.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

CONFIDENCE: Final = 0.95
N_RESAMPLES: Final = 2_000
SEED: Final = 0

Grades = Mapping[str, int]
Measure = Callable[[Sequence[str], Grades], float]


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over questions, and the interval in which it lies with a probability of `CONFIDENCE`.

    Args:
        value: the mean.
        low: lower end of the interval.
        high: upper end of the interval.
    """

    value: float
    low: float
    high: float


def recall_at(k: int, ranking: Sequence[str], grades: Grades) -> float:
    """Share of all relevant documents that are among the first k.

    recall@k = |relevant in the first k| / |relevant|
    """
    n_relevant = _count_relevant(grades)
    return _count_found(k, ranking, grades) / n_relevant if n_relevant else 0.0


def precision_at(k: int, ranking: Sequence[str], grades: Grades) -> float:
    """Share of the first k places that hold a relevant document; places that the ranking left empty hold none.

    precision@k = |relevant in the first k| / k
    """
    return _count_found(k, ranking, grades) / k


def reciprocal_rank(ranking: Sequence[str], grades: Grades) -> float:
    """1 / rank of the first relevant document; its mean over questions is the MRR.

    Voorhees, "The TREC-8 Question Answering Track Report", 1999.
    """
    for rank, document in enumerate(ranking, start=1):
        if grades.get(document, 0) > 0:
            return 1 / rank
    return 0.0


def average_precision(ranking: Sequence[str], grades: Grades) -> float:
    """Mean, over all relevant documents, of the precision at their ranks; its mean over questions is the mAP.

    AP = (sum over the ranks r of relevant documents of precision@r) / |relevant|

    Relevant documents that the ranking lacks add nothing. Buckley and Voorhees, "Evaluating Evaluation Measure
    Stability", SIGIR 2000.
    """
    n_relevant = _count_relevant(grades)
    n_found, total = 0, 0.0
    for rank, document in enumerate(ranking, start=1):
        if grades.get(document, 0) > 0:
            n_found += 1
            total += n_found / rank
    return total / n_relevant if n_relevant else 0.0


def ndcg_at(k: int, ranking: Sequence[str], grades: Grades) -> float:
    """Gain of the first k, discounted by rank, as a share of the gain of the best possible ranking.

    DCG@k = sum over the first k ranks r of grade(r) / log2(r + 1);  nDCG@k = DCG@k / DCG@k of the ideal ranking

    The gain is the grade itself, as in Järvelin and Kekäläinen, "Cumulated Gain-Based Evaluation of IR
    Techniques", ACM TOIS 20(4), 2002, and as in trec_eval; not 2^grade - 1.
    """
    ideal = _discounted_gain(sorted((max(0, grade) for grade in grades.values()), reverse=True)[:k])
    return (
        _discounted_gain([max(0, grades.get(document, 0)) for document in ranking[:k]]) / ideal if ideal else 0.0
    )


def benchmark_measures(depths: Sequence[int]) -> dict[str, Measure]:
    """Measures of a benchmark: recall@k and nDCG@k at each depth, MRR and mAP."""
    depths = sorted(set(depths))
    return {
        **{f"recall@{k}": partial(recall_at, k) for k in depths},
        "mrr": reciprocal_rank,
        **{f"ndcg@{k}": partial(ndcg_at, k) for k in depths},
        "map": average_precision,
    }


def judgement_measures() -> dict[str, Measure]:
    """Measures of an archive's own judgements: people judge what they were shown, which is not all."""
    return {
        "precision@10": partial(precision_at, 10),
        "recall@50": partial(recall_at, 50),
        "ndcg@10": partial(ndcg_at, 10),
    }


def bootstrap_mean(
    values: Sequence[float], *, confidence: float = CONFIDENCE, n_resamples: int = N_RESAMPLES, seed: int = SEED
) -> Mean:
    """The mean of one value per question, and its bootstrap interval: the same for the same values.

    Questions are drawn anew with replacement, as many as there are, `n_resamples` times; the interval holds the
    middle `confidence` of the resampled means (percentile method: Efron and Tibshirani, "An Introduction to the
    Bootstrap", 1993, chapter 13; for rankings: Sakai, "Evaluating Evaluation Metrics Based on the Bootstrap",
    SIGIR 2006). It says how much the choice of questions matters, nothing about questions of another kind.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("a mean needs at least one value")
    sample = np.asarray(values, dtype=np.float64)
    drawn = np.random.default_rng(seed).integers(0, len(sample), size=(n_resamples, len(sample)))
    tail = 100 * (1 - confidence) / 2
    low, high = np.percentile(sample[drawn].mean(axis=1), [tail, 100 - tail])
    return Mean(float(sample.mean()), float(low), float(high))


def _count_relevant(grades: Grades) -> int:
    return sum(grade > 0 for grade in grades.values())


def _count_found(k: int, ranking: Sequence[str], grades: Grades) -> int:
    return sum(grades.get(document, 0) > 0 for document in ranking[:k])


def _discounted_gain(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))
