"""Files that are whole or not there: written under another name, and renamed when all is well."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from search_app.errors import ExportError


@contextlib.contextmanager
def whole_file(output: Path) -> Iterator[Path]:
    """A place beside `output` to write to; it gets that name at the end, unless an error is raised.

    Raises:
        ExportError: it cannot be written; nothing is left behind, and a file that had the name is untouched.
    """
    temporary = output.with_name(f".rushes-{secrets.token_hex(8)}")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(output)
    except OSError as error:
        raise ExportError(f"cannot write {output}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
