"""Keep and reject move the question."""

from __future__ import annotations

import numpy as np

from search_app.config import FeedbackSettings
from search_app.search.feedback import move_question

NOTHING = np.zeros((0, 3), np.float32)
ORIGIN = np.zeros(3, np.float32)
X, Y, Z = np.eye(3, dtype=np.float32)


def test_the_question_moves_towards_what_is_kept_and_away_from_what_is_rejected() -> None:
    """By Rocchio's formula, with its weights, and scaled to length 1."""
    moved = move_question(X, Y[None], Z[None], ORIGIN, ORIGIN, FeedbackSettings(1.0, 0.75, 0.15))
    expected = np.array([1.0, 0.75, -0.15]) / np.linalg.norm([1.0, 0.75, -0.15])
    assert np.allclose(expected, moved, atol=1e-6)


def test_what_texts_and_pictures_have_in_common_is_taken_off_first() -> None:
    """Without the means, a picture's common part would outweigh the text."""
    mean_frame, mean_text = 5 * Z, 7 * X
    moved = move_question(X + mean_text, Y[None] + mean_frame, NOTHING, mean_frame, mean_text, FeedbackSettings())
    assert np.allclose(np.array([1.0, 0.75, 0.0]) / 1.25, moved, atol=1e-6)


def test_no_feedback_leaves_the_direction() -> None:
    """Nothing kept, nothing rejected: the question only loses the mean of neutral texts."""
    assert np.allclose(X, move_question(X, NOTHING, NOTHING, ORIGIN, ORIGIN, FeedbackSettings()), atol=1e-6)
