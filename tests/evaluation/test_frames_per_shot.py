"""Recall by the number of frames that stand for a shot, and by how their scores are joined, on real shots.

Frames lie evenly in each shot; the starter encoder; all questions with an answer; debatable shots are left out.
Joined are the scores of a shot's frames with a question: the best of them, their mean, and their mean weighted by
the question (a softmax over the frames: those that look like an answer count more), which lies between the two.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from indexer.models.starter_encoder import picture_rows
from tests.offline_models import needs_starter, starter_encoder
from tests.real_shots import Scores, Shot, read_queries, see_shots
from tests.shared_media import needs_media

pytestmark = [needs_media, needs_starter]

NUMBERS = (1, 2, 4, 8, 16)
SHARPNESS = 0.02
"""Temperature of the weights: about the spread of a shot's scores."""


def evenly(n: int) -> tuple[Fraction, ...]:
    """The middles of so many equal parts of a shot."""
    return tuple(Fraction(2 * i + 1, 2 * n) for i in range(n))


def joined(scores: np.ndarray, how: str) -> np.ndarray:
    """Scores of shots for each question, (n_queries, n_shots), of scores (n_queries, n_shots, n_frames)."""
    if how == "best":
        return np.asarray(scores.max(axis=2))
    if how == "mean":
        return np.asarray(scores.mean(axis=2))
    weights = np.exp((scores - scores.max(axis=2, keepdims=True)) / SHARPNESS)
    return np.asarray((weights * scores).sum(axis=2) / weights.sum(axis=2))


def measure(scores: np.ndarray, shots: list[Shot]) -> Scores:
    """Recall at 1 and at 5 and MRR of scores (n_queries, n_shots)."""
    ranks = []
    for (_, relevant, partial), row in zip(read_queries(), scores, strict=True):
        if relevant:
            order = [shots[i] for i in np.argsort(-row, kind="stable") if shots[i] not in partial]
            ranks.append(next(rank for rank, shot in enumerate(order, 1) if shot in relevant))
    places = np.array(ranks, float)
    return Scores(float((places <= 1).mean()), float((places <= 5).mean()), float((1 / places).mean()), len(ranks))


@pytest.mark.optin
@pytest.mark.evaluation
@pytest.mark.slow
def test_frames_per_shot() -> None:
    """The best frame is never worse than the mean, and more frames than one are worth having."""
    texts = starter_encoder().encode_texts([query for query, *_ in read_queries()])
    table: dict[tuple[int, str], Scores] = {}
    for number in NUMBERS:
        seen = see_shots(evenly(number))
        shots = list(dict.fromkeys(seen.shots))
        rows = picture_rows(seen.means).reshape(len(shots), number, -1)
        scores = np.einsum("qd,sfd->qsf", texts, rows)
        for how in ("best", "mean", "weighted"):
            table[number, how] = measure(joined(scores, how), shots)
            print(f"{number:3} frames, {how:9} {table[number, how]}")  # noqa: T201 - what this test is for
    most = max(scores.mrr for scores in table.values())
    assert max(table[number, "best"].mrr for number in NUMBERS) >= most - 0.05
    assert max(table[number, "best"].mrr for number in NUMBERS[1:]) >= table[1, "best"].mrr
