"""The demo encoder's architecture, and its folder in the format that open_clip loads."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from indexer.demo.tokenizer import END_ID, PAD_ID, build_tokenizer, build_vocabulary

if TYPE_CHECKING:
    import torch

ENCODER_FOLDER: Final = Path(__file__).parent / "encoder"
IMAGE_SIZE_PX: Final = 96
CONTEXT_LENGTH: Final = 32
PREPROCESS_CONFIG: Final[dict[str, Any]] = {
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "interpolation": "bicubic",
    "resize_mode": "squash",  # the whole frame counts: "left of" must not be cropped away
}


def model_config(text_width: int = 128, embed_dim: int = 256) -> dict[str, Any]:
    """open_clip's description of the model: CLIP's own ResNet, made small, and a small transformer for text.

    Of eleven small networks tried for two minutes each, this one learnt shapes soonest. Its attention pooling
    knows where in the frame it looks, which "left of" needs, and 512 channels in the last map are cheap.
    """
    return {
        "embed_dim": embed_dim,
        "vision_cfg": {"image_size": IMAGE_SIZE_PX, "layers": [1, 1, 1, 1], "width": 16, "head_width": 32},
        "text_cfg": {
            "context_length": CONTEXT_LENGTH,
            "vocab_size": len(build_vocabulary()),
            "hf_tokenizer_name": "demo",
            "width": text_width,
            "heads": 4,
            "layers": 2,
            "pool_type": "eos",
            "eos_id": END_ID,
            "pad_id": PAD_ID,
        },
    }


def build_model(config: dict[str, Any]) -> torch.nn.Module:
    """An untrained model, exactly as open_clip builds it from the same configuration."""
    from open_clip.model import CLIP

    model: torch.nn.Module = CLIP(**deepcopy(config))
    return model


def write_encoder(model: torch.nn.Module, config: dict[str, Any], folder: Path) -> None:
    """Write weights, configuration and tokenizer so that `local-dir:<folder>` loads them."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    document = {"model_cfg": config, "preprocess_cfg": PREPROCESS_CONFIG}
    (folder / "open_clip_config.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    # 16 bits are enough to rank by, and half the bytes in the repository; open_clip widens them when it loads.
    weights = {name: _narrow(tensor.detach()) for name, tensor in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors", metadata={"format": "pt"})
    build_tokenizer(config["text_cfg"]["context_length"]).save_pretrained(folder)


def _narrow(tensor: torch.Tensor) -> torch.Tensor:
    return (tensor.half() if tensor.is_floating_point() else tensor).contiguous().clone()
