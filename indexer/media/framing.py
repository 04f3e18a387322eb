"""Messages between a limited child and its parent: a JSON header and raw bytes, nothing that executes.

A hijacked decoder can write what it likes into the pipe, so the reading side trusts nothing: sizes are
bounded before memory is taken, and no object is ever unpickled.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_HEADER_BYTES = 64 * 2**20
MAX_BLOB_BYTES = 128 * 2**20
"""Room for the largest picture that is decoded, in RGB."""

MAX_BLOBS = 16

_PREFIX = struct.Struct("<II")
_SIZE = struct.Struct("<I")


class FramingError(Exception):
    """The other side does not speak our language."""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that a child says.

    Args:
        header: plain JSON values.
        blobs: raw bytes that belong to it.
    """

    header: Mapping[str, Any]
    blobs: tuple[bytes, ...] = ()


def pack_message(header: Mapping[str, Any], blobs: Sequence[bytes] = ()) -> bytes:
    """The bytes of a message: both counts, the size of each blob, the header, the blobs."""
    text = json.dumps(header, separators=(",", ":")).encode("ascii")
    sizes = b"".join(_SIZE.pack(len(blob)) for blob in blobs)
    return b"".join((_PREFIX.pack(len(text), len(blobs)), sizes, text, *blobs))


def read_message(read_exactly: Callable[[int], bytes]) -> Message:
    """The next message from a stream.

    Args:
        read_exactly: returns that many bytes, or raises `EOFError`.

    Raises:
        EOFError: the stream ended.
        FramingError: what came is not a message, or too large for one.
    """
    n_text, n_blobs = _PREFIX.unpack(read_exactly(_PREFIX.size))
    if n_text > MAX_HEADER_BYTES or n_blobs > MAX_BLOBS:
        raise FramingError("a message larger than allowed")
    sizes = [_SIZE.unpack(read_exactly(_SIZE.size))[0] for _ in range(n_blobs)]
    if sum(sizes) > MAX_BLOB_BYTES:
        raise FramingError("a message larger than allowed")
    try:
        header = json.loads(read_exactly(n_text))
    except (ValueError, RecursionError) as error:
        raise FramingError("a message that is not JSON") from error
    if not isinstance(header, dict):
        raise FramingError("a message without a header")
    return Message(header, tuple(read_exactly(size) for size in sizes))
