"""The ffmpeg program: found once, called with graphs made by ffmpeg-python, always under limits.

Everything that reaches the program goes through `Ffmpeg.run`: a list of arguments, none of which a shell reads;
file names as absolute paths behind `file:`, so that no name can be taken for an option or an address; only the
protocol `file` and a list of demuxers; a process group of its own that is killed when it stands still, takes too
long or is no longer wanted.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import ffmpeg
import imageio_ffmpeg

from indexer.errors import FfmpegError
from indexer.media.limits import MAX_PICTURE_PX, MAX_STREAMS, ChildLimits
from store.errors import ConfigError

Stream = Any
"""A stream or an output of an ffmpeg-python graph; that package ships no types."""

DEMUXERS = "mov,matroska,avi,mpegts,mpeg,mpegvideo,m4v,flv,asf,ogg,mxf,dv,ivf,h264,hevc"
"""Containers that hold pictures and no scripts: no playlists, no concat lists, no devices."""

DEFAULT_LIMITS = ChildLimits(memory_bytes=6 * 2**30, wall_seconds=12 * 3600.0, stall_seconds=120.0)
"""Wider than a decoder's: x264 at 2160p reserved 1.3 GB of address space with two threads, and more with eight."""

OPEN_FILES = 64
_LAUNCHER = """trap '' XFSZ
ulimit -c 0
ulimit -v "$1" 2>/dev/null || :
ulimit -t "$2" 2>/dev/null || :
ulimit -f "$3" 2>/dev/null || :
ulimit -n "$4" 2>/dev/null || :
shift 4
exec "$@"
"""
"""Gives up what the program must not use, then becomes the program.

The limits are set here, in the child, because a function run between fork and exec (`preexec_fn`) may deadlock a
parent that has threads; by the system's shell, which starts in a millisecond and reads nothing but these lines. A
stricter hard limit that is in force stays; a soft one, which the program could raise itself, may be raised. macOS
refuses the one on memory, and the wall clock still holds there. With SIGXFSZ ignored the program hears "file too
large" and can say so.
"""

_KIBIBYTE, _FILE_BLOCK = 1024, 512  # units of `ulimit -v` and, by POSIX, of `ulimit -f`
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "2"}
_GLOBAL_ARGUMENTS = ("-nostdin", "-hide_banner", "-y", "-loglevel", "level+info", "-nostats")
_MAX_THREADS = 8  # every thread costs address space, and x264 gains little beyond
_READ_BYTES = 1 << 18
_TICK_SECONDS = 0.2  # how soon a cancelled or hanging program is noticed
_LINES_KEPT = 3
_PACKETS_LOOKED_AT, _PACKET_SIGN = 5, 0x47
_MAX_LINE_BYTES = 1 << 16
_PROGRAM_SIGNS = (
    b"#!",
    b"\x7fELF",
    *(bytes.fromhex(sign) for sign in ("cafebabe", "feedface", "feedfacf", "cefaedfe", "cffaedfe")),
)
"""First bytes of programs: scripts that name their interpreter, ELF, and Mach-O of macOS."""
_COMPLAINT = re.compile(r"\[(?:error|fatal|panic)\] ?(.*)")
_WHERE = re.compile(r"\[[^\]\[]* @ 0x[0-9a-f]+\] ?")
_PROGRESS_SIGN = re.compile(rb"^(?:frame|total_size|out_time_us)=\s*(\S+)", re.MULTILINE)
_PROGRESS_FRAME = re.compile(rb"^frame=\s*(\d+)", re.MULTILINE)


def find_ffmpeg(configured: str | None = None) -> Ffmpeg:
    """The program to use: the configured one, else the one that the imageio-ffmpeg wheel brings.

    Args:
        configured: path, or name to look up in `PATH`; None for the wheel's.

    Raises:
        ConfigError: the configured program is not there, cannot be executed, or is none.
        FfmpegError: the wheel has no program for this machine.
    """
    if configured:
        found = shutil.which(configured)
        if not found:
            raise ConfigError(f"the configured ffmpeg program {configured!r} is not there or cannot be run")
        if not _is_program(Path(found)):
            raise ConfigError(f"the configured ffmpeg program {configured!r} is no program")
        return Ffmpeg(str(Path(found).resolve()))
    try:
        return Ffmpeg(str(imageio_ffmpeg.get_ffmpeg_exe()))
    except RuntimeError as error:
        raise FfmpegError(
            "there is no ffmpeg program for this machine; install one and name it in the settings"
        ) from error


@cache
def _tie() -> tuple[str, ...]:
    """Launcher that ends a program together with the calling thread, be that by `kill -9`.

    `setpriv` of util-linux does; nothing where it is not there, or is another's that cannot.
    """
    found = shutil.which("setpriv", path=os.defpath)
    tie = (found or "", "--pdeathsig", "KILL", "--")
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        tried = subprocess.run([*tie, "/bin/sh", "-c", ":"], check=False, capture_output=True, timeout=10)
        return tie if tried.returncode == 0 else ()
    return ()


