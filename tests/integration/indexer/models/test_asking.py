"""Questions are encoded without torch, and as the whole model would."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.models.asking import KEPT_FROM, PROBES, TOLERANCE, AskingEncoder, load_asking_encoder
from indexer.models.deferred import DeferredEncoder
from indexer.models.open_clip_encoder import load_encoder, load_encoder_of
from indexer.models.text_tokens import make_tokenizer
from indexer.models.text_tower import TextTower, UnknownTowerError
from indexer.models.weights import find_model
from search_app.confidence.neutral import NEUTRAL_TEXTS, NONSENSE
from store.records import Embeddings, EmbeddingSpace

MANY = [*NEUTRAL_TEXTS, NONSENSE]
WIDTH, DIM, N_WORDS = 32, 16, 500
TINY_VISION = {"image_size": 32, "layers": 1, "width": 32, "patch_size": 16, "head_width": 16}
TEXTS: dict[str, dict[str, Any]] = {
    "clip": {},
    "quick": {"quick_gelu": True},
    "siglip": {"no_causal_mask": True, "pool_type": "last", "proj_bias": True, "norm_kwargs": {"eps": 1e-6}},
    "siglip2": {
        "no_causal_mask": True, "pool_type": "last", "proj_bias": True, "norm_kwargs": {"eps": 1e-6},
        "act_kwargs": {"approximate": "tanh"},
    },
    "eos": {"pool_type": "eos", "eos_id": 3},
    "first": {"pool_type": "first", "no_causal_mask": True, "mlp_ratio": 2.0},
    "bare": {"proj_type": "none", "width": DIM, "pool_type": "last"},
}  # fmt: skip


def make_files(folder: Path, name: str, *, custom: bool, dtype: str = "float32") -> tuple[dict[str, Any], Any]:
    """A tiny model of open_clip's own making, its description and the network."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(5)
    text = {"context_length": 12, "vocab_size": N_WORDS, "width": WIDTH, "heads": 4, "layers": 2, **TEXTS[name]}
    cfg = {
        "embed_dim": DIM,
        "vision_cfg": TINY_VISION,
        "quick_gelu": text.pop("quick_gelu", False),
        "text_cfg": text,
    }
    network = (open_clip.CustomTextCLIP if custom else open_clip.CLIP)(**cfg).eval()
    with torch.no_grad():
        for values in network.parameters():
            values.add_(torch.randn_like(values) * 0.1)
            values.copy_(values.to(getattr(torch, dtype)).float())
    folder.mkdir()
    state = {key: value.to(getattr(torch, dtype)) for key, value in network.state_dict().items()}
    save_file(state, folder / "model.safetensors")
    return {**cfg, "custom_text": custom}, network


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("custom", [False, True])
@pytest.mark.parametrize("name", list(TEXTS))
def test_every_known_tower_gives_what_open_clip_gives(name: str, custom: bool, dtype: str, tmp_path: Path) -> None:
    """Whatever the text side's activation, pooling, mask, projection and kind of numbers."""
    import torch

    cfg, network = make_files(tmp_path / "model", name, custom=custom, dtype=dtype)
    ids = np.random.default_rng(7).integers(4, N_WORDS - 1, (9, 12))
    ids[:, 7], ids[:, 8:] = N_WORDS - 1 if name in ("clip", "quick") else 3, 0
    with torch.inference_mode():
        expected = network.encode_text(torch.from_numpy(ids), normalize=True).numpy()
    found = TextTower(cfg, tmp_path / "model" / "model.safetensors").encode(ids)
    np.testing.assert_allclose(found, expected, atol=TOLERANCE, rtol=0)


def test_every_text_side_that_open_clip_describes_is_known_or_refused() -> None:
    """A setting that is neither would be passed over in silence."""
    import open_clip

    n_known = 0
    for name in open_clip.list_models():
        cfg = open_clip.get_model_config(name)
        assert cfg is not None
        try:
            TextTower({**cfg, "custom_text": False}, Path("nowhere.safetensors"))
        except UnknownTowerError as error:
            n_known += "nowhere" in str(error) or "No such file" in str(error)
    assert n_known > 100


