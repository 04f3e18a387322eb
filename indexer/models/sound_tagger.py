"""Names of sounds: music, applause, a dog, by any `audio-classification` checkpoint of transformers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from indexer.errors import ModelError
from indexer.models.memory import HalvedBatches
from indexer.models.transformers_files import OfCheckpoint, find_checkpoint, load_model, load_processor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from indexer.models.transcriber import Sound
    from indexer.models.transformers_files import CheckpointFiles

DEFAULT_MODEL: Final = "MIT/ast-finetuned-audioset-10-10-0.4593"
"""Gong, Chung and Glass, "AST: Audio Spectrogram Transformer", Interspeech 2021: 527 classes of AudioSet, 10 s."""
_KIND: Final = "AutoModelForAudioClassification"
_ONE_OF: Final = "single_label_classification"


@dataclass(frozen=True, slots=True)
class Tag:
    """A sound that a model names.

    Args:
        name: the class, as the checkpoint calls it.
        score: 0 to 1.
    """

    name: str
    score: float


class SoundTagger(Protocol):
    """Names what is heard."""

    @property
    def name(self) -> str:
        """The model's name, as a person would type it."""
        ...

    @property
    def revision(self) -> str:
        """Of the model; empty where it is not known."""
        ...

    @property
    def weights_hash(self) -> str:
        """Hex digest of its weights."""
        ...

    @property
    def rate_hz(self) -> int:
        """Samples per second that it takes."""
        ...

    def tag(self, sounds: Sequence[Sound]) -> list[tuple[Tag, ...]]:
        """All classes with their scores for each piece of sound, best first, in the order given.

        Args:
            sounds: float32, (n_samples,) each, `rate_hz` samples per second, about ten seconds.

        Raises:
            ModelError: the model fails.
        """
        ...


class TransformersTagger(OfCheckpoint):
    """A checkpoint of `audio-classification`; safe to share between threads.

    Args:
        files: the checkpoint.
        device: as for `load_encoder`.
        batch_size: pieces of sound taken at once; halved whenever they do not fit the memory.

    Raises:
        ModelError: it cannot be loaded, or is of another kind.
    """

    def __init__(self, files: CheckpointFiles, device: str = "auto", batch_size: int = 8) -> None:
        self._files = files
        self._network = load_model(files, _KIND, device)
        self._extractor = load_processor(files, "AutoFeatureExtractor")
        self._batches = HalvedBatches(files.name, batch_size)
        self._lock = threading.Lock()
        config = self._network.config
        self._names = [str(config.id2label[number]) for number in range(config.num_labels)]
        # AudioSet's networks answer for each class by itself; others choose one.
        self._is_one_of = getattr(config, "problem_type", None) == _ONE_OF

    @property
    def rate_hz(self) -> int:
        """Samples per second that it takes."""
        return int(self._extractor.sampling_rate)

    def tag(self, sounds: Sequence[Sound]) -> list[tuple[Tag, ...]]:
        """All classes with their scores, as `SoundTagger` promises."""
        with self._lock:
            scores = self._batches.run(self._score, sounds)
        return [self._tags(row) for row in scores]

    def _score(self, sounds: Sequence[Sound]) -> Sequence[NDArray[np.float32]]:
        import torch

        try:
            inputs: Any = self._extractor(
                [np.asarray(sound) for sound in sounds], sampling_rate=self.rate_hz, return_tensors="pt"
            )
        except (ValueError, TypeError) as error:
            raise ModelError(f"the sound model {self.name} cannot take this sound: {error}") from error
        weights = next(self._network.parameters())
        told = {name: one.to(weights.device, weights.dtype) for name, one in inputs.items()}
        with torch.inference_mode():
            logits = self._network(**told).logits.float()
            scores = logits.softmax(-1) if self._is_one_of else logits.sigmoid()
        found: NDArray[np.float32] = scores.cpu().numpy()
        if not np.isfinite(found).all():
            raise ModelError(
                f"the sound model {self.name} gave numbers that are not finite; its weights are damaged"
            )
        return list(found)

    def _tags(self, scores: NDArray[np.float32]) -> tuple[Tag, ...]:
        order = np.argsort(-scores, kind="stable")
        return tuple(Tag(self._names[place], float(scores[place])) for place in order)


def load_sound_tagger(model: str = DEFAULT_MODEL, *, device: str = "auto", batch_size: int = 8) -> SoundTagger:
    """A model that names sounds, ready to listen.

    Args:
        model: ORGANISATION/NAME of the hub, or a folder, as `find_checkpoint` takes it.
        device: as for `load_encoder`.
        batch_size: pieces of sound taken at once.

    Raises:
        ModelError: the model cannot be found, downloaded or loaded, or there is no such device.
    """
    return TransformersTagger(find_checkpoint(model), device, batch_size)
