"""Every setting of indexing, bound to the tables of a TOML file; configs/default.toml lists them all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from indexer.library.listing import ScanSettings
from indexer.stages.makers import EnrichSettings
from indexer.visual.decode_pass import DecodeSettings
from store.config import read_settings


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """Distribution of the work over the machine.

    Args:
        jobs: videos decoded at the same time; 0 means one for every two processor cores.
        batch_size: pictures that the encoder takes at once.
        queue_size: decoded pictures that may wait for the encoder; bounds the memory.
        publish_every_seconds: how soon a running index shows up in searches.
    """

    jobs: int = 0
    batch_size: int = 32
    queue_size: int = 64
    publish_every_seconds: float = 10.0

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        if self.jobs < 0 or self.batch_size < 1 or self.queue_size < 1 or self.publish_every_seconds <= 0:
            raise ValueError("jobs must be 0 or more; batch_size, queue_size and publish_every_seconds positive")

    @property
    def n_decoders(self) -> int:
        """Videos decoded at the same time."""
        return self.jobs or max(1, (os.cpu_count() or 2) // 2)


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """All settings of indexing, one table each."""

    scan: ScanSettings = field(default_factory=ScanSettings)
    decode: DecodeSettings = field(default_factory=DecodeSettings)
    pipeline: PipelineSettings = field(default_factory=PipelineSettings)
    stages: EnrichSettings = field(default_factory=EnrichSettings)


def read_stage_settings(files: Iterable[Path]) -> EnrichSettings:
    """Settings of stages of files of settings, each over those before it.

    Raises:
        ConfigError: a file cannot be read or used.
    """
    return read_settings(IndexSettings, *files).stages
