"""A record in the user's cache of a model's text side: its place, and whether the lean one equals it.

The whole model writes it when a question loads it the first time, and it holds while its files stay as they are.
It never comes with an archive: what a stranger's archive says of a model is not believed.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer.models.weights import ModelFiles

if TYPE_CHECKING:
    from store.records import Embeddings, EmbeddingSpace

_FORMAT = 1
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


def cache_folder() -> Path:
    """Folder of what this user's programs can make again; RUSHES_CACHE names another one."""
    if ours := os.environ.get("RUSHES_CACHE"):
        return Path(ours)
    if own := os.environ.get("XDG_CACHE_HOME"):
        return Path(own) / "rushes"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "rushes"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "rushes"
    return Path.home() / ".cache" / "rushes"


class TextRecord:
    """The record of one embedding space; whatever is wrong with it, it is as if there were none.

    Args:
        space: the space, all of it: another hash of the weights is another record.
    """

    def __init__(self, space: EmbeddingSpace) -> None:
        content = json.dumps([_FORMAT, asdict(space), version("open_clip_torch"), version("tokenizers")])
        self._space = space
        self._key = hashlib.blake2b(content.encode(), digest_size=16).hexdigest()

    def read(self) -> tuple[ModelFiles, bool] | None:
        """The model's files and whether the lean text side gives the same, if the files are as they were."""
        try:
            plain = json.loads(self._path(".json").read_bytes())
            files = ModelFiles(
                self._space.name,
                plain["model_cfg"],
                {},
                Path(plain["weights"]),
                None if plain["tokenizer"] is None else Path(plain["tokenizer"]),
            )
            if plain["states"] == _states(files):
                return files, plain["is_equal"] is True
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return None

    def write(self, files: ModelFiles, is_equal: bool) -> None:
        """Note that; a cache that cannot be written is no error."""
        plain = {
            "model_cfg": dict(files.model_cfg),
            "weights": str(files.weights),
            "tokenizer": None if files.tokenizer is None else str(files.tokenizer),
            "is_equal": is_equal,
        }
        try:
            self._put(".json", json.dumps({**plain, "states": _states(files)}).encode())
        except (OSError, TypeError, ValueError):
            return

    def read_vectors(self, texts: Sequence[str]) -> Embeddings | None:
        """The vectors of these texts, if the whole model gave them before."""
        try:
            raw = self._path(_name_of(texts)).read_bytes()
        except OSError:
            return None
        if len(raw) != 4 * len(texts) * self._space.dim:
            return None
        vectors: Embeddings = np.frombuffer(raw, np.dtype("<f4")).reshape(len(texts), -1).astype(np.float32)
        is_unit = np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
        return vectors if is_unit else None

    def write_vectors(self, texts: Sequence[str], vectors: Embeddings) -> None:
        """Keep the vectors of these texts."""
        try:
            self._put(_name_of(texts), np.ascontiguousarray(vectors, np.dtype("<f4")).tobytes())
        except OSError:
            return

    def _path(self, ending: str) -> Path:
        return cache_folder() / "texts" / f"{self._key}{ending}"

    def _put(self, ending: str, content: bytes) -> None:
        path = self._path(ending)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)  # for this user alone
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def _name_of(texts: Sequence[str]) -> str:
    digest = hashlib.blake2b(json.dumps(list(texts)).encode(), digest_size=8).hexdigest()
    return f"-{digest}.f32"


def _states(files: ModelFiles) -> list[list[int]]:
    """Values that change with a file: size, times of its content and of its location, inode."""
    paths = [files.weights]
    if files.tokenizer is not None:
        paths += [files.tokenizer / name for name in _TOKENIZER_FILES]
    states = [path.stat() for path in paths]
    return [[state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino] for state in states]
