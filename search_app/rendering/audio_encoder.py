"""The sound of a supercut coded while its pictures are still being made, where no later sound can change it.

One encoder codes the whole, as it would at the end: it reads the samples from a pipe as they come.
"""

from __future__ import annotations

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import DEFAULT_LIMITS, Ffmpeg, open_pipe, save
from search_app.conforming.coding import CODINGS, container_of
from search_app.conforming.target_profile import Profile

ENCODER = "aac"
_PATIENT = replace(DEFAULT_LIMITS, stall_seconds=DEFAULT_LIMITS.wall_seconds)
"""It stands still for as long as the pictures of a clip take."""


def can_code_early(profile: Profile, output: Path) -> bool:
    """Whether the sound of this file is coded by the encoder that is worth starting early."""
    return CODINGS[profile.codec].sound.get(container_of(output, profile.codec)) == ENCODER


@dataclass
class EarlySound:
    """An encoder of raw samples, 16 bit little endian, channels interleaved.

    Args:
        program: ffmpeg.
        profile: gives sample rate, channels and bits a second.
        target: the file it writes, in MP4 as `.m4a`: what comes before the first sample is told there.
    """

    program: Ffmpeg
    profile: Profile
    target: Path
    _stop: threading.Event = field(default_factory=threading.Event)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    def __enter__(self) -> EarlySound:
        """Start the encoder."""
        listening, telling = os.pipe()
        self._samples = os.fdopen(telling, "wb")
        profile = self.profile
        samples = open_pipe(format="s16le", ar=profile.sample_rate, ch_layout=profile.channel_layout)
        coding = {"c:a": ENCODER, "b:a": profile.audio_bits_per_second, "format": "ipod"}
        output = save([samples["a:0"]], self.target, **coding)
        self._coded = self._pool.submit(
            self.program.run, output, limits=_PATIENT, cancel=self._stop, stdin=listening
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        """Stop the encoder if it still runs."""
        self._stop.set()
        self._pool.shutdown()
        self._close()

    def add(self, samples: bytes) -> None:
        """Samples that follow those before; without effect if the encoder has failed."""
        with contextlib.suppress(BrokenPipeError):
            self._samples.write(samples)

    def finish(self) -> Path | None:
        """The file, once all is coded; None if that failed, and the samples must be coded anew."""
        self._close()
        try:
            self._coded.result()
        except FfmpegError:
            return None  # whoever codes them anew will say what is wrong, if it is not over
        return self.target

    def _close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._samples.close()