@pytest.mark.parametrize(
    "change",
    [
        {"hf_model_name": "roberta-base"}, {"embed_cls": True}, {"output_tokens": True}, {"pool_type": "none"},
        {"qk_norm": True}, {"ls_init_value": 1e-5}, {"act_kwargs": {"approximate": "none", "x": 1}},
        {"norm_kwargs": {"bias": False}}, {"layers": 1}, {"layers": 3}, {"width": 64}, {"vocab_size": 501},
        {"heads": 5}, {"proj_bias": True}, {"final_ln_after_pool": True},
    ],
)  # fmt: skip
def test_another_tower_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    """Rather than computed as if it were one of those that are known."""
    cfg, _ = make_files(tmp_path / "model", "clip", custom=False)
    cfg["text_cfg"] = {**cfg["text_cfg"], **change}
    with pytest.raises(UnknownTowerError):
        TextTower(cfg, tmp_path / "model" / "model.safetensors")


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=80), st.sampled_from([*PROBES, *MANY, "<end_of_text>", "I'LL", "a\u00a0b"])))
def test_clip_words_are_those_of_open_clip(text: str) -> None:
    """For any text: whatever its script, signs and length."""
    theirs, ours = _both_tokenizers()
    np.testing.assert_array_equal(theirs([text]).numpy(), ours([text]))


@cache
def _both_tokenizers() -> tuple[Any, Any]:
    """The tokenizer of open_clip and ours, made once: either reads a quarter of a million merges."""
    from open_clip.tokenizer import SimpleTokenizer

    return SimpleTokenizer(), make_tokenizer({}, None)


@pytest.mark.parametrize("settings_of", [{}, {"clean": "canonicalize"}, {"clean": "lower"}])
def test_words_of_a_tokenizer_file_are_those_of_transformers(settings_of: dict[str, Any]) -> None:
    """Cleaned, cut and padded alike."""
    from open_clip.tokenizer import HFTokenizer

    files = find_model("demo", None)
    cfg = {"context_length": 9, "tokenizer_kwargs": settings_of}
    theirs = HFTokenizer(str(files.tokenizer), context_length=9, **settings_of)
    rng = random.Random(3)
    texts = [*PROBES, *("".join(rng.choices("abrd otxé&;,_ \n", k=30)) for _ in range(50))]
    np.testing.assert_array_equal(theirs(texts).numpy(), make_tokenizer(cfg, files.tokenizer)(texts))


@pytest.mark.parametrize("cfg", [{"tokenizer_mode": "clips"}, {"tokenizer_kwargs": {"language": "en"}}])
def test_another_tokenizer_is_refused(cfg: dict[str, Any]) -> None:
    """Rather than guessed."""
    with pytest.raises(UnknownTowerError):
        make_tokenizer(cfg, find_model("demo", None).tokenizer)


