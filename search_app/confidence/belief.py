"""Probability that frames show one thing that is wanted or unwanted, and the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from search_app.confidence.calibration import UNKNOWN_WORD, guess
from search_app.confidence.certainty import DOUBTFUL, MEDIUM_FROM

if TYPE_CHECKING:
    from search_app.confidence.background import Background
    from search_app.confidence.calibration import Calibration, Probabilities
    from search_app.confidence.evidence import Evidence
    from store.records import Embeddings

ENOUGH_FRAMES: Final = 12
"""So many sampled frames say what a score means among them."""
FEWEST_FRAMES: Final = 4
"""So many, of several videos, are enough where it is known what scores usually are."""
_KNOWN_SHARE: Final = 0.75
_EQUAL: Final = 1e-5  # equal scores, computed in two ways


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of the evidence for or against a shot.

    Args:
        words: what it is about, as it was asked.
        aspect: what that speaks about: the whole, a subject, a place, a count, ...
        probability: how surely the shot shows it, 0 to 1.
    """

    words: str
    aspect: str
    probability: float


class Belief:
    """Probability that frames show something: a text, or for want of that what a picture looks like.

    Args:
        words: what it is, for people; empty for pictures.
        vector: what frames are compared with, (dim,).
        background: of the archive.
        evidence: of a text; None for pictures.
        calibration: of the embedding space; None if nothing was fitted for it.
        best_scores: cosines of the archive's two nearest shots with `vector`, the nearer one first.
        unknown: those of these words that mean nothing to the encoder.
        n_named: how many words name things, places and weathers.
        is_telling: whether the encoder's scores tell right from wrong at all.
    """

    def __init__(
        self,
        words: str,
        vector: Embeddings,
        background: Background,
        evidence: Evidence | None = None,
        calibration: Calibration | None = None,
        best_scores: tuple[float, float] = (-1.0, -1.0),
        unknown: tuple[str, ...] = (),
        n_named: int = 0,
        *,
        is_telling: bool = True,
    ) -> None:
        self.words = words
        self._vector = vector
        self._background = background
        self._evidence = evidence
        self._calibration = calibration
        self._best_scores = best_scores
        self._unknown = unknown
        self._n_named = n_named
        self.is_telling = is_telling or evidence is None

    @property
    def is_measured(self) -> bool:
        """Whether the archive holds enough to say what a score means in it; a picture is measured by any."""
        is_known = self._calibration is not None and self._background.n_videos > 1
        fewest = FEWEST_FRAMES if is_known else ENOUGH_FRAMES
        return self._evidence is None or (self.is_telling and self._background.n_frames >= fewest)

    @property
    def is_calibrated(self) -> bool:
        """Whether the numbers were fitted for this encoder, so that they are probabilities."""
        return self._evidence is None or self._calibration is not None

    @property
    def orders(self) -> bool:
        """Whether to order by it rather than by cosine: of texts, where it was fitted."""
        return self._evidence is not None and self._calibration is not None and self.is_measured

    @property
    def excludes_from(self) -> float:
        """From which probability on a frame is taken out, if this is what no answer may show.

        A fitted number can be trusted from one in ten on; a guess, or what a picture is like, only where it is
        more likely than not, since else too much would go for nothing.
        """
        return DOUBTFUL if self.orders else MEDIUM_FROM

    def of_frames(self, frames: Embeddings) -> Probabilities:
        """Probability of each frame of (n_frames, dim), float64, (n_frames,)."""
        if not len(frames):
            return np.zeros(0)
        if self._evidence is None:
            return self._background.alike(frames @ self._vector).astype(np.float64)
        if self._calibration is None:
            scores = self._background.standard_text_cosine(frames @ self._vector)
            return self._known_share * guess(scores, self._background.usual_best)
        shown = self._shown(self._calibration, self._evidence, frames)
        aspects = [part.aspect for part in self._evidence.parts]
        ahead = self._standing(frames)
        return self._known_share * self._calibration.shows_all(shown, aspects, ahead)

    def reasons(self, frame: Embeddings) -> tuple[Reason, ...]:
        """Evidence for and against one frame, (dim,): the whole question, each part, words of no meaning."""
        if self._evidence is None or self._calibration is None:
            return ()
        shown = self._shown(self._calibration, self._evidence, frame[None])
        names = [("the whole", self.words), *((part.aspect, part.words) for part in self._evidence.parts)]
        known = [
            Reason(words, str(aspect), float(sure[0])) for (aspect, words), sure in zip(names, shown, strict=True)
        ]
        return (*known, *(Reason(word, "a word that the encoder never learnt", 0.0) for word in self._unknown))

    def _shown(self, calibration: Calibration, evidence: Evidence, frames: Embeddings) -> list[Probabilities]:
        """Probabilities of the whole and of each part."""
        whole = calibration.shows_whole(evidence.measure_whole(frames))
        measured = zip(evidence.parts, evidence.measure_parts(frames), strict=True)
        return [whole, *(calibration.shows_part(part.aspect, scores) for part, scores in measured)]

    def _standing(self, frames: Embeddings) -> Embeddings:
        """Lead of each frame over the archive's best other shot; negative behind it."""
        scores = frames @ self._vector
        first, second = self._best_scores
        other = np.where(scores >= first - _EQUAL, second, first).astype(np.float32)
        standard = self._background.standard_text_cosine
        return standard(scores) - standard(other)

    @property
    def _known_share(self) -> float:
        """Factor for a word of no meaning; of a long question, one word in four may be such."""
        n_known = self._n_named - len(self._unknown)
        return 1.0 if n_known >= _KNOWN_SHARE * self._n_named else UNKNOWN_WORD
