"""Memory that hostile files can make a decoder take."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared_media import BAD_MEDIA, needs_bad_media

MOST_MEBIBYTES = 1.5 * 1024

INDEX = """
import resource, sys
from pathlib import Path
from indexer.config import IndexSettings
from indexer.pipeline import index_videos
from store.archive import Archive
from tests.fakes import FakeEncoder

encoder = FakeEncoder()
with Archive.create(sys.argv[1]) as archive:
    archive.claim_space(encoder.space, source="fake")
    outcomes = list(index_videos(archive, [Path(sys.argv[2])], encoder, IndexSettings(), lambda _: None))
# The largest child that was waited for; the system counts in KiB, and misses no moment as looking on would.
print(len(outcomes), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""


@needs_bad_media
@pytest.mark.skipif(sys.platform != "linux", reason="the size of children is counted in KiB on Linux only")
@pytest.mark.slow
def test_no_bad_file_takes_more_memory_than_allowed(tmp_path: Path) -> None:
    """The largest decoder of a run over all of them stays below 1.5 GB."""
    command = [sys.executable, "-c", INDEX, str(tmp_path / "archive"), str(BAD_MEDIA)]
    answer = subprocess.run(command, capture_output=True, check=True, text=True, cwd=Path(__file__).parents[3])
    n_outcomes, largest_mebibytes = answer.stdout.split()
    assert int(n_outcomes) > 20
    assert 20 < float(largest_mebibytes) < MOST_MEBIBYTES
