"""The program of a limited child: takes one request, limits itself, and streams what one function yields.

It is started by file name, in Python's isolated mode, so that neither the environment nor the folder it is
started in decides what is imported. Nothing heavy is imported before the limits stand.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ERROR_KINDS = ("VideoUnreadableError", "MediaError")
"""The errors that a child may pass on under their own name."""


def main() -> None:
    """Serve the one request that the parent wrote to our standard input."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    # Whatever a library prints must not land between two messages.
    os.dup2(2, 1)
    request = json.loads(sys.stdin.buffer.readline())
    _limit_ourselves(request["limits"])
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _serve(request, out)
    # Without the destructors: decoder threads must not hold up an answer that is complete.
    os._exit(0)


def _serve(request: Mapping[str, Any], out: Any) -> None:
    from indexer.media.framing import pack_message

    try:
        module, _, function = request["entry"].partition(":")
        stream = getattr(importlib.import_module(module), function)(**request["arguments"])
        for header, blobs in stream:
            _write_all(out, pack_message({"type": "message", "header": header}, blobs))
        _write_all(out, pack_message({"type": "end"}))
    except BrokenPipeError:
        os._exit(1)
    except MemoryError:
        _write_all(out, pack_message({"type": "memory"}))
    except Exception as error:
        kind = type(error).__name__
        known = kind in ERROR_KINDS
        text = str(error) if known else f"{kind}: {error}"
        _write_all(out, pack_message({"type": "error", "kind": kind if known else "", "text": text}))
        if not known:
            raise


def _write_all(out: Any, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[out.write(view) :]


def _die_with_parent() -> None:
    """Leave as soon as the parent's end of our standard input closes, however the parent ended."""
    while os.read(0, 4096):
        pass
    os._exit(1)


def _limit_ourselves(limits: Mapping[str, int]) -> None:
    import resource

    wanted = {
        resource.RLIMIT_AS: limits["memory_bytes"],
        resource.RLIMIT_CPU: limits["cpu_seconds"],
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for kind, limit in wanted.items():
        hard = resource.getrlimit(kind)[1]
        allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (allowed, allowed))


if __name__ == "__main__":
    main()
