"""Real open_clip checkpoints, tiny ones, through the path that large ones take."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.errors import ModelError
from indexer.models.encoder import RgbImage
from indexer.models.open_clip_encoder import OpenClipEncoder, load_encoder, load_encoder_of
from store.errors import SpaceMismatchError
from tests.tiny_checkpoints import DIM, IMAGE_SIZE_PX, MODEL_CFG, write_tiny_checkpoint

WEIGHTS = "open_clip_model.safetensors"
CONFIG = "open_clip_config.json"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_checkpoint(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def own_tiny(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "own"))


@pytest.fixture
def pictures() -> list[RgbImage]:
    """Smooth pictures of several sizes: landscape, portrait, square, smaller than the network's."""
    rng = np.random.default_rng(5)
    made = []
    for height, width in [(90, 160), (160, 90), (64, 64), (20, 24), (33, 200)]:
        y, x = np.mgrid[0:height, 0:width]
        waves = [
            np.sin(x / rng.uniform(3, 30) + rng.uniform(0, 6)) * np.cos(y / rng.uniform(3, 30)) for _ in range(3)
        ]
        made.append((127 + 120 * np.stack(waves, axis=-1)).astype(np.uint8))
    return made


@pytest.mark.parametrize("resize_mode", ["shortest", "longest", "squash"])
def test_rows_are_those_of_open_clip(own_tiny: Path, pictures: list[RgbImage], resize_mode: str) -> None:
    """Pictures and texts land exactly where open_clip's own loader, transform and tokenizer put them."""
    import open_clip
    import torch
    from PIL import Image

    edit_config(own_tiny, lambda config: config["preprocess_cfg"].update(resize_mode=resize_mode))
    network, _, transform = open_clip.create_model_and_transforms(f"local-dir:{own_tiny}")
    tokenize = open_clip.get_tokenizer(f"local-dir:{own_tiny}")
    network.eval()
    texts = ["a red boat", "", "unknown words", "blue " * 50]
    with torch.inference_mode():
        inputs = torch.stack([transform(Image.fromarray(picture)) for picture in pictures])
        expected_images = network.encode_image(inputs, normalize=True).numpy()
        expected_texts = network.encode_text(tokenize(texts), normalize=True).numpy()
    encoder = load_encoder(None, own_tiny)
    np.testing.assert_allclose(expected_images, encoder.encode_images(pictures), atol=2e-6)
    np.testing.assert_allclose(expected_texts, encoder.encode_texts(texts), atol=2e-6)


def test_the_space_names_the_model_and_its_weights(tiny: Path) -> None:
    """The space holds the folder, the digest of the weights, the dimension and the preprocessing."""
    import hashlib

    encoder = load_encoder(None, tiny)
    assert str(tiny) == encoder.space.name
    assert hashlib.blake2b((tiny / WEIGHTS).read_bytes(), digest_size=16).hexdigest() == encoder.space.weights_hash
    assert (DIM, IMAGE_SIZE_PX) == (encoder.space.dim, encoder.image_size_px)
    assert [0.4, 0.5, 0.6] == json.loads(encoder.space.preprocessing)["mean"]
    assert encoder.space.space_id.startswith("tiny-")


def test_a_recorded_space_loads_again(tiny: Path, own_tiny: Path, pictures: list[RgbImage]) -> None:
    """A recorded model is found where it was, or elsewhere with a hint, and answers the same."""
    first = load_encoder(None, tiny)
    again, moved = load_encoder_of(first.space), load_encoder_of(first.space, own_tiny)
    assert first.space == again.space == moved.space
    np.testing.assert_array_equal(first.encode_images(pictures), again.encode_images(pictures))
    np.testing.assert_array_equal(first.encode_images(pictures), moved.encode_images(pictures))
    assert (
        load_encoder(None, own_tiny).space.space_id.rpartition("-")[2] == first.space.space_id.rpartition("-")[2]
    )


def test_other_weights_are_refused(tiny: Path, tmp_path: Path) -> None:
    """A model with other weights than the recorded ones is refused, naming what differs."""
    space = load_encoder(None, tiny).space
    other = write_tiny_checkpoint(tmp_path / "other", seed=1)
    with pytest.raises(
        SpaceMismatchError, match=r"is another model: weights \w+ instead of \w+; give the original"
    ):
        load_encoder_of(space, other)


def test_one_flipped_bit_is_refused(own_tiny: Path) -> None:
    """One bit of damage in the weights is noticed."""
    space = load_encoder(None, own_tiny).space
    damaged = bytearray((own_tiny / WEIGHTS).read_bytes())
    damaged[-3] ^= 1
    (own_tiny / WEIGHTS).write_bytes(damaged)
    with pytest.raises(SpaceMismatchError, match="weights"):
        load_encoder_of(space)


