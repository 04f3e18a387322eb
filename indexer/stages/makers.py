"""The stages that can be asked for by name, and their settings, each a table of configs/default.toml.

A model, and the library that it runs on, is imported when its stage is made or works for the first time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from indexer.errors import ModelError
from indexer.models.remote_settings import RemoteSettings
from indexer.models.text_model import TextModelSettings
from indexer.stages.answers import AnswerSettings
from indexer.stages.captions import CaptionSettings
from indexer.stages.chapters import ChapterSettings
from indexer.stages.cues import CueSettings
from indexer.stages.faces import FaceSettings
from indexer.stages.label_settings import LabelSettings
from indexer.stages.objects import ObjectSettings
from indexer.stages.screen_text import ScreenTextSettings
from indexer.stages.silence import SilenceSettings
from indexer.stages.sounds import SoundSettings
from indexer.stages.speech import SpeechSettings
from indexer.stages.summaries import SummarySettings
from store.errors import SpaceMismatchError, UnknownIdError

if TYPE_CHECKING:
    from indexer.models.encoder import Encoder
    from indexer.stages.stage import AnyStage
    from store.archive import Archive
    from store.records import Embeddings


@dataclass(frozen=True, slots=True)
class EnrichSettings:
    """Settings of all stages; each field is a frozen dataclass of its own, and a table of the same name."""

    labels: LabelSettings = field(default_factory=LabelSettings)
    speech: SpeechSettings = field(default_factory=SpeechSettings)
    sounds: SoundSettings = field(default_factory=SoundSettings)
    captions: CaptionSettings = field(default_factory=CaptionSettings)
    objects: ObjectSettings = field(default_factory=ObjectSettings)
    faces: FaceSettings = field(default_factory=FaceSettings)
    screen_text: ScreenTextSettings = field(default_factory=ScreenTextSettings)
    cues: CueSettings = field(default_factory=CueSettings)
    silence: SilenceSettings = field(default_factory=SilenceSettings)
    answers: AnswerSettings = field(default_factory=AnswerSettings)
    summaries: SummarySettings = field(default_factory=SummarySettings)
    chapters: ChapterSettings = field(default_factory=ChapterSettings)
    remote: RemoteSettings = field(default_factory=RemoteSettings)
    text_model: TextModelSettings = field(default_factory=TextModelSettings)


@dataclass(frozen=True, slots=True)
class StageServices:
    """What stages share.

    Args:
        device: `auto`, `cpu`, `cuda`, ...: as for `load_encoder`.
        encoder: gives the archive's own encoder, loaded with the first call.
        background: gives a sample of the archive's pictures in the encoder's space, (n, dim), perhaps none.
    """

    device: str
    encoder: Callable[[], Encoder]
    background: Callable[[], Embeddings] = lambda: np.empty((0, 0), np.float32)


StageMaker: TypeAlias = "Callable[[EnrichSettings, StageServices], AnyStage]"
"""Makes a stage. Raises `ModelError` where its model is not to be had, with the way out."""


def _labels(settings: EnrichSettings, services: StageServices) -> AnyStage:
    from indexer.stages.labels import make_label_stage

    return make_label_stage(settings.labels, services)


def _speech(settings: EnrichSettings, services: StageServices) -> AnyStage:
    from indexer.stages.speech import make_speech

    return make_speech(settings.speech, services.device)


def _sound(settings: EnrichSettings, services: StageServices) -> AnyStage:
    from indexer.stages.sounds import make_sounds

    return make_sounds(settings.sounds, services.device)


def _captions(settings: EnrichSettings, services: StageServices) -> AnyStage:
    from indexer.stages import captions

    return captions.make_captions(settings.captions, settings.remote, services)


def _cues(settings: EnrichSettings, services: StageServices) -> AnyStage:
    from indexer.stages.cues import CueStage

    del services
    return CueStage(settings.cues)


def _silence(settings: EnrichSettings, services: StageServices) -> AnyStage:
    from indexer.stages.silence import SilenceStage

    del services
    return SilenceStage(settings.silence)


def _answers(settings: EnrichSettings, services: StageServices) -> AnyStage:
    from indexer.stages.answers import make_answers

    del services
    return make_answers(settings.answers, settings.remote)


def _summaries(settings: EnrichSettings, services: StageServices) -> AnyStage:
    from indexer.models.text_model import load_text_model
    from indexer.stages.summaries import SummaryStage

    model = load_text_model(settings.text_model, settings.remote, device=services.device)
    return SummaryStage(settings.summaries, model)


def _chapters(settings: EnrichSettings, services: StageServices) -> AnyStage:
    from indexer.models.text_model import load_text_model
    from indexer.stages.chapters import ChapterStage

    model = load_text_model(settings.text_model, settings.remote, device=services.device)
    return ChapterStage(settings.chapters, model)


def _objects(settings: EnrichSettings, services: StageServices) -> AnyStage:
    from indexer.stages.objects import make_objects

    return make_objects(settings.objects, services.device)


def _faces(settings: EnrichSettings, services: StageServices) -> AnyStage:
    from indexer.stages.faces import make_faces

    return make_faces(settings.faces, services.device)


def _screen_text(settings: EnrichSettings, services: StageServices) -> AnyStage:
    from indexer.stages.screen_text import make_screen_text

    del services
    return make_screen_text(settings.screen_text)


MAKERS: Final[Mapping[str, StageMaker]] = {
    "label": _labels,
    "transcript": _speech,
    "sound": _sound,
    "caption": _captions,
    "object": _objects,
    "face": _faces,
    "screen_text": _screen_text,
    "cue": _cues,
    "silence": _silence,
    "answer": _answers,
    "summary": _summaries,
    "chapter": _chapters,
}
"""By the name of the stage in `store.stages`."""

BY_DEFAULT: Final = ("label", "transcript", "screen_text", "cue", "silence", "summary", "chapter")
"""Stages that run where no stage is named: those that need nothing but the extra `offline`."""


def make_stages(
    archive: Archive, names: Sequence[str], settings: EnrichSettings, device: str
) -> tuple[list[AnyStage], dict[str, str]]:
    """The stages of these names, or those by default; and why some of the latter are left out.

    Args:
        archive: whose encoder stages may ask for.
        names: as `store.stages` has them; none for `BY_DEFAULT`.
        settings: of all stages.
        device: as for `load_encoder`.

    Raises:
        ModelError: the model of a stage that was named is not to be had.
        UnknownIdError: nothing makes a stage of that name.
    """
    encoder = cache(partial(_own_encoder, archive, device))  # one for all stages of this run
    services = StageServices(device, encoder, lambda: archive.snapshot().background())
    made: list[AnyStage] = []
    left_out: dict[str, str] = {}
    for name in names or BY_DEFAULT:
        if name not in MAKERS:
            raise UnknownIdError(f"nothing makes {name!r:.60}; stages: {', '.join(MAKERS)}")
        try:
            made.append(MAKERS[name](settings, services))
        except ModelError as error:
            if names:
                raise
            left_out[name] = str(error)
    return made, left_out


def _own_encoder(archive: Archive, device: str) -> Encoder:
    """The encoder of an archive, loaded now.

    Raises:
        SpaceMismatchError: the archive has none yet.
        ModelError: it cannot be loaded.
    """
    from indexer.models import open_clip_encoder

    if archive.space is None:
        raise SpaceMismatchError(f"the archive {archive.folder} has no encoder yet; index videos first")
    return open_clip_encoder.load_encoder_of(archive.space, device=device)
