"""Detectors of objects in pictures: checkpoints of transformers with a fixed list of classes, or asked by words.

Closed set: RT-DETR, D-FINE, DETR and what else transformers loads for `object-detection`. Open vocabulary: OWLv2,
OWL-ViT, Grounding DINO (`zero-shot-object-detection`), which find what prompts name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

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
from store.row_checks import Box

if TYPE_CHECKING:
    from indexer.models.encoder import RgbImage

CLOSED_SET_MODEL: Final = "PekingU/rtdetr_v2_r18vd"
"""Apache-2.0; the 80 classes of COCO (Lv et al. 2024, "RT-DETRv2")."""
OPEN_MODEL: Final = "google/owlv2-base-patch16-ensemble"
"""Apache-2.0; finds what words name (Minderer et al. 2023, "Scaling Open-Vocabulary Object Detection")."""
_GROUNDED: Final = frozenset({"grounding-dino", "mm-grounding-dino"})
_SUPPRESSED_FROM: Final = 0.5
"""Overlap (IoU) of two boxes of one class from which the less sure one is left out."""
_CLEAN: Final = str.maketrans(dict.fromkeys([*range(32), 127], " "))


@dataclass(frozen=True, slots=True)
class Detection:
    """An object in a picture.

    Args:
        label: its class, or the prompt that it answers.
        score: how sure the model is, 0 to 1.
        box: left, top, width, height as shares of the picture.
    """

    label: str
    score: float
    box: Box


class Detector(Protocol):
    """Finds objects in pictures."""

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

    def detect(self, pictures: Sequence[RgbImage]) -> Sequence[tuple[Detection, ...]]:
        """The objects of each picture, the surest first; one result for each picture, in the order given.

        Args:
            pictures: RGB, uint8, each (height, width, 3); sizes may differ; left unchanged.

        Raises:
            ModelError: the model fails, or not even one picture fits the memory.
        """
        ...


@dataclass(frozen=True, slots=True)
class DetectorOptions:
    """How a detector is used.

    Args:
        lowest_score: objects that the model is less sure of are left out.
        prompts: what an open vocabulary is asked for; of a closed set the classes that are wanted, all if empty.
        batch_size: pictures taken at once; halved whenever they do not fit the memory.
        device: as for `load_encoder`.
    """

    lowest_score: float = 0.5
    prompts: tuple[str, ...] = ()
    batch_size: int = 8
    device: str = "auto"


class TransformersDetector(OfCheckpoint):
    """A detector of transformers; the network is loaded with the first picture.

    Args:
        files: the checkpoint.
        options: how it is used.

    Raises:
        ModelError: the checkpoint is no detector, knows none of the classes that are wanted, or needs prompts.
    """

    def __init__(self, files: CheckpointFiles, options: DetectorOptions) -> None:
        self._files = files
        self._options = options
        self._asks = _is_open(files)
        self._prompts = tuple(dict.fromkeys(_even(prompt) for prompt in options.prompts))
        if self._asks and not self._prompts:
            raise ModelError(f"the detector {files.name} finds what words name: give it prompts")
        if not self._asks:
            _refuse_unknown(files, self._prompts)
        self._batches = HalvedBatches(files.name, options.batch_size)
        self._network: Any = None
        self._processor: Any = None

    def detect(self, pictures: Sequence[RgbImage]) -> Sequence[tuple[Detection, ...]]:
        """The objects of each picture, as `Detector` promises."""
        if self._network is None:
            self._load()
        return self._batches.run(self._run, pictures)

    def _load(self) -> None:
        kind = "AutoModelForZeroShotObjectDetection" if self._asks else "AutoModelForObjectDetection"
        self._processor = load_processor(self._files, "AutoProcessor" if self._asks else "AutoImageProcessor")
        # Never in half precision: 8 bits of bfloat16 move an edge by several pixels, float16 loses whole objects.
        self._network = load_model(self._files, kind, self._options.device).float()

    def _run(self, pictures: Sequence[RgbImage]) -> Sequence[tuple[Detection, ...]]:
        import torch

        own = [np.array(picture) for picture in pictures]  # torch takes none that are read-only
        with torch.inference_mode():
            found = self._ask(own) if self._asks else self._look(own)
        return [
            self._detections(one, picture.shape[1], picture.shape[0])
            for one, picture in zip(found, pictures, strict=True)
        ]

    def _look(self, pictures: Sequence[RgbImage]) -> Sequence[Mapping[str, Any]]:
        """What a closed set finds, as transformers hands it out."""
        inputs = self._processor(images=pictures, return_tensors="pt")
        outputs = self._network(**self._moved(inputs))
        found: Sequence[Mapping[str, Any]] = self._processor.post_process_object_detection(
            _in_float(outputs), threshold=self._options.lowest_score, target_sizes=_sizes(pictures)
        )
        return found

    def _ask(self, pictures: Sequence[RgbImage]) -> Sequence[Mapping[str, Any]]:
        """The same of an open vocabulary; its labels are the prompts."""
        is_grounded = self._files.model_type in _GROUNDED
        asked: list[Any] = [[f"a photo of a {prompt}" for prompt in self._prompts]] * len(pictures)
        if is_grounded:
            asked = [". ".join(self._prompts).lower() + "."] * len(pictures)
        inputs = self._processor(text=asked, images=pictures, return_tensors="pt", padding=True)
        outputs = self._network(**self._moved(inputs))
        post_process = self._processor.post_process_grounded_object_detection
        if is_grounded:
            post_process = partial(post_process, input_ids=inputs["input_ids"])
        found: Sequence[Mapping[str, Any]] = post_process(
            _in_float(outputs), threshold=self._options.lowest_score, target_sizes=_sizes(pictures)
        )
        return found

    def _moved(self, inputs: Any) -> Mapping[str, Any]:
        return {name: value.to(self._network.device) for name, value in inputs.items()}

    def _detections(self, found: Mapping[str, Any], width: int, height: int) -> tuple[Detection, ...]:
        labels = [self._label(label) for label in found["text_labels" if self._is_named(found) else "labels"]]
        boxes, scores = found["boxes"].float().cpu(), found["scores"].float().cpu()
        kept: Sequence[int] = range(len(labels))
        if self._asks:
            kept = _suppress(boxes, scores, labels)
        detections = [
            Detection(label, min(1.0, float(scores[at])), _share(boxes[at].tolist(), width, height))
            for at in kept
            if (label := labels[at]) and (self._asks or not self._prompts or label in self._prompts)
        ]
        return tuple(sorted(detections, key=lambda one: -one.score))

    def _is_named(self, found: Mapping[str, Any]) -> bool:
        return self._files.model_type in _GROUNDED and "text_labels" in found

    def _label(self, label: Any) -> str:
        """The class or prompt of what a model answers; empty for none of them."""
        if isinstance(label, str):
            return _nearest_prompt(label, self._prompts)
        number = int(label)
        if self._asks:
            return self._prompts[number]
        return _classes(self._files).get(number, f"class {number}")


def load_detector(model: str, options: DetectorOptions) -> TransformersDetector:
    """The detector of that name.

    Args:
        model: ORG/NAME[@revision] on the hub, or a folder as `save_pretrained` writes it.
        options: how it is used.

    Raises:
        ModelError: it cannot be found, is of another architecture, or lacks prompts or knows none of them.
    """
    return TransformersDetector(find_checkpoint(model), options)


def is_open_vocabulary(files: CheckpointFiles) -> bool:
    """Whether a checkpoint finds what words name."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_ZERO_SHOT_OBJECT_DETECTION_MAPPING_NAMES

    return files.model_type in MODEL_FOR_ZERO_SHOT_OBJECT_DETECTION_MAPPING_NAMES


