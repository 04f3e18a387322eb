"""Checkpoints of transformers on the hub: from another address if that is set, from the cache without network."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.transformers_checkpoints import write_text_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SCRIPT = """
import json, sys, time
import huggingface_hub, transformers
from indexer.errors import ModelError
from indexer.models.transformers_files import find_checkpoint, load_model

asked = []
watched = ("socket.connect", "socket.getaddrinfo")
sys.addaudithook(lambda event, args: asked.append(repr(args)) if event in watched else None)
answers = []
for name in sys.argv[1:]:
    asked.clear()
    started = time.perf_counter()
    try:
        files = find_checkpoint(name)
        load_model(files, "AutoModelForCausalLM", "cpu")
        names = sorted(path.name for path in files.folder.iterdir())
        answer = {"name": files.name, "revision": files.revision, "files": names}
    except ModelError as error:
        answer = {"error": str(error)}
    answers.append({**answer, "n_asked": len(asked), "seconds": time.perf_counter() - started})
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_text_model(tmp_path_factory.mktemp("repo") / "tiny")
    (folder / "pytorch_model.bin").write_bytes(b"never fetched")
    (folder / "modeling.py").write_text("raise SystemExit('never run')")
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
            path = self.path.partition("?")[0]
            status, content, name = 200, b"", path.rpartition("/")[2]
            siblings = [{"rfilename": file.name} for file in checkpoint.iterdir()]
            if path.startswith("/api/models/org/tiny/tree/"):
                entries = [
                    {"type": "file", "path": f.name, "size": f.stat().st_size, "oid": f.name}
                    for f in checkpoint.iterdir()
                ]
                content = json.dumps(entries).encode()
            elif path.startswith("/api/models/org/tiny"):
                content = json.dumps({"id": "org/tiny", "sha": COMMIT, "siblings": siblings}).encode()
            elif "/resolve/" in path and (checkpoint / name).is_file():
                content = (checkpoint / name).read_bytes()
            elif path != "/":
                status = 404
                self.log_missing(path)
            self.send_response(status)
            if status == 404:
                self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("ETag", f'"{name}-1"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if with_body:
                self.wfile.write(content)

        def log_missing(self, path: str) -> None:
            """Say nothing."""

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def load(names: list[str], cache: Path, **environment: str) -> list[dict[str, Any]]:
    """What finding and loading each gives, one after the other, in a new process."""
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, *names],
        env={**os.environ, "HF_HUB_CACHE": str(cache), "HF_HUB_DISABLE_XET": "1", **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return list(json.loads(ran.stdout.splitlines()[-1]))


def test_another_address_is_asked_once(hub: str, tmp_path: Path) -> None:
    """HF_ENDPOINT is honoured; neither pickles nor code are fetched; then the cache is enough."""
    first, again = load(["org/tiny", "org/tiny"], tmp_path, HF_ENDPOINT=hub)
    assert ("org/tiny", COMMIT) == (first.get("name"), first.get("revision")), first
    assert {"pytorch_model.bin", "modeling.py"}.isdisjoint(first["files"])
    assert again["n_asked"] == 0
    offline, missing = load(["org/tiny", "org/other"], tmp_path, HF_HUB_OFFLINE="1")
    assert ("org/tiny", 0) == (offline.get("name"), offline["n_asked"]), offline
    assert missing["n_asked"] == 0
    assert str(missing["error"]).startswith("config.json of org/other is not on this machine")
    assert "hf download" in str(missing["error"])


def test_without_a_network_it_says_so_at_once(tmp_path: Path) -> None:
    """One line with the way out, within seconds."""
    (missing,) = load(["org/other"], tmp_path, HF_ENDPOINT="http://127.0.0.1:9")
    assert "cannot be downloaded" in str(missing["error"])
    assert "local folder" in str(missing["error"])
    assert float(str(missing["seconds"])) < 8