def _is_program(path: Path) -> bool:
    """Whether the system can start a file; one that it cannot a shell would run as a script of its own."""
    try:
        with path.open("rb") as file:
            return file.read(4).startswith(_PROGRAM_SIGNS)
    except PermissionError:  # it may be run and not read, as no script can be
        return True


def open_source(path: Path, **options: Any) -> Stream:
    """A media file as the input of a graph; `options` go before its `-i`."""
    guarded = {
        "protocol_whitelist": "file",
        "format_whitelist": DEMUXERS,
        "max_streams": MAX_STREAMS,
        "max_pixels": MAX_PICTURE_PX,
        "threads": thread_count(),
        # Without this a change of picture size inside a file would start the filters anew, and their count of
        # time with them; `scale` copes with it by itself.
        "reinit_filter": 0,
    }
    if _is_transport_stream(path):  # as in the reader of the index: tracks that change their numbers are one
        guarded["merge_pmt_versions"] = 1
    return ffmpeg.input(_url(path), **{**guarded, **options})


def _is_transport_stream(path: Path) -> bool:
    """Whether a file consists of packets of MPEG-TS, with or without four bytes of time before each (M2TS)."""
    try:
        with path.open("rb") as file:
            head = file.read(_PACKETS_LOOKED_AT * 204)
    except OSError:
        return False  # the program will say why it cannot be read
    return any(
        head[offset::size][:_PACKETS_LOOKED_AT] == bytes([_PACKET_SIGN]) * _PACKETS_LOOKED_AT
        for size, offset in ((188, 0), (192, 4), (204, 0))
    )


def open_own(path: Path, **options: Any) -> Stream:
    """A file that we have written ourselves (a list of clips, raw sound) as the input of a graph."""
    return ffmpeg.input(_url(path), protocol_whitelist="file", **options)


def open_pipe(**options: Any) -> Stream:
    """The `stdin` of `Ffmpeg.run` as the input of a graph."""
    return ffmpeg.input("pipe:0", protocol_whitelist="pipe", **options)


def draw(description: str, stream: str = "v:0") -> Stream:
    """Pictures or sound that ffmpeg makes itself, as one of its own sources describes them."""
    return ffmpeg.input(description, format="lavfi")[stream]


def save(streams: Sequence[Stream], path: Path, **options: Any) -> Stream:
    """Streams written to a file; `options` go before its name."""
    return ffmpeg.output(*streams, _url(path), **options)


def send(streams: Sequence[Stream], **options: Any) -> Stream:
    """Streams written to our end of a pipe, for the `on_bytes` of `Ffmpeg.run`."""
    return ffmpeg.output(*streams, "pipe:1", **options)


def merge(outputs: Sequence[Stream]) -> Stream:
    """Several outputs of one graph, made by one run."""
    return outputs[0] if len(outputs) == 1 else ffmpeg.merge_outputs(*outputs)


def combine(streams: Sequence[Stream], name: str, **options: Any) -> Stream:
    """Output of a filter with several inputs."""
    return ffmpeg.filter(list(streams), name, **options)


def discard(streams: Sequence[Stream], **options: Any) -> Stream:
    """Streams decoded and thrown away, for what the program logs about them."""
    return ffmpeg.output(*streams, "-", format="null", **options)


def thread_count() -> int:
    """Number of threads of a codec."""
    return min(os.cpu_count() or 1, _MAX_THREADS)


class _FileName(str):
    """A name, be it no UTF-8: ffmpeg-python takes checksums of `str` of it, the program gets its own bytes."""

    __slots__ = ()

    def __str__(self) -> str:
        return self.encode("utf-8", "backslashreplace").decode()


def _url(path: Path) -> str:
    return _FileName(f"file:{path.absolute()}")


