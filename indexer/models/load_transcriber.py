"""From the name of a speech model to the transcriber that runs it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from indexer.models.faster_whisper_engine import PACKAGED

if TYPE_CHECKING:
    from indexer.models.transcriber import Transcriber

DEFAULT_MODEL: Final = PACKAGED
TRANSFORMERS_MODEL: Final = "openai/whisper-small"
"""Of the other engine, which cannot run the packaged weights: multilingual (Apache-2.0)."""


class SpeechEngine(StrEnum):
    """Programs that run speech models."""

    FASTER_WHISPER = "faster-whisper"
    TRANSFORMERS = "transformers"


def load_transcriber(
    model: str = DEFAULT_MODEL, engine: SpeechEngine = SpeechEngine.FASTER_WHISPER, *, device: str = "auto"
) -> Transcriber:
    """A speech model, ready to listen.

    Args:
        model: for faster-whisper as `find_whisper` takes it, for transformers as `find_checkpoint` does; of the
            latter `TRANSFORMERS_MODEL` stands in for the packaged one.
        engine: what runs it.
        device: as for `load_encoder`.

    Raises:
        ModelError: the model cannot be found, downloaded or loaded, or there is no such device.
    """
    if engine is SpeechEngine.FASTER_WHISPER:
        from indexer.models.faster_whisper_engine import FasterWhisper, find_whisper

        return FasterWhisper(find_whisper(model), device)
    from indexer.models.transformers_files import find_checkpoint
    from indexer.models.transformers_speech import TransformersSpeech

    return TransformersSpeech(find_checkpoint(TRANSFORMERS_MODEL if model == PACKAGED else model), device)
