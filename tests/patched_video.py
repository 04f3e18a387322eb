"""Boxes of MP4 and QuickTime files changed or added, as cameras write them and our encoder does not."""

from __future__ import annotations

import struct
from pathlib import Path

UNIT = 1 << 16
_CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
_ENTRY_HEADER_BYTES = 86  # of a picture's sample entry, its own size and name included


def set_matrix(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Say in a track header how pictures are shown: the first two rows of its matrix, in units of 1/65536."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    struct.pack_into(">9i", data, at, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def set_size(path: Path, width: int, height: int) -> Path:
    """Say in a track header how large the track is."""
    data = bytearray(path.read_bytes())
    struct.pack_into(">2I", data, data.index(b"tkhd") + 4 + 76, width * UNIT, height * UNIT)
    path.write_bytes(data)
    return path


def add_to_pictures(path: Path, *boxes: bytes) -> Path:
    """Add boxes to the sample entry of the pictures; the file's index must lie behind its pictures."""
    data = bytearray(path.read_bytes())
    assert data.index(b"mdat") < data.index(b"moov")
    begins = [data.index(name) - 4 for name in _CONTAINERS]
    entry = begins[-1] + 16  # size, name, version, number of entries
    end = entry + struct.unpack_from(">I", data, entry)[0]
    added = b"".join(boxes)
    data[end:end] = added
    for begin in (*begins, entry):
        struct.pack_into(">I", data, begin, struct.unpack_from(">I", data, begin)[0] + len(added))
    path.write_bytes(data)
    return path


def box(name: bytes, *numbers: int) -> bytes:
    """A box of 32-bit numbers."""
    return struct.pack(f">I4s{len(numbers)}i", 8 + 4 * len(numbers), name, *numbers)


def clean_aperture(width: int, height: int, right: int = 0, down: int = 0) -> bytes:
    """A `clap` box: the size that is shown, and how far its middle lies from that of the stored picture."""
    return box(b"clap", width, 1, height, 1, right, 1, down, 1)


def call_channels_unused(path: Path, n_channels: int) -> Path:
    """Say of every channel of the sound that it has no speaker; the file's index must lie behind its contents."""
    data = bytearray(path.read_bytes())
    assert data.index(b"mdat") < data.index(b"moov")
    old = data.index(b"chan") - 4
    end = old + struct.unpack_from(">I", data, old)[0]
    begins = [data.rindex(name, 0, old) - 4 for name in _CONTAINERS]
    new = box(b"chan", 0, 0, 0, n_channels, *([0] * 5 * n_channels))
    data[old:end] = new
    for begin in (*begins, begins[-1] + 16):
        size = struct.unpack_from(">I", data, begin)[0] + len(new) - (end - old)
        struct.pack_into(">I", data, begin, size)
    path.write_bytes(data)
    return path
