"""Checksums of a film as it decodes, so that two films can be proven to be the same.

MD5 of every decoded picture and piece of sound, as `ffmpeg -i FILM -f framemd5 -` prints them: anybody can check.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg, open_own, send


@dataclass(frozen=True, slots=True)
class FilmChecksums:
    """Checksums of a decoded film.

    Args:
        n_frames: how many pictures it has.
        pictures: MD5 of the MD5s of all pictures, in hexadecimal, in order.
        sound: the same of all pieces of sound; empty without sound.
        clips: the same as `pictures` for each clip alone.
    """

    n_frames: int
    pictures: str
    sound: str
    clips: tuple[str, ...]

    def difference(self, other: FilmChecksums) -> str:
        """Difference of another film, for people; empty if it is the same to the last bit."""
        if self.n_frames != other.n_frames:
            return f"it has {other.n_frames} frames instead of {self.n_frames}"
        pairs = enumerate(zip(self.clips, other.clips, strict=False), start=1)
        if wrong := [str(number) for number, (one, two) in pairs if one != two]:
            return f"other pictures in clips {', '.join(wrong)}"
        if self.pictures != other.pictures:
            return "other pictures between clips"
        return "" if self.sound == other.sound else "other sound"


def film_checksums(
    film: Path,
    clips: Sequence[tuple[int, int]],
    program: Ffmpeg | None = None,
    cancel: threading.Event | None = None,
) -> FilmChecksums:
    """Checksums of a film.

    Args:
        film: the file.
        clips: first frame and length of each clip.
        program: ffmpeg; the one that came with the installation if None.
        cancel: stops it when set.

    Raises:
        FfmpegError: it does not decode, or it was cancelled.
    """
    lines = bytearray()
    source = open_own(film)
    # The question marks: a film may have no pictures, or no sound.
    streams = [source["V:0?"], source["a:0?"]]
    output = send(streams, format="framemd5", fps_mode="passthrough")
    (program or find_ffmpeg()).run(output, cancel=cancel, on_bytes=lines.extend)
    return read_framemd5(lines.decode(), clips)


def read_framemd5(text: str, clips: Sequence[tuple[int, int]]) -> FilmChecksums:
    """Checksums from what ffmpeg prints."""
    kinds: dict[str, str] = {}
    found: dict[str, list[str]] = {"video": [], "audio": []}
    for line in text.splitlines():
        if line.startswith("#media_type"):
            stream, _, kind = line.removeprefix("#media_type ").partition(": ")
            kinds[stream] = kind
        elif line and not line.startswith("#"):
            fields = [field.strip() for field in line.split(",")]
            found[kinds[fields[0]]].append(fields[-1])
    pictures, sound = found["video"], found["audio"]
    return FilmChecksums(
        len(pictures),
        _joined(pictures),
        _joined(sound) if sound else "",
        tuple(_joined(pictures[first : first + length]) for first, length in clips),
    )


def _joined(digests: Sequence[str]) -> str:
    # To tell films apart, not to keep anybody from making one with the same checksum.
    return hashlib.md5("\n".join(digests).encode(), usedforsecurity=False).hexdigest()
