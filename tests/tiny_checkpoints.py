"""Real open_clip checkpoints that are tiny and untrained: the normal path loads them in a moment."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

WORDS = ("a", "red", "green", "blue", "boat", "house", "on", "the", "sea")
PAD, UNKNOWN, END = "[PAD]", "[UNK]", "[EOS]"
DIM = 24
IMAGE_SIZE_PX = 32
CONTEXT_LENGTH = 12

MODEL_CFG: dict[str, Any] = {
    "embed_dim": DIM,
    "vision_cfg": {"image_size": IMAGE_SIZE_PX, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {
        "context_length": CONTEXT_LENGTH,
        "vocab_size": len(WORDS) + 3,
        "hf_tokenizer_name": "tiny",
        "width": 32,
        "heads": 2,
        "layers": 2,
        "pool_type": "eos",
        "eos_id": 2,
    },
}
PREPROCESS_CFG: dict[str, Any] = {
    "mean": [0.4, 0.5, 0.6],
    "std": [0.2, 0.3, 0.4],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}


def write_tiny_checkpoint(folder: Path, seed: int = 0, tokenizer_name: str = "tiny") -> Path:
    """Write a model in open_clip's own folder format; same seed, same weights.

    Args:
        folder: where to write; made if it is not there.
        seed: of the random weights.
        tokenizer_name: the hub repository that the description names for its tokenizer.

    Returns:
        `folder`, now with open_clip_config.json, open_clip_model.safetensors and the tokenizer's files.
    """
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = open_clip.CLIP(**deepcopy(MODEL_CFG))
    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    model_cfg = deepcopy(MODEL_CFG)
    model_cfg["text_cfg"]["hf_tokenizer_name"] = tokenizer_name
    config = {"model_cfg": model_cfg, "preprocess_cfg": PREPROCESS_CFG}
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    write_tiny_tokenizer(folder)
    return folder


def write_tiny_tokenizer(folder: Path) -> None:
    """Write the tokenizer of `WORDS` in the format of transformers."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: i for i, word in enumerate((PAD, UNKNOWN, END, *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, 2)])
    fast: Any = PreTrainedTokenizerFast
    fast(tokenizer_object=tokenizer, unk_token=UNKNOWN, pad_token=PAD, eos_token=END).save_pretrained(folder)