def test_other_preprocessing_is_refused(own_tiny: Path) -> None:
    """The same weights with another preparation of pictures are another space."""
    space = load_encoder(None, own_tiny).space
    edit_config(own_tiny, lambda config: config["preprocess_cfg"].update(resize_mode="squash"))
    with pytest.raises(SpaceMismatchError, match="preprocessing"):
        load_encoder_of(space)


class Canary:
    """When unpickled, leaves a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["open_clip_pytorch_model.bin", "model.pth", "epoch_9.pt", WEIGHTS])
def test_pickled_weights_are_refused_unread(own_tiny: Path, tmp_path: Path, name: str) -> None:
    """A pickled checkpoint is refused under any name, and the code inside never runs."""
    canary = tmp_path / "canary"
    (own_tiny / WEIGHTS).unlink()
    (own_tiny / name).write_bytes(pickle.dumps(Canary(canary)))
    with pytest.raises(ModelError, match=r"pickled|cannot load") as raised:
        load_encoder(None, own_tiny)
    assert "\n" not in str(raised.value)
    assert not canary.exists()
    pickle.loads((own_tiny / name).read_bytes())  # noqa: S301 - proves that the canary would have sung
    assert canary.exists()


def test_pickled_weights_beside_safetensors_are_not_preferred(own_tiny: Path, tmp_path: Path) -> None:
    """With both in one folder the safetensors file is read and the pickled one is not."""
    canary = tmp_path / "canary"
    (own_tiny / WEIGHTS).rename(own_tiny / "model.safetensors")
    (own_tiny / "open_clip_pytorch_model.bin").write_bytes(pickle.dumps(Canary(canary)))
    assert DIM == load_encoder(None, own_tiny).space.dim
    assert not canary.exists()


def edit_config(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    config = json.loads((folder / CONFIG).read_text())
    edit(config)
    (folder / CONFIG).write_text(json.dumps(config))


def drop_a_layer(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / WEIGHTS)
    del weights["visual.proj"]
    save_file(weights, folder / WEIGHTS)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no folder": (shutil.rmtree, "is missing"),
    "no description": (lambda folder: (folder / CONFIG).unlink(), f"{CONFIG} is missing"),
    "description is no JSON": (
        lambda folder: (folder / CONFIG).write_text("{"),
        "cannot read the model's description",
    ),
    "description of something else": (
        lambda folder: (folder / CONFIG).write_text("[]"),
        "does not describe a model",
    ),
    "no weights": (lambda folder: (folder / WEIGHTS).unlink(), f"{WEIGHTS} is missing"),
    "half of the weights file": (
        lambda folder: (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:9000]),
        "cannot load the model",
    ),
    "a layer is missing": (drop_a_layer, "visual.proj"),
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").unlink(), "lacks tokenizer.json"),
    "tokenizer is no JSON": (
        lambda folder: (folder / "tokenizer.json").write_text("{"),
        "cannot load the tokenizer",
    ),
    "another width": (
        lambda folder: edit_config(folder, lambda config: config["model_cfg"]["vision_cfg"].update(width=64)),
        "cannot load the model",
    ),
    "unknown setting": (
        lambda folder: edit_config(folder, lambda config: config["model_cfg"].update(nonsense=1)),
        "nonsense",
    ),
    "wants to run code": (
        lambda folder: edit_config(
            folder,
            lambda config: config["model_cfg"]["text_cfg"].update(tokenizer_kwargs={"trust_remote_code": True}),
        ),
        "trust_remote_code",
    ),
    "vision tower elsewhere": (
        lambda folder: edit_config(
            folder,
            lambda config: config["model_cfg"]["vision_cfg"].update(timm_model_name="hf-hub:some/where"),
        ),
        "points to another place",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_unusable_folder_is_explained_in_one_line(own_tiny: Path, damage: str) -> None:
    """Whatever a model folder lacks, the error is one line that names the folder and the fault."""
    break_it, expected = DAMAGES[damage]
    break_it(own_tiny)
    with pytest.raises(ModelError) as raised:
        load_encoder(None, own_tiny)
    assert expected in str(raised.value)
    assert str(own_tiny) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_tokenizer_that_brings_code_does_not_run_it(own_tiny: Path, tmp_path: Path) -> None:
    """Python files beside a tokenizer are never executed, even when its description asks for them."""
    canary = tmp_path / "canary"
    (own_tiny / "evil.py").write_text(f"import pathlib\npathlib.Path({str(canary)!r}).touch()\n")
    described = json.loads((own_tiny / "tokenizer_config.json").read_text())
    described["auto_map"] = {"AutoTokenizer": ["evil.Evil", "evil.Evil"]}
    (own_tiny / "tokenizer_config.json").write_text(json.dumps(described))
    assert DIM == load_encoder(None, own_tiny).space.dim
    assert not canary.exists()


def test_weights_that_are_not_numbers_are_noticed(own_tiny: Path, pictures: list[RgbImage]) -> None:
    """A model that answers with NaN is an error, not a ranking."""
    from safetensors.torch import load_file, save_file

    weights = load_file(own_tiny / WEIGHTS)
    weights["visual.proj"][:] = float("nan")
    save_file(weights, own_tiny / WEIGHTS)
    with pytest.raises(ModelError, match="not finite"):
        load_encoder(None, own_tiny).encode_images(pictures)


def limit_memory(encoder: OpenClipEncoder, n_pictures: int) -> list[int]:
    """Let the network run out of memory above so many pictures; gives the batch sizes that were tried."""
    import torch

    tried: list[int] = []

    def refuse(_module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        tried.append(len(inputs[0]))
        if len(inputs[0]) > n_pictures:
            raise torch.OutOfMemoryError("tried to allocate too much")

    tower: Any = encoder._network.visual
    tower.register_forward_pre_hook(refuse)
    return tried


def test_batches_shrink_until_they_fit(tiny: Path, pictures: list[RgbImage]) -> None:
    """Out of memory halves the batch, keeps it small, and changes no row."""
    expected = load_encoder(None, tiny).encode_images(pictures * 4)
    encoder = load_encoder(None, tiny, batch_size=16)
    assert isinstance(encoder, OpenClipEncoder)
    tried = limit_memory(encoder, 5)
    np.testing.assert_allclose(expected, encoder.encode_images(pictures * 4), atol=1e-5)
    assert [16, 8, 4, 4, 4, 4, 4] == tried


def test_no_picture_fits(tiny: Path, pictures: list[RgbImage]) -> None:
    """If not even one picture fits, the error says so and what to do."""
    encoder = load_encoder(None, tiny)
    assert isinstance(encoder, OpenClipEncoder)
    limit_memory(encoder, 0)
    with pytest.raises(ModelError, match="not even for one picture; use --device cpu or a smaller --model"):
        encoder.encode_images(pictures)


@pytest.mark.parametrize("device", ["cuda:99", "npu", "", "cpu:x", "CPU"])
def test_an_absent_device_is_refused(tiny: Path, device: str) -> None:
    """A device that torch does not have here is refused with the ones that it has."""
    with pytest.raises(ModelError, match=r"there is no device .* use --device auto or .*cpu"):
        load_encoder(None, tiny, device=device)


def test_an_architecture_takes_weights_of_its_own(
    own_tiny: Path, tmp_path: Path, pictures: list[RgbImage]
) -> None:
    """ARCH with a safetensors file or its folder is recorded as ARCH:FILE, which loads again."""
    import open_clip

    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "Rushes-Tiny.json").write_text(json.dumps(MODEL_CFG))
    open_clip.add_model_config(tmp_path / "configs")
    (own_tiny / CONFIG).unlink()
    encoder = load_encoder("Rushes-Tiny", own_tiny)
    assert f"Rushes-Tiny:{own_tiny / WEIGHTS}" == encoder.space.name
    assert encoder.space == load_encoder("Rushes-Tiny", own_tiny / WEIGHTS).space
    assert encoder.space == load_encoder(encoder.space.name).space
    moved = own_tiny.rename(tmp_path / "moved")
    again = load_encoder_of(encoder.space, moved)
    assert encoder.space == again.space
    np.testing.assert_array_equal(encoder.encode_images(pictures), again.encode_images(pictures))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ViT-B-99/laion", "no model is called 'ViT-B-99/laion'"),
        ("ViT-B-32/nonsense", "knows no checkpoint 'nonsense' of ViT-B-32; it knows: "),
        ("ViT-B-32", "knows no checkpoint '' of ViT-B-32"),
        ("ViT-B-32:/no/such/file.safetensors", "there is no model at /no/such/file.safetensors"),
        ("RN50x4/openai:x", "there is no model at"),
        ("hf-hub:", "not a repository of the hub"),
        ("hf-hub:one/two/three", "not a repository of the hub"),
        ("/no/such/folder", "there is no model in /no/such/folder"),
        ("../relative", "no model is called"),
    ],
)
def test_a_wrong_name_is_explained(name: str, expected: str) -> None:
    """A name that means nothing gives one line with the reason."""
    with pytest.raises(ModelError) as raised:
        load_encoder(name)
    assert expected in str(raised.value)
    assert "\n" not in str(raised.value)
