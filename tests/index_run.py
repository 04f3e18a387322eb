"""One run of the indexer in its own process, to be killed: `python -m tests.index_run ARCHIVE LIBRARY ACK`."""

import os
import sys
from pathlib import Path

from indexer.config import IndexSettings, PipelineSettings
from indexer.pipeline import Progress, index_videos
from store.archive import Archive
from tests.fakes import FakeEncoder

SETTINGS = IndexSettings(pipeline=PipelineSettings(jobs=1, publish_every_seconds=0.2))


def _ignore(progress: Progress) -> None:
    """Nobody watches."""


def main(folder: str, library: str, acknowledged: str) -> None:
    """Index the library, and write down every video that the indexer says is safe."""
    encoder = FakeEncoder()
    descriptor = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with Archive.create(folder) as archive:
        archive.claim_space(encoder.space, source="fake")
        for outcome in index_videos(archive, [Path(library)], encoder, SETTINGS, _ignore):
            os.write(descriptor, f"{outcome.status.value} {outcome.path}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
