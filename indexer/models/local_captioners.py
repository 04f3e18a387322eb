"""Captioners that run here: BLIP, ViT-GPT2 and their kin, GIT for pictures and videos, vision-language models."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from indexer.errors import ModelError, ServerError
from indexer.models.captioner import MOST_PICTURES, Said
from indexer.models.memory import HalvedBatches
from indexer.models.remote import Question
from indexer.models.remote_answer import Answer, Spent, strip_thoughts
from indexer.models.transformers_files import CheckpointFiles, OfCheckpoint, load_model, load_processor
from store.shot_outcomes import ShotState

if TYPE_CHECKING:
    import torch

    from indexer.models.encoder import RgbImage

_PACKAGES: Final[Mapping[str, str]] = {"smolvlm": "num2words"}
"""Packages that processors of some architectures need and no other package brings."""
_INPUTS: Final = ("pixel_values", "input_ids", "attention_mask")


class LocalCaptioner(ABC, OfCheckpoint):
    """A network of transformers that answers questions in batches; safe to share between threads.

    Args:
        files: the checkpoint.
        device: as for `load_encoder`.
        batch_size: questions answered at once; halved whenever they do not fit the memory.
    """

    architecture: ClassVar[str] = "AutoModelForImageTextToText"
    follows_questions: ClassVar[bool] = False
    takes_prompts: ClassVar[bool] = False

    def __init__(self, files: CheckpointFiles, device: str, batch_size: int) -> None:
        self._files = files
        self._device = device
        self._batches = HalvedBatches(files.name, batch_size)
        self._lock = threading.Lock()
        self._network: Any = None

    @property
    def most_pictures(self) -> int:
        """How many pictures it looks at together."""
        return 1

    def answer(self, questions: Sequence[Question]) -> Sequence[Said]:
        """What the model says to each question, as `Captioner` promises.

        Only questions of one kind (as many pictures, the same limit) are in a batch.
        """
        with self._lock:
            if self._network is None and questions:
                self._load()
            groups: dict[tuple[object, ...], list[int]] = {}
            for place, question in enumerate(questions):
                groups.setdefault(self._kind_of(question), []).append(place)
            said: dict[int, Said] = {}
            for places in groups.values():
                answers = self._batches.run(self._answer_batch, [questions[place] for place in places])
                said |= dict(zip(places, answers, strict=True))
        return [said[place] for place in range(len(questions))]

    def _kind_of(self, question: Question) -> tuple[object, ...]:
        """What the questions of a batch have in common; with the same prompt, nothing has to be padded."""
        return len(question.pictures), question.max_tokens, question.prompt

    def _answer_batch(self, questions: Sequence[Question]) -> Sequence[Said]:
        import torch

        started = time.perf_counter()
        try:
            with torch.inference_mode():
                inputs = self._to_device(self._prepare(questions))
                rows = self._network.generate(
                    **inputs, max_new_tokens=questions[0].max_tokens, do_sample=False, num_beams=1
                )
        except (ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            raise ModelError(f"the model {self.name} failed: {reason}") from error
        seconds = (time.perf_counter() - started) / len(questions)
        return [
            self._read(_without_prompt(row, inputs, place), question, seconds)
            for place, (row, question) in enumerate(zip(rows, questions, strict=True))
        ]

    def _read(self, tokens: Sequence[int], question: Question, seconds: float) -> Said:
        """The answer that new tokens spell, up to the end mark."""
        ends = self._end_tokens()
        n_said = next((place for place, token in enumerate(tokens) if token in ends and place > 0), len(tokens))
        is_cut = n_said == len(tokens) >= question.max_tokens
        text = self._decode(list(tokens[:n_said]), question)
        text = strip_thoughts(text)
        spent = Spent(1, output_tokens=n_said, seconds=seconds)
        if not text:
            return ServerError(f"the model {self.name} said nothing")
        if is_cut:
            return Answer(text, ShotState.TRUNCATED, spent, f"cut off at {question.max_tokens} tokens")
        return Answer(text, ShotState.DONE, spent)

    def _decode(self, tokens: Sequence[int], question: Question) -> str:
        del question
        text: str = self._tokenizer().decode(tokens, skip_special_tokens=True)
        return text.strip()

    def _load(self) -> None:
        self._load_processors()
        self._network = load_model(self._files, self.architecture, self._device)

    def _to_device(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Inputs where the network is, numbers of pictures as precise as its weights."""
        moved = {}
        for name, value in inputs.items():
            if hasattr(value, "to"):
                moved[name] = value.to(self._network.device)
                if moved[name].is_floating_point():
                    moved[name] = moved[name].to(self._network.dtype)
        return moved

    def _end_tokens(self) -> set[int]:
        """Tokens after which nothing is said; architectures keep them in different places."""
        found: set[Any] = set()
        config = self._network.config
        for holder in (
            self._network.generation_config,
            config,
            *(getattr(config, n, None) for n in _TEXT_CONFIGS),
        ):
            for name in ("eos_token_id", "sep_token_id"):
                value = getattr(holder, name, None)
                found |= set(value) if isinstance(value, (list, tuple)) else {value}
        tokenizer = self._tokenizer()
        found |= {tokenizer.eos_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id}
        return {token for token in found if type(token) is int}

    @abstractmethod
    def _load_processors(self) -> None: ...

    @abstractmethod
    def _tokenizer(self) -> Any: ...

    @abstractmethod
    def _prepare(self, questions: Sequence[Question]) -> Mapping[str, torch.Tensor]: ...


