"""Sound in windows that a speech model can take: channels grouped, cuts in silence, long pauses left out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from indexer.models.transcriber import LONGEST_SECONDS, SPEECH_RATE_HZ, Sound
from indexer.stages.word_times import Stretches

Channels: TypeAlias = NDArray[np.float32]
"""float32, (n_channels, n_samples), 16,000 samples per second."""

SAME_SOUND: Final = 0.5
"""Correlation from which on two channels are one recording in stereo, not two recordings beside each other."""
MOST_GROUPS: Final = 8
SILENT: Final = 1e-4
"""Root mean square, of full scale: -80 dB."""

SHORTEST_CUT_SECONDS: Final = 12.0
"""A window is not cut sooner than this: the more a model hears at once, the better it understands."""
SHORTEST_SILENCE_SECONDS: Final = 0.15
_CUTS: Final = ((20.0, 0.4), (SHORTEST_CUT_SECONDS, SHORTEST_SILENCE_SECONDS))
"""After how many seconds a silence of how many ends a window: a good pause, late; else what there is."""
KEPT_BACK_SECONDS: Final = 0.5
"""Of a window without speech: a word that has just begun is not told from noise yet."""
LEFT_OUT_SECONDS: Final = 2.0
"""Pauses that are longer are not given to the model, which invents words for them; as in faster-whisper."""
PADDING_SECONDS: Final = 0.4
_QUIET_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class ChannelGroup:
    """Channels that hold one recording.

    Args:
        channels: their numbers, from 0.
        sound: their mean; those that are upside down are turned first, so that nothing cancels out.
    """

    channels: tuple[int, ...]
    sound: Sound = field(repr=False)


def group_channels(sound: Channels) -> list[ChannelGroup]:
    """The recordings in the channels of a window, each once; silent channels are left out.

    A channel joins the first group with whose first channel it correlates by at least `SAME_SOUND`: a stereo
    recording is one group, two microphones of two speakers are two. Beyond `MOST_GROUPS` all join the last.
    """
    loud = [
        number for number, row in enumerate(sound) if float(np.sqrt(np.mean(row**2, dtype=np.float64))) > SILENT
    ]
    groups: list[list[tuple[int, float]]] = []
    for number in loud:
        for group in groups:
            likeness = _correlation(sound[group[0][0]], sound[number])
            if abs(likeness) >= SAME_SOUND or (group is groups[-1] and len(groups) == MOST_GROUPS):
                group.append((number, -1.0 if likeness <= -SAME_SOUND else 1.0))
                break
        else:
            groups.append([(number, 1.0)])
    return [
        ChannelGroup(
            tuple(number for number, _ in group),
            np.mean([sign * sound[number] for number, sign in group], axis=0, dtype=np.float32),
        )
        for group in groups
    ]


def sound_alike(one: Sound, other: Sound, stretches: Stretches) -> bool:
    """Whether two recordings hold the same in these stretches, together at least a fifth of a second."""
    places = [slice(round(start * SPEECH_RATE_HZ), round(end * SPEECH_RATE_HZ)) for start, end in stretches]
    parts = [np.concatenate([sound[place] for place in places] or [sound[:0]]) for sound in (one, other)]
    return len(parts[0]) >= SPEECH_RATE_HZ // 5 and _correlation(*parts) >= SAME_SOUND


def join_groups(one: ChannelGroup, other: ChannelGroup) -> ChannelGroup:
    """Two recordings that hold the same, as one: their mean, weighed by their channels."""
    weights = [len(one.channels), len(other.channels)]
    sound = np.average([one.sound, other.sound], axis=0, weights=weights).astype(np.float32)
    return ChannelGroup(tuple(sorted((*one.channels, *other.channels))), sound)


def overlap(one: Stretches, other: Stretches) -> list[tuple[float, float]]:
    """What two lists of stretches share, in order."""
    shared = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return sorted((start, end) for start, end in shared if start < end)


def _correlation(one: Sound, other: Sound) -> float:
    one, other = one - one.mean(), other - other.mean()
    power = float(np.sqrt(np.dot(one, one) * np.dot(other, other)))
    return float(np.dot(one, other)) / power if power else 0.0


def union(stretches: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Stretches that overlap or touch, joined; in order."""
    joined: list[tuple[float, float]] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def silences(speech: Stretches, end: float) -> list[tuple[float, float]]:
    """When nobody speaks, up to `end`, in order."""
    edges = [0.0, *(edge for stretch in speech for edge in stretch), end]
    return [(start, stop) for start, stop in zip(edges[::2], edges[1::2], strict=True) if stop > start]


