"""Runs decoders in a limited child process, so that no file can take the run down with it.

The child may crash, hang, flood us or ask for memory without end: each becomes one clear error about one
file. The pipe between the two is the only buffer, so a parent that is busy holds the child back and memory
stays flat.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from indexer.errors import MediaError, VideoUnreadableError
from indexer.media.framing import FramingError, Message, read_message
from indexer.media.limits import ChildLimits

_CHILD = Path(__file__).with_name("child.py")
_ENVIRONMENT = {
    "PATH": os.defpath,
    "LC_ALL": "C.UTF-8",
    # One thread each: a decoder's own threads are all we want, and every thread costs address space.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
}
_READ_BYTES = 1 << 20
_STDERR_KEPT_BYTES = 4096


def run_limited(entry: str, arguments: Mapping[str, Any], limits: ChildLimits, subject: str) -> Iterator[Message]:
    """What a generator function yields in a limited child process, message by message.

    Args:
        entry: `package.module:function`; the function yields pairs of a JSON-like header and a list of bytes.
        arguments: its keyword arguments, JSON-like.
        limits: what the child may use.
        subject: the file it is about, for error messages.

    Raises:
        VideoUnreadableError: the child says so, or it crashed, or it was stopped at one of the limits.
        MediaError: the child itself failed.
    """
    child = _Child(entry, arguments, limits, subject)
    try:
        yield from child.messages()
    finally:
        child.stop()


class _Child:
    """One child process and the pipe we hear it through."""

    def __init__(self, entry: str, arguments: Mapping[str, Any], limits: ChildLimits, subject: str) -> None:
        self._limits = limits
        self._subject = subject
        self._waited_seconds = 0.0
        self._buffer = bytearray()
        self._stderr_tail = b""
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-B", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
        request = {
            "entry": entry,
            "arguments": arguments,
            "limits": {"memory_bytes": limits.memory_bytes, "cpu_seconds": limits.cpu_seconds},
        }
        assert self._process.stdin and self._process.stdout and self._process.stderr  # noqa: S101  # for mypy
        self._stdin, self._stdout, self._stderr = (
            self._process.stdin,
            self._process.stdout,
            self._process.stderr,
        )
        with contextlib.suppress(BrokenPipeError):
            self._stdin.write(json.dumps(request).encode("ascii") + b"\n")
            self._stdin.flush()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._stdout, selectors.EVENT_READ)
        self._selector.register(self._stderr, selectors.EVENT_READ)

    def messages(self) -> Iterator[Message]:
        """The child's messages up to its last word; an error of the child is raised."""
        while True:
            try:
                message = read_message(self._read_exactly)
            except EOFError:
                raise self._death() from None
            except FramingError as error:
                raise self._unreadable(f"the decoder sent {error}") from error
            kind = message.header.get("type")
            if kind == "end":
                return
            if kind == "memory":
                raise self._unreadable(f"decoding needs more than {self._memory_text()}")
            if kind == "error":
                raise self._reported(message.header)
            header = message.header.get("header")
            if kind != "message" or not isinstance(header, dict):
                raise self._unreadable("the decoder sent a message of an unknown kind")
            yield Message(header, message.blobs)

    def stop(self) -> None:
        """End the child and everything it started, and give back its pipes."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._selector.close()
        for pipe in (self._stdout, self._stderr, self._stdin):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    def _read_exactly(self, n_bytes: int) -> bytes:
        deadline = time.monotonic() + self._limits.stall_seconds
        while len(self._buffer) < n_bytes:
            self._wait_for_bytes(deadline)
        taken = bytes(self._buffer[:n_bytes])
        del self._buffer[:n_bytes]
        return taken

    def _wait_for_bytes(self, deadline: float) -> None:
        started = time.monotonic()
        left = min(deadline - started, self._limits.wall_seconds - self._waited_seconds)
        ready = self._selector.select(max(left, 0.0))
        self._waited_seconds += time.monotonic() - started
        if not ready:
            limit = (
                self._limits.wall_seconds
                if self._waited_seconds >= self._limits.wall_seconds
                else self._limits.stall_seconds
            )
            what = "took longer than" if limit == self._limits.wall_seconds else "stood still for"
            raise self._unreadable(f"decoding {what} {limit:g} s")
        for key, _ in ready:
            data = os.read(key.fd, _READ_BYTES)
            if key.fileobj is self._stdout:
                if not data:
                    raise EOFError
                self._buffer += data
            elif data:
                self._stderr_tail = (self._stderr_tail + data)[-_STDERR_KEPT_BYTES:]
            else:
                self._selector.unregister(self._stderr)

    def _reported(self, header: Mapping[str, Any]) -> MediaError:
        text = str(header.get("text"))[:1000]
        if header.get("kind") == "VideoUnreadableError":
            return VideoUnreadableError(text)
        if header.get("kind") == "MediaError":
            return MediaError(text)
        return MediaError(f"{self._subject}: decoding failed: {text}")

    def _death(self) -> MediaError:
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return self._unreadable("the decoder closed its pipe")
        if status == -signal.SIGXCPU:
            return self._unreadable(f"decoding took more than {self._limits.cpu_seconds} s of processor time")
        if status < 0:
            return self._unreadable(f"the decoder crashed (signal {-status})")
        if b"MemoryError" in self._stderr_tail:
            return self._unreadable(f"decoding needs more than {self._memory_text()}")
        last_line = self._stderr_tail.decode("utf-8", "replace").strip().rpartition("\n")[2]
        return self._unreadable(f"the decoder ended without a result (status {status}) {last_line}".rstrip())

    def _unreadable(self, reason: str) -> VideoUnreadableError:
        return VideoUnreadableError(f"{self._subject}: {reason}")

    def _memory_text(self) -> str:
        return f"{self._limits.memory_bytes // 2**20} MB of memory"
