"""Speech recognition by transformers: Whisper checkpoints of the hub's usual format, and CTC networks (wav2vec 2).

The pipeline says neither how likely silence is nor how likely its words are: of what a model invents, repetition
and voice activity are told here.
"""

from __future__ import annotations

import threading
import warnings
import zlib
from typing import TYPE_CHECKING, Any, Final

from indexer.errors import ModelError
from indexer.models.memory import is_out_of_memory
from indexer.models.transcriber import SPEECH_RATE_HZ, Heard, HeardWord, Passage, Task
from indexer.models.transformers_files import OfCheckpoint, load_model, load_processor

if TYPE_CHECKING:
    from indexer.models.transcriber import Hearing, Sound
    from indexer.models.transformers_files import CheckpointFiles

_WHISPER: Final = "whisper"
_CTC_KIND: Final = "AutoModelForCTC"
_WHISPER_KIND: Final = "AutoModelForSpeechSeq2Seq"


class TransformersSpeech(OfCheckpoint):
    """A checkpoint of `automatic-speech-recognition`; safe to share between threads.

    Args:
        files: the checkpoint.
        device: as for `load_encoder`.

    Raises:
        ModelError: it cannot be loaded, or is of another kind.
    """

    def __init__(self, files: CheckpointFiles, device: str = "auto") -> None:
        from transformers import pipeline

        self._files = files
        self._lock = threading.Lock()
        self._is_whisper = files.model_type == _WHISPER
        network = load_model(files, _WHISPER_KIND if self._is_whisper else _CTC_KIND, device)
        processor = load_processor(files)
        self._tokenizer = getattr(processor, "tokenizer", None)
        extractor = getattr(processor, "feature_extractor", None)
        if self._tokenizer is None or extractor is None or extractor.sampling_rate != SPEECH_RATE_HZ:
            raise ModelError(
                f"the checkpoint in {files.folder} is no speech model: a tokenizer and a feature extractor for "
                f"{SPEECH_RATE_HZ} samples per second are needed"
            )
        settings = getattr(network, "generation_config", None)
        if self._is_whisper and not getattr(settings, "alignment_heads", None):
            raise ModelError(
                f"the Whisper checkpoint in {files.folder} gives no word times: alignment_heads is missing from "
                "generation_config.json; take that file from where the model came"
            )
        self._is_multilingual = bool(self._is_whisper and getattr(settings, "is_multilingual", False))
        self._network = network
        self._pipeline: Any = pipeline(
            "automatic-speech-recognition", model=network, tokenizer=self._tokenizer, feature_extractor=extractor
        )

    @property
    def is_multilingual(self) -> bool:
        """Whether it knows other languages than English, and can tell which is spoken."""
        return self._is_multilingual

    def transcribe(self, sound: Sound, hearing: Hearing) -> Heard:
        """The words of at most half a minute, as `Transcriber` promises."""
        if hearing.task is Task.TRANSLATE and not self.is_multilingual:
            raise ModelError(f"the speech model {self.name} cannot translate: it knows one language")
        if hearing.hot_words:
            raise ModelError(
                f"the speech model {self.name} takes no hot words: the engine transformers has none; "
                "use the engine faster-whisper"
            )
        if not len(sound):
            return Heard(())
        told = {"raw": sound.copy(), "sampling_rate": SPEECH_RATE_HZ}
        with self._lock, warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
            try:
                found = self._pipeline(told, return_timestamps="word", **self._options(hearing))
            except (RuntimeError, MemoryError, ValueError, IndexError) as error:
                raise self._explain(error) from error
        words = tuple(_word(chunk) for chunk in found.get("chunks", ()) if str(chunk.get("text", "")).strip())
        text = "".join(word.text for word in words).encode()
        compression = len(text) / len(zlib.compress(text)) if text else 1.0
        language = self._language_of(found) if self.is_multilingual else (hearing.language or "en")
        return Heard((Passage(words, compression=compression),) if words else (), hearing.language or language)

    def _options(self, hearing: Hearing) -> dict[str, Any]:
        if not self._is_whisper:
            return {}
        generate: dict[str, Any] = {"num_beams": hearing.beam_size, "do_sample": False}
        if self.is_multilingual:
            generate["task"] = str(hearing.task)
            if hearing.language:
                generate["language"] = hearing.language
        return {"generate_kwargs": generate, "return_language": self.is_multilingual}

    def _language_of(self, found: dict[str, Any]) -> str:
        """Code of the language that the pipeline names in English."""
        from transformers.models.whisper.tokenization_whisper import TO_LANGUAGE_CODE

        names = [str(chunk.get("language") or "") for chunk in found.get("chunks", ())]
        name = next(filter(None, names), "")
        return str(TO_LANGUAGE_CODE.get(name, name)) if name else ""

    def _explain(self, error: Exception) -> ModelError:
        if is_out_of_memory(error):
            return ModelError(
                f"the speech model {self.name} does not fit the memory; use --device cpu or a smaller model"
            )
        return ModelError(f"the speech model {self.name} failed: {' '.join(str(error).split())[:300]}")


def _word(chunk: dict[str, Any]) -> HeardWord:
    start, end = chunk.get("timestamp") or (None, None)
    text = str(chunk["text"])
    return HeardWord(
        text if text.startswith(" ") else f" {text}",
        None if start is None else float(start),
        None if end is None else float(end),
    )
