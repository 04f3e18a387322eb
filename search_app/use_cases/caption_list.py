"""Lists of captions on disk: one JSON object a line, one line a file, added to until all files are done."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from search_app.errors import ExportError
from search_app.output_files import atomic_write, refuse_archive_folder, refuse_folder
from store.limited import parse_limited_json, read_limited_bytes

if TYPE_CHECKING:
    from search_app.use_cases.caption_files import CaptionedFile

MOST_BYTES: Final = 2**30
_KEYS: Final = ("path", "fingerprint", "run", "captions", "error")


class CaptionList:
    """Captions by file; each is on disk before the next file is begun.

    Args:
        output: the list; made if it is not there. None keeps nothing.
        again: whether to begin an existing list again.

    Raises:
        ExportError: the file is something else, or cannot be read or written.
        ConfigError: it lies in an archive.
    """

    def __init__(self, output: Path | None, *, again: bool = False) -> None:
        self._output = None if output is None else output.absolute()
        self._done: set[tuple[str, str, str]] = set()
        self.n_known = 0
        if self._output is not None:
            refuse_archive_folder(self._output)
            refuse_folder(self._output)
            self._take_up(self._output, again=again)

    def has(self, file: CaptionedFile) -> bool:
        """Whether a file of this place and content is captioned by this run already; it is counted then."""
        is_known = (str(file.path), file.fingerprint, file.run) in self._done
        self.n_known += is_known
        return is_known

    def add(self, file: CaptionedFile) -> None:
        """Write the captions of a file, or why there are none; they are on disk on return.

        Raises:
            ExportError: they cannot be written.
        """
        if self._output is None:
            return
        try:
            with self._output.open("ab") as stream:
                stream.write(json.dumps(file.to_json()).encode() + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise ExportError(f"cannot write {self._output}: {error.strerror or error}") from error

    def _take_up(self, output: Path, *, again: bool) -> None:
        """Keep the lines of what is done; what failed, and half a line of a killed run, go."""
        try:
            data = read_limited_bytes(output, MOST_BYTES)
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            raise ExportError(f"cannot read {output}: {error}") from error
        kept: list[bytes] = []
        lines = data.split(b"\n")
        for number, line in enumerate(lines, start=1):
            found = _parse(line)
            if found is None and line.strip():
                if number == len(lines):
                    continue  # a killed run wrote half of it
                raise ExportError(f"{output} is no list of captions (line {number}): choose another name")
            if found is not None and not again and _is_done(found):
                self._done.add((str(found["path"]), str(found["fingerprint"]), str(found["run"])))
                kept.append(line)
        whole = b"".join(line + b"\n" for line in kept)
        if whole != data:
            with atomic_write(output) as place:
                place.write_bytes(whole)


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        found = parse_limited_json(line)
    except ValueError:
        return None
    is_line = (
        isinstance(found, dict) and all(key in found for key in _KEYS) and isinstance(found["captions"], list)
    )
    return found if is_line else None


def _is_done(line: dict[str, Any]) -> bool:
    states = [one.get("state") if isinstance(one, dict) else "error" for one in line["captions"]]
    return not line["error"] and "error" not in states
