"""From the name of a model to the files it is made of.

Names that can be typed, and that an archive records:

    demo                        the encoder that comes with Rushes
    starter                     for real footage, of the weights in the extra `offline` (see `starter_encoder`)
    ARCH/TAG                    what open_clip knows by name, such as ViT-B-32/laion2b_s34b_b79k
    ARCH:/path/to.safetensors   the same, with weights of one's own (ARCH/TAG: prepares pictures as for TAG)
    hf-hub:org/name[@revision]  a repository of the Hugging Face hub in open_clip's format
    /path/to/folder             a local folder in open_clip's format

Weights are read from safetensors files only: loading a pickled checkpoint can run code that came with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from indexer.errors import ModelError
from indexer.models.hub import WAYS_OUT, HubRepo, find_hub_file, find_hub_folder, is_cached
from store.limited import Limits, read_limited_json

DEFAULT_MODEL = "ViT-B-32-SigLIP2-256/webli"
"""For real footage on any machine: multilingual, free to use (Apache-2.0), the best for its cost on a CPU.

Published COCO text-to-image recall@1 is 47.2, against 39.3 of ViT-B-32/laion2b_s34b_b79k, at 1.25 times the
cost of one picture; the next better (52.1) costs 3.1 times. Its tokenizer is not part of open_clip, so three
files of `timm/ViT-B-32-SigLIP2-256` must be in the Hugging Face cache or be downloaded:
open_clip_model.safetensors, tokenizer.json and tokenizer_config.json.
"""

DEMO_MODEL = "demo"

_HUB_PREFIX = "hf-hub:"
_CONFIG_FILE = "open_clip_config.json"
_WEIGHTS_FILES = ("open_clip_model.safetensors", "model.safetensors")
_TOKENIZER_FILE = "tokenizer.json"
_TOKENIZER_COMPANIONS = ("tokenizer_config.json", "special_tokens_map.json", "config.json")
_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_CONFIG_LIMITS = Limits(most_bytes=2**22, most_values=200_000)
_MOST_TOKENIZER_BYTES = 2**28
_MOST_NUMBER = 10**7
_SMALL = 50_000_000
_CAN_RUN_CODE = "loading a pickled checkpoint can run code"
_TO_SAFETENSORS = (
    "convert it where you trust it: safetensors.torch.save_file(torch.load(FILE, weights_only=True), OUT)"
)


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files of a model, all of them on this machine.

    Args:
        name: how to name the model so that it is found again.
        model_cfg: open_clip's description of the two towers.
        preprocess_cfg: how pictures are prepared, where it differs from open_clip's default.
        weights: safetensors file.
        tokenizer: folder with the tokenizer's files; None for CLIP's own, which comes with open_clip.
    """

    name: str
    model_cfg: Mapping[str, Any]
    preprocess_cfg: Mapping[str, Any]
    weights: Path
    tokenizer: Path | None


def find_recorded_model(name: str) -> ModelFiles:
    """Every file of the model that an archive names.

    The archive may be a stranger's: what it names on the hub is used if it is on this machine, and not fetched.

    Raises:
        ModelError: the name means nothing, or a file is not here.
    """
    if name.startswith(_HUB_PREFIX):
        repo = HubRepo.parse(name.removeprefix(_HUB_PREFIX))
        if not is_cached(repo, _CONFIG_FILE):
            raise ModelError(
                f"the archive names the model {name}, which is not on this machine and is not fetched because an "
                f"archive says so; if you trust it: hf download {repo.repo_id}, or --model-path DIR"
            )
    return find_model(name, None)


def find_model(model: str | None, model_path: Path | None) -> ModelFiles:
    """Every file of the model that was asked for; `DEFAULT_MODEL` if nothing was.

    Args:
        model: a name as this module's docstring lists them.
        model_path: a folder in open_clip's format; or, beside a `model` that is ARCH or ARCH/TAG, a
            safetensors file or a folder with one.

    Raises:
        ModelError: the name means nothing, or a file is neither here nor to be had.
    """
    if model_path is not None:
        path = model_path.expanduser().absolute()
        return find_in_folder(path, str(path)) if model is None else _find_architecture(model, path)
    name = model or DEFAULT_MODEL
    if name == DEMO_MODEL:
        return find_in_folder(Path(str(files("indexer.demo") / "encoder")), DEMO_MODEL)
    if name.startswith(_HUB_PREFIX):
        return _find_on_hub(name)
    if Path(name).expanduser().is_absolute():
        return find_in_folder(Path(name).expanduser(), name)
    architecture, colon, own_weights = name.partition(":")
    if colon:
        return _find_architecture(architecture, Path(own_weights).expanduser().absolute())
    return _find_architecture(name, None)


