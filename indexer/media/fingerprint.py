"""The content identity of a file, by which its places, its shots and its clips are found again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from store.limited import open_regular

SAMPLE_BYTES = 64 * 1024


def fingerprint(path: Path) -> str:
    """Content identity of a regular file: 32 hex digits over its size and samples of its head, middle and tail.

    Reads at most 192 KiB, so a film on a network disk costs milliseconds. BLAKE2b, 16 bytes (RFC 7693).

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    with os.fdopen(open_regular(path), "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        digest = hashlib.blake2b(str(size).encode(), digest_size=16)
        for offset in (0, max(0, size // 2 - SAMPLE_BYTES // 2), max(0, size - SAMPLE_BYTES)):
            stream.seek(offset)
            digest.update(stream.read(SAMPLE_BYTES))
    return digest.hexdigest()
