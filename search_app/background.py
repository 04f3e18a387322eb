"""What scores mean in this archive: questions are measured against a sample of its frames and neutral texts."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.records import Embeddings

_TINY = 1e-6
_SHOWN = (-3.01, 3.64)
_PRESENT = (-11.04, 2.85, 1.52)
_MOST_FRAMES, _FEW_FRAMES, _FEWEST_FRAMES = 480, 100, 6
_OF_FRAMES, _OF_FEW_FRAMES = 0.41, 1.55
_USUAL = 0.3
_ALIKE = (-6.0, 2.0)
_PRIOR_PICTURES = (0.5, 0.1)
_ENOUGH_FRAMES = 20
_IDENTICAL = 4.0
_WORD_QUANTILE = 0.25


class Background:
    """A sample of an archive's frames, and texts that say nothing about any question.

    The scale of cosines differs between encoders, between texts and pictures, and between archives. So a cosine is
    turned into standard deviations above the mean of a background: for a text, of all neutral texts with all
    sampled frames; for a picture, of every sampled frame with every other. The logistic curves over these were
    fitted on the drawn world (README); SigLIP's own bias would do the same for one encoder and no archive.

    Args:
        frames: float32, (n_frames, dim), unit rows; n may be 0.
        neutral: float32, (n_texts, dim), unit rows: vectors of `NEUTRAL_TEXTS`.
    """

    def __init__(self, frames: Embeddings, neutral: Embeddings) -> None:
        self._frames = frames
        self._neutral = neutral

    @property
    def n_frames(self) -> int:
        """How many frames the sample holds."""
        return len(self._frames)

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
        return min(self._picture_scale[0], 1 - _TINY)

    def mean_score(self, question: Embeddings) -> float:
        """Mean cosine of the question with the sampled frames."""
        return float(self.mean_frame @ question)

    def shown(self, scores: Embeddings, *, is_text: bool) -> Embeddings:
        """How surely frames show what they score so for, between 0 and 1; from 0.5 on it is more likely than not.

        Args:
            scores: cosines of frames with a question, any shape.
            is_text: whether the question is all text.
        """
        offset, slope = _SHOWN if is_text else _ALIKE
        return _logistic(offset + slope * self._standard_cosine(scores, is_text))

    def standing_of_best(self, question: Embeddings, best_score: float) -> float:
        """How far an archive's nearest frame stands above all that a text usually gets, in standard deviations.

        What many frames show, such as rain, never scores high, but it scores low where it is not. So a part of
        what this text's middle frame scores above or below the mean of the background is taken off.

        Args:
            question: float32, (dim,), the vector of a text.
            best_score: cosine of the nearest frame with it.
        """
        usual = np.median(self._frames @ question) if len(self._frames) else self._text_scale[0]
        best, middle = self._standard_cosine(np.array([best_score, usual], np.float32), True)
        return float(best - _USUAL * middle)

    def present(self, best: float, best_of_words: Sequence[float], n_frames: int) -> float:
        """How surely an archive shows what a text asks for, between 0 and 1; below 0.5 nothing matches.

        An archive without boats still has a frame that is nearest to "a red boat": some red thing. But no frame of
        it scores high for "boat" alone. So each telling word of the question has to be found somewhere, too; of a
        long question, three quarters of them. The best of few frames is lower than the best of many, so less is
        asked of fewer: fitted on drawn libraries of 16 to 300 shots, and of 2 to 50 for below 100 frames.

        Args:
            best: `standing_of_best` of the question.
            best_of_words: the same of each telling word alone.
            n_frames: how many frames those are the best of.
        """
        weakest = np.quantile(best_of_words or [best], _WORD_QUANTILE, method="lower")
        offset, of_best, of_words = _PRESENT
        n = min(max(n_frames, _FEWEST_FRAMES), _MOST_FRAMES)
        offset += _OF_FRAMES * math.log(_MOST_FRAMES / max(n, _FEW_FRAMES))
        offset += _OF_FEW_FRAMES * math.log(_FEW_FRAMES / min(n, _FEW_FRAMES))
        return float(_logistic(np.array([offset + of_best * best + of_words * weakest], np.float32))[0])

    def stands_out(self, score: float, standing: float) -> bool:
        """Whether a text is nearer to the question than neutral texts are to each other.

        Args:
            score: cosine of two texts.
            standing: by how many standard deviations at least.
        """
        if len(self._neutral) < 2:
            return True
        mean, spread = self._scale_between_texts
        return score >= mean + standing * spread

    def _standard_cosine(self, scores: Embeddings, is_text: bool) -> Embeddings:
        mean, spread = self._text_scale if is_text else self._picture_scale
        return _standard(scores, mean, spread)

    @cached_property
    def _text_scale(self) -> tuple[float, float]:
        cosines = self._frames @ self._neutral.T
        return (float(cosines.mean()), float(cosines.std())) if cosines.size else (0.0, 1.0)

    @cached_property
    def _picture_scale(self) -> tuple[float, float]:
        """Mean and spread of the cosines between two frames.

        Few frames say little about pictures in general, and those of one shot are all alike. So below 20 frames
        the scale goes over, frame by frame, into that of an encoder whose unrelated pictures have cosines of
        0.5 +- 0.1. It is never so wide that a picture's cosine with itself, 1, would not be sure.
        """
        n = len(self._frames)
        mean, spread = _PRIOR_PICTURES
        if n >= 2:
            own = np.array(_scale_between(self._frames))
            mean, spread = own + max(0.0, 1 - n / _ENOUGH_FRAMES) * (np.array(_PRIOR_PICTURES) - own)
        return float(mean), float(min(spread, (1 - mean) / _IDENTICAL))

    @cached_property
    def _scale_between_texts(self) -> tuple[float, float]:
        return _scale_between(self._neutral)

    def _mean(self, rows: Embeddings) -> Embeddings:
        mean: Embeddings = rows.mean(axis=0) if len(rows) else np.zeros(rows.shape[1], np.float32)
        return mean


def _scale_between(rows: Embeddings) -> tuple[float, float]:
    """Mean and spread of the cosines of every row with every other, not with itself."""
    cosines = rows @ rows.T
    others = cosines[~np.eye(len(rows), dtype=bool)]
    return float(others.mean()), float(others.std())


def _standard(scores: Embeddings, mean: float, spread: float) -> Embeddings:
    standard: Embeddings = ((scores - mean) / max(spread, _TINY)).astype(np.float32)
    return standard


def _logistic(x: Embeddings) -> Embeddings:
    curve: Embeddings = (1 / (1 + np.exp(-np.clip(x, -30, 30)))).astype(np.float32)
    return curve
