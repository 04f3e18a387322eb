"""The stages that can be asked for by name, and their settings, each a table of configs/default.toml.

A module of a stage is imported when its stage is made, so that nothing heavy is loaded before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from indexer.models.remote_settings import RemoteSettings
from indexer.models.text_model import TextModelSettings
from indexer.stages.captions import CaptionSettings

if TYPE_CHECKING:
    from indexer.models.encoder import Encoder
    from indexer.stages.stage import AnyStage
    from store.records import Embeddings


@dataclass(frozen=True, slots=True)
class EnrichSettings:
    """Settings of all stages; each field is a frozen dataclass of its own, and a table of the same name."""

    captions: CaptionSettings = field(default_factory=CaptionSettings)
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


def make_captions(settings: EnrichSettings, services: StageServices) -> AnyStage:
    """The stage of captions."""
    from indexer.stages import captions

    return captions.make_captions(settings.captions, settings.remote, services)


MAKERS: Final[Mapping[str, StageMaker]] = {"caption": make_captions}
"""By the name of the stage in `store.stages`."""
