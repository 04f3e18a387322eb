"""The stages that can be asked for by name, and their settings, each a table of configs/default.toml.

A module of a stage is imported when its stage is made, so that nothing heavy is loaded before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final, TypeAlias

from indexer.errors import ModelError
from store.errors import SpaceMismatchError, UnknownIdError

if TYPE_CHECKING:
    from indexer.models.encoder import Encoder
    from indexer.stages.commits import TextEncoder
    from indexer.stages.stage import AnyStage
    from store.archive import Archive


@dataclass(frozen=True, slots=True)
class EnrichSettings:
    """Settings of all stages; each field is a frozen dataclass of its own, and a table of the same name."""


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

MAKERS: Final[Mapping[str, StageMaker]] = {}
"""By the name of the stage in `store.stages`."""

BY_DEFAULT: Final[tuple[str, ...]] = ()
"""Stages that run where no stage is named, if their models are on this machine."""


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
    services = StageServices(device, partial(_own_encoder, archive, device))
    made, left_out = list[AnyStage](), dict[str, str]()
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


@lru_cache(maxsize=1)
def _own_encoder(archive: Archive, device: str) -> Encoder:
    """The encoder of an archive, loaded once.

    Raises:
        SpaceMismatchError: the archive has none yet.
        ModelError: it cannot be loaded.
    """
    from indexer.models import open_clip_encoder

    if archive.space is None:
        raise SpaceMismatchError(f"the archive {archive.folder} has no encoder yet; index videos first")
    return open_clip_encoder.load_encoder_of(archive.space, device=device)


def text_encoder_of(archive: Archive, device: str) -> TextEncoder | None:
    """The encoder of texts, loaded with the first text; None for an archive without encoder."""
    from indexer.models import open_clip_encoder
    from indexer.models.deferred import DeferredEncoder

    space = archive.snapshot().text_space
    if space is None:
        return None
    return DeferredEncoder(space, lambda: open_clip_encoder.load_encoder_of(space, device=device))
