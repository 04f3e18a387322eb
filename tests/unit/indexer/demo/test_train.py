"""Training: a few steps on a tiny model learn something, and learn the same thing again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from indexer.demo.encoder_files import build_model, model_config
from indexer.demo.tokenizer import build_tokenizer
from indexer.demo.train import TrainingPlan, _encode, train_encoder

PLAN = TrainingPlan(
    steps=12,
    picture_steps=0,
    seed=3,
    n_pairs=16,
    pairs_per_batch=8,
    n_related=4,
    warmup_steps=2,
    plain_steps=6,
    n_processes=1,
)


@pytest.fixture(scope="module")
def tiny_config() -> dict[str, Any]:
    config = model_config(text_width=32, embed_dim=32)
    config["vision_cfg"]["image_size"] = 64
    return config


def test_training_learns_and_repeats(tiny_config: dict[str, Any]) -> None:
    """The loss falls within a few steps, and a second run with the same seed gives the same weights."""
    model, losses = train_encoder(PLAN, tiny_config)
    again, losses_again = train_encoder(PLAN, tiny_config)
    assert np.mean(losses[-3:]) < np.mean(losses[:3]) - 0.3
    assert losses == losses_again
    for name, weights in model.state_dict().items():
        assert torch.equal(weights, again.state_dict()[name]), name


def test_the_short_way_to_encode_texts_is_open_clips(tiny_config: dict[str, Any]) -> None:
    """Training leaves padding out; the vectors are those of `encode_text` nevertheless."""
    torch.manual_seed(0)
    model: Any = build_model(tiny_config).eval()
    tokenizer = build_tokenizer(32)
    texts = ["a red boat", "", "two dogs left of a house in the fog at a zeppelin", "red " * 50, "rain"]
    tokens = tokenizer(texts, max_length=32, padding="max_length", truncation=True, return_tensors="pt").input_ids
    with torch.inference_mode():
        expected = model.encode_text(tokens, normalize=True)
        assert torch.allclose(expected, _encode(model, tokenizer, texts), atol=1e-5)
