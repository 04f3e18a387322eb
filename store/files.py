"""Files that are complete or absent: the one way in which the archive writes anything.

A file is written under a temporary name in its own folder, flushed, synced, and renamed; then the folder is
synced. A process may be killed, or the disk may fill, at any of these steps: what lies under a final name is
always whole.

Digests are xxh3_128: on 256 MiB in memory 17 GB/s against 0.88 GB/s for blake2b on the same core, and
they guard against accidents, not against people. Names that must not collide by design (fingerprints, frame and
shot ids) are made with blake2b elsewhere.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import secrets
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import xxhash

from store.errors import ArchiveError, ArchiveFullError
from store.limited import LINE_LIMITS, ForeignDataError, open_regular, parse_limited_json, read_limited_bytes

FAILPOINT_VARIABLE = "RUSHES_FAILPOINT"
"""Environment variable that names the step at which this process kills itself, for crash tests only."""

_PUT_STEPS = ("before-write", "torn", "before-sync", "before-rename", "after-rename", "after-sync")
_PUT_KINDS = ("archive", "segment", "thumbnail", "shard", "inverted", "manifest", "current", "edits")
FAILPOINTS = (
    *(f"{kind}.{step}" for kind in _PUT_KINDS for step in _PUT_STEPS),
    *(f"edit.{step}" for step in ("before-write", "torn", "before-sync", "after-sync")),
    "edits-copy.torn",
    *(
        f"publish.{step}"
        for step in ("locked", "edits-copied", "copied", "applied", "shards-written", "published", "collected")
    ),
    *(f"catalog.{step}" for step in ("before-sync", "before-rename", "after-rename", "after-sync")),
    *(f"text.{step}" for step in ("linked", "before-sync", "before-rename", "after-rename")),
    *(f"inverted.{step}" for step in ("trained", "written", "published")),
    *(f"repair.{step}" for step in ("mended", "made-again", "published")),
)
"""Every named step of a writer or a repair: a test kills one at each."""
ERASE_FAILPOINTS = ("erase.published", "erase.thumbnails", "erase.segment")
DROP_FAILPOINTS = ("drop.thumbnails", "drop.segment")
"""Steps of a publisher that deletes the results of erased videos, and of dropped runs."""
BACKUP_FAILPOINTS = ("backup.file", "backup.synced", "backup.published", "restore.file", "restore.synced")
"""Steps of a backup and of a restore."""

TEMPORARY_PREFIX = ".tmp-"
HASH_CHUNK_BYTES = 1 << 22
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV, errno.EACCES}
_SUM_KEY = ',"sum":"'
_SUM_DIGITS = 32
_failpoint_passes: dict[str, int] = {}


def failpoint(name: str) -> None:
    """Kill this process if `RUSHES_FAILPOINT` names this step (`name`, or `name:3` for its third time)."""
    wanted, _, count = os.environ.get(FAILPOINT_VARIABLE, "").partition(":")
    if wanted != name:
        return
    _failpoint_passes[name] = _failpoint_passes.get(name, 0) + 1
    if _failpoint_passes[name] >= int(count or 1):
        os.kill(os.getpid(), signal.SIGKILL)


@contextlib.contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turn an `OSError` into our own error that names the folder and what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise full_error(path) from error
        if isinstance(error, (FileNotFoundError, FileExistsError)):
            raise
        raise ArchiveError(
            f"cannot use {path}: {error.strerror or error}; check the disk and its permissions"
        ) from error


def full_error(path: Path) -> ArchiveFullError:
    """The error to raise when there was no space left for `path`."""
    return ArchiveFullError(
        f"no space left on the disk of {path.parent}: free some space and run the same command again; "
        "nothing that was reported as done is lost"
    )


def digest_bytes(data: bytes | memoryview) -> str:
    """Digest of bytes, 32 hex digits."""
    return xxhash.xxh3_128_hexdigest(data)


def digest_file(path: Path) -> str:
    """Digest of a whole file, 32 hex digits, read in pieces.

    Raises:
        OSError: it cannot be read, or is a link or no regular file.
    """
    digest = xxhash.xxh3_128()
    with os.fdopen(open_regular(path, follow_links=False), "rb", buffering=0) as stream:
        while piece := stream.read(HASH_CHUNK_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def seal(fields: dict[str, Any]) -> bytes:
    """One line of JSON that carries its own digest in its last field, `sum`; ends with a newline."""
    body = json.dumps(fields, separators=(",", ":"), ensure_ascii=True)
    return f'{body[:-1]}{_SUM_KEY}{digest_bytes(body.encode())}"}}\n'.encode()


def unseal(line: bytes) -> dict[str, Any] | None:
    """The fields of a sealed line without `sum`, or None if a single byte of it differs, or it never was one."""
    tail_length = len(_SUM_KEY) + _SUM_DIGITS + 3
    body, tail = line[:-tail_length] + b"}", line[-tail_length:]
    if tail != f'{_SUM_KEY}{digest_bytes(body)}"}}\n'.encode():
        return None
    try:
        fields = parse_limited_json(body, LINE_LIMITS, unique_keys=False)
    except ForeignDataError:
        return None  # a digest is no signature
    return fields if isinstance(fields, dict) else None


def read_sealed(path: Path) -> dict[str, Any] | None:
    """The fields of a file that is one sealed line, or None if it is not there or none."""
    try:
        return unseal(read_limited_bytes(path, LINE_LIMITS.most_bytes, follow_links=False))
    except (OSError, ForeignDataError):
        return None


def has_entries(folder: Path | str) -> bool:
    """Whether a folder is there and holds anything: an empty one may be what a disk is mounted on."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return False


