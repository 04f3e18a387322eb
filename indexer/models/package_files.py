"""Weights that come in the packages of the extra `offline`: found without importing them, and verified."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from indexer.errors import ModelError
from indexer.models.packages import WAY_OUT, say_package_missing


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A file of weights inside a package.

    Args:
        package: name of the package as it is imported.
        path: below the package's folder, with slashes.
        sha256: hex digest of the file that this version of Rushes was tested with.
    """

    package: str
    path: str
    sha256: str

    def is_there(self) -> bool:
        """Whether the package is installed and has the file; nothing is read."""
        return self._locate() is not None

    def find(self, job: str) -> Path:
        """The file, verified.

        Args:
            job: what needs it, for messages.

        Raises:
            ModelError: the package or the file is missing, or it is another file.
        """
        found = self._locate()
        if found is None:
            raise ModelError(say_package_missing(job, self.package.replace("_", "-")))
        if _sha256_of(found) != self.sha256:
            raise ModelError(
                f"{found} is not the file of weights that {job} was made for (its SHA-256 differs); {WAY_OUT}"
            )
        return found

    def _locate(self) -> Path | None:
        spec = find_spec(self.package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            path = Path(folder, *self.path.split("/"))
            if path.is_file():
                return path
        return None


def _sha256_of(path: Path) -> str:
    try:
        state = path.stat()
        return _sha256_while(path, state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise ModelError(f"cannot read the weights {path}: {error.strerror}") from error


@cache
def _sha256_while(path: Path, size_bytes: int, mtime_ns: int) -> str:  # noqa: ARG001 - another state is another file
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
