"""The stages that can be asked for by name, and their settings, each a table of configs/default.toml.

A module of a stage is imported when its stage is made, so that nothing heavy is loaded before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from indexer.stages.sounds import SoundSettings
from indexer.stages.speech import SpeechSettings

if TYPE_CHECKING:
    from indexer.models.encoder import Encoder
    from indexer.stages.stage import AnyStage


@dataclass(frozen=True, slots=True)
class EnrichSettings:
    """Settings of all stages; each field is a frozen dataclass of its own, and a table of the same name."""

    speech: SpeechSettings = field(default_factory=SpeechSettings)
    sounds: SoundSettings = field(default_factory=SoundSettings)


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


def _speech(settings: EnrichSettings, services: StageServices) -> AnyStage:
    from indexer.stages.speech import make_speech

    return make_speech(settings.speech, services.device)


def _sound(settings: EnrichSettings, services: StageServices) -> AnyStage:
    from indexer.stages.sounds import make_sounds

    return make_sounds(settings.sounds, services.device)


MAKERS: Final[Mapping[str, StageMaker]] = {"transcript": _speech, "sound": _sound}
"""By the name of the stage in `store.stages`."""
