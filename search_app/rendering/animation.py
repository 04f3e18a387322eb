"""A joined supercut as a GIF: 256 colours chosen over the whole film, the rest dithered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from indexer.media.ffmpeg import Ffmpeg, combine, open_own, save


def write_gif(
    program: Ffmpeg,
    joined: Path,
    target: Path,
    *,
    cancel: threading.Event | None = None,
    on_frame_count: Callable[[int], None] | None = None,
) -> None:
    """Make a GIF that plays for ever, frame for frame, of a film; its palette lies beside `target` meanwhile.

    Colours are chosen in a run of their own: in one run all pictures would wait in memory for them.

    Raises:
        FfmpegError: it failed or was cancelled.
    """
    palette = target.with_name("palette.mov")
    chosen = open_own(joined)["v:0"].filter("palettegen", stats_mode="full")
    program.run(save([chosen], palette, **{"c:v": "png", "frames:v": 1}), cancel=cancel)
    pictures = combine([open_own(joined)["v:0"], open_own(palette)["v:0"]], "paletteuse", dither="sierra2_4a")
    output = save([pictures], target, format="gif", loop=0, fps_mode="passthrough")
    program.run(output, cancel=cancel, on_frame_count=on_frame_count)
    palette.unlink()