def sync_file(path: Path) -> None:
    """Make the content of a file survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the disk knows no second names."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot sync a folder; they order renames themselves.
        if error.errno not in {errno.EINVAL, errno.ENOTSUP, errno.EBADF}:
            raise
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, durably; an existing one is left alone."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with translated_errors(folder):
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def _open_temporary(folder: Path) -> tuple[IO[bytes], Path]:
    """A new file in the folder, locked for as long as it is open, so that no cleaner takes it for a dead one."""
    while True:
        path = folder / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"
        stream = path.open("xb", buffering=0)
        with contextlib.suppress(OSError):  # file systems without locks: cleaners cannot lock there either
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            if path.stat().st_ino == os.fstat(stream.fileno()).st_ino:
                return stream, path
        except FileNotFoundError:
            pass
        stream.close()  # a cleaner was faster than the lock


class Replacement:
    """A file being written under a temporary name, not visible before `commit`.

    Args:
        path: its final name.
        kind: what it is, for the names of the failure points.
    """

    def __init__(self, path: Path, kind: str) -> None:
        self.path = path
        self.size_bytes = 0
        self._kind = kind
        self._digest = xxhash.xxh3_128()
        make_folder(path.parent)
        with translated_errors(path):
            self._stream, self.temporary = _open_temporary(path.parent)
        failpoint(f"{kind}.before-write")

    @property
    def digest(self) -> str:
        """Digest of everything written so far."""
        return self._digest.hexdigest()

    def write(self, data: bytes | memoryview) -> int:
        """Append, all or an error; gives the number of bytes, which FAISS wants to know."""
        view = memoryview(data)
        with translated_errors(self.path):
            if self.size_bytes == 0 and len(view) > 1:
                half = len(view) // 2
                self._write_all(view[:half])
                failpoint(f"{self._kind}.torn")
                self._write_all(view[half:])
            else:
                self._write_all(view)
        self._digest.update(view)
        self.size_bytes += len(view)
        return len(view)

    def _write_all(self, view: memoryview) -> None:
        while view:
            view = view[self._stream.write(view) :]

    def commit(self, *, overwrite: bool, path: Path | None = None) -> bool:
        """Give the file its final name, durably.

        Args:
            overwrite: replace what has that name; otherwise the first writer wins.
            path: final name, if it is known only now (same folder).

        Returns:
            True if this file now has the name, False if another one had it already.
        """
        self.path = path or self.path
        try:
            with translated_errors(self.path):
                failpoint(f"{self._kind}.before-sync")
                os.fsync(self._stream.fileno())
                failpoint(f"{self._kind}.before-rename")
                won = _rename(self.temporary, self.path, overwrite)
                failpoint(f"{self._kind}.after-rename")
                self._stream.close()  # raises where a network file system reports its failure only now
                sync_folder(self.path.parent)
                failpoint(f"{self._kind}.after-sync")
        except BaseException:
            self.discard()
            raise
        return won

    def discard(self) -> None:
        """Forget the file, if it was not committed."""
        with contextlib.suppress(OSError):
            self._stream.close()
        with contextlib.suppress(OSError):
            self.temporary.unlink()


def _rename(temporary: Path, path: Path, overwrite: bool) -> bool:
    if overwrite:
        temporary.replace(path)
        return True
    try:
        os.link(temporary, path)
    except FileExistsError:
        temporary.unlink()
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # No hard links here. Two writers of one name write the same content, so the gap does no harm.
        if path.exists():
            temporary.unlink()
            return False
        temporary.replace(path)
        return True
    temporary.unlink()
    return True


def put(path: Path, data: bytes, *, kind: str, overwrite: bool) -> bool:
    """Write a whole file, durably: complete or absent, whatever happens meanwhile.

    Args:
        path: final name; its folder is created.
        data: the content.
        kind: what it is, one of the kinds of `FAILPOINTS`.
        overwrite: replace an existing file; otherwise the first writer wins and it is left alone.

    Returns:
        True if written, False if a file of that name existed and was kept.

    Raises:
        ArchiveFullError: no space; nothing is left behind.
    """
    if not overwrite and path.exists():
        return False
    replacement = Replacement(path, kind)
    try:
        replacement.write(data)
    except BaseException:
        replacement.discard()
        raise
    return replacement.commit(overwrite=overwrite)


def dead_temporaries(folder: Path) -> list[Path]:
    """Temporary files in a folder whose writers are gone; those of live writers are locked and not listed."""
    if not folder.is_dir():
        return []
    return [path for path in sorted(folder.glob(f"{TEMPORARY_PREFIX}*")) if path.is_file() and _is_dead(path)]


def _is_dead(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def remove_dead_temporaries(folder: Path) -> None:
    """Delete what killed writers left in a folder."""
    for path in dead_temporaries(folder):
        path.unlink(missing_ok=True)


def quarantine(path: Path, archive_folder: Path) -> Path:
    """Move a file out of the way, durably, and give its new place; nothing is ever deleted or replaced."""
    folder = archive_folder / "quarantine"
    make_folder(folder)
    target = folder / f"{path.name}.{secrets.token_hex(4)}"
    with translated_errors(target):
        path.rename(target)
        sync_folder(folder)
        sync_folder(path.parent)
    return target
