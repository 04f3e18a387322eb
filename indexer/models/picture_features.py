"""Features of pictures by any model of transformers that has them: one vector for each picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from indexer.errors import ModelError
from indexer.models.memory import HalvedBatches
from indexer.models.transformers_files import (
    CheckpointFiles,
    OfCheckpoint,
    find_checkpoint,
    load_model,
    load_processor,
)
from store.records import Embeddings

if TYPE_CHECKING:
    from indexer.models.encoder import RgbImage


class PictureFeatures(Protocol):
    """Places pictures in a space of features, in which alike ones lie near each other."""

    @property
    def name(self) -> str:
        """Name of the model."""
        ...

    @property
    def revision(self) -> str:
        """Commit of the model; empty where it is not known."""
        ...

    @property
    def weights_hash(self) -> str:
        """Hex digest of its weights."""
        ...

    def features(self, pictures: Sequence[RgbImage]) -> Embeddings:
        """One row of length 1 for each picture, in the order given.

        Args:
            pictures: RGB, uint8, each (height, width, 3); sizes may differ; left unchanged.

        Returns:
            float32, (n_pictures, dim). An empty input gives (0, 0).

        Raises:
            ModelError: the model fails, or not even one picture fits the memory.
        """
        ...


class TransformersFeatures(OfCheckpoint):
    """A model of transformers without its head; loaded with the first picture.

    The features are what the model pools; where it pools nothing, the mean of its last hidden states.

    Args:
        files: the checkpoint.
        batch_size: pictures taken at once; halved whenever they do not fit the memory.
        device: as for `load_encoder`.
    """

    def __init__(self, files: CheckpointFiles, batch_size: int, device: str) -> None:
        self._files = files
        self._batches = HalvedBatches(files.name, batch_size)
        self._device = device
        self._network: Any = None
        self._processor: Any = None

    def features(self, pictures: Sequence[RgbImage]) -> Embeddings:
        """One row for each picture, as `PictureFeatures` promises."""
        if not pictures:
            return np.empty((0, 0), np.float32)
        if self._network is None:
            self._processor = load_processor(self._files, "AutoImageProcessor")
            self._network = load_model(self._files, "AutoModel", self._device)
        return np.stack(self._batches.run(self._run, pictures))

    def _run(self, pictures: Sequence[RgbImage]) -> Sequence[Embeddings]:
        import torch

        own = [np.array(picture) for picture in pictures]  # torch takes none that are read-only
        pixels = self._processor(images=own, return_tensors="pt")["pixel_values"]
        pixels = pixels.to(self._network.device, self._network.dtype)
        with torch.inference_mode():
            if hasattr(self._network, "get_image_features"):
                found = self._network.get_image_features(pixel_values=pixels)
            else:
                found = self._network(pixel_values=pixels)
            pooled = getattr(found, "pooler_output", None)
            if pooled is None:
                pooled = (
                    found.last_hidden_state.flatten(2).mean(-1)
                    if found.last_hidden_state.ndim == 4
                    else (found.last_hidden_state.mean(1))
                )
            rows: Embeddings = torch.nn.functional.normalize(pooled.flatten(1).float(), dim=-1).cpu().numpy()
        if not np.isfinite(rows).all():
            raise ModelError(f"the model {self.name} gave numbers that are not finite; its weights are damaged")
        return list(rows)


def load_features(model: str, batch_size: int, device: str) -> TransformersFeatures:
    """The model of that name.

    Args:
        model: ORG/NAME[@revision] on the hub, or a folder as `save_pretrained` writes it.
        batch_size: pictures taken at once.
        device: as for `load_encoder`.

    Raises:
        ModelError: it cannot be found.
    """
    return TransformersFeatures(find_checkpoint(model), batch_size, device)
