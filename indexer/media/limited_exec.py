"""Becomes another program after giving up what that program must not use.

Run as `python -I -S limited_exec.py MEMORY_BYTES CPU_SECONDS FILE_BYTES OPEN_FILES PROGRAM ARGUMENT...`. The
limits are set here, in the child, because a function run between fork and exec (`preexec_fn`) may deadlock a
parent that has threads. Uses the standard library only, and little of it: it starts before every call of ffmpeg.
"""

import os
import resource
import signal
import sys


def main(arguments: list[str]) -> None:
    """Set the limits, then replace this process by the program."""
    memory_bytes, cpu_seconds, file_bytes, open_files = map(int, arguments[:4])
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, memory_bytes)
    _limit(resource.RLIMIT_CPU, cpu_seconds)
    _limit(resource.RLIMIT_FSIZE, file_bytes)
    _limit(resource.RLIMIT_NOFILE, open_files)
    # Python ignores both signals, and a program keeps what its predecessor ignored. SIGXFSZ stays ignored:
    # the program then hears "file too large" and can say so.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    program = arguments[4]
    os.execv(program, arguments[4:])  # noqa: S606  # an argument list, never a shell


def _limit(kind: int, wanted: int) -> None:
    """Lower a limit to `wanted`; a stricter one that is already in force stays."""
    _, hard = resource.getrlimit(kind)
    value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(kind, (value, value))
    except (ValueError, OSError):
        # macOS refuses RLIMIT_AS; the wall clock still holds there.
        if kind != resource.RLIMIT_AS:
            raise


if __name__ == "__main__":
    main(sys.argv[1:])