_TEXT_CONFIGS: Final = ("text_config", "decoder")


class BlipCaptioner(LocalCaptioner):
    """BLIP (Li et al. 2022): one picture; a prompt is the beginning of the caption, and left out of it again."""

    takes_prompts = True

    def _load_processors(self) -> None:
        self._processor = load_processor(self._files)

    def _tokenizer(self) -> Any:
        return self._processor.tokenizer

    def _prepare(self, questions: Sequence[Question]) -> Mapping[str, torch.Tensor]:
        pictures = [_one_picture(question) for question in questions]
        if not questions[0].prompt:
            return {"pixel_values": self._processor.image_processor(pictures, return_tensors="pt")["pixel_values"]}
        prompts = [question.prompt for question in questions]
        inputs = self._processor(images=pictures, text=prompts, return_tensors="pt")
        return {name: inputs[name] for name in _INPUTS}

    def _decode(self, tokens: Sequence[int], question: Question) -> str:
        text = super()._decode(tokens, question)
        prompt = self._tokenizer().decode(
            self._tokenizer()(question.prompt)["input_ids"], skip_special_tokens=True
        )
        return text.removeprefix(prompt.strip()).strip() if question.prompt else text


class EncoderDecoderCaptioner(LocalCaptioner):
    """A picture encoder with a text decoder, such as `nlpconnect/vit-gpt2-image-captioning`: one picture."""

    def _load_processors(self) -> None:
        self._pictures = load_processor(self._files, "AutoImageProcessor")
        self._words = load_processor(self._files, "AutoTokenizer")

    def _tokenizer(self) -> Any:
        return self._words

    def _prepare(self, questions: Sequence[Question]) -> Mapping[str, torch.Tensor]:
        pictures = [_one_picture(question) for question in questions]
        return {"pixel_values": self._pictures(pictures, return_tensors="pt")["pixel_values"]}


class GitCaptioner(LocalCaptioner):
    """GIT (Wang et al. 2022): one picture, or where it was trained on videos so many frames as it knows."""

    architecture = "GitForCausalLM"

    @property
    def most_pictures(self) -> int:
        """Frames that it was trained with; 1 for pictures."""
        found = self._files.config.get("num_image_with_embedding")
        return found if type(found) is int and 1 <= found <= MOST_PICTURES else 1

    def _load_processors(self) -> None:
        self._processor = load_processor(self._files)

    def _tokenizer(self) -> Any:
        return self._processor.tokenizer

    def _kind_of(self, question: Question) -> tuple[object, ...]:
        return question.max_tokens, bool(question.pictures)

    def _prepare(self, questions: Sequence[Question]) -> Mapping[str, torch.Tensor]:
        """Pixels, (n, 3, height, width), or of videos (n, frames, 3, height, width)."""
        n = self.most_pictures
        if n == 1:
            pictures = [_one_picture(question) for question in questions]
            return {"pixel_values": self._processor.image_processor(pictures, return_tensors="pt")["pixel_values"]}
        frames = [_to_pil(one) for question in questions for one in spread_pictures(question.pictures, n)]
        pixels = self._processor.image_processor(frames, return_tensors="pt")["pixel_values"]
        return {"pixel_values": pixels.reshape(len(questions), n, *pixels.shape[1:])}


