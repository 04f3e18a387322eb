"""Models of the hub: from the cache without a network, by download, and what is said when neither works.

Each case runs in a process of its own, because the hub's client reads its environment when it is imported.
"""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tiny_checkpoints import write_tiny_checkpoint

REPO = "org/tiny"
HEADLESS = "org/headless"
PICKLED = "org/pickled"
DEFAULT = "ViT-B-32-SigLIP2-256/webli"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
NOTHING_LISTENS = "http://127.0.0.1:9"

SCRIPT = """
import json, sys, time
import open_clip, transformers, huggingface_hub
from indexer.errors import ModelError
from indexer.models.open_clip_encoder import load_encoder

asked = []
watched = ("socket.connect", "socket.getaddrinfo")
sys.addaudithook(lambda event, args: asked.append(repr(args)) if event in watched else None)
answers = []
for model in sys.argv[1:]:
    asked.clear()
    started = time.perf_counter()
    try:
        answer = {"space": load_encoder(model).space.name}
    except ModelError as error:
        answer = {"error": str(error)}
    answers.append({**answer, "asked": asked[:], "seconds": time.perf_counter() - started})
print(json.dumps(answers))
"""


@dataclass(frozen=True)
class Answer:
    """What loading gave: a space or an error, what was asked of the network, and how long it took."""

    seconds: float
    asked: list[str]
    space: str = ""
    error: str = ""


def load(models: list[str], cache: Path, **environment: str) -> list[Answer]:
    """What loading each of these models gives, one after the other, in a new process."""
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, *models],
        env={**os.environ, "HF_HUB_CACHE": str(cache), **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return [Answer(**answer) for answer in json.loads(ran.stdout.splitlines()[-1])]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_checkpoint(tmp_path_factory.mktemp("repo") / "tiny", tokenizer_name=REPO)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Path:
    """A cache of the hub that holds the tiny model, and another whose tokenizer is not there."""
    folder = tmp_path_factory.mktemp("cache")
    for repo_id in (REPO, HEADLESS):
        repo = folder / f"models--{repo_id.replace('/', '--')}"
        shutil.copytree(checkpoint, repo / "snapshots" / COMMIT)
        (repo / "refs").mkdir()
        (repo / "refs" / "main").write_text(COMMIT)
    config = folder / f"models--{HEADLESS.replace('/', '--')}" / "snapshots" / COMMIT / "open_clip_config.json"
    config.write_text(config.read_text().replace(REPO, "org/tokenizer"))
    return folder


@pytest.fixture(scope="module")
def hub(checkpoint: Path) -> Iterator[str]:
    """A server that offers the tiny model as the hub would."""

    class Hub(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(with_body=False)

        def do_GET(self) -> None:
            self.answer(with_body=True)

        def answer(self, *, with_body: bool) -> None:
            organisation_and_name, _, revision_and_name = self.path.strip("/").partition("/resolve/")
            name = revision_and_name.partition("/")[2]
            file = checkpoint / name
            hidden = organisation_and_name == PICKLED and name.endswith(".safetensors")
            if name and (hidden or not file.is_file()):
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound")
                content = b""
            else:
                self.send_response(200)
                content = file.read_bytes() if name else b""
                self.send_header("ETag", f'"{name}-1"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if with_body:
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_cache_is_used_without_asking_the_network(cache: Path) -> None:
    """What is in the cache loads without one look at the network; what is not fails at once."""
    models = [f"hf-hub:{REPO}", f"hf-hub:{REPO}@{COMMIT}", DEFAULT, "hf-hub:org/other"]
    main, pinned, default, other = load(models, cache, HF_ENDPOINT=NOTHING_LISTENS)
    assert (f"hf-hub:{REPO}", []) == (main.space, main.asked)
    assert (f"hf-hub:{REPO}@{COMMIT}", []) == (pinned.space, pinned.asked)
    require_explained(
        default, "open_clip_model.safetensors or model.safetensors of timm/ViT-B-32-SigLIP2-256", cache
    )
    require_explained(other, "open_clip_config.json of org/other", cache)


def test_offline_mode_never_asks_the_network(cache: Path) -> None:
    """With HF_HUB_OFFLINE, what is missing (weights, revision, tokenizer) is named without asking anybody."""
    turned = f"{REPO}@{COMMIT[::-1]}"
    models = [f"hf-hub:{REPO}", DEFAULT, f"hf-hub:{turned}", f"hf-hub:{HEADLESS}"]
    found, default, revision, headless = load(models, cache, HF_HUB_OFFLINE="1")
    assert f"hf-hub:{REPO}" == found.space
    require_explained(
        default, "open_clip_model.safetensors or model.safetensors of timm/ViT-B-32-SigLIP2-256", cache
    )
    require_explained(revision, f"open_clip_config.json of {turned}", cache)
    require_explained(headless, "tokenizer.json of org/tokenizer", cache)
    assert [[], [], [], []] == [found.asked, default.asked, revision.asked, headless.asked]


def require_explained(answer: Answer, missing: str, cache: Path) -> None:
    """One line says which file, where it was looked for, and both ways out, within seconds."""
    assert answer.error.startswith(f"{missing} is not on this machine (looked in {cache})")
    assert "--model demo" in answer.error
    assert "--model-path DIR" in answer.error
    assert "\n" not in answer.error
    assert answer.seconds < 8


def test_what_is_not_cached_is_downloaded_once(hub: str, tmp_path: Path) -> None:
    """A model is downloaded with its tokenizer, and from then on needs no network; safetensors only."""
    models = [f"hf-hub:{REPO}@v1", f"hf-hub:{REPO}", f"hf-hub:{REPO}", f"hf-hub:{PICKLED}"]
    pinned, main, again, pickled = load(models, tmp_path, HF_ENDPOINT=hub)
    assert f"hf-hub:{REPO}@v1" == pinned.space
    assert f"hf-hub:{REPO}" == main.space
    assert (f"hf-hub:{REPO}", []) == (again.space, again.asked)
    assert f"{PICKLED} on the hub has no open_clip_model.safetensors or model.safetensors" in pickled.error
