"""Edits: events appended to one file per writer, synced before they are acknowledged.

Every line is JSON that carries its own digest. A line without its end is the torn last line of a killed writer: it
was never acknowledged and is left out. A whole line with a wrong digest is damage, and is named.

The order of an event is its time and writer. A writer's times only grow, and start after every event that it can
read, so that what was decided knowing an event always comes after it, whatever the clocks say.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from store.errors import ArchiveDamagedError
from store.event_fields import event_from_fields, event_to_fields
from store.events import Event
from store.files import failpoint, make_folder, put, seal, sync_folder, translated_errors, unseal
from store.limited import is_own_file, open_regular

MOST_BYTES = 2**30
"""Of the edits of one writer: ten million judgements."""
_MOST_NS = 2**63 - 1
_NAME_PATTERN = re.compile(r"[0-9a-f]{12}-[0-9]{6}\.jsonl")


@dataclass(frozen=True, slots=True)
class OrderedEvent:
    """An event with its place in the order of all events; `order` compares as text."""

    order: str
    time_ns: int
    event: Event


@dataclass(frozen=True, slots=True)
class EditsPiece:
    """Result of reading one edits file.

    Args:
        events: in the order in which they were written.
        end_bytes: how far whole lines go.
        torn_bytes: bytes of an unfinished last line after that.
        damaged_lines: 1-based numbers, counted from where reading began, of whole lines with a wrong digest.
        unknown_kinds: kinds of events that only a newer Rushes understands; they are kept and ignored.
    """

    events: tuple[OrderedEvent, ...]
    end_bytes: int
    torn_bytes: int
    damaged_lines: tuple[int, ...]
    unknown_kinds: tuple[str, ...]


def is_edits_name(name: str) -> bool:
    """Whether a file of that name is one of edits."""
    return _NAME_PATTERN.fullmatch(name) is not None


def edits_names(folder: Path) -> list[str]:
    """Names of all edits files, sorted."""
    if not folder.is_dir():
        return []
    return sorted(entry.name for entry in os.scandir(folder) if is_edits_name(entry.name))


def read_edits(path: Path, start_bytes: int = 0) -> EditsPiece:
    """The events of one edits file from an offset on, which must be where a line starts.

    Raises:
        ArchiveDamagedError: the file cannot be read.
    """
    try:
        with os.fdopen(open_regular(path, follow_links=False), "rb") as stream:
            stream.seek(start_bytes)
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise ArchiveDamagedError(f"edits {path} cannot be read ({error.strerror})") from error
    if len(data) > MOST_BYTES:
        raise ArchiveDamagedError(f"edits {path} are larger than {MOST_BYTES >> 20} MiB")
    whole, newline, torn = data.rpartition(b"\n")
    lines = whole.split(b"\n") if newline else []
    events, damaged, unknown = [], [], []
    for number, line in enumerate(lines, start=1):
        read = read_line(line + b"\n")
        if read is None:
            damaged.append(number)
        elif isinstance(read, str):
            unknown.append(read)
        else:
            events.append(read)
    end_bytes = start_bytes + len(whole) + len(newline)
    return EditsPiece(tuple(events), end_bytes, len(torn), tuple(damaged), tuple(unknown))


def new_edits_name() -> str:
    """A name for a file of edits that no other file has."""
    return f"{secrets.token_hex(6)}-000000.jsonl"


def read_line(line: bytes) -> OrderedEvent | str | None:
    """The event of a line; the kind of one that only a newer Rushes understands; None for damage or nonsense."""
    fields = unseal(line)
    if fields is None:
        return None
    time_ns, writer = fields.get("at"), fields.get("by")
    if type(time_ns) is not int or not 0 <= time_ns < _MOST_NS or not isinstance(writer, str):
        return None
    try:
        event = event_from_fields(fields)
    except ValueError:
        return None  # sealed, and yet no event: a digest is no signature
    if event is None:
        return str(fields.get("kind"))
    return OrderedEvent(f"{time_ns:020d}.{writer}", time_ns, event)


def is_live(path: Path) -> bool:
    """Whether the writer of an edits file is still running; not of a link or a pipe, which no writer makes."""
    if not is_own_file(path):
        return False
    try:
        with os.fdopen(open_regular(path, follow_links=False), "rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def cut_torn_line(path: Path, archive_folder: Path) -> None:
    """Cut an unfinished last line off the file of a dead writer, after a copy of the file to quarantine."""
    data = path.read_bytes()
    put(archive_folder / "quarantine" / f"{path.name}.torn", data, kind="edits", overwrite=True)
    put(path, data[: data.rfind(b"\n") + 1], kind="edits", overwrite=True)


class EditLog:
    """Appends the events of one writer; safe to use from several threads.

    Args:
        folder: the folder of edits.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer = secrets.token_hex(6)
        self._number = 0
        self._descriptor: int | None = None
        self._latest_ns = 0
        self._lock = threading.Lock()

    @property
    def path_names(self) -> set[str]:
        """Names of the files that this writer has begun."""
        return {name for name in edits_names(self._folder) if name.startswith(f"{self._writer}-")}

    def observe(self, time_ns: int) -> None:
        """Make every later event of this writer come after that time."""
        with self._lock:
            self._latest_ns = max(self._latest_ns, time_ns)

    def append(self, events: Iterable[Event]) -> None:
        """Write events; when this returns they survive a power cut.

        Raises:
            ArchiveFullError: no space; none of the events may be counted on.
        """
        with self._lock:
            data = b"".join(self._line(event) for event in events)
            if not data:
                return
            path = self._folder / f"{self._writer}-{self._number:06d}.jsonl"
            try:
                with translated_errors(path):
                    self._write(path, data)
            except BaseException:
                # What reached the file is unknown: the next append starts a new one after this torn line.
                self._release()
                self._number += 1
                raise

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._release()
            self._number += 1

    def _line(self, event: Event) -> bytes:
        self._latest_ns = max(time.time_ns(), self._latest_ns + 1)
        if self._latest_ns >= _MOST_NS:  # it would be taken for damage
            raise ArchiveDamagedError(f"an event in {self._folder} is of the far future: nothing can follow it")
        return seal({"at": self._latest_ns, "by": self._writer, **event_to_fields(event)})

    def _write(self, path: Path, data: bytes) -> None:
        if self._descriptor is None:
            make_folder(self._folder)
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
            with contextlib.suppress(OSError):  # only tells `check` that the writer lives
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sync_folder(self._folder)
        failpoint("edit.before-write")
        half = len(data) // 2
        self._write_all(self._descriptor, data[:half])
        failpoint("edit.torn")
        self._write_all(self._descriptor, data[half:])
        failpoint("edit.before-sync")
        os.fsync(self._descriptor)
        failpoint("edit.after-sync")

    @staticmethod
    def _write_all(descriptor: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def _release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
