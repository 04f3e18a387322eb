"""Meaning of scores in this archive: questions are measured against a sample of its frames and neutral texts."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from store.records import Embeddings

_TINY = 1e-6
_ALIKE = (-6.0, 2.0)
_PRIOR_PICTURES = (0.5, 0.1)
_ENOUGH_FRAMES = 20
_IDENTICAL = 4.0


class Background:
    """A sample of an archive's frames, and texts that say nothing about any question.

    The scale of cosines differs between encoders, between texts and pictures, and between archives. So a cosine is
    turned into standard deviations above the mean of a background: for a text, of all neutral texts with all
    sampled frames; for a picture, of every sampled frame with every other. What such a number is worth is the
    business of `calibration` for texts; for pictures it is one logistic curve, fitted on the drawn world (README).

    Args:
        frames: float32, (n_frames, dim), unit rows; n may be 0.
        neutral: float32, (n_texts, dim), unit rows: vectors of `NEUTRAL_TEXTS`.
        usual_scale: mean and spread of cosines between texts and frames in any library, where they are known.
        n_videos: how many videos the frames are of, as far as more than one matters.
    """

    def __init__(
        self,
        frames: Embeddings,
        neutral: Embeddings,
        usual_scale: tuple[float, float] | None = None,
        n_videos: int = 2,
    ) -> None:
        self.n_videos = n_videos
        self._frames = frames
        self._neutral = neutral
        self._usual_scale = usual_scale

    @property
    def n_frames(self) -> int:
        """Number of sampled frames."""
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

    def alike(self, scores: Embeddings) -> Embeddings:
        """Probability that frames are like a picture with such scores; from 0.5 on it is more likely than not."""
        offset, slope = _ALIKE
        return _logistic(offset + slope * self._standard_cosine(scores, False))

    def standard_text_cosine(self, scores: Embeddings) -> Embeddings:
        """Cosines of frames with texts in standard deviations above the mean of the background."""
        return self._standard_cosine(scores, True)

    @cached_property
    def usual_best(self) -> float:
        """Score of the nearest neutral text with the archive's middle frame, in standard deviations."""
        cosines = self._frames @ self._neutral.T
        if not cosines.size:
            return 0.0
        return float(self._standard_cosine(np.median(cosines.max(axis=1), keepdims=True), True)[0])

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
        mean, spread = self.text_scale if is_text else self._picture_scale
        return _standard(scores, mean, spread)

    @cached_property
    def text_scale(self) -> tuple[float, float]:
        """Mean and spread of the cosines of neutral texts with frames.

        Few frames say little: below 20 the scale goes over, frame by frame, into the usual one, if that is known.
        """
        cosines = self._frames @ self._neutral.T
        own = (float(cosines.mean()), float(cosines.std())) if cosines.size else self._usual_scale or (0.0, 1.0)
        if self._usual_scale is None:
            return own
        share = max(0.0, 1 - len(self._frames) / _ENOUGH_FRAMES)
        mean, spread = (one + share * (usual - one) for one, usual in zip(own, self._usual_scale, strict=True))
        return mean, spread

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
