"""The second copy of edits: what people decided is the one truth that nothing can compute again.

`edits-copy/` holds, for every file of edits, the same bytes from its beginning on, as far as they were published.
Publishers write it with the writer lock held, so it has one writer. A copy is a run of sound lines and ends before
the first damaged one. Reading falls back to it line by line; `rushes repair` restores a file from it.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO

from store.errors import ArchiveDamagedError
from store.files import failpoint, make_folder, put, quarantine, sync_folder, translated_errors, unseal
from store.limited import is_own_file, open_regular
from store.truth.edits import EditsPiece, edits_names, is_live, new_edits_name, read_edits, read_line

COPY_FOLDER = "edits-copy"
_LOG = logging.getLogger(__name__)


def copy_edits(archive_folder: Path) -> None:
    """Bring the second copy up to date; to be called with the writer lock held.

    Raises:
        ArchiveFullError: no space.
    """
    for name in edits_names(archive_folder / "edits"):
        path, copy = archive_folder / "edits" / name, archive_folder / COPY_FOLDER / name
        if not is_own_file(path):
            continue  # a link or a pipe: reading says that it is damaged
        if copy.is_symlink() or (copy.exists() and not is_own_file(copy)):
            quarantine(copy, archive_folder)  # what it leads to is not ours to write
        n_copied = _whole_lines(copy)
        if _size(path) > n_copied:
            with os.fdopen(open_regular(path, follow_links=False), "rb") as stream:
                stream.seek(n_copied)
                news = _sound_lines(stream.read())
            if news:
                _append(copy, news)


def read_new_edits(archive_folder: Path, covered: Mapping[str, int]) -> dict[str, EditsPiece]:
    """The part of each edits file that is not covered yet; where a line is damaged, its second copy is read."""
    folder, copies = archive_folder / "edits", archive_folder / COPY_FOLDER
    pieces = {}
    for name in sorted({*edits_names(folder), *edits_names(copies)}):
        start_bytes = covered.get(name, 0)
        n_bytes, n_copied = _size(folder / name), _size(copies / name)
        if max(n_bytes, n_copied) <= start_bytes:
            continue
        piece = read_edits(folder / name, start_bytes) if n_bytes > start_bytes else None
        if piece is None or piece.damaged_lines or n_copied > piece.end_bytes:
            piece = _read_with_copy(copies / name, start_bytes, piece)
        if piece is not None:
            pieces[name] = piece
    return pieces


def damage_of_copy(path: Path, copy: Path) -> str | None:
    """Damage of the second copy of an edits file, for people; None if it is sound."""
    try:
        data = _content(copy)
        original = _content(path)[: len(data)] if is_own_file(path) else data
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if len(_sound_lines(data)) != len(data):
        return "its content has changed"
    is_other = len(original) == len(data) and original != data and _sound_lines(original) == original
    return "it is the copy of another file" if is_other else None


def is_restorable(path: Path, archive_folder: Path) -> bool:
    """Whether the second copy has every line that is damaged or gone in a file of edits."""
    return _restored(path, archive_folder)[1]


def mend_edits(path: Path, archive_folder: Path) -> bool:
    """Write a file of edits anew with the lines that its second copy has and with its own sound ones.

    The damaged file goes to quarantine. Where a line is lost for good, the others go into a file of another name,
    since offsets of the old one are recorded; they keep their times, so that having been applied before makes no
    difference.

    Returns:
        False if the file was left alone, because its writer is running.
    """
    if path.exists() and is_live(path):
        return False
    data, is_whole = _restored(path, archive_folder)
    if is_whole:
        if path.exists():
            kept = archive_folder / "quarantine" / f"{path.name}.{secrets.token_hex(4)}"
            put(kept, _content(path) if is_own_file(path) else b"", kind="edits", overwrite=False)
        put(path, data, kind="edits", overwrite=True)
        return True
    if data:
        put(path.with_name(new_edits_name()), data, kind="edits", overwrite=False)
    for damaged in (path, archive_folder / COPY_FOLDER / path.name):
        if os.path.lexists(damaged):
            quarantine(damaged, archive_folder)
    return True


def rewrite_copy(path: Path, archive_folder: Path) -> None:
    """Write the second copy of a file of edits anew, from its sound lines."""
    copy = archive_folder / COPY_FOLDER / path.name
    if os.path.lexists(copy):
        quarantine(copy, archive_folder)
    if is_own_file(path):
        put(copy, _sound_lines(_content(path)), kind="edits", overwrite=True)


def _read_with_copy(copy: Path, start_bytes: int, piece: EditsPiece | None) -> EditsPiece | None:
    """A piece of edits with the events that only its second copy still has."""
    try:
        copied = read_edits(copy, start_bytes) if _size(copy) > start_bytes else None
    except ArchiveDamagedError:
        copied = None
    if copied is None or piece is None:
        if copied is not None:
            _LOG.warning("read from its second copy: %s is gone or cut short", copy.name)
        return copied or piece
    orders = {ordered.order for ordered in piece.events}
    missed = [ordered for ordered in copied.events if ordered.order not in orders]
    if not missed:
        return piece
    _LOG.warning(
        "read from their second copy: %d damaged lines of %s; run `rushes repair`", len(missed), copy.name
    )
    events = sorted([*piece.events, *missed], key=lambda ordered: ordered.order)
    return replace(piece, events=tuple(events), end_bytes=max(piece.end_bytes, copied.end_bytes))


def _restored(path: Path, archive_folder: Path) -> tuple[bytes, bool]:
    """The lines that a file of edits should hold, as far as either copy has them, and whether that is all of them.

    A file has one writer, whose times grow, so lines of both are put in order by time. Damage does not change the
    number of bytes, and what is cut off one is in the other: nothing is missing if the good lines fill the longer.
    """
    files = [file for file in (path, archive_folder / COPY_FOLDER / path.name) if is_own_file(file)]
    contents = [_content(file) for file in files]
    times: dict[bytes, int] = {}
    for line in (line for data in contents for line in data.splitlines(keepends=True)):
        fields = unseal(line)
        if fields is not None and read_line(line) is not None:
            times[line] = int(fields["at"])
    data = b"".join(line for line, _ in sorted(times.items(), key=lambda item: item[1]))
    return data, bool(files) and len(data) == max(content.rfind(b"\n") + 1 for content in contents)


def _sound_lines(data: bytes) -> bytes:
    """The lines before the first one that is damaged or unfinished."""
    end = 0
    while (stop := data.find(b"\n", end) + 1) and read_line(data[end:stop]) is not None:
        end = stop
    return data[:end]


def _whole_lines(copy: Path) -> int:
    """Number of bytes of a copy, after the torn line of a killed publisher is cut off."""
    try:
        with copy.open("r+b") as stream:
            size = stream.seek(0, os.SEEK_END)
            if size:
                stream.seek(size - 1)
                if stream.read(1) != b"\n":
                    stream.seek(0)
                    size = stream.truncate(stream.read().rfind(b"\n") + 1)
    except FileNotFoundError:
        return 0
    return size


def _append(copy: Path, data: bytes) -> None:
    is_new = not copy.exists()
    make_folder(copy.parent)
    with translated_errors(copy):
        with copy.open("ab", buffering=0) as stream:
            view = memoryview(data)
            half = len(view) // 2
            _write_all(stream, view[:half])
            failpoint("edits-copy.torn")
            _write_all(stream, view[half:])
            os.fsync(stream.fileno())
        if is_new:
            sync_folder(copy.parent)


def _write_all(stream: IO[bytes], view: memoryview) -> None:
    while view:
        view = view[stream.write(view) :]


def _content(path: Path) -> bytes:
    """All of an edits file.

    Raises:
        OSError: it cannot be read, or is a link or no regular file.
    """
    with os.fdopen(open_regular(path, follow_links=False), "rb") as stream:
        return stream.read()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
