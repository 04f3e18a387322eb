"""The sound of a whole supercut, put together from the samples of its pieces, one piece after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search_app.conforming.audio import BYTES_PER_SAMPLE

_BLOCK = 1 << 18
_LOUDEST = 2**15 - 1


@dataclass(slots=True)
class SoundTrack:
    """Raw samples in a file: 16 bit little endian, channels interleaved.

    Args:
        path: the file.
        n_channels: how many channels.
        n_samples: its length so far, in samples of each channel.
        on_samples: gets all samples as they are added; then no piece may overlap the one before.
    """

    path: Path
    n_channels: int
    n_samples: int = 0
    on_samples: Callable[[bytes], None] | None = None

    def add(
        self,
        piece: Path | None,
        start: int,
        n_samples: int,
        *,
        fade_in: int = 0,
        fade_out: int = 0,
        gain: float = 1.0,
    ) -> None:
        """Put a piece at its place.

        Where it begins before the end of what is there, both are cross-faded at equal power over just those
        samples: two unlike sounds together are then as loud as each alone.

        Args:
            piece: its samples, coded like the track's; None for silence.
            start: where it begins; not after the end of what is there.
            n_samples: its length.
            fade_in: over how many samples it comes out of silence.
            fade_out: over how many it goes into silence.
            gain: what it is multiplied by.
        """
        overlap = self.n_samples - start
        with self.path.open("r+b" if self.n_samples else "w+b") as track:  # an older attempt's is lost
            for first in range(0, n_samples, _BLOCK):
                n_here = min(_BLOCK, n_samples - first)
                place = np.arange(first, first + n_here, dtype=np.float32) + 0.5
                rise = _slope(place, max(overlap, fade_in))
                samples = self._read(piece, first, n_here)
                samples *= (gain * rise * _slope(n_samples - place, fade_out))[:, None]
                n_under = max(0, min(n_here, overlap - first))
                if n_under:
                    track.seek(self._offset(start + first))
                    under = np.frombuffer(track.read(self._offset(n_under)), "<i2").reshape(-1, self.n_channels)
                    samples[:n_under] += under * _slope(overlap - place[:n_under], overlap)[:, None]
                track.seek(self._offset(start + first))
                rounded = np.clip(np.rint(samples), -_LOUDEST, _LOUDEST).astype("<i2").tobytes()
                track.write(rounded)
                if self.on_samples:
                    self.on_samples(rounded)
        self.n_samples = start + n_samples

    def _read(self, piece: Path | None, first: int, n_samples: int) -> NDArray[np.float32]:
        """(n_samples, n_channels)."""
        if piece is None:
            return np.zeros((n_samples, self.n_channels), np.float32)
        samples = np.fromfile(piece, "<i2", n_samples * self.n_channels, offset=self._offset(first))
        return samples.reshape(-1, self.n_channels).astype(np.float32)

    def _offset(self, n_samples: int) -> int:
        return n_samples * self.n_channels * BYTES_PER_SAMPLE


def _slope(place: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """A quarter of a sine from 0 to 1 over a length, then 1."""
    if not length:
        return np.ones_like(place)
    return np.sin(np.clip(place / length, 0, 1) * (np.pi / 2)).astype(np.float32)
