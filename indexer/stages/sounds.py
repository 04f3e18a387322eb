"""Sound events: music, applause, a dog, as an audio tagger names them, ten seconds by ten seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from indexer.models.sound_tagger import DEFAULT_MODEL
from indexer.stages.speech_rows import clamped
from indexer.stages.stage import HeardStretch, StretchResult
from store.records import TextRow
from store.shot_outcomes import ShotState
from store.stages import Run
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from indexer.media.audio import AudioBlock
    from indexer.models.sound_tagger import SoundTagger, Tag
    from indexer.models.transcriber import Sound
    from indexer.stages.stage import KnownVideo, Listener

STAGE: Final = "sound"
SECONDS: Final = 10
"""Of a piece of sound: what AudioSet's networks were trained on."""
_PIECES: Final = 6
"""A stretch is a minute: its pieces are tagged in one batch."""
_LEAST_SECONDS: Final = 1
"""A shorter rest of the sound is too short to be named."""
_SILENT: Final = 1e-4


@dataclass(frozen=True, slots=True)
class SoundSettings:
    """Settings of sound events.

    Args:
        model: an audio-classification checkpoint: ORGANISATION/NAME of the hub, or a folder.
        least_score: how sure the model must be, 0 to 1.
        most_tags: sounds named at once.
    """

    model: str = DEFAULT_MODEL
    least_score: float = 0.3
    most_tags: int = 5

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not self.model.strip():
            raise ValueError("model must not be empty")
        if not 0 <= self.least_score <= 1:
            raise ValueError("least_score must lie between 0 and 1")
        if self.most_tags < 1:
            raise ValueError("most_tags must be 1 or more")


class SoundEventStage:
    """Names the sounds of a video.

    Args:
        settings: how.
        tagger: the model.
    """

    def __init__(self, settings: SoundSettings, tagger: SoundTagger) -> None:
        self._settings = settings
        self._tagger = tagger

    @property
    def run(self) -> Run:
        """Stage, model and parameters."""
        parameters = {
            "least_score": self._settings.least_score,
            "most_tags": self._settings.most_tags,
            "seconds": SECONDS,
        }
        model = self._tagger
        return Run.of(STAGE, model.name, parameters, revision=model.revision, weights_hash=model.weights_hash)

    @property
    def rate_hz(self) -> int:
        """Samples per second that the model takes."""
        return self._tagger.rate_hz

    @property
    def is_mono(self) -> bool:
        """Yes."""
        return True

    def listen(self, video: KnownVideo, start: Fraction) -> Listener:
        """A listener for one video."""
        return _SoundListener(self._settings, self._tagger, video.video.facts.span, start)


class _SoundListener:
    """Gathers a minute, and tags it in pieces of ten seconds."""

    def __init__(self, settings: SoundSettings, tagger: SoundTagger, span: TimeSpan, start: Fraction) -> None:
        self._settings = settings
        self._tagger = tagger
        self._span = span
        self._at = start
        self._held: list[Sound] = []
        self._n_held = 0
        self._first_sample: int | None = None

    @property
    def wants_sound(self) -> bool:
        """Yes."""
        return True

    def take(self, block: AudioBlock) -> Sequence[HeardStretch]:
        """Hear a second; a stretch for each minute that is complete."""
        if self._first_sample is None:
            self._first_sample = block.first_sample
        self._held.append(block.samples[0])
        self._n_held += block.samples.shape[1]
        stretches = []
        while self._n_held >= _PIECES * self._piece_samples:
            stretches.append(self._tag(_PIECES * self._piece_samples))
        return stretches

    def end(self, end: Fraction) -> Sequence[HeardStretch]:
        """Tag the rest."""
        stretches = [self._tag(self._n_held)] if self._n_held else []
        if self._at < end:
            reason = "no sound" if self._first_sample is None else ""
            stretches.append(HeardStretch(TimeSpan(self._at, end), StretchResult((), ShotState.NOTHING, reason)))
        return stretches

    @property
    def _piece_samples(self) -> int:
        return SECONDS * self._tagger.rate_hz

    def _tag(self, n_samples: int) -> HeardStretch:
        """The stretch of the first samples that are held."""
        sound = np.concatenate(self._held)
        taken, rest = sound[:n_samples], sound[n_samples:]
        self._held, self._n_held = [rest], len(rest)
        first = self._first_sample or 0
        self._first_sample = first + n_samples
        places = [at for at in range(0, n_samples, self._piece_samples) if self._is_worth(taken, at)]
        pieces = [taken[at : at + self._piece_samples] for at in places]
        found = self._tagger.tag(pieces) if pieces else []
        heard = {first + at: self._named(tags) for at, tags in zip(places, found, strict=True)}
        rows = [row for row in self._rows(heard, first + n_samples) if row is not None]
        end = Fraction(first + n_samples, self._tagger.rate_hz)
        stretch = HeardStretch(TimeSpan(self._at, end), StretchResult(tuple(rows)))
        self._at = end
        return stretch

    def _is_worth(self, sound: Sound, at: int) -> bool:
        piece = sound[at : at + self._piece_samples]
        is_long = len(piece) >= _LEAST_SECONDS * self._tagger.rate_hz
        return is_long and float(np.sqrt(np.mean(piece**2, dtype=np.float64))) > _SILENT

    def _named(self, tags: Sequence[Tag]) -> dict[str, float]:
        best = [tag for tag in tags if tag.score >= self._settings.least_score][: self._settings.most_tags]
        return {tag.name: tag.score for tag in best}

    def _rows(self, heard: dict[int, dict[str, float]], last: int) -> list[TextRow | None]:
        """A row for each sound and stretch of neighbouring pieces in which it is heard; its best score."""
        rows = []
        for name in dict.fromkeys(name for names in heard.values() for name in names):
            places = sorted(at for at, names in heard.items() if name in names)
            while places:
                run = [places.pop(0)]
                while places and places[0] == run[-1] + self._piece_samples:
                    run.append(places.pop(0))
                end = min(run[-1] + self._piece_samples, last)
                span = TimeSpan(*(Fraction(at, self._tagger.rate_hz) for at in (run[0], end)))
                score = round(min(1.0, max(heard[at][name] for at in run)), 4)
                rows.append(clamped(TextRow(span, name, score), self._span))
        return sorted(rows, key=lambda row: row.span if row else self._span)


def make_sounds(settings: SoundSettings, device: str = "auto") -> SoundEventStage:
    """The stage of sound events, with its model loaded.

    Raises:
        ModelError: the model is not to be had.
    """
    from indexer.models.sound_tagger import load_sound_tagger

    return SoundEventStage(settings, load_sound_tagger(settings.model, device=device))