def test_the_demo_encoder_needs_no_proof() -> None:
    """Its text side gives what the whole gives, for short and for kept lists of texts, and loads nothing else."""
    whole = load_encoder("demo")

    def refuse() -> Any:
        raise AssertionError("the whole model is not needed")

    lean = AskingEncoder(DeferredEncoder(whole.space, refuse))
    for texts in ([], list(PROBES), MANY, MANY, *([text] for text in PROBES)):
        np.testing.assert_allclose(lean.encode_texts(texts), whole.encode_texts(texts), atol=TOLERANCE, rtol=0)
    assert lean.space == whole.space


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model folder as a person brings it, and an empty cache."""
    monkeypatch.setenv("RUSHES_CACHE", str(tmp_path / "cache"))
    files = find_model("demo", None)
    assert files.tokenizer is not None
    return shutil.copytree(files.tokenizer, tmp_path / "model")


class Counted:
    """An encoder of a space that counts how often it was loaded."""

    def __init__(self, space: EmbeddingSpace) -> None:
        self.space, self.n_loaded = space, 0

    def load(self) -> Any:
        self.n_loaded += 1
        return load_encoder_of(self.space)

    def asking(self) -> AskingEncoder:
        return AskingEncoder(DeferredEncoder(self.space, self.load))


def test_any_other_model_proves_its_text_side_once(folder: Path) -> None:
    """The whole model answers the first question of this machine, and from then on its text side does."""
    whole = load_encoder(None, folder)
    counted = Counted(whole.space)
    expected: dict[int, Embeddings] = {1: whole.encode_texts(["a red boat"]), len(MANY): whole.encode_texts(MANY)}
    for n_loaded in (1, 1, 1):
        encoder = counted.asking()
        for texts in (["a red boat"], MANY):
            vectors = encoder.encode_texts(texts)
            np.testing.assert_allclose(vectors, expected[len(texts)], atol=TOLERANCE, rtol=0)
        assert n_loaded == counted.n_loaded
    assert len(MANY) >= KEPT_FROM


def damage(cache: Path, how: str, folder: Path) -> None:
    (record,) = cache.glob("texts/*.json")
    (vectors,) = cache.glob("texts/*.f32")
    if how == "model":
        weights = folder / "open_clip_model.safetensors"
        shutil.copy(weights, folder / "new")
        (folder / "new").replace(weights)
    elif how == "tokenizer":
        (folder / "tokenizer.json").touch()
    elif how == "not equal":
        record.write_text(json.dumps({**json.loads(record.read_bytes()), "is_equal": False}))
    elif how == "cut":
        record.write_bytes(record.read_bytes()[:50])
        vectors.write_bytes(vectors.read_bytes()[:50])
    elif how == "noise":
        record.write_bytes(b'{"states": 5, "model_cfg": []}')
        vectors.write_bytes(bytes(len(vectors.read_bytes())))


@pytest.mark.parametrize("how", ["model", "tokenizer", "not equal", "cut", "noise"])
def test_what_is_not_as_it_was_is_not_believed(how: str, folder: Path, tmp_path: Path) -> None:
    """Files that changed, a side that differed and a damaged cache bring back the whole model."""
    whole = load_encoder(None, folder)
    counted = Counted(whole.space)
    counted.asking().encode_texts(MANY)
    damage(tmp_path / "cache", how, folder)
    encoder = counted.asking()
    for texts in (["a red boat"], MANY):
        np.testing.assert_allclose(encoder.encode_texts(texts), whole.encode_texts(texts), atol=TOLERANCE, rtol=0)
    assert 2 == counted.n_loaded


def test_a_side_that_differs_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a probe is placed elsewhere than by the whole model, the whole model goes on answering."""
    whole = load_encoder(None, folder)
    counted = Counted(whole.space)
    encode = TextTower.encode

    def differ(self: TextTower, word_ids: Any) -> Embeddings:
        return np.ascontiguousarray(encode(self, word_ids)[:, ::-1])

    monkeypatch.setattr(TextTower, "encode", differ)
    for n_loaded in (1, 2):
        vectors = counted.asking().encode_texts(["a red boat"])
        np.testing.assert_allclose(vectors, whole.encode_texts(["a red boat"]), atol=TOLERANCE, rtol=0)
        assert n_loaded == counted.n_loaded


def test_a_cache_that_cannot_be_written_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then every search loads the whole model, as it would without a cache."""
    monkeypatch.setenv("RUSHES_CACHE", str(folder / "open_clip_config.json"))
    counted = Counted(load_encoder(None, folder).space)
    for n_loaded in (1, 2):
        counted.asking().encode_texts(MANY)
        assert n_loaded == counted.n_loaded


def test_another_device_takes_the_whole_model() -> None:
    """Who names a device wants the model there."""
    space = load_encoder("demo").space
    assert isinstance(load_asking_encoder(space), AskingEncoder)
    assert not isinstance(load_asking_encoder(space, device="cuda"), AskingEncoder)


@pytest.fixture(scope="module")
def modules_of_a_question() -> Iterator[set[str]]:
    """What a process has imported that encoded one question."""
    code = (
        "import json, sys; from indexer.models.asking import load_asking_encoder;"
        "from store.records import EmbeddingSpace; space = EmbeddingSpace(*json.loads(sys.argv[1]));"
        "load_asking_encoder(space).encode_texts(['a red boat']); print(json.dumps(sorted(sys.modules)))"
    )
    space = load_encoder("demo").space
    plain = json.dumps([space.name, space.weights_hash, space.dim, space.preprocessing, space.space_id])
    ran = subprocess.run([sys.executable, "-c", code, plain], capture_output=True, text=True, check=True)
    yield set(json.loads(ran.stdout))


def test_a_question_loads_no_torch(modules_of_a_question: set[str]) -> None:
    """Nor anything else that takes seconds."""
    heavy = {"torch", "torchvision", "transformers", "open_clip", "timm", "huggingface_hub", "sklearn", "scipy"}
    assert set() == heavy & modules_of_a_question
