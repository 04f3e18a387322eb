"""The stages that can be asked for by name, and their settings, each a table of configs/default.toml.

A module of a stage is imported when its stage is made, so that nothing heavy is loaded before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from indexer.stages.faces import FaceSettings
from indexer.stages.objects import ObjectSettings
from indexer.stages.screen_text import ScreenTextSettings

if TYPE_CHECKING:
    from indexer.models.encoder import Encoder
    from indexer.stages.stage import AnyStage


@dataclass(frozen=True, slots=True)
class EnrichSettings:
    """Settings of all stages; each field is a frozen dataclass of its own, and a table of the same name."""

    faces: FaceSettings = field(default_factory=FaceSettings)
    objects: ObjectSettings = field(default_factory=ObjectSettings)
    screen_text: ScreenTextSettings = field(default_factory=ScreenTextSettings)


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


def _make_faces(settings: EnrichSettings, services: StageServices) -> AnyStage:
    from indexer.stages.faces import make_faces

    return make_faces(settings.faces, services.device)


def _make_objects(settings: EnrichSettings, services: StageServices) -> AnyStage:
    from indexer.stages.objects import make_objects

    return make_objects(settings.objects, services.device)


def _make_screen_text(settings: EnrichSettings, _: StageServices) -> AnyStage:
    from indexer.stages.screen_text import make_screen_text

    return make_screen_text(settings.screen_text)


MAKERS: Final[Mapping[str, StageMaker]] = {
    "face": _make_faces,
    "object": _make_objects,
    "screen_text": _make_screen_text,
}
"""By the name of the stage in `store.stages`."""
