"""Names of embedding spaces and of repositories, and what importing costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from indexer.errors import ModelError
from indexer.models.hub import HubRepo
from indexer.models.open_clip_encoder import make_space

PREPROCESS = {"size": (224, 224), "mean": (0.5, 0.5, 0.5), "interpolation": "bicubic"}


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("demo", "demo"),
        ("ViT-B-32/laion2b_s34b_b79k", "ViT-B-32-laion2b-s34b-b79k"),
        ("hf-hub:timm/PE-Core-B-16", "hf-hub-timm-PE-Core-B-16"),
        ("/models/my siglip", "my-siglip"),
        ("ViT-B-32:/models/own.safetensors", "ViT-B-32"),
        ("/models/模型", "model"),
        ("/models/" + "x" * 300, "x" * 40),
    ],
)
def test_the_short_name_is_readable_and_safe(name: str, readable: str) -> None:
    """A space's short name starts with the model's and ends with eight hex digits."""
    head, _, digest = make_space(name, "ab12", 512, PREPROCESS).space_id.rpartition("-")
    assert readable == head
    assert len(digest) == 8
    assert int(digest, 16) >= 0


def test_the_short_name_changes_with_what_the_space_is_made_of() -> None:
    """Weights, dimension and preprocessing each change the short name; the folder does not."""
    base = make_space("/models/tiny", "ab12", 512, PREPROCESS).space_id
    others = {
        make_space("/models/tiny", "ab13", 512, PREPROCESS).space_id,
        make_space("/models/tiny", "ab12", 513, PREPROCESS).space_id,
        make_space("/models/tiny", "ab12", 512, {**PREPROCESS, "interpolation": "bilinear"}).space_id,
    }
    assert len(others | {base}) == 4
    assert base == make_space("/elsewhere/tiny", "ab12", 512, PREPROCESS).space_id


def test_preprocessing_is_canonical() -> None:
    """The order of the settings and the kind of sequence do not change the record."""
    turned = {"interpolation": "bicubic", "mean": [0.5, 0.5, 0.5], "size": [224, 224]}
    assert make_space("demo", "ab12", 512, PREPROCESS) == make_space("demo", "ab12", 512, turned)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("org/name", HubRepo("org/name")),
        ("org/name@main", HubRepo("org/name", "main")),
        ("org/name@", HubRepo("org/name")),
    ],
)
def test_a_repository_may_name_its_revision(text: str, expected: HubRepo) -> None:
    """`org/name@revision` pins a revision."""
    assert expected == HubRepo.parse(text)


@pytest.mark.parametrize("text", ["", "name", "/name", "org/", "a/b/c", "@main"])
def test_what_is_no_repository_is_refused(text: str) -> None:
    """Anything but organisation and name is refused."""
    with pytest.raises(ModelError, match="not a repository of the hub"):
        HubRepo.parse(text)


def test_importing_the_encoder_imports_nothing_heavy() -> None:
    """The module can be imported by a command that needs no model."""
    script = (
        "import sys, indexer.models.open_clip_encoder, indexer.models.weights\n"
        "print([m for m in ('torch', 'open_clip', 'transformers', 'huggingface_hub', 'PIL') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