def find_in_folder(folder: Path, name: str) -> ModelFiles:
    """The files of a model in a folder of open_clip's format, to be recorded under `name`."""
    config = _read_config(folder / _CONFIG_FILE)
    weights = _find_weights(folder)
    _refuse_giants(config["model_cfg"], weights, folder / _CONFIG_FILE)
    _refuse_code(folder)
    elsewhere = config["model_cfg"]["text_cfg"].get("hf_model_name")
    if elsewhere is not None:  # nothing is fetched, or looked for, on its word
        raise ModelError(
            f"the model in {folder} is refused: its text tower is described elsewhere ({elsewhere!r:.100}); "
            "name the model on the hub, with --model hf-hub:organisation/name"
        )
    tokenizer = None
    if config["model_cfg"]["text_cfg"].get("hf_tokenizer_name"):
        tokenizer = folder
        if not (folder / _TOKENIZER_FILE).is_file():
            raise ModelError(
                f"the model folder {folder} lacks {_TOKENIZER_FILE}; copy it there from where the model came"
            )
    return ModelFiles(name, config["model_cfg"], config.get("preprocess_cfg", {}), weights, tokenizer)


def hash_weights(weights: Path) -> str:
    """Hex digest (BLAKE2b, 128 bits) of a weights file."""
    try:
        with weights.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError as error:
        raise ModelError(f"cannot read the weights {weights}: {error.strerror}") from error


def _find_on_hub(name: str) -> ModelFiles:
    repo = HubRepo.parse(name.removeprefix(_HUB_PREFIX))
    config = _read_config(find_hub_file(repo, [_CONFIG_FILE]))
    weights = find_hub_file(repo, _WEIGHTS_FILES)
    model_cfg = config["model_cfg"]
    return ModelFiles(
        name,
        _localize(model_cfg),
        config.get("preprocess_cfg", {}),
        weights,
        _find_tokenizer(model_cfg, None),
    )


def _find_architecture(name: str, own_weights: Path | None) -> ModelFiles:
    """A model whose towers open_clip describes; weights from `own_weights` or those of its tag."""
    import open_clip

    architecture, _, tag = name.partition("/")
    model_cfg = open_clip.get_model_config(architecture)
    if model_cfg is None:
        raise ModelError(
            f"no model is called {name!r}: write demo, starter, ARCHITECTURE/TAG as open_clip names them "
            f"(such as {DEFAULT_MODEL}), hf-hub:organisation/name, or --model-path DIR"
        )
    if own_weights is None or tag:
        checkpoint = open_clip.get_pretrained_cfg(architecture, tag)
        if not checkpoint:
            tags = ", ".join(open_clip.list_pretrained_tags_by_model(architecture)) or "none"
            raise ModelError(f"open_clip knows no checkpoint {tag!r} of {architecture}; it knows: {tags}")
        if checkpoint.get("quick_gelu"):
            model_cfg["quick_gelu"] = True  # these weights were trained with it, whatever the architecture says
    else:
        checkpoint = {}
    weights = _find_weights(own_weights) if own_weights else _find_checkpoint(name, checkpoint)
    beside = weights.parent if own_weights else None
    return ModelFiles(
        f"{name}:{weights}" if own_weights else name,
        _localize(model_cfg),
        checkpoint,
        weights,
        _find_tokenizer(model_cfg, beside),
    )


def _find_checkpoint(name: str, checkpoint: Mapping[str, Any]) -> Path:
    """The weights of one of open_clip's tags."""
    location = str(checkpoint.get("hf_hub", ""))
    if not location:
        raise ModelError(
            f"open_clip offers {name} as a pickled checkpoint only, which is refused: {_CAN_RUN_CODE}; "
            f"choose another model, or {_TO_SAFETENSORS} and give --model {name} --model-path OUT"
        )
    repo_id, _, file = location.rpartition("/")
    own = f"{Path(file).stem}.safetensors" if file else ""
    return find_hub_file(HubRepo.parse(repo_id), [own] if own else _WEIGHTS_FILES)


