"""Voice activity by Silero's network, which comes with faster-whisper (MIT licence)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from indexer.errors import ModelError
from indexer.models.packages import say_package_missing
from indexer.models.transcriber import SPEECH_RATE_HZ, Sound

SHORTEST_MS: Final = 100


class SileroSpeechFinder:
    """Finds speech with the network that faster-whisper brings; safe to share between threads.

    Each call is a world of its own: nothing of the sound before is remembered.

    Args:
        threshold: from which probability on a moment counts as speech, 0 to 1.

    Raises:
        ModelError: the package is not installed.
    """

    def __init__(self, threshold: float = 0.5) -> None:
        try:
            from faster_whisper.vad import get_vad_model
        except ImportError as error:
            raise ModelError(say_package_missing("speech", "faster-whisper")) from error
        self._threshold = threshold
        self._lock = threading.Lock()
        try:
            get_vad_model()
        except Exception as error:  # onnxruntime's errors have no common root
            raise ModelError(f"the voice activity network of faster-whisper cannot be loaded: {error}") from error

    def find_speech(self, sound: Sound) -> Sequence[tuple[float, float]]:
        """Where somebody speaks, as `SpeechFinder` promises."""
        from faster_whisper.vad import VadOptions, get_speech_timestamps

        if not len(sound):
            return []
        options = VadOptions(
            threshold=self._threshold,
            min_speech_duration_ms=SHORTEST_MS,
            min_silence_duration_ms=SHORTEST_MS,
            speech_pad_ms=0,
        )
        with self._lock:
            found = get_speech_timestamps(sound, options, SPEECH_RATE_HZ)
        return [(one["start"] / SPEECH_RATE_HZ, one["end"] / SPEECH_RATE_HZ) for one in found]
