"""Pieces of sound laid on a time line, resampled, and cut into blocks of a second."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""float32, (n_channels, n_samples), full scale from -1 to 1."""

BLOCK_SECONDS = 1
DRIFT = Fraction(1, 50)
"""Sound whose time stamps stray from the count of its samples by less than this goes on without a gap."""


class AudioBlocks:
    """Resamples pieces of sound, lays them on the line, and cuts the line into blocks.

    Args:
        rate_hz: of the blocks.
        first: first sample wanted.
        end: first sample that is not; None for all.
    """

    def __init__(self, rate_hz: int, first: int, end: int | None) -> None:
        self._rate_hz = rate_hz
        self._first = first
        self._end = end
        self._next = 0  # number of the sample that is laid next
        self._held: list[Samples] = []
        self._n_held = 0
        self._n_channels = 0
        self._run: _Run | None = None

    @property
    def is_full(self) -> bool:
        """Whether all that is wanted was given."""
        return self._end is not None and self._next >= self._end and not self._n_held

    def push(self, time: Fraction | None, samples: Samples, rate: int) -> Iterator[tuple[int, Samples]]:
        """Take the next piece of sound; blocks that are whole now, each with the number of its first sample.

        Args:
            time: when it begins, in seconds of the line; None right after the piece before. What lies before zero,
                or before the end of the piece before, is left out.
            samples: float32, (n_channels, n_samples).
            rate: samples per second.
        """
        self._n_channels = self._n_channels or len(samples)
        samples = _with_channels(samples, self._n_channels)
        run = self._run
        if run is None or rate != run.rate or (time is not None and abs(time - run.end) > DRIFT):
            starts = time if time is not None else (run.end if run else Fraction(0))
            yield from self._close_run()
            run = self._run = _Run(starts, rate, self._rate_hz, self._n_channels)
            yield from self._lay_silence(round(starts * self._rate_hz))
            run.n_dropped = max(0, self._next - round(starts * self._rate_hz))
        yield from self._lay(run.push(samples))

    def finish(self) -> Iterator[tuple[int, Samples]]:
        """The rest."""
        yield from self._close_run()
        if self._n_held:
            yield self._take(self._n_held)

    def _close_run(self) -> Iterator[tuple[int, Samples]]:
        if self._run is not None:
            yield from self._lay(self._run.finish())
            self._run = None

    def _lay_silence(self, until: int) -> Iterator[tuple[int, Samples]]:
        while self._next < until and not self.is_full:
            n = min(until - self._next, self._rate_hz * BLOCK_SECONDS)
            yield from self._lay(np.zeros((self._n_channels, n), np.float32))

    def _lay(self, samples: Samples) -> Iterator[tuple[int, Samples]]:
        begin = self._next
        self._next += samples.shape[1]
        low = max(0, self._first - begin)
        high = samples.shape[1] if self._end is None else max(0, self._end - begin)
        if (wanted := samples[:, low:high]).shape[1]:
            self._held.append(wanted)
            self._n_held += wanted.shape[1]
        while self._n_held >= self._rate_hz * BLOCK_SECONDS:
            yield self._take(self._rate_hz * BLOCK_SECONDS)
        if self._end is not None and self._next >= self._end and self._n_held:
            yield self._take(self._n_held)

    def _take(self, n: int) -> tuple[int, Samples]:
        held = np.concatenate(self._held, axis=1)
        taken, rest = held[:, :n], held[:, n:]
        self._held, self._n_held = [rest], rest.shape[1]
        begin, self._first = self._first, self._first + n
        return begin, np.ascontiguousarray(taken)


def _with_channels(samples: Samples, n_channels: int) -> Samples:
    """The samples with so many channels: of a track that changes, those that are missing are silent."""
    if len(samples) >= n_channels:
        return samples[:n_channels]
    return np.concatenate([samples, np.zeros((n_channels - len(samples), samples.shape[1]), np.float32)])


class _Run:
    """Sound without a gap, resampled channel by channel."""

    def __init__(self, start: Fraction, rate: int, wanted_rate: int, n_channels: int) -> None:
        from av import AudioResampler

        self.rate = rate
        self.n_dropped = 0
        self._start = start
        self._n_taken = 0
        self._is_plain = rate == wanted_rate
        self._resamplers = [AudioResampler("fltp", "mono", wanted_rate) for _ in range(n_channels)]

    @property
    def end(self) -> Fraction:
        """End of the run so far, in seconds."""
        return self._start + Fraction(self._n_taken, self.rate)

    def push(self, samples: Samples) -> Samples:
        """Take more sound; what is resampled by now."""
        from av import AudioFrame

        resampled = samples
        if not self._is_plain:
            channels = []
            for row, resampler in zip(samples, self._resamplers, strict=True):
                frame = AudioFrame.from_ndarray(np.ascontiguousarray(row[None]), "fltp", "mono")
                frame.sample_rate, frame.pts = self.rate, self._n_taken
                frame.time_base = Fraction(1, self.rate)
                channels.append(_joined(resampler.resample(frame)))
            resampled = np.concatenate(channels)
        self._n_taken += samples.shape[1]
        return self._undropped(resampled)

    def finish(self) -> Samples:
        """Samples that the resamplers still hold."""
        if self._is_plain or not self._n_taken:
            return np.zeros((len(self._resamplers), 0), np.float32)
        return self._undropped(np.concatenate([_joined(one.resample(None)) for one in self._resamplers]))

    def _undropped(self, samples: Samples) -> Samples:
        dropped = min(self.n_dropped, samples.shape[1])
        self.n_dropped -= dropped
        return samples[:, dropped:]


def _joined(frames: Sequence[Any]) -> Samples:
    return np.concatenate([np.zeros((1, 0), np.float32), *(frame.to_ndarray() for frame in frames)], axis=1)
