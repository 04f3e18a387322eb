"""An encoder made of any open_clip model."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from indexer.errors import ModelError
from indexer.models.device import choose_device
from indexer.models.encoder import Encoder, RgbImage
from indexer.models.memory import is_out_of_memory
from indexer.models.weights import ModelFiles, find_model, find_recorded_model, hash_weights
from store.errors import SpaceMismatchError
from store.records import Embeddings, EmbeddingSpace

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

_TOKENIZER_SETTINGS = {"clean", "strip_sep_token", "language"}  # not trust_remote_code: no model brings code


def load_encoder(
    model: str | None = None,
    model_path: Path | None = None,
    *,
    device: str = "auto",
    batch_size: int = 32,
) -> Encoder:
    """The encoder of that name, ready to run.

    Args:
        model: a name as `indexer.models.weights` lists them; None for the default for real footage.
        model_path: a local folder in open_clip's format; or, beside an ARCH or ARCH/TAG, its weights.
        device: `auto` for the best there is, or `cpu`, `cuda`, `cuda:1`, `mps`, `xpu`.
        batch_size: pictures encoded at once; halved whenever they do not fit the device's memory.

    Raises:
        ModelError: the model cannot be found, downloaded or loaded, or there is no such device.
    """
    target = choose_device(device)
    return _build(find_model(model, model_path), None, target, batch_size)


def load_encoder_of(
    space: EmbeddingSpace,
    model_path: Path | None = None,
    *,
    device: str = "auto",
    batch_size: int = 32,
) -> Encoder:
    """The very encoder that an archive was indexed with.

    Args:
        space: as the archive records it.
        model_path: where the model lies now, if it is not where it was.
        device: as for `load_encoder`.
        batch_size: as for `load_encoder`.

    Raises:
        ModelError: the model cannot be found, downloaded or loaded, or there is no such device.
        SpaceMismatchError: a model was found, but it would place things elsewhere.
    """
    target = choose_device(device)
    if model_path is None:
        found = find_recorded_model(space.name)
    else:
        architecture, _, own_weights = space.name.partition(":")
        found = find_model(architecture if Path(own_weights).is_absolute() else None, model_path)
    return _build(found, space, target, batch_size)


class OpenClipEncoder:
    """Places pictures and sentences in the space of an open_clip model; safe to share between threads.

    Args:
        network: the two towers, in evaluation mode, on `device`.
        tokenizer: sentences to a tensor of word ids.
        space: the embedding space.
        device: as torch names it.
        batch_size: pictures or sentences encoded at once; halved whenever they do not fit the memory.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        tokenizer: Callable[[list[str]], torch.Tensor],
        space: EmbeddingSpace,
        device: str,
        batch_size: int,
    ) -> None:
        from open_clip.transform import PreprocessCfg, image_transform_v2

        self._network = network
        self._tokenizer = tokenizer
        self._space = space
        self._device = device
        self._batch_size = max(1, batch_size)
        self._lock = (
            threading.Lock()
        )  # tokenizers and the batch size are not safe to share; the device gains nothing
        preprocess = PreprocessCfg(**json.loads(space.preprocessing))
        # The last three steps (mode, to float, normalize) are done for a whole batch at once, in `_prepare`.
        self._resize_steps = image_transform_v2(preprocess, is_train=False).transforms[:-3]
        self._mean = np.array(preprocess.mean, np.float32) * 255
        self._std = np.array(preprocess.std, np.float32) * 255
        self._size_px = int(np.max(preprocess.size))

    @property
    def space(self) -> EmbeddingSpace:
        """The space that every vector of this encoder lives in."""
        return self._space

    @property
    def image_size_px(self) -> int:
        """Side of the square picture that the network sees; larger pictures only cost time."""
        return self._size_px

    def encode_images(self, images: Sequence[RgbImage]) -> Embeddings:
        """Place pictures in the embedding space, in the order given, as `Encoder` promises."""
        return self._encode(images, self._prepare, "encode_image")

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Place sentences in the embedding space, in the order given, as `Encoder` promises."""
        return self._encode(texts, lambda batch: self._tokenizer(list(batch)), "encode_text")

    def _prepare(self, images: Sequence[RgbImage]) -> torch.Tensor:
        """Resize and normalize as the model was trained; (n, 3, side, side)."""
        import torch
        from PIL import Image

        resized = []
        for image in images:
            picture: Any = Image.fromarray(image)
            for step in self._resize_steps:
                picture = step(picture)
            resized.append(np.asarray(picture))
        normal = (np.stack(resized).astype(np.float32) - self._mean) / self._std
        return torch.from_numpy(normal).permute(0, 3, 1, 2).contiguous()

    def _encode(
        self, things: Sequence[T], prepare: Callable[[Sequence[T]], torch.Tensor], tower: str
    ) -> Embeddings:
        rows = [np.empty((0, self._space.dim), np.float32)]
        done = 0
        with self._lock:
            while done < len(things):
                batch = things[done : done + self._batch_size]
                try:
                    rows.append(self._run(tower, prepare(batch)))
                except (RuntimeError, MemoryError) as error:
                    self._make_batches_smaller(len(batch), error)
                else:
                    done += len(batch)
        return np.concatenate(rows)

    def _run(self, tower: str, inputs: torch.Tensor) -> Embeddings:
        """One batch through one tower; rows of length 1."""
        import torch

        on_cuda = self._device.startswith("cuda")
        # Half precision pays on these GPUs only; bfloat16 first, because float16 can overflow.
        half = torch.bfloat16 if on_cuda and torch.cuda.is_bf16_supported() else torch.float16
        with torch.inference_mode(), torch.autocast("cuda", dtype=half, enabled=on_cuda):
            features = getattr(self._network, tower)(inputs.to(self._device))
            rows: Embeddings = torch.nn.functional.normalize(features.float(), dim=-1).cpu().numpy()
        if not np.isfinite(rows).all():
            raise ModelError(
                f"the model {self._space.name} gave numbers that are not finite; its weights are damaged"
            )
        return rows

    def _make_batches_smaller(self, n_tried: int, error: RuntimeError | MemoryError) -> None:
        """Halve the batch if `error` says that memory ran out; otherwise, or at one picture, give up."""
        import torch

        if not is_out_of_memory(error):
            raise ModelError(f"the model {self._space.name} failed: {_one_line(error)}") from error
        if n_tried == 1:
            raise ModelError(
                f"the model {self._space.name} does not fit the memory of {self._device}, not even for one "
                "picture; use --device cpu or a smaller --model"
            ) from error
        self._batch_size = n_tried // 2
        if self._device.startswith("cuda"):
            torch.cuda.empty_cache()


def _build(files: ModelFiles, recorded: EmbeddingSpace | None, device: str, batch_size: int) -> OpenClipEncoder:
    """Load the weights; if a space is recorded, only if they are those of that space."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        hashing = pool.submit(hash_weights, files.weights)  # beside the building: either takes seconds
        network = _build_network(files)
        space = _describe_space(files, hashing.result(), network)
    if recorded is not None:
        _require_same(recorded, space, files)
    tokenizer = _load_tokenizer(files)
    try:
        network = network.to(device)
    except (RuntimeError, MemoryError) as error:
        raise ModelError(f"the model {files.name} does not fit on {device}: {_one_line(error)}") from error
    return OpenClipEncoder(network, tokenizer, recorded or space, device, batch_size)


