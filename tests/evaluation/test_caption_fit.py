"""How well poor captions are told from good ones, by the demo encoder on filmed shots of the drawn world."""

from __future__ import annotations

import random

import pytest

from indexer.demo.sentences import claim_all, phrase
from indexer.models.caption_fit import CaptionJudge
from indexer.models.open_clip_encoder import load_encoder
from tests.evaluation.demo_shots import film, sample_distinct_scenes

N_SHOTS = 100


@pytest.mark.optin
@pytest.mark.slow
@pytest.mark.evaluation
def test_captions_of_other_shots_are_flagged() -> None:
    """At least two of three captions of another shot, and at most one right one in fifty."""
    encoder = load_encoder("demo", device="cpu")
    scenes = sample_distinct_scenes(N_SHOTS, 3)
    pictures = [film(scene, seed) for seed, scene in enumerate(scenes)]
    rng = random.Random(0)
    captions = [phrase(claim_all(scene), rng) for scene in scenes]
    judge = CaptionJudge(encoder, encoder.encode_images([shown[0] for shown in pictures]))
    right = judge.judge(captions, pictures)
    wrong = judge.judge([*captions[1:], captions[0]], pictures)
    flagged = [sum(fit is not None and fit.is_poor for fit in fits) / N_SHOTS for fits in (right, wrong)]
    assert None not in (*right, *wrong)
    assert flagged[0] <= 0.02
    assert flagged[1] >= 0.67


def test_what_the_encoder_never_learnt_is_not_flagged() -> None:
    """Foreign words and nonsense mean nothing to it, so nothing is said of them."""
    encoder = load_encoder("demo", device="cpu")
    pictures = [film(scene, seed)[:1] for seed, scene in enumerate(sample_distinct_scenes(20, 5))]
    judge = CaptionJudge(encoder, encoder.encode_images([shown[0] for shown in pictures]))
    texts = ["ein rotes Haus am See mit Bergen", "zork blim fnord", "красная лодка", "12"]
    assert [None] * 4 == judge.judge(texts, pictures[:4])
    assert judge.judge(["a red house"], pictures[:1])[0] is not None
