"""A model folder from a stranger runs no code, fetches nothing and takes no more memory than it needs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import ModelError
from indexer.models.open_clip_encoder import load_encoder, load_encoder_of
from store.records import EmbeddingSpace
from tests.opened_files import watched
from tests.tiny_checkpoints import write_tiny_checkpoint

Change = Callable[[Path], object]


def config(change: Callable[[dict[str, Any]], object]) -> Change:
    def forge(folder: Path) -> None:
        path = folder / "open_clip_config.json"
        plain = json.loads(path.read_text())
        change(plain)
        path.write_text(json.dumps(plain))

    return forge


def text_cfg(**values: Any) -> Change:
    return config(lambda plain: plain["model_cfg"]["text_cfg"].update(values))


def vision_cfg(**values: Any) -> Change:
    return config(lambda plain: plain["model_cfg"]["vision_cfg"].update(values))


def beside(name: str, data: bytes) -> Change:
    return lambda folder: (folder / name).write_bytes(data)


def pipe(name: str) -> Change:
    def forge(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)

    return forge


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (text_cfg(hf_model_name="evil/model"), "described elsewhere"),
        (text_cfg(hf_model_name="/etc"), "described elsewhere"),
        (text_cfg(tokenizer_kwargs={"trust_remote_code": True}), "asks its tokenizer for trust_remote_code"),
        (vision_cfg(timm_model_name="hf-hub:evil/model"), "points to another place"),
        (beside("config.json", b'{"auto_map": {"AutoConfig": "evil.Config"}}'), "names code to run"),
        (beside("tokenizer_config.json", b"[" * 100_000), "tokenizer_config.json"),
        (beside("open_clip_config.json", b'{"a":' * 100_000), "nested deeper"),
        (beside("open_clip_config.json", b'{"model_cfg": 1e999}'), "no number"),
        (vision_cfg(layers=10**6, width=10**5), "larger than its weights"),
        (text_cfg(vocab_size=10**6, width=10**4), "larger than its weights"),
        (config(lambda plain: plain["model_cfg"].update(embed_dim=10**9)), "larger than its weights"),
        (beside("open_clip_model.safetensors", b"\xff" * 7 + b"\x7f" + b"{}"), "cannot load the model"),
        (beside("open_clip_model.safetensors", (2**40).to_bytes(8, "little") + b"{}"), "cannot load the model"),
        (beside("tokenizer.json", b"[" * 100_000), "cannot load the tokenizer"),
        (pipe("open_clip_config.json"), "no regular file"),
        (pipe("config.json"), "no regular file"),
        (pipe("tokenizer.json"), "tokenizer.json"),
    ],
)
def test_a_forged_model_folder_is_refused(tmp_path: Path, change: Change, says: str) -> None:
    """In one line; no program is started and no address is connected to."""
    folder = write_tiny_checkpoint(tmp_path / "model")
    change(folder)
    with watched() as watch, pytest.raises(ModelError, match=says) as caught:
        load_encoder(model_path=folder, device="cpu")
    assert "\n" not in str(caught.value)
    assert ([], []) == (watch.started, watch.connected)


def test_what_an_archive_names_on_the_hub_is_not_fetched() -> None:
    """A model that is not on this machine is asked for, without a connection."""
    space = EmbeddingSpace("hf-hub:stranger/model", "00", 8, "{}", "model-00")
    with watched() as watch, pytest.raises(ModelError, match="is not fetched because an archive says so"):
        load_encoder_of(space, device="cpu")
    assert [] == watch.connected
