"""Silence, without a model: stretches in which every channel stays below a level.

The level is that of windows of a twentieth of a second (root mean square), the loudest channel's, as in ffmpeg's
`silencedetect`; edges are those of windows. Where the sound ends before the pictures, the rest is silent, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from indexer.stages.stage import HeardStretch, KnownVideo, StretchResult
from store.records import TextRow
from store.shot_outcomes import ShotState
from store.stages import Run
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from indexer.media.audio import AudioBlock

SILENCE: Final = "silence"
METHOD: Final = "silence 1"
_RATE_HZ = 16_000
_WINDOW = _RATE_HZ // 20
_AT_ONCE = Fraction(20)
"""Sound is reported in pieces of so many seconds at least."""


@dataclass(frozen=True, slots=True)
class SilenceSettings:
    """What counts as silence.

    Args:
        level_db: loudest that silence may be, in decibels below full scale.
        shortest_seconds: silence that is shorter is none.
    """

    level_db: float = -60.0
    shortest_seconds: float = 2.0

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        if not -120 <= self.level_db < 0 or self.shortest_seconds < 0.05:
            raise ValueError("level_db must lie between -120 and 0, and shortest_seconds be at least 0.05")


class SilenceStage:
    """Silent stretches of each video; see the module.

    Args:
        settings: what counts as one.
    """

    def __init__(self, settings: SilenceSettings | None = None) -> None:
        self._settings = settings or SilenceSettings()
        self.run = Run.of("silence", METHOD, asdict(self._settings))
        self.rate_hz = _RATE_HZ
        self.is_mono = False  # channels of opposite phase would add up to silence

    def listen(self, video: KnownVideo, start: Fraction) -> SilenceListener:
        """A listener for one video; see `SoundStage`."""
        return SilenceListener(self._settings, video.video.facts.span, video.video.facts.has_audio, start)


class SilenceListener:
    """Hears the silences of one video.

    Args:
        settings: what counts as silence.
        video: span of the video; rows lie inside it.
        has_sound: whether it has a sound track.
        start: when the sound begins that is heard.
    """

    def __init__(self, settings: SilenceSettings, video: TimeSpan, has_sound: bool, start: Fraction) -> None:
        self._video = video
        self._has_sound = has_sound
        self._loudest = 10 ** (settings.level_db / 20)
        self._shortest = Fraction(str(settings.shortest_seconds))
        self._told = self._heard = start
        self._silent_from: Fraction | None = None
        self._rows: list[TextRow] = []

    @property
    def wants_sound(self) -> bool:
        """Whether there is any."""
        return self._has_sound

    def take(self, block: AudioBlock) -> Sequence[HeardStretch]:
        """Hear a second of sound; see `Listener`."""
        n = block.samples.shape[1]
        for first in range(0, n, _WINDOW):
            window = block.samples[:, first : first + _WINDOW]
            rms = float(np.sqrt(np.square(window, dtype=np.float64).mean(axis=1)).max(initial=0.0))
            at = Fraction(block.first_sample + first, block.rate_hz)
            if rms > self._loudest:
                self._end_silence(at)
            elif self._silent_from is None:
                self._silent_from = at
        self._heard = Fraction(block.first_sample + n, block.rate_hz)
        complete = self._heard if self._silent_from is None else self._silent_from
        return self._tell(complete) if complete - self._told >= _AT_ONCE else ()

    def end(self, end: Fraction) -> Sequence[HeardStretch]:
        """Hear the end of the sound; see `Listener`."""
        if not self._has_sound:
            if end <= self._told:
                return ()
            nothing = StretchResult(state=ShotState.NOTHING, reason="the video has no sound")
            return (HeardStretch(TimeSpan(self._told, end), nothing),)
        if self._silent_from is None and end > self._heard:
            self._silent_from = self._heard
        self._end_silence(max(end, self._heard))
        return self._tell(max(end, self._heard))

    def _end_silence(self, at: Fraction) -> None:
        since, self._silent_from = self._silent_from, None
        if since is None:
            return
        start, end = max(since, self._video.start), min(at, self._video.end)
        if end - start >= self._shortest:
            self._rows.append(TextRow(TimeSpan(start, end), SILENCE, payload={"within_seconds": 0.05}))

    def _tell(self, until: Fraction) -> Sequence[HeardStretch]:
        if until <= self._told:
            return ()
        told = HeardStretch(TimeSpan(self._told, until), StretchResult(tuple(self._rows)))
        self._told, self._rows = until, []
        return (told,)
