"""The headers under which a file's pictures are decoded, read without decoding any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av

from indexer.errors import FfmpegError


def read_headers(path: Path) -> bytes:
    """The parameter sets of the first picture stream of a file that we have written ourselves.

    Raises:
        FfmpegError: it cannot be opened, or has no pictures.
    """
    container: Any
    try:
        with av.open(f"file:{path}") as container:
            return bytes(container.streams.video[0].codec_context.extradata or b"")
    except (av.error.FFmpegError, IndexError) as error:
        raise FfmpegError(f"{path.name} cannot be read: {error}") from error
