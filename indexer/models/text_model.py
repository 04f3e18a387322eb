"""Models that write: one interface, a local model of transformers and a remote one behind it."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from indexer.errors import ModelError
from indexer.models.remote import Question, RemoteModel, remote_model
from indexer.models.remote_answer import strip_thoughts
from indexer.models.remote_settings import REMOTE, RemoteSettings
from indexer.models.transformers_files import (
    CheckpointFiles,
    OfCheckpoint,
    find_checkpoint,
    load_model,
    load_processor,
)
from store.shot_outcomes import ShotState

if TYPE_CHECKING:
    import torch

_TOKENS_A_WORD: Final = 2.0
"""Room for a word of any language that separates words: English needs 1.3 tokens, German about 2."""
_SPARE_TOKENS: Final = 32
_USUAL_CONTEXT: Final = 4096
_SENTENCE_END: Final = re.compile(r"[.!?…。\uff01\uff1f][\"'”\u2019)\]]*(?=\s|$)")


class TextModel(Protocol):
    """Writes a text that it is asked for."""

    @property
    def name(self) -> str:
        """The model as runs record it."""
        ...

    @property
    def revision(self) -> str:
        """Of the model; empty where it is not known."""
        ...

    @property
    def weights_hash(self) -> str:
        """Hex digest of the weights; empty where they are not on this machine."""
        ...

    @property
    def most_prompt_words(self) -> int:
        """Longest prompt that it reads whole, about; longer inputs are to be taken in pieces."""
        ...

    def write(self, prompt: str, max_words: int) -> str:
        """The text that the prompt asks for, without thoughts, of at most so many words.

        A text that was cut off ends with its last whole sentence, or with an ellipsis.

        Raises:
            ModelError: the model fails, refuses, or has nothing to say.
        """
        ...


@dataclass(frozen=True, slots=True)
class TextModelSettings:
    """The model that writes summaries, titles and answers.

    Args:
        model: checkpoint of transformers for `text-generation`, by name on the hub (`org/name`,
            `org/name@revision`) or by local folder; `remote` for the server of the table `remote`, `remote:MODEL`
            for another of its models; empty for none.
        context_words: longest prompt in words that a remote model reads; a local model says so itself.
    """

    model: str = ""
    context_words: int = 2000

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        if self.context_words < 50:
            raise ValueError("context_words must be 50 or more")


def load_text_model(
    settings: TextModelSettings, remote: RemoteSettings, *, device: str = "auto"
) -> TextModel | None:
    """The model that the settings name; None if they name none.

    Raises:
        ModelError: it cannot be had, with the way out.
    """
    if not settings.model:
        return None
    server = remote_model(settings.model, remote)
    if server is not None:
        return RemoteTextModel(server, settings.context_words)
    return LocalTextModel(find_checkpoint(settings.model), device=device)


class RemoteTextModel:
    """A model behind a server.

    Args:
        server: the client, shared with others; left open.
        context_words: longest prompt in words that the model reads.
    """

    revision = ""
    weights_hash = ""

    def __init__(self, server: RemoteModel, context_words: int) -> None:
        self._server = server
        self.most_prompt_words = context_words

    @property
    def name(self) -> str:
        """The model as runs record it."""
        return self._server.name

    def write(self, prompt: str, max_words: int) -> str:
        """The text that the prompt asks for, as `TextModel` promises."""
        answer = self._server.ask(Question(prompt, max_tokens=_most_tokens(max_words)))
        if answer.state is ShotState.BLOCKED:
            raise ModelError(f"{self.name}: {answer.reason}")
        return limit_words(answer.text, max_words, is_cut=answer.state is ShotState.TRUNCATED)


class LocalTextModel(OfCheckpoint):
    """A causal language model of transformers; loaded with the first text, safe to share between threads.

    Args:
        files: the checkpoint.
        device: as for `load_encoder`.
    """

    def __init__(self, files: CheckpointFiles, *, device: str = "auto") -> None:
        self._files = files
        self._device_name = device
        self._lock = threading.Lock()
        self._network: Any = None
        self._tokenizer: Any = None

    @property
    def most_prompt_words(self) -> int:
        """Longest prompt that it reads whole, about."""
        return max(50, int((self._context_tokens() - 256) / _TOKENS_A_WORD))

    def write(self, prompt: str, max_words: int) -> str:
        """The text that the prompt asks for, as `TextModel` promises."""
        import torch

        with self._lock, torch.inference_mode():
            inputs, n_room = self._prepare(prompt, _most_tokens(max_words))
            n_prompt = inputs["input_ids"].shape[1]
            try:
                written = self._network.generate(
                    **inputs, max_new_tokens=n_room, do_sample=False, pad_token_id=self._pad_token()
                )[0, n_prompt:]
            except (RuntimeError, ValueError, IndexError) as error:
                raise ModelError(f"the text model {self.name} failed: {_one_line(error)}") from error
            is_cut = len(written) >= n_room and int(written[-1]) not in self._end_tokens()
            text = strip_thoughts(self._tokenizer.decode(written, skip_special_tokens=True))
        if not text:
            raise ModelError(f"the text model {self.name} wrote nothing")
        return limit_words(text, max_words, is_cut=is_cut)

    def _prepare(self, prompt: str, n_wanted: int) -> tuple[Mapping[str, torch.Tensor], int]:
        """Tokens of the prompt, and room for the text."""
        self._load()
        if getattr(self._tokenizer, "chat_template", None):
            messages = [{"role": "user", "content": prompt}]
            inputs = self._tokenizer.apply_chat_template(
                messages, add_generation_prompt=True, return_tensors="pt", return_dict=True, enable_thinking=False
            )
        else:
            inputs = self._tokenizer(prompt, return_tensors="pt")
        n_prompt = inputs["input_ids"].shape[1]
        n_room = min(n_wanted, self._context_tokens() - n_prompt)
        if n_room < 1 or n_prompt == 0:
            raise ModelError(
                f"the prompt has {n_prompt} tokens; the text model {self.name} reads {self._context_tokens()}"
            )
        wanted = ("input_ids", "attention_mask")
        return {name: inputs[name].to(self._network.device) for name in wanted if name in inputs}, n_room

    def _load(self) -> None:
        if self._network is None:
            self._tokenizer = load_processor(self._files, "AutoTokenizer")
            self._network = load_model(self._files, "AutoModelForCausalLM", self._device_name)

    def _context_tokens(self) -> int:
        found = self._files.config.get("max_position_embeddings") or self._files.config.get("n_positions")
        return found if type(found) is int and found > 0 else _USUAL_CONTEXT

    def _end_tokens(self) -> set[int]:
        end = self._network.generation_config.eos_token_id
        return set(end) if isinstance(end, list) else {end}

    def _pad_token(self) -> int | None:
        for token in (self._tokenizer.pad_token_id, *self._end_tokens()):
            if token is not None:
                return int(token)
        return None


def limit_words(text: str, max_words: int, *, is_cut: bool = False) -> str:
    """The text, of at most so many words.

    Args:
        text: as a model wrote it.
        max_words: how many words, as spaces separate them.
        is_cut: whether it is known to lack its end.

    Returns:
        If anything is missing, up to the end of the last whole sentence in the text's second half, else with "…".
    """
    found = list(re.finditer(r"\S+", text))
    if len(found) <= max_words and not is_cut:
        return text
    kept = text[: found[max_words - 1].end()] if len(found) > max_words else text
    ends = [end.end() for end in _SENTENCE_END.finditer(kept)]
    if ends and ends[-1] >= len(kept) // 2:
        return kept[: ends[-1]]
    return kept.rstrip(" ,;:-.") + "…"


def is_remote(model: str) -> bool:
    """Whether a name asks for the server of the table `remote`."""
    return model.partition(":")[0] == REMOTE


def _most_tokens(max_words: int) -> int:
    return int(max_words * _TOKENS_A_WORD) + _SPARE_TOKENS


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
