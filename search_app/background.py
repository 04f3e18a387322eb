"""What scores mean in this archive: questions are measured against a sample of its frames and neutral texts."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from store.records import Embeddings

_TINY = 1e-6


class Background:
    """A sample of an archive's frames, and texts that say nothing about any question.

    Args:
        frames: float32, (n_frames, dim), unit rows; n may be 0.
        neutral: float32, (n_texts, dim), unit rows: vectors of `NEUTRAL_TEXTS`.
    """

    def __init__(self, frames: Embeddings, neutral: Embeddings) -> None:
        self._frames = frames
        self._neutral = neutral

    @cached_property
    def mean_frame(self) -> Embeddings:
        """Mean of the sampled frames, (dim,)."""
        return self._mean(self._frames)

    @cached_property
    def mean_text(self) -> Embeddings:
        """Mean of the neutral texts, (dim,)."""
        return self._mean(self._neutral)

    @cached_property
    def mean_similarity(self) -> float:
        """Mean cosine between two frames of the archive, below 1."""
        return min(float(self.mean_frame @ self.mean_frame), 1 - _TINY)

    def mean_score(self, question: Embeddings) -> float:
        """Mean cosine of the question with the sampled frames."""
        return float(self.mean_frame @ question)

    def standing(self, question: Embeddings, scores: Embeddings) -> Embeddings:
        """How many standard deviations scores lie above those of the archive's frames for the same question.

        Args:
            question: float32, (dim,), a unit vector.
            scores: cosines of frames with it, any shape.

        Returns:
            float32, of the shape of `scores`: comparable between questions.
        """
        if len(self._frames) < 2:
            return np.zeros_like(scores)
        background = self._frames @ question
        standing: Embeddings = (scores - background.mean()) / max(float(background.std()), _TINY)
        return standing

    def confidence(self, question: Embeddings, frames: Embeddings, *, is_text: bool = True) -> Embeddings:
        """How surely frames show what is asked for, between 0 and 1; 0.5 is the border of "nothing matches".

        Two standings make it: that of the frame among the archive's frames for this question, and that of the
        question among neutral texts for this frame. The second tells an unlikely but better frame of an archive
        that has nothing of the kind from one that shows it. Both are in standard deviations, so that the scale of
        an encoder's cosines does not matter; the logistic curve over them was fitted on the drawn world (README).

        Args:
            question: float32, (dim,), a unit vector.
            frames: float32, (n, dim), unit rows.
            is_text: false for a question with pictures in it: then only the first standing counts.

        Returns:
            float32, (n,).
        """
        scores = frames @ question
        if not is_text:
            return _logistic(_PICTURE_OFFSET + _PICTURE_SLOPE * self.standing(question, scores))
        among_frames = self.standing(question, scores)
        neutral = frames @ self._neutral.T
        among_texts = (scores - neutral.mean(axis=1)) / np.maximum(neutral.std(axis=1), _TINY)
        return _logistic(_OFFSET + _AMONG_FRAMES * among_frames + _AMONG_TEXTS * among_texts)

    def _mean(self, rows: Embeddings) -> Embeddings:
        mean: Embeddings = rows.mean(axis=0) if len(rows) else np.zeros(rows.shape[1], np.float32)
        return mean


_OFFSET = -6.0
_AMONG_FRAMES = 1.0
_AMONG_TEXTS = 2.0
_PICTURE_OFFSET = -6.0
_PICTURE_SLOPE = 2.0


def _logistic(x: Embeddings) -> Embeddings:
    curve: Embeddings = (1 / (1 + np.exp(-np.clip(x, -30, 30)))).astype(np.float32)
    return curve
