"""The stages that can be asked for by name, and their settings, each a table of configs/default.toml.

A module of a stage is imported when its stage is made, so that nothing heavy is loaded before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from indexer.models.remote_settings import RemoteSettings
from indexer.models.text_model import TextModelSettings, load_text_model
from indexer.stages.answers import AnswerSettings, make_answers
from indexer.stages.chapters import ChapterSettings, ChapterStage
from indexer.stages.cues import CueSettings, CueStage
from indexer.stages.silence import SilenceSettings, SilenceStage
from indexer.stages.summaries import SummarySettings, SummaryStage
from store.config import read_settings

if TYPE_CHECKING:
    from indexer.models.encoder import Encoder
    from indexer.stages.stage import AnyStage


@dataclass(frozen=True, slots=True)
class EnrichSettings:
    """Settings of all stages; each field is a frozen dataclass of its own, and a table of the same name."""

    cues: CueSettings = field(default_factory=CueSettings)
    silence: SilenceSettings = field(default_factory=SilenceSettings)
    answers: AnswerSettings = field(default_factory=AnswerSettings)
    summaries: SummarySettings = field(default_factory=SummarySettings)
    chapters: ChapterSettings = field(default_factory=ChapterSettings)
    remote: RemoteSettings = field(default_factory=RemoteSettings)
    text_model: TextModelSettings = field(default_factory=TextModelSettings)


def read_stage_settings(files: Iterable[Path]) -> EnrichSettings:
    """Settings of stages of files, each over those before it.

    Raises:
        ConfigError: a file cannot be read or used.
    """
    return read_settings(EnrichSettings, *files)


@dataclass(frozen=True, slots=True)
class StageServices:
    """What stages share.

    Args:
        device: `auto`, `cpu`, `cuda`, ...: as for `load_encoder`.
        encoder: gives the archive's own encoder, loaded with the first call.
    """

    device: str
    encoder: Callable[[], Encoder]


StageMaker: TypeAlias = "Callable[[EnrichSettings, StageServices], AnyStage]"
"""Makes a stage. Raises `ModelError` where its model is not to be had, with the way out."""


def make_cues(settings: EnrichSettings, services: StageServices) -> AnyStage:
    """The stage of technical cues in pictures; it needs no model."""
    del services
    return CueStage(settings.cues)


def make_silence(settings: EnrichSettings, services: StageServices) -> AnyStage:
    """The stage of silence; it needs no model."""
    del services
    return SilenceStage(settings.silence)


def make_answer_stage(settings: EnrichSettings, services: StageServices) -> AnyStage:
    """The stage of answers to questions about shots, by a server."""
    del services
    return make_answers(settings.answers, settings.remote)


def make_summaries(settings: EnrichSettings, services: StageServices) -> AnyStage:
    """The stage of summaries: by the text model, or by extraction where none is configured."""
    model = load_text_model(settings.text_model, settings.remote, device=services.device)
    return SummaryStage(settings.summaries, model)


def make_chapters(settings: EnrichSettings, services: StageServices) -> AnyStage:
    """The stage of chapters: titles by the text model, or by extraction where none is configured."""
    model = load_text_model(settings.text_model, settings.remote, device=services.device)
    return ChapterStage(settings.chapters, model)


MAKERS: Final[Mapping[str, StageMaker]] = {
    "cue": make_cues,
    "silence": make_silence,
    "answer": make_answer_stage,
    "summary": make_summaries,
    "chapter": make_chapters,
}
"""By the name of the stage in `store.stages`."""
