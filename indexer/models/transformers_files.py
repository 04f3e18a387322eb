"""Checkpoints of transformers: found on the hub or in a folder, and loaded without code or pickles.

Names that can be typed:

    org/name[@revision]    a repository of the hub
    /path/to/folder        a local folder, as `save_pretrained` writes it; also ./folder and ~/folder
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from indexer.errors import ModelError
from indexer.models.device import choose_device
from indexer.models.hub import HubRepo, find_hub_snapshot
from store.limited import Limits, read_limited_json

_PATTERNS: Final = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
"""What is fetched: neither pickles nor code."""
_PICKLED: Final = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack", ".h5")
_CONFIG_LIMITS: Final = Limits(most_bytes=2**22, most_values=500_000)
_BLOCK: Final = 2**22
WAY_OUT: Final = "fetch it once with a connection (hf download ORG/NAME), or name a local folder with its files"


@dataclass(frozen=True, slots=True)
class CheckpointFiles:
    """A checkpoint on this machine.

    Args:
        name: as it was asked for, without a revision; of a folder its absolute path.
        folder: where its files are.
        config: what its config.json says.
        revision: commit of the hub; empty for a folder.
        weights_hash: hex digest (BLAKE2b, 128 bits) of its safetensors files.
    """

    name: str
    folder: Path
    config: Mapping[str, Any] = field(repr=False)
    revision: str = ""
    weights_hash: str = ""

    @property
    def model_type(self) -> str:
        """What transformers calls its architecture."""
        return str(self.config.get("model_type", ""))


class OfCheckpoint:
    """A model that is a checkpoint: what runs record of it. A subclass sets `_files`."""

    _files: CheckpointFiles

    @property
    def name(self) -> str:
        """As it was asked for, without a revision; of a folder its absolute path."""
        return self._files.name

    @property
    def revision(self) -> str:
        """Commit of the hub; empty for a folder."""
        return self._files.revision

    @property
    def weights_hash(self) -> str:
        """Hex digest (BLAKE2b, 128 bits) of its weights files."""
        return self._files.weights_hash


def find_checkpoint(model: str) -> CheckpointFiles:
    """The files of a checkpoint.

    Args:
        model: a name as this module's docstring lists them.

    Raises:
        ModelError: the name means nothing, a file is neither here nor to be had, or weights are pickled.
    """
    path = Path(model).expanduser()
    if path.is_absolute() or model.startswith("."):
        folder = path.absolute()
        return _describe(folder, str(folder), "")
    if model.count("/") != 1:
        raise ModelError(f"no model is called {model!r:.100}: write ORGANISATION/NAME, or the path of a folder")
    repo = HubRepo.parse(model)
    folder = find_hub_snapshot(repo, _PATTERNS, _has_weights, WAY_OUT)
    return _describe(folder, repo.repo_id, folder.name)


def load_model(files: CheckpointFiles, kind: str, device: str) -> Any:
    """The network with all its weights, in evaluation mode; half precision on GPUs only.

    Args:
        files: the checkpoint.
        kind: class of transformers, such as `AutoModelForCausalLM`.
        device: as for `load_encoder`.

    Raises:
        ModelError: the checkpoint is of another architecture, damaged, or not whole; or there is no such device.
    """
    import torch
    import transformers

    target = choose_device(device)
    dtype = torch.float32
    if target.startswith("cuda"):
        dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    try:
        with _quiet():
            network, told = getattr(transformers, kind).from_pretrained(
                files.folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=dtype,
                output_loading_info=True,
            )  # fmt: skip
    except Exception as error:  # a foreign checkpoint can fail anywhere in three libraries
        raise ModelError(f"cannot load the model {files.name} from {files.folder}: {_one_line(error)}") from error
    if missing := sorted(told["missing_keys"]):
        raise ModelError(
            f"the checkpoint in {files.folder} is not whole, or of another architecture: it lacks {len(missing)} "
            f"weights, such as {missing[0]}; fetch it again"
        )
    try:
        return network.eval().requires_grad_(False).to(target)
    except (RuntimeError, MemoryError) as error:
        raise ModelError(f"the model {files.name} does not fit on {target}: {_one_line(error)}") from error


def load_processor(files: CheckpointFiles, kind: str = "AutoProcessor") -> Any:
    """What prepares inputs for the network: a processor, tokenizer, or image processor.

    Raises:
        ModelError: a file of it, or a package that it needs, is missing.
    """
    import transformers

    try:
        with _quiet():
            return getattr(transformers, kind).from_pretrained(
                files.folder, local_files_only=True, trust_remote_code=False
            )
    except ImportError as error:
        raise ModelError(f"the model {files.name} needs a package that is missing: {_one_line(error)}") from error
    except Exception as error:  # as above
        raise ModelError(
            f"cannot load what prepares inputs for {files.name} from {files.folder}: {_one_line(error)}"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence progress bars and remarks of transformers while it loads; they are not for people who search."""
    from transformers.utils import logging as said

    level, had_bar = said.get_verbosity(), said.is_progress_bar_enabled()
    said.set_verbosity(logging.ERROR)
    said.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        said.set_verbosity(level)
        if had_bar:
            said.enable_progress_bar()  # type: ignore[no-untyped-call]


def _describe(folder: Path, name: str, revision: str) -> CheckpointFiles:
    if not folder.is_dir():
        raise ModelError(f"there is no model in {folder}; {WAY_OUT}")
    path = folder / "config.json"
    try:
        config = read_limited_json(path, _CONFIG_LIMITS)
    except FileNotFoundError as error:
        raise ModelError(
            f"the model folder {folder} lacks config.json; copy it there from where it came"
        ) from error
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read the model's description {path}: {error}") from error
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise ModelError(f"{path} describes no model of transformers: model_type is missing")
    if not _has_weights(folder):
        pickled = sorted(file.name for file in folder.iterdir() if file.suffix in _PICKLED)
        if pickled:
            raise ModelError(
                f"{folder} holds no safetensors file; {pickled[0]} is pickled and refused: loading it can run "
                "code; choose a revision or a copy with model.safetensors"
            )
        raise ModelError(f"the model folder {folder} lacks model.safetensors; {WAY_OUT}")
    return CheckpointFiles(name, folder, config, revision, _hash_weights(folder))


def _has_weights(folder: Path) -> bool:
    """Whether all safetensors files of a checkpoint are there."""
    index = folder / "model.safetensors.index.json"
    if not index.exists():
        return (folder / "model.safetensors").is_file()
    try:
        parts = read_limited_json(index, _CONFIG_LIMITS)["weight_map"].values()
        return all((folder / Path(str(part)).name).is_file() for part in parts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"cannot read {index}: {error}") from error


def _hash_weights(folder: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    try:
        for path in sorted(folder.glob("*.safetensors")):
            with path.open("rb") as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
    except OSError as error:
        raise ModelError(f"cannot read the weights in {folder}: {error.strerror}") from error
    return digest.hexdigest()


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
