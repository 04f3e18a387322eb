"""Speech: what is said, sentence by sentence with the time of each word; or the subtitles that a video brings.

A listener holds half a minute of sound, however long the video is, and remembers nothing of the windows before:
a run that goes on where it was interrupted finds the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from indexer.models.load_transcriber import DEFAULT_MODEL, SpeechEngine
from indexer.models.transcriber import SPEECH_RATE_HZ, Hearing, Task
from indexer.stages.speech_rows import rows_of_speech, rows_of_subtitles, within
from indexer.stages.speech_windows import WINDOW_SAMPLES
from indexer.stages.stage import HeardStretch, StretchResult
from indexer.stages.subtitles import NO_SUBTITLES, FoundSubtitles, find_subtitles
from indexer.stages.window_speech import WindowListener
from store.records import TextStage
from store.shot_outcomes import ShotState
from store.stages import Run
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from indexer.media.audio import AudioBlock
    from indexer.models.transcriber import SpeechFinder, Transcriber
    from indexer.stages.speech_windows import Channels
    from indexer.stages.stage import KnownVideo, Listener
    from indexer.stages.window_speech import WindowSpeech

METHOD: Final = 1
"""Raised whenever the same model gives other rows: cuts, repairs and rules are part of a run's identity."""
_CHANNELS: Final = ("auto", "mix")
_NO_SOUND: Final = "no sound"
_NO_SPEECH: Final = "sound, but no speech"
_SILENCE: Final = "silence"


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """Settings of speech recognition.

    Args:
        model: `tiny.en` of the extra `offline`, a size of Whisper, ORGANISATION/NAME of the hub, or a folder.
        engine: `faster-whisper`, or `transformers` for checkpoints in the hub's usual format.
        language: ISO 639-1 code of what is spoken; empty to have it detected for each half minute.
        task: `transcribe`, or `translate` into English.
        hot_words: names and terms that are likely to be said, in the spelling that is wanted.
        beam_size: how many beginnings of a sentence are followed at once.
        channels: `auto` hears channels apart where they hold different recordings; `mix` never does.
        use_subtitles: subtitles beside or inside a video are read, and its sound is not listened to.
    """

    model: str = DEFAULT_MODEL
    engine: str = str(SpeechEngine.FASTER_WHISPER)
    language: str = ""
    task: str = str(Task.TRANSCRIBE)
    hot_words: tuple[str, ...] = ()
    beam_size: int = 5
    channels: str = "auto"
    use_subtitles: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        for name, value, known in (
            ("engine", self.engine, list(SpeechEngine)),
            ("task", self.task, list(Task)),
            ("channels", self.channels, _CHANNELS),
        ):
            if value not in known:
                raise ValueError(f"{name} must be {' or '.join(known)}, not {value!r:.40}")
        if not self.model.strip():
            raise ValueError("model must not be empty")
        if not 1 <= self.beam_size <= 100:
            raise ValueError("beam_size must lie between 1 and 100")
        if any(not word.strip() for word in self.hot_words):
            raise ValueError("a hot word must not be empty")

    @property
    def hearing(self) -> Hearing:
        """How a model is to listen."""
        return Hearing(self.language, Task(self.task), self.hot_words, self.beam_size)


class SpeechStage:
    """Writes down what is said in a video.

    Args:
        settings: how.
        transcriber: the speech model.
        finder: tells speech from everything else.
    """

    def __init__(self, settings: SpeechSettings, transcriber: Transcriber, finder: SpeechFinder) -> None:
        self._settings = settings
        self._transcriber = transcriber
        self._windows = WindowListener(transcriber, finder, settings.hearing)

    @property
    def run(self) -> Run:
        """Stage, model and parameters."""
        settings = self._settings
        parameters = {
            "engine": settings.engine,
            "language": settings.language,
            "task": settings.task,
            "hot_words": list(settings.hot_words),
            "beam_size": settings.beam_size,
            "channels": settings.channels,
            "use_subtitles": settings.use_subtitles,
            "method": METHOD,
        }
        model = self._transcriber
        return Run.of(
            TextStage.TRANSCRIPT, model.name, parameters, revision=model.revision, weights_hash=model.weights_hash
        )

    @property
    def rate_hz(self) -> int:
        """Samples per second."""
        return SPEECH_RATE_HZ

    @property
    def is_mono(self) -> bool:
        """Whether channels are mixed before they are heard."""
        return self._settings.channels == "mix"

    def listen(self, video: KnownVideo, start: Fraction) -> Listener:
        """A listener for a video of the archive."""
        return self.listen_to(video.video.path, video.video.facts.span, start)

    def listen_to(self, path: str, span: TimeSpan, start: Fraction = Fraction(0)) -> Listener:
        """A listener for a video file.

        Args:
            path: the file.
            span: when it shows pictures: rows lie inside it, but for a second.
            start: when the sound begins that it will hear.
        """
        subtitles = find_subtitles(path, self._settings.language) if self._settings.use_subtitles else NO_SUBTITLES
        if subtitles.track is not None:
            return _Reader(subtitles, span, start)
        return _SpeechListener(self._windows.hear, self._doubt, span, start, subtitles.problem)

    def _doubt(self) -> str:
        """What may be the reason where the model is not sure."""
        return "" if self._transcriber.is_multilingual else f"{self._transcriber.name} knows English only"