def _build_network(files: ModelFiles) -> torch.nn.Module:
    """The two towers with every one of their weights from the file, on the CPU.

    `open_clip.create_model` is not used: it goes on with random weights after logging a line, prefers some
    pickled files, and asks the network where a file is missing.
    """
    import open_clip

    cfg: dict[str, Any] = deepcopy(dict(files.model_cfg))
    if ":" in str(cfg["vision_cfg"].get("timm_model_name", "")):
        raise ModelError(
            f"the model {files.name} is refused: its description points to another place for its vision tower"
        )
    cfg["vision_cfg"]["timm_model_pretrained"] = False  # every weight comes from the one file
    cfg["text_cfg"]["hf_model_pretrained"] = False
    custom_text = cfg.pop("custom_text", False) or "hf_model_name" in cfg["text_cfg"]
    kind = open_clip.CLIP
    if custom_text:
        kind = open_clip.CoCa if "multimodal_cfg" in cfg else open_clip.CustomTextCLIP
    try:
        network: torch.nn.Module = kind(**cfg)
        open_clip.load_checkpoint(network, str(files.weights), strict=True)
    except Exception as error:  # a foreign description can fail anywhere in three libraries
        raise ModelError(f"cannot load the model {files.name} from {files.weights}: {_one_line(error)}") from error
    return network.eval().requires_grad_(False)