def _is_open(files: CheckpointFiles) -> bool:
    from transformers.models.auto.modeling_auto import MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES

    if is_open_vocabulary(files):
        return True
    if files.model_type not in MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES:
        raise ModelError(
            f"the model {files.name} is a {files.model_type}, which detects no objects; name a detector, such as "
            f"{CLOSED_SET_MODEL} or {OPEN_MODEL}"
        )
    return False


def _classes(files: CheckpointFiles) -> dict[int, str]:
    """The classes of a closed set, by number."""
    told = files.config.get("id2label")
    if not isinstance(told, Mapping):
        return {}
    return {int(number): _even(str(name)) for number, name in told.items() if str(number).isdecimal()}


def _refuse_unknown(files: CheckpointFiles, wanted: Sequence[str]) -> None:
    classes = set(_classes(files).values())
    unknown = [name for name in wanted if name not in classes]
    if unknown and classes:
        raise ModelError(
            f"the detector {files.name} does not know {', '.join(unknown)}; it knows {len(classes)} classes, such "
            f"as {', '.join(sorted(classes)[:8])}; for others use an open vocabulary: --model {OPEN_MODEL}"
        )


def _nearest_prompt(phrase: str, prompts: Sequence[str]) -> str:
    """The prompt that a phrase of Grounding DINO means: it hands out those of the prompt's words that it found."""
    words = set(phrase.lower().replace(".", " ").split())
    shared = {prompt: len(words & set(prompt.lower().split())) / len(prompt.split()) for prompt in prompts}
    best = max(prompts, key=lambda prompt: shared[prompt])
    return best if shared[best] else ""


def _suppress(boxes: Any, scores: Any, labels: Sequence[str]) -> Sequence[int]:
    """Numbers of the boxes that stay: greedy non-maximum suppression inside each class."""
    import torch
    from torchvision.ops import batched_nms

    if not labels:
        return []
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    classes = torch.tensor([numbers[label] for label in labels])
    kept: list[int] = batched_nms(boxes, scores, classes, _SUPPRESSED_FROM).tolist()
    return kept


def _share(corners: Sequence[float], width: int, height: int) -> Box:
    """A box in pixels (left, top, right, bottom), cut at the picture's edges, in shares of the picture."""
    left, right = (min(1.0, max(0.0, x / width)) for x in (corners[0], corners[2]))
    top, bottom = (min(1.0, max(0.0, y / height)) for y in (corners[1], corners[3]))
    return left, top, max(0.0, right - left), max(0.0, bottom - top)


def _sizes(pictures: Sequence[RgbImage]) -> list[tuple[int, int]]:
    return [(picture.shape[0], picture.shape[1]) for picture in pictures]


def _in_float(outputs: Any) -> Any:
    """Logits and boxes in full precision on the CPU, for what follows."""
    outputs.logits = outputs.logits.float().cpu()
    outputs.pred_boxes = outputs.pred_boxes.float().cpu()
    return outputs


def _even(text: str) -> str:
    return " ".join(text.translate(_CLEAN).split())