def _find_weights(path: Path) -> Path:
    """The one safetensors file at `path`, which may be a folder or the file itself."""
    if path.is_file():
        if path.suffix != ".safetensors":
            raise ModelError(
                f"the weights {path} are refused, not being safetensors: {_CAN_RUN_CODE}; {_TO_SAFETENSORS}"
            )
        return path
    if not path.is_dir():
        raise ModelError(f"there is no model at {path}; {WAYS_OUT}")
    for name in _WEIGHTS_FILES:
        if (path / name).is_file():
            return path / name
    found = sorted(path.glob("*.safetensors"))
    if len(found) == 1:
        return found[0]
    if found:
        raise ModelError(f"{path} holds several safetensors files: name the right one {_WEIGHTS_FILES[0]}")
    pickled = sorted(file.name for file in path.iterdir() if file.suffix in _PICKLED)
    if pickled:
        raise ModelError(
            f"{path} holds no safetensors file; {pickled[0]} is pickled and refused: {_CAN_RUN_CODE}; "
            f"{_TO_SAFETENSORS} as {path / _WEIGHTS_FILES[0]}"
        )
    raise ModelError(f"{path} holds no weights: {_WEIGHTS_FILES[0]} is missing; {WAYS_OUT}")


def _find_tokenizer(model_cfg: Mapping[str, Any], beside: Path | None) -> Path | None:
    """The folder of the tokenizer that the text tower was trained with."""
    name = model_cfg["text_cfg"].get("hf_tokenizer_name")
    if not name:
        return None
    if beside is not None and (beside / _TOKENIZER_FILE).is_file():
        return beside
    return find_hub_folder(HubRepo(name), _TOKENIZER_FILE, _TOKENIZER_COMPANIONS)


def _localize(model_cfg: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same model with a text tower of transformers, if it has one, described by a local folder."""
    text_cfg = model_cfg["text_cfg"]
    if "hf_model_name" not in text_cfg:
        return model_cfg
    folder = find_hub_folder(HubRepo(text_cfg["hf_model_name"]), "config.json", ())
    _refuse_code(folder)  # transformers would ask at the terminal whether to run it
    return {**model_cfg, "text_cfg": {**text_cfg, "hf_model_name": str(folder)}}


def _read_config(path: Path) -> dict[str, Any]:
    """A model's open_clip_config.json, with at least the parts that are used here."""
    try:
        config = read_limited_json(path, _CONFIG_LIMITS)
    except FileNotFoundError as error:
        raise ModelError(f"there is no model in {path.parent}: {path.name} is missing; {WAYS_OUT}") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read the model's description {path}: {error}") from error
    model_cfg = config.get("model_cfg") if isinstance(config, dict) else None
    towers = ("vision_cfg", "text_cfg")
    if not isinstance(model_cfg, dict) or not all(isinstance(model_cfg.get(tower), dict) for tower in towers):
        raise ModelError(f"{path} does not describe a model: model_cfg with vision_cfg and text_cfg is expected")
    if not isinstance(config.get("preprocess_cfg", {}), dict):
        raise ModelError(f"{path} does not describe a model: preprocess_cfg is none")
    found: dict[str, Any] = config
    return found


def _refuse_giants(config: Mapping[str, Any], weights: Path, path: Path) -> None:
    """Refuse a description of more weights than the file can hold, before memory is asked for them.

    Raises:
        ModelError: it describes a model that is larger than its weights.
    """
    numbers = list(_numbers(config))
    towers = [config["vision_cfg"], config["text_cfg"]]
    n_weights = 0
    for tower in towers:
        layers, width, words = (tower.get(name, 0) for name in ("layers", "width", "vocab_size"))
        if type(layers) is int and type(width) is int and type(words) is int:
            n_weights += abs(width) * (12 * abs(layers) * abs(width) + abs(words))
    if max(map(abs, numbers), default=0) > _MOST_NUMBER or n_weights > 4 * weights.stat().st_size + _SMALL:
        raise ModelError(f"{path} describes a model that is larger than its weights {weights.name}: refused")


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _numbers(one)
    elif isinstance(value, (int, float)):
        yield value


def _refuse_code(folder: Path) -> None:
    """Refuse a model whose files name code to run.

    Raises:
        ModelError: they do, or cannot be read.
    """
    for name in _TOKENIZER_COMPANIONS:
        path = folder / name
        try:
            config = read_limited_json(path, _CONFIG_LIMITS) if path.exists() else {}
        except (OSError, ValueError) as error:
            raise ModelError(f"cannot read {path}: {error}") from error
        if not isinstance(config, dict):
            raise ModelError(f"the model in {folder} is refused: {name} describes nothing")
        if name == "config.json" and "auto_map" in config:  # a tokenizer's code is never asked for
            raise ModelError(f"the model in {folder} is refused: {name} names code to run")
    tokenizer = folder / _TOKENIZER_FILE
    if tokenizer.exists() and (not tokenizer.is_file() or tokenizer.stat().st_size > _MOST_TOKENIZER_BYTES):
        raise ModelError(f"{tokenizer} is no tokenizer: a file of at most {_MOST_TOKENIZER_BYTES >> 20} MiB is")
