"""One run of the indexer that writes down what it calls done, to be killed in a process of its own."""

import os
from pathlib import Path

from indexer.config import IndexSettings, PipelineSettings
from indexer.pipeline import Progress, index_videos
from store.archive import Archive
from tests.fakes import FakeEncoder

SETTINGS = IndexSettings(pipeline=PipelineSettings(jobs=1, publish_every_seconds=0.001))


def _ignore(progress: Progress) -> None:
    """Nobody watches."""


def index_library(folder: Path, library: Path, acknowledged: Path) -> None:
    """Index the library, and write down every video that the indexer says is safe."""
    encoder = FakeEncoder()
    descriptor = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with Archive.create(folder) as archive:
        archive.claim_space(encoder.space, source="fake")
        for outcome in index_videos(archive, [library], encoder, SETTINGS, _ignore):
            os.write(descriptor, f"{outcome.status.value} {outcome.path}\n".encode())
    os.close(descriptor)