def choose_cut(sound: Channels, speech: Stretches) -> float:
    """Where to end a window: in its longest late silence, else at its quietest late moment.

    Args:
        sound: the window.
        speech: when somebody speaks in any channel, joined.

    Returns:
        Seconds from the beginning of the window.
    """
    end = sound.shape[1] / SPEECH_RATE_HZ
    for earliest, shortest in _CUTS:
        late = [
            (start, stop)
            for start, stop in silences(speech, end)
            if (start + stop) / 2 >= earliest and stop - start >= shortest
        ]
        if late:
            start, stop = max(late, key=lambda silence: (silence[1] - silence[0], silence[1]))
            return (start + stop) / 2
    n = int(_QUIET_SECONDS * SPEECH_RATE_HZ)
    first = int(min(SHORTEST_CUT_SECONDS, end / 2) * SPEECH_RATE_HZ)
    power = np.mean(sound[:, first:] ** 2, axis=0)
    blocks = power[: len(power) // n * n].reshape(-1, n).mean(axis=1)
    return (first + (int(np.argmin(blocks)) + 0.5) * n) / SPEECH_RATE_HZ if len(blocks) else end


def silence_near(speech: Stretches, end: float, at: float, within: float) -> float | None:
    """Middle of the silence that lies at an instant, or so near to it; None where there is none."""
    near = [
        (start, stop)
        for start, stop in silences(speech, end)
        if start - within <= at <= stop + within and stop - start >= SHORTEST_SILENCE_SECONDS and start > 0
    ]
    if not near:
        return None
    start, stop = min(near, key=lambda silence: max(silence[0] - at, at - silence[1], 0.0))
    return (start + stop) / 2


@dataclass(frozen=True, slots=True)
class SpokenSound:
    """A window without its long pauses.

    Args:
        sound: what is left, end to end.
        pieces: where each piece lies in the window, in seconds.
    """

    sound: Sound = field(repr=False)
    pieces: tuple[tuple[float, float], ...]

    def window_time(self, seconds: float, *, is_end: bool = False) -> float:
        """Time in the window of a time in the sound; where two pieces meet, an end belongs to the first."""
        starts = [0.0]
        for start, end in self.pieces:
            starts.append(starts[-1] + end - start)
        place = bisect_right(starts, seconds) - 1
        if is_end and place > 0 and seconds <= starts[place] + 1e-9:
            place -= 1
        place = min(max(place, 0), len(self.pieces) - 1)
        return self.pieces[place][0] + seconds - starts[place]


def leave_out_pauses(sound: Sound, speech: Stretches) -> SpokenSound:
    """The speech of a window, with what is short between it, and padding around it."""
    end = len(sound) / SPEECH_RATE_HZ
    joined = [list(stretch) for stretch in speech[:1]]
    for before, after in pairwise(speech):
        if after[0] - before[1] < LEFT_OUT_SECONDS:
            joined[-1][1] = after[1]
        else:
            joined.append(list(after))
    padded = union((max(0.0, start - PADDING_SECONDS), min(end, stop + PADDING_SECONDS)) for start, stop in joined)
    samples = [(round(start * SPEECH_RATE_HZ), round(stop * SPEECH_RATE_HZ)) for start, stop in padded]
    pieces = tuple((first / SPEECH_RATE_HZ, last / SPEECH_RATE_HZ) for first, last in samples)
    kept: Sequence[Sound] = [sound[first:last] for first, last in samples]
    return SpokenSound(np.concatenate(kept) if kept else sound[:0], pieces)


WINDOW_SAMPLES: Final = int(LONGEST_SECONDS * SPEECH_RATE_HZ)