class _Reader:
    """Gives the subtitles of a video; wants no sound."""

    def __init__(self, found: FoundSubtitles, span: TimeSpan, start: Fraction) -> None:
        self._found = found
        self._span = span
        self._start = start

    @property
    def wants_sound(self) -> bool:
        """No."""
        return False

    def take(self, block: AudioBlock) -> Sequence[HeardStretch]:
        """Nothing: all is known."""
        del block
        return ()

    def end(self, end: Fraction) -> Sequence[HeardStretch]:
        """All subtitles from the beginning on."""
        if end <= self._start or self._found.track is None:
            return ()
        part = TimeSpan(self._start, end)
        rows = rows_of_subtitles(self._found.track, self._span)
        if self._start > self._span.start:  # else all that begin before the first picture belong to it
            rows = [row for row in rows if within(row, part)]
        reason = "; ".join(filter(None, [f"read from {self._found.track.source}", self._found.problem]))
        return (HeardStretch(part, StretchResult(tuple(rows), ShotState.DONE, reason)),)


class _SpeechListener:
    """Gathers sound into windows, and hears each as soon as it is complete."""

    def __init__(
        self,
        hear: Callable[..., WindowSpeech],
        doubt: Callable[[], str],
        span: TimeSpan,
        start: Fraction,
        problem: str,
    ) -> None:
        self._hear = hear
        self._doubt = doubt
        self._span = span
        self._at = start  # where the next stretch begins
        self._problem = problem
        self._held: list[Channels] = []
        self._n_held = 0
        self._first_sample: int | None = None
        self._wanted_sample = round(start * SPEECH_RATE_HZ)  # what a block holds before it was heard already
        self._most_samples = int(span.end * SPEECH_RATE_HZ)

    @property
    def wants_sound(self) -> bool:
        """Yes."""
        return True

    def take(self, block: AudioBlock) -> Sequence[HeardStretch]:
        """Hear a second of sound; the stretches of windows that are complete now."""
        first = max(block.first_sample, self._wanted_sample)
        if self._first_sample is None:
            self._first_sample = first
        end = min(block.first_sample + block.samples.shape[1], self._most_samples)
        samples = block.samples[:, first - block.first_sample : max(0, end - block.first_sample)]
        if samples.shape[1]:
            self._held.append(samples)
            self._n_held += samples.shape[1]
        return self._complete(0, is_last=False) if self._n_held >= WINDOW_SAMPLES else ()

    def end(self, end: Fraction) -> Sequence[HeardStretch]:
        """Hear what is left, and say what there was up to the end of the video."""
        stretches = [*self._complete(0, is_last=False), *self._complete(1, is_last=True)]
        if self._at < end:
            reason = _NO_SOUND if self._first_sample is None else ""
            stretches.append(self._stretch(end, StretchResult((), ShotState.NOTHING, reason)))
        return stretches

    def _complete(self, least: int, *, is_last: bool) -> list[HeardStretch]:
        """The stretches of all windows that can be heard now: whole ones, or at last also a shorter one."""
        stretches: list[HeardStretch] = []
        least = least or WINDOW_SAMPLES
        while self._n_held >= least and self._first_sample is not None:
            sound = np.concatenate(self._held, axis=1)
            heard = self._hear(sound[:, :WINDOW_SAMPLES], is_last=is_last and self._n_held <= WINDOW_SAMPLES)
            self._held, self._n_held = [sound[:, heard.end_sample :]], sound.shape[1] - heard.end_sample
            origin, self._first_sample = self._first_sample, self._first_sample + heard.end_sample
            end = Fraction(self._first_sample, SPEECH_RATE_HZ)
            if end > self._at:
                stretches.append(self._stretch(end, self._result(heard, origin)))
        return stretches

    def _result(self, heard: WindowSpeech, origin: int) -> StretchResult:
        rows = rows_of_speech(heard.said, Fraction(origin, SPEECH_RATE_HZ), self._span)
        if rows or heard.left_out:
            return StretchResult(
                tuple(rows), ShotState.DONE if rows else ShotState.NOTHING, self._why(heard.left_out)
            )
        return StretchResult((), ShotState.NOTHING, _NO_SPEECH if heard.has_sound else _SILENCE)

    def _why(self, left_out: Sequence[tuple[str, int]]) -> str:
        """What was left out, for people; empty for nothing."""
        if not left_out:
            return ""
        said = "; ".join(f"{n} left out: {reason}" for reason, n in left_out)
        doubt = self._doubt()
        return f"{said} ({doubt})" if doubt else said

    def _stretch(self, end: Fraction, result: StretchResult) -> HeardStretch:
        reason = "; ".join(filter(None, [self._problem, result.reason]))
        self._problem = ""
        stretch = HeardStretch(TimeSpan(self._at, end), StretchResult(result.rows, result.state, reason))
        self._at = end
        return stretch


def make_speech(settings: SpeechSettings, device: str = "auto") -> SpeechStage:
    """The stage of speech, with its model loaded.

    Raises:
        ModelError: the model, or a package, is not to be had.
    """
    from indexer.models.load_transcriber import load_transcriber
    from indexer.models.speech_finder import SileroSpeechFinder

    transcriber = load_transcriber(settings.model, SpeechEngine(settings.engine), device=device)
    return SpeechStage(settings, transcriber, SileroSpeechFinder())
