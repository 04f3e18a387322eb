"""Weight of evidence: from scores and leads to the probability that a frame shows what was asked.

The numbers belong to one embedding space. They are fitted by `python -m tests.evaluation.fit_confidence` on drawn
libraries whose every shot is known, and kept in `calibrations/SPACE.json`. An encoder without such a file is not
calibrated: then a probability is only a guess, which never says that something is sure.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from search_app.confidence.contrasts import Aspect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from store.records import Embeddings

    Probabilities = NDArray[np.float64]

FOLDER: Final = Path(__file__).with_name("calibrations")
UNKNOWN_WORD: Final = 0.02
"""The share of its probability that a shot keeps when a word of the question means nothing to the encoder."""
UNCALIBRATED_AT_MOST: Final = 0.75
"""The most that is said where nothing was fitted: below what counts as high."""
UNTELLING: Final = frozenset({"starter"})
"""Encoders whose scores do not tell right from wrong. Of the starter encoder, on 20 real clips, the general guess
said "nothing matches" to 26 of 38 questions with an answer and to 20 of 20 without one; the median of its best
guesses was 0.05 and 0.01. So nothing is said of how sure a shot is, and nothing of what is not there."""
_SPREAD_OF_GUESS: Final = 2.0
_FARTHEST: Final = 30.0
_PAIRS: Final = ("outcome", "per_part", "standing", "text_scale")


@dataclass(frozen=True, slots=True)
class PartWeights:
    """Probability that a part is shown: a logistic curve over its score and its lead over its rivals.

    Args:
        offset: at a score and a lead of 0.
        score: for each standard deviation of its score.
        lead: for each standard deviation ahead of its best rival.
        second: for each standard deviation ahead of its second best rival.
        mark: added to the outcome of any question that has such a part.
    """

    offset: float
    score: float
    lead: float
    second: float
    mark: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """The fitted numbers of one embedding space.

    A shot shows what was asked if it shows the whole and every part: the product of their probabilities, whose
    odds are then brought to what was counted.

    Args:
        offset: of the whole question, at a score and a lead of 0.
        score: for each standard deviation of its score.
        lead: for each standard deviation ahead of the best text that means something else.
        second: for each standard deviation ahead of the second best.
        parts: weights of each aspect.
        outcome: offset and slope of the odds of the product.
        per_part: added to that offset and that slope for each part after the first.
        standing: added to the odds for each standard deviation ahead of the archive's best other shot, or behind
            it; and added to that for each part after the first.
        text_scale: mean and spread of cosines between neutral texts and frames, over the libraries fitted on.
    """

    offset: float
    score: float
    lead: float
    second: float
    parts: Mapping[Aspect, PartWeights]
    outcome: tuple[float, float]
    per_part: tuple[float, float]
    standing: tuple[float, float]
    text_scale: tuple[float, float]

    def shows_whole(self, whole: Embeddings) -> Probabilities:
        """Probability that frames show the question as a whole: scores and leads are the columns of `whole`."""
        weights = np.array([self.score, self.lead, self.second])
        return logistic(self.offset + whole @ weights)

    def shows_part(self, aspect: Aspect, part: Embeddings) -> Probabilities:
        """Probability that frames show a part, whose score and leads are the columns of `part`."""
        weights = self.parts[aspect]
        return logistic(weights.offset + part @ np.array([weights.score, weights.lead, weights.second]))

    def shows_all(
        self, shown: Sequence[Probabilities], aspects: Sequence[Aspect], ahead: Embeddings
    ) -> Probabilities:
        """Probability that frames show the whole and all parts.

        Args:
            shown: probabilities of the whole and of each part, each (n_frames,).
            aspects: of the parts.
            ahead: how far each frame's score is ahead of the archive's best other shot, (n_frames,).
        """
        product = np.clip(np.prod(np.stack(shown), axis=0), 1e-30, 1 - 1e-6)
        odds = np.log(product) - np.log1p(-product)
        offset, slope = self.outcome
        more = max(len(aspects) - 1, 0)
        offset += more * self.per_part[0] + sum(self.parts[aspect].mark for aspect in set(aspects))
        standing = self.standing[0] + more * self.standing[1]
        return logistic(offset + (slope + more * self.per_part[1]) * odds + standing * ahead)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {**asdict(self), "parts": {str(aspect): asdict(part) for aspect, part in self.parts.items()}}

    @classmethod
    def of_json(cls, plain: Mapping[str, Any]) -> Calibration:
        """From plain data."""
        parts = {Aspect(name): PartWeights(**weights) for name, weights in plain["parts"].items()}
        pairs = {name: (float(plain[name][0]), float(plain[name][1])) for name in _PAIRS}
        return cls(**{**plain, **pairs, "parts": parts})


@cache
def calibration_of(space_id: str) -> Calibration | None:
    """Fitted calibration of an embedding space; None if there is none."""
    path = FOLDER / f"{space_id}.json"
    if not path.is_file():
        return None
    return Calibration.of_json(json.loads(path.read_text(encoding="utf-8"))["calibration"])


def guess(scores: Embeddings, usual_best: float) -> Probabilities:
    """Probability for an encoder that nothing was fitted for; never above `UNCALIBRATED_AT_MOST`.

    Half where it scores as well as the best of many everyday texts does with the archive's middle frame.

    Args:
        scores: standard cosines of frames with the text.
        usual_best: what the nearest everyday text scores with the middle frame.
    """
    guessed = logistic(_SPREAD_OF_GUESS * (scores.astype(np.float64) - usual_best))
    # Below the middle as it is, above it flattened towards the most that is said: no two scores become one.
    over = np.maximum(guessed - 0.5, 0.0)
    return np.minimum(guessed, 0.5) + over * (2 * UNCALIBRATED_AT_MOST - 1)


def logistic(x: Probabilities) -> Probabilities:
    """The logistic curve; never quite 0 or 1."""
    return 1 / (1 + np.exp(-np.clip(x, -_FARTHEST, _FARTHEST)))