@dataclass(frozen=True)
class Ffmpeg:
    """One ffmpeg program.

    Args:
        program: absolute path of the executable.
    """

    program: str

    @cached_property
    def version(self) -> str:
        """The program's version, as it names itself."""
        first_line = self._ask("-version").partition("\n")[0]
        match = re.match(r"ffmpeg version (\S+)", first_line)
        if not match:
            raise FfmpegError(f"{self.program} does not answer like ffmpeg: {first_line[:100]!r}")
        return match[1]

    @cached_property
    def encoders(self) -> frozenset[str]:
        """Names of all encoders the program has."""
        lines = self._ask("-encoders").rpartition("------")[2].splitlines()
        return frozenset(fields[1] for fields in map(str.split, lines) if len(fields) > 1)

    def run(
        self,
        output: Stream,
        *,
        limits: ChildLimits = DEFAULT_LIMITS,
        file_bytes: int = 2**40,
        cancel: threading.Event | None = None,
        on_frame_count: Callable[[int], None] | None = None,
        on_bytes: Callable[[bytes], None] | None = None,
        on_line: Callable[[str], None] | None = None,
        stdin: int | None = None,
    ) -> None:
        """Run a graph to its end.

        Args:
            output: what `save` or `send` gave.
            limits: what the program may use.
            file_bytes: largest file it may write.
            cancel: when set, the program is killed and `FfmpegError` raised.
            on_frame_count: told how many frames were written so far (not with `on_bytes`).
            on_bytes: gets what the graph sends to the pipe, in pieces of any size.
            on_line: gets every line that the program logs.
            stdin: the reading end of a pipe, which is closed here; the program reads it by `open_pipe`.

        Raises:
            FfmpegError: it failed, was stopped at a limit, or was cancelled; the message has its last words.
        """
        progress = () if on_bytes else ("-progress", "pipe:1", "-stats_period", "0.25")
        command = self._command(limits, file_bytes)
        arguments = ffmpeg.compile(output.global_args(*_GLOBAL_ARGUMENTS, *progress), cmd=command)

        def count(data: bytes) -> None:
            if on_frame_count and (counts := _PROGRESS_FRAME.findall(data)):
                on_frame_count(int(counts[-1]))

        call = _Call(arguments, limits, cancel, on_bytes or count, on_line, is_progress=not on_bytes, stdin=stdin)
        call.finish()

    def _ask(self, question: str) -> str:
        limits = ChildLimits(wall_seconds=30.0)
        answer = bytearray()
        arguments = [*self._command(limits, 0), "-hide_banner", question]
        _Call(arguments, limits, None, answer.extend, None).finish()
        return answer.decode("utf-8", "replace")

    def _command(self, limits: ChildLimits, file_bytes: int) -> list[str]:
        blocks = -(-file_bytes // _FILE_BLOCK)
        numbers = (limits.memory_bytes // _KIBIBYTE, limits.cpu_seconds, blocks, OPEN_FILES)
        return ["/bin/sh", "-c", _LAUNCHER, "sh", *map(str, numbers), *_tie(), self.program]


@dataclass
class _Call:
    """One run of the program: its pipes, its clock and its last words."""

    arguments: Sequence[str]
    limits: ChildLimits
    cancel: threading.Event | None
    on_bytes: Callable[[bytes], Any]
    on_line: Callable[[str], None] | None
    is_progress: bool = False
    stdin: int | None = None
    complaints: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES_KEPT))
    last_line: str = ""
    last_sign: float = field(default_factory=time.monotonic)
    last_signs: list[bytes] = field(default_factory=list)
    unfinished_line: bytes = b""

    def finish(self) -> None:
        """Run to the end; raise unless it ends well."""
        try:
            process = subprocess.Popen(
                self.arguments,
                stdin=subprocess.DEVNULL if self.stdin is None else self.stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_ENVIRONMENT,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise FfmpegError(f"ffmpeg could not be started: {error}") from error
        finally:
            if self.stdin is not None:  # the program has it; else nobody would notice when that ends
                os.close(self.stdin)
        try:
            self._listen(process)
            status = process.wait(timeout=self.limits.stall_seconds)
        except subprocess.TimeoutExpired:
            raise self._error("closed its pipes but did not end") from None
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe:
                    pipe.close()
        if status:
            raise self._error(f"was killed by signal {-status}" if status < 0 else f"failed (exit {status})")

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        """Hand on what the program says until it closes both pipes."""
        deadline = time.monotonic() + self.limits.wall_seconds
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout or 0, selectors.EVENT_READ, self._take_bytes)
            selector.register(process.stderr or 0, selectors.EVENT_READ, self._take_log)
            while selector.get_map():
                for key, _ in selector.select(_TICK_SECONDS):
                    data = os.read(key.fd, _READ_BYTES)
                    if data:
                        key.data(data)
                    else:
                        selector.unregister(key.fileobj)
                now = time.monotonic()
                if self.cancel and self.cancel.is_set():
                    raise self._error("was cancelled")
                if now > deadline:
                    raise self._error(f"took longer than {self.limits.wall_seconds:g} s")
                if now > self.last_sign + self.limits.stall_seconds:
                    raise self._error(f"stood still for {self.limits.stall_seconds:g} s")

    def _take_bytes(self, data: bytes) -> None:
        # Progress comes by the clock even from a program that hangs: only a change in it is a sign of life.
        signs = _PROGRESS_SIGN.findall(data) if self.is_progress else [data]
        if signs and signs != self.last_signs:
            self.last_signs = signs if self.is_progress else []
            self.last_sign = time.monotonic()
        self.on_bytes(data)

    def _take_log(self, data: bytes) -> None:
        self.last_sign = time.monotonic()
        *lines, rest = (self.unfinished_line + data).split(b"\n")
        self.unfinished_line = rest[-_MAX_LINE_BYTES:]
        for raw in lines:
            line = raw.decode("utf-8", "replace")
            if complaint := _COMPLAINT.search(line):
                self.complaints.append(complaint[1])
            if line.strip():
                self.last_line = line
            if self.on_line:
                self.on_line(line)

    def _error(self, what: str) -> FfmpegError:
        words = list(dict.fromkeys(self.complaints)) or [self.last_line]
        said = "; ".join(_WHERE.sub("", word).strip() for word in words)
        said = "".join(c if c.isprintable() else " " for c in said)[:500]
        return FfmpegError(f"ffmpeg {what}" + (f": {said}" if said else ""))