class VisionLanguageModel(LocalCaptioner):
    """Any model of transformers for `image-text-to-text` with a chat template: questions about pictures."""

    follows_questions = True
    takes_prompts = True

    def __init__(self, files: CheckpointFiles, device: str, batch_size: int) -> None:
        package = _PACKAGES.get(files.model_type)
        if package and find_spec(package) is None:
            raise ModelError(f"the model {files.name} needs the package {package}: pip install {package}")
        super().__init__(files, device, batch_size)

    @property
    def most_pictures(self) -> int:
        """As many as a stretch may have."""
        return MOST_PICTURES

    def _load_processors(self) -> None:
        self._processor = load_processor(self._files)
        if not getattr(self._processor, "image_processor", None):
            raise ModelError(f"the model {self.name} has nothing that prepares pictures in {self._files.folder}")
        if hasattr(self._processor.image_processor, "do_image_splitting"):
            # One view of each picture: 17 times cheaper, and enough for what a shot shows.
            self._processor.image_processor.do_image_splitting = False
        self._processor.tokenizer.padding_side = "left"
        if self._processor.tokenizer.pad_token is None:
            self._processor.tokenizer.pad_token = self._processor.tokenizer.eos_token

    def _tokenizer(self) -> Any:
        return self._processor.tokenizer

    def _prepare(self, questions: Sequence[Question]) -> Mapping[str, torch.Tensor]:
        texts = [self._chat(question) for question in questions]
        pictures = [[_to_pil(picture) for picture in question.pictures] for question in questions]
        has_pictures = any(pictures)
        inputs: Mapping[str, torch.Tensor] = self._processor(
            text=texts, images=pictures if has_pictures else None, padding=True, return_tensors="pt"
        )
        return inputs

    def _chat(self, question: Question) -> str:
        content: list[dict[str, str]] = [{"type": "image"} for _ in question.pictures]
        content.append({"type": "text", "text": question.prompt})
        messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
        if question.system:
            messages.insert(0, {"role": "system", "content": [{"type": "text", "text": question.system}]})
        template = getattr(self._processor, "chat_template", None) or self._processor.tokenizer.chat_template
        if not template:
            raise ModelError(f"the model {self.name} has no chat template: it takes no questions; choose another")
        text: str = self._processor.tokenizer.apply_chat_template(
            messages, chat_template=template, add_generation_prompt=True, tokenize=False, enable_thinking=False
        )
        return text


KINDS: Final[Mapping[str, type[LocalCaptioner]]] = {
    "blip": BlipCaptioner,
    "vision-encoder-decoder": EncoderDecoderCaptioner,
    "git": GitCaptioner,
}
"""By the name that transformers has for an architecture; all others are vision-language models, if that."""


def vision_language_types() -> frozenset[str]:
    """Names of the architectures that transformers knows for `image-text-to-text`."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

    return frozenset(MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES)


def spread_pictures(pictures: Sequence[RgbImage], n: int) -> list[RgbImage]:
    """So many of the pictures, in order, as evenly as can be; some twice where there are fewer.

    Raises:
        ModelError: there is none.
    """
    if not pictures:
        raise ModelError("there is no picture to describe")
    return [pictures[place] for place in np.linspace(0, len(pictures) - 1, n).round().astype(int)]


def _one_picture(question: Question) -> Any:
    """The middle one of the pictures."""
    return _to_pil(spread_pictures(question.pictures, 3)[1])


def _without_prompt(row: torch.Tensor, inputs: Mapping[str, Any], place: int) -> list[int]:
    """What a network said; some repeat the prompt first."""
    tokens: list[int] = row.tolist()
    if "input_ids" not in inputs:
        return tokens
    prompt: list[int] = inputs["input_ids"][place].tolist()
    return tokens[len(prompt) :] if tokens[: len(prompt)] == prompt else tokens


def _to_pil(picture: RgbImage) -> Any:
    """The same as processors like it best: of an array they guess which side is the colours."""
    from PIL import Image

    return Image.fromarray(picture)
