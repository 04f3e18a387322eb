"""An archive of the format before stages: it opens, answers as before, and nothing in it is computed again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
from fractions import Fraction
from pathlib import Path

import pytest

from indexer.config import IndexSettings, PipelineSettings
from indexer.pipeline import index_videos
from search_app.search.search import search
from store.archive import Archive, check_archive, repair_archive
from store.files import FAILPOINT_VARIABLE
from store.records import Embeddings
from tests.fakes import FakeEncoder

PACKED = Path(__file__).parents[1] / "fixtures" / "archive-today" / "archive.tar.xz"
REPOSITORY = Path(__file__).parents[2]


class _NoPictures(FakeEncoder):
    """An encoder that must not be asked for pictures."""

    def encode_images(self, images: object) -> Embeddings:
        """Fail: every picture has its vector already."""
        raise AssertionError(f"a picture is encoded again: {images}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The archive, as an earlier version left it, and its library beside it."""
    with tarfile.open(PACKED) as packed:
        packed.extractall(tmp_path, filter="data")
    return tmp_path / "archive"


def truth_of(folder: Path) -> dict[str, bytes]:
    """Every file that is not a cache."""
    kinds = ("segments", "edits", "thumbs")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for kind in kinds
        for path in sorted((folder / kind).rglob("*"))
        if path.is_file()
    }


def verify(folder: Path) -> None:
    """All that was put into the archive is there, and is found."""
    with Archive.open(folder) as archive:
        archive.publish()
        snapshot = archive.snapshot()
        counts = snapshot.counts()
        assert (2, 5, 5) == (counts.videos, counts.shots, counts.frames)
        assert {"caption": 5, "label": 5, "transcript": 1} == {
            str(k): n for k, n in snapshot.text_counts().items()
        }
        flowers = snapshot.video("flowers.mp4").video_id
        assert {"title": "Flowers in June"} == snapshot.video(flowers).metadata
        (judged,) = snapshot.judgements()
        assert (flowers, Fraction(6, 5), "keep") == (judged.fingerprint, judged.span.end, judged.verdict)
        assert ["sunny"] == [saved.name for saved in snapshot.saved_searches()]
        assert {"best": 1} == snapshot.sets()
        assert ["block"] == [flag.rule for flag in snapshot.rights()]
        encoder = FakeEncoder()
        vector = encoder.encode_texts(["purple"])[0]
        (best,) = snapshot.search_text_vectors(vector, "caption", 1)
        assert "a purple wall in the sun" == best.text
        best_shot = search(archive, "green wall", encoder=encoder, limit=1).hits[0].shot
        assert best_shot.path.endswith("traffic.mp4")
        assert 1 == best_shot.shot.ordinal
        assert 2 == len(search(archive, 'said:"never stops"', encoder=encoder).hits)
        assert 5 == len(search(archive, "has:label", encoder=encoder).hits)
    assert [] == check_archive(folder, read_data=True)


def test_an_earlier_archive_opens_and_answers(folder: Path) -> None:
    """Check changes nothing; opening, publishing and repairing lose nothing, and change no file of the truth."""
    before = truth_of(folder)
    verify(folder)
    assert [] == repair_archive(folder, dry_run=False)
    assert before == {name: data for name, data in truth_of(folder).items() if name in before}


def test_an_earlier_archive_is_not_indexed_again(folder: Path) -> None:
    """The same files with the same settings need no decoding and no encoding."""
    settings = IndexSettings(pipeline=PipelineSettings(jobs=1))
    with Archive.open(folder) as archive:
        outcomes = list(
            index_videos(archive, [folder.parent / "library"], _NoPictures(), settings, lambda _: None)
        )
        assert set() == {"indexed", "failed"} & {outcome.status.value for outcome in outcomes}
        assert 2 == archive.snapshot().counts().videos
    assert 2 == len(list((folder / "segments").rglob("*.visual.*")))


@pytest.mark.parametrize(
    "step", ["publish.copied", "publish.applied", "catalog.after-rename", "manifest.after-rename"]
)
def test_a_killed_upgrade_is_taken_up_again(folder: Path, step: str) -> None:
    """An archive whose first publishing by this version was killed holds everything, too."""
    before = truth_of(folder)
    program = "import sys; from store.archive import Archive; Archive.open(sys.argv[1]).publish()"
    killed = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        cwd=REPOSITORY,
        env={**os.environ, FAILPOINT_VARIABLE: step},
        check=False,
    )
    assert killed.returncode in (0, -signal.SIGKILL)  # 0 where the format needs no upgrade
    verify(folder)
    assert before == {name: data for name, data in truth_of(folder).items() if name in before}
