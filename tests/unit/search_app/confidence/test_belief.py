"""How surely frames show something: fitted, guessed, or not to be said."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from search_app.confidence.background import Background
from search_app.confidence.belief import ENOUGH_FRAMES, FEWEST_FRAMES, Belief
from search_app.confidence.calibration import UNCALIBRATED_AT_MOST, Calibration, PartWeights, guess
from search_app.confidence.contrasts import Aspect
from search_app.confidence.evidence import Evidence, Part, gather_evidence
from search_app.confidence.neutral import NEUTRAL_TEXTS
from store.records import Embeddings

RNG = np.random.default_rng(11)
DIM = 16
WEIGHTS = PartWeights(0.0, 0.5, 1.0, 0.5, 0.0)
CALIBRATION = Calibration(
    0.0, 1.0, 0.2, 0.2, dict.fromkeys(Aspect, WEIGHTS), (0.0, 1.5), (1.0, 0.0), (0.3, 0.1), (0.0, 0.25)
)


def unit(rows: NDArray[Any]) -> Embeddings:
    scaled: Embeddings = (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)
    return scaled


FRAMES = unit(RNG.standard_normal((40, DIM)))
NEUTRAL = unit(RNG.standard_normal((len(NEUTRAL_TEXTS), DIM)))
WHOLE, DOG, CAT = np.eye(DIM, dtype=np.float32)[:3]


def belief_of(
    n_frames: int = 40, calibration: Calibration | None = CALIBRATION, n_videos: int = 2, **known: object
) -> Belief:
    """What is believed of `dog`, whose only rival is a cat."""
    background = Background(FRAMES[:n_frames], NEUTRAL, (0.0, 0.25), n_videos)
    evidence = Evidence(background, WHOLE, NEUTRAL, (Part("dog", Aspect.SUBJECT, DOG, CAT[None]),))
    return Belief("a dog", WHOLE, background, evidence, calibration, (0.8, 0.4), **known)  # type: ignore[arg-type]


def frame(whole: float, dog: float, cat: float) -> Embeddings:
    """A frame that scores so for the question, its part and the rival of that."""
    row = np.zeros(DIM, np.float32)
    row[:3] = whole, dog, cat
    row[3] = np.sqrt(max(0.0, 1 - float(row @ row)))
    return row


def test_a_rival_that_scores_higher_makes_unsure() -> None:
    """At the same score for the question, what shows a cat is less likely to show a dog."""
    shown, not_shown = belief_of().of_frames(np.stack([frame(0.4, 0.4, 0.1), frame(0.4, 0.4, 0.8)]))
    assert shown > not_shown + 0.1


def test_every_score_has_its_own_confidence() -> None:
    """More of what was asked is more sure, step by step: no two are equal, and none is 0 or 1."""
    sure = belief_of().of_frames(np.stack([frame(score, score, 0.1) for score in np.linspace(-0.5, 0.65, 40)]))
    assert all(low < high for low, high in pairwise(sure))
    assert 0 < sure[0] < 0.1
    assert 0.9 < sure[-1] < 1


def test_the_evidence_of_one_frame_is_named() -> None:
    """The whole and each part with its own probability, and the words that mean nothing."""
    reasons = belief_of(unknown=("zxqv",), n_named=2).reasons(frame(0.5, 0.5, 0.1))
    assert [("the whole", "a dog"), ("subject", "dog")] == [(one.aspect, one.words) for one in reasons[:2]]
    assert ("zxqv", 0.0) == (reasons[2].words, reasons[2].probability)


@pytest.mark.parametrize(("n_unknown", "n_named", "is_believed"), [(1, 1, 0), (1, 3, 0), (1, 4, 1), (2, 5, 0)])
def test_a_word_that_was_never_learnt_is_shown_nowhere(n_unknown: int, n_named: int, is_believed: bool) -> None:
    """However well the rest fits; of a long question, one word in four may be such."""
    belief = belief_of(unknown=("zxqv",) * n_unknown, n_named=n_named)
    (sure,) = belief.of_frames(frame(0.7, 0.6, 0.0)[None])
    assert is_believed == (sure > 0.5)
    assert is_believed or sure < 0.05


def test_few_frames_say_nothing() -> None:
    """Without a calibration twelve are needed, with one four of several videos; pictures are always measured."""
    assert belief_of(FEWEST_FRAMES).is_measured
    assert not belief_of(FEWEST_FRAMES - 1).is_measured
    assert not belief_of(FEWEST_FRAMES, n_videos=1).is_measured
    assert belief_of(ENOUGH_FRAMES, n_videos=1).is_measured
    assert not belief_of(ENOUGH_FRAMES - 1, None).is_measured
    assert belief_of(ENOUGH_FRAMES, None).is_measured
    assert Belief("", WHOLE, Background(FRAMES[:1], NEUTRAL)).is_measured


def test_few_frames_borrow_the_usual_scale() -> None:
    """Frame by frame the archive's own scale takes over from that of the libraries that were fitted on."""
    scales = [Background(FRAMES[:n], NEUTRAL, (0.5, 0.1)).text_scale for n in (0, 1, 10, 20)]
    assert (0.5, 0.1) == scales[0]
    assert sorted(scales, reverse=True) == scales
    assert scales[-1] == Background(FRAMES[:20], NEUTRAL).text_scale


def test_an_encoder_that_was_never_fitted_is_never_sure() -> None:
    """Its guess grows with the score, is a half at what everyday texts reach, and never says high."""
    guessed = guess(np.linspace(-2, 9, 60).astype(np.float32), 3.0)
    assert all(low < high for low, high in pairwise(guessed[:50]))
    assert guess(np.array([3.0], np.float32), 3.0)[0] == pytest.approx(0.5)
    assert guessed.max() <= UNCALIBRATED_AT_MOST < 0.8
    assert not belief_of(calibration=None).is_calibrated
    assert () == belief_of(calibration=None).reasons(frame(0.5, 0.5, 0.1))


def test_a_calibration_survives_its_file() -> None:
    """What is written is read again."""
    assert CALIBRATION == Calibration.of_json(CALIBRATION.to_json())


def test_texts_of_one_meaning_are_one_rival() -> None:
    """A boat and a ship among the everyday texts are no two things ahead; what means the same is no rival."""
    basis = unit(RNG.standard_normal((len(NEUTRAL_TEXTS), 4 * len(NEUTRAL_TEXTS))))  # all of different meaning
    neutral = basis.copy()
    neutral[1] = unit(neutral[0] + 0.001)
    frames = unit(RNG.standard_normal((40, basis.shape[1])))
    background = Background(frames, neutral)

    def encode(texts: object) -> Embeddings:  # noqa: ARG001 - every part points the same way
        return basis[3:4]

    evidence = gather_evidence("dog", basis[3], ["dog"], encode, background, neutral, frames[0])
    assert len(NEUTRAL_TEXTS) - 2 == len(evidence.rivals)
    assert [("dog", Aspect.SUBJECT)] == [(part.words, part.aspect) for part in evidence.parts]