def _load_tokenizer(files: ModelFiles) -> Callable[[list[str]], torch.Tensor]:
    from open_clip.tokenizer import DEFAULT_CONTEXT_LENGTH, HFTokenizer, SimpleTokenizer

    text_cfg = files.model_cfg["text_cfg"]
    settings = dict(text_cfg.get("tokenizer_kwargs", {}))
    unknown = set(settings) - _TOKENIZER_SETTINGS
    if unknown:
        raise ModelError(
            f"the model {files.name} is refused: it asks its tokenizer for {', '.join(sorted(unknown))}"
        )
    settings["context_length"] = text_cfg.get("context_length", DEFAULT_CONTEXT_LENGTH)
    try:
        if files.tokenizer is None:
            tokenizer: Callable[[list[str]], torch.Tensor] = SimpleTokenizer(**settings)
        else:
            tokenizer = HFTokenizer(
                str(files.tokenizer),
                tokenizer_mode=text_cfg.get("tokenizer_mode"),
                local_files_only=True,
                trust_remote_code=False,
                **settings,
            )
    except Exception as error:  # as above: whatever a foreign tokenizer file provokes
        raise ModelError(
            f"cannot load the tokenizer of {files.name} from {files.tokenizer}: {_one_line(error)}"
        ) from error
    return tokenizer


def _describe_space(files: ModelFiles, weights_hash: str, network: torch.nn.Module) -> EmbeddingSpace:
    from dataclasses import asdict

    from open_clip.transform import PreprocessCfg, merge_preprocess_dict

    merged: dict[str, Any] = merge_preprocess_dict(asdict(PreprocessCfg()), dict(files.preprocess_cfg))
    merged["size"] = getattr(network.visual, "image_size", merged["size"])
    return make_space(files.name, weights_hash, int(files.model_cfg["embed_dim"]), merged)


def make_space(name: str, weights_hash: str, dim: int, preprocess_cfg: Mapping[str, Any]) -> EmbeddingSpace:
    """The record of an embedding space, with its short name.

    Where the model lies does not matter to the short name, only what it is: a moved folder is the same space.
    """
    preprocessing = json.dumps(preprocess_cfg, sort_keys=True, separators=(",", ":"))
    content = json.dumps([weights_hash, dim, preprocessing]).encode()
    architecture, _, own_weights = name.partition(":")
    called = name
    if Path(name).is_absolute():
        called = Path(name).name
    elif Path(own_weights).is_absolute():
        called = architecture
    readable = re.sub(r"[^A-Za-z0-9]+", "-", called).strip("-")[:40] or "model"
    return EmbeddingSpace(
        name,
        weights_hash,
        dim,
        preprocessing,
        f"{readable}-{hashlib.blake2b(content, digest_size=4).hexdigest()}",
    )


def _require_same(recorded: EmbeddingSpace, found: EmbeddingSpace, files: ModelFiles) -> None:
    """Refuse a model that would not place things where the archive's vectors lie."""
    differences = [
        f"{what} {theirs} instead of {ours}"
        for what, ours, theirs in (
            ("weights", recorded.weights_hash, found.weights_hash),
            ("dimension", recorded.dim, found.dim),
            ("preprocessing", recorded.preprocessing, found.preprocessing),
        )
        if ours != theirs
    ]
    if differences:
        raise SpaceMismatchError(
            f"the archive was indexed with {recorded.name} ({recorded.space_id}), but {files.weights} is "
            f"another model: {'; '.join(differences)}; give the original with --model-path, or index again"
        )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
