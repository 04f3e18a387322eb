"""Captions: what a shot shows, in a sentence of a model that looks at one or several pictures of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from indexer.errors import ModelError
from indexer.models.captioner import (
    DEFAULT_CAPTIONER,
    MOST_PICTURES,
    Captioner,
    RemoteCaptioner,
    Said,
    load_captioner,
)
from indexer.models.remote import Question
from indexer.stages.stage import ShownStretch, Stretch, StretchResult
from store.records import TextRow
from store.row_checks import CONTROLS, MOST_CHARACTERS
from store.shot_outcomes import MOST_REASON_CHARACTERS, ShotState
from store.stages import Run

if TYPE_CHECKING:
    from indexer.models.caption_fit import CaptionJudge, Fit
    from indexer.models.remote_settings import RemoteSettings
    from indexer.stages.makers import StageServices

STAGE: Final = "caption"
FRAME_CHOICES: Final = ("auto", "middle", "first", "sharpest", "uniform")
QUESTION: Final = "Describe in one sentence what this picture shows."
QUESTION_OF_SEVERAL: Final = (
    "These pictures are from one shot of a film, in order of time. Describe in one sentence what the shot shows."
)
LANGUAGES: Final = {
    "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian",
    "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}|")
_CONTROL: Final = re.compile(f"[{CONTROLS}]")
_MOST_TOKENS: Final = 8192


@dataclass(frozen=True, slots=True)
class CaptionSettings:
    """The model of captions, what it looks at, and what it is asked.

    Args:
        model: checkpoint of transformers by name on the hub (`org/name[@revision]`) or by folder; `remote` for the
            server of the table `remote`, `remote:MODEL` for another of its models.
        frames: which pictures of a shot: `middle`, `first`, `sharpest` of the sampled ones, `uniform` for
            `n_frames` evenly; `auto` for `uniform` where the model looks at several, else `sharpest`.
        n_frames: how many pictures `uniform` takes, at most as many as the model looks at.
        prompt: what a model is asked, or, where it follows no questions, how the caption begins; empty for the
            usual question.
        max_tokens: limit of a caption; about three quarters of them are words.
        language: ISO 639 code of the captions, for models that follow questions; empty for what comes.
        size_px: shorter side of the pictures.
        batch_size: shots at once; halved whenever they do not fit the device's memory.
    """

    model: str = DEFAULT_CAPTIONER
    frames: str = "auto"
    n_frames: int = 4
    prompt: str = ""
    max_tokens: int = 80
    language: str = ""
    size_px: int = 384
    batch_size: int = 8

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.frames not in FRAME_CHOICES:
            raise ValueError(f"frames must be one of {', '.join(FRAME_CHOICES)}, not {self.frames!r:.40}")
        if not 1 <= self.n_frames <= MOST_PICTURES or not 16 <= self.size_px <= 4096:
            raise ValueError(f"n_frames must lie between 1 and {MOST_PICTURES}, size_px between 16 and 4096")
        if not 1 <= self.max_tokens <= _MOST_TOKENS or self.batch_size < 1:
            raise ValueError(f"max_tokens must lie between 1 and {_MOST_TOKENS}; batch_size must be positive")
        if not _LANGUAGE.fullmatch(self.language):
            raise ValueError(f"language must be a code of ISO 639 such as de, not {self.language!r:.40}")
        if not self.model:
            raise ValueError("model must name a model")


class CaptionStage:
    """The stage of captions.

    Args:
        captioner: the model.
        settings: what it looks at, and what it is asked.
        judge: measures how well captions fit; None for no measure.

    Raises:
        ModelError: the model cannot do what the settings ask for.
    """

    def __init__(self, captioner: Captioner, settings: CaptionSettings, judge: CaptionJudge | None = None) -> None:
        _refuse_impossible(captioner, settings)
        self._captioner = captioner
        self._settings = settings
        self._judge = judge
        n_wanted = min(settings.n_frames, captioner.most_pictures)
        several = captioner.most_pictures > 1
        usual = "uniform" if several else "sharpest"
        self._frames = usual if settings.frames == "auto" else settings.frames
        if settings.frames == "auto" and several and not captioner.follows_questions:
            n_wanted = captioner.most_pictures  # as it was trained
        self._n_frames = n_wanted if self._frames == "uniform" else 1
        self._prompt = ask_for_caption(captioner, settings, self._n_frames)

    @property
    def run(self) -> Run:
        """Model, question and choice of pictures."""
        settings = self._settings
        parameters: dict[str, Any] = {
            "frames": self._frames, "n_frames": self._n_frames, "prompt": self._prompt,
            "max_tokens": settings.max_tokens, "language": settings.language, "size_px": settings.size_px,
        }  # fmt: skip
        captioner = self._captioner
        return Run.of(
            STAGE, captioner.name, parameters, revision=captioner.revision, weights_hash=captioner.weights_hash
        )

    @property
    def size_px(self) -> int | None:
        """Shorter side of the pictures."""
        return self._settings.size_px

    @property
    def batch_size(self) -> int:
        """Shots at once."""
        return self._settings.batch_size

    @property
    def spent_line(self) -> str:
        """What a server has cost so far, in one line; empty for models on this machine."""
        return str(self._captioner.spent) if isinstance(self._captioner, RemoteCaptioner) else ""

    def times(self, stretch: Stretch) -> Sequence[Fraction]:
        """When the pictures are shown that the model looks at."""
        return choose_times(stretch, self._frames, self._n_frames)

    def read(self, shown: Sequence[ShownStretch]) -> Sequence[StretchResult]:
        """A caption for each stretch, or why there is none.

        Raises:
            ModelError: the model is at fault with all of them.
        """
        questions = [Question(self._prompt, one.pictures, max_tokens=self._settings.max_tokens) for one in shown]
        answers = self._captioner.answer(questions)
        if len(answers) != len(shown):
            raise ModelError(f"{self._captioner.name} gave {len(answers)} captions for {len(shown)} shots")
        texts = [clean_caption(_text_of(answer)) for answer in answers]
        fits = self._judge_all(texts, shown)
        return [self._result(*one) for one in zip(shown, answers, texts, fits, strict=True)]

    def _result(self, shown: ShownStretch, answer: Said, text: str, fit: Fit | str | None) -> StretchResult:
        if isinstance(answer, ModelError):
            return StretchResult(state=ShotState.ERROR, reason=_one_line(str(answer)))
        if answer.state is ShotState.BLOCKED:
            return StretchResult(state=ShotState.BLOCKED, reason=_one_line(answer.reason))
        if not any(one.isalnum() for one in text):
            return StretchResult(
                state=ShotState.ERROR, reason=_one_line(f"the model said no word, but {answer.text!r:.80}")
            )
        payload: dict[str, Any] = {"times": [str(time) for time in shown.times]}
        reason = answer.reason
        if isinstance(fit, str):
            reason = reason or f"how well it fits is not known: {fit}"
        elif fit is not None:
            payload |= {"fit": round(fit.fit, 4), "is_poor": fit.is_poor}
        row = TextRow(shown.stretch.span, text, language=self._settings.language, payload=payload)
        return StretchResult((row,), answer.state, _one_line(reason))

    def _judge_all(self, texts: Sequence[str], shown: Sequence[ShownStretch]) -> Sequence[Fit | str | None]:
        """How well each caption fits; a judge that fails costs no caption, only its reason is kept."""
        if self._judge is None:
            return [None] * len(texts)
        try:
            return self._judge.judge(texts, [one.pictures for one in shown], self._settings.language)
        except ModelError as error:
            return [str(error)] * len(texts)


def make_captions(settings: CaptionSettings, remote: RemoteSettings, services: StageServices) -> CaptionStage:
    """The stage of captions with the model that the settings name.

    Raises:
        ModelError: the model is not to be had, or cannot do what the settings ask for.
    """
    from indexer.models.caption_fit import CaptionJudge

    # The captioner first: what is not to be had is said before the archive's encoder is loaded.
    captioner = load_captioner(settings.model, remote, device=services.device, batch_size=settings.batch_size)
    background = services.background()
    judge = CaptionJudge(services.encoder(), background) if len(background) else None
    return CaptionStage(captioner, settings, judge)


def caption_stage(
    settings: CaptionSettings, remote: RemoteSettings, *, device: str, judge: CaptionJudge | None = None
) -> CaptionStage:
    """The same without an archive; errors as for `make_captions`."""
    captioner = load_captioner(settings.model, remote, device=device, batch_size=settings.batch_size)
    return CaptionStage(captioner, settings, judge)


def choose_times(stretch: Stretch, frames: str, n_frames: int) -> list[Fraction]:
    """Times inside a stretch, in order.

    Args:
        stretch: the stretch.
        frames: `middle`, `first`, `sharpest` or `uniform`.
        n_frames: how many for `uniform`: the middles of so many equal pieces.
    """
    span = stretch.span
    middle = span.start + span.duration / 2
    if frames == "first":
        return [span.start]
    if frames == "sharpest":
        best = max(stretch.frames, key=lambda frame: (frame.sharpness, -frame.time), default=None)
        return [middle if best is None else best.time]
    if frames == "uniform":
        return [span.start + span.duration * (2 * n + 1) / (2 * n_frames) for n in range(n_frames)]
    return [middle]


def ask_for_caption(captioner: Captioner, settings: CaptionSettings, n_pictures: int) -> str:
    """What a model is asked, or how the caption begins."""
    if not captioner.follows_questions:
        return settings.prompt
    question = settings.prompt or (QUESTION if n_pictures == 1 else QUESTION_OF_SEVERAL)
    if not settings.language:
        return question
    return f"{question} Answer in {LANGUAGES.get(settings.language, settings.language)}."


def clean_caption(text: str) -> str:
    """A caption as the store takes it: without control characters, and no longer than it allows."""
    return _CONTROL.sub("", text).strip()[:MOST_CHARACTERS]


def _refuse_impossible(captioner: Captioner, settings: CaptionSettings) -> None:
    if settings.prompt and not captioner.takes_prompts:
        raise ModelError(
            f"the model {captioner.name} takes no prompt; leave prompt empty, or choose another model"
        )
    if settings.language not in ("", "en") and not captioner.follows_questions:
        raise ModelError(f"the model {captioner.name} answers in its own language; leave language empty")
    if settings.frames == "uniform" and captioner.most_pictures == 1:
        raise ModelError(
            f"the model {captioner.name} looks at one picture: frames may be middle, first or sharpest"
        )


def _text_of(answer: Said) -> str:
    return "" if isinstance(answer, ModelError) else answer.text


def _one_line(reason: str) -> str:
    printable = "".join(one if one.isprintable() else " " for one in reason)
    return " ".join(printable.split())[:MOST_REASON_CHARACTERS]
