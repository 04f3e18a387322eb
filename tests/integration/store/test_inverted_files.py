"""Inverted files are published beside their shards, and nothing but speed depends on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import filelock
import pytest

from store.archive import Archive, VectorSettings, check_archive, repair_archive
from store.publishing import training
from store.publishing.training import choose_shards
from store.records import FrameHit
from store.vectors.inverted_file import InvertedFileBuilder, bytes_per_vector
from store.vectors.shard import Shard, ShardFile
from tests.integration.store.samples import add_videos, embeddings_of, rows_of

EVERY_SHARD = VectorSettings(least_vectors=1)


def _filled(folder: Path, n_videos: int) -> None:
    with Archive.create(folder) as archive:
        for video in range(n_videos):
            add_videos(archive, video)
            archive.publish()


def _answers(archive: Archive) -> list[list[FrameHit]]:
    return [archive.snapshot().search(embeddings_of(question, 1)[0], 7) for question in range(5)]


def _inverted_files(folder: Path) -> list[Path]:
    return sorted((folder / "vectors").glob("*/inverted-*.faiss"))


def test_a_generation_of_their_own(tmp_path: Path) -> None:
    """Each shard gets one, in a new generation with the same catalog and answers; then nothing is left to do."""
    _filled(tmp_path, 3)
    with Archive.open(tmp_path) as archive:
        before, expected, rows = archive.snapshot().manifest, _answers(archive), rows_of(archive.snapshot())
        assert 3 == archive.build_inverted_files(EVERY_SHARD)
        manifest = archive.snapshot().manifest
        assert {shard.name for shard in before.shards} == set(manifest.inverted)
        assert (before.catalog, before.shards) == (manifest.catalog, manifest.shards)
        assert manifest.generation > before.generation
        assert expected == _answers(archive)
        assert rows == rows_of(archive.snapshot())
        assert 0 == archive.build_inverted_files(EVERY_SHARD)
    with Archive.open(tmp_path) as archive:
        assert expected == _answers(archive)
        assert manifest == archive.snapshot().manifest
    assert [] == check_archive(tmp_path, read_data=True)


def test_small_shards_need_none(tmp_path: Path) -> None:
    """By default a small archive stays exhaustive."""
    _filled(tmp_path, 1)
    with Archive.open(tmp_path) as archive:
        assert 0 == archive.build_inverted_files()
        assert {} == archive.snapshot().manifest.inverted


def test_choice_by_size_and_memory() -> None:
    """The large shards are chosen, the largest first, as long as their codes fit the memory."""
    shards = [ShardFile(name, 0, "", n) for name, n in (("a", 99_999), ("b", 200_000), ("c", 600_000))]
    chosen = choose_shards(shards, 512, VectorSettings())
    assert ["c", "b"] == [shard.name for shard in chosen]
    memory_mib = 700_000 * bytes_per_vector(512) >> 20
    assert ["c"] == [s.name for s in choose_shards(shards, 512, VectorSettings(memory_mib=memory_mib))]
    assert [] == choose_shards(shards, 512, VectorSettings(memory_mib=0))


def test_publishing_keeps_them_until_their_shards_are_merged(tmp_path: Path) -> None:
    """The next generations name them as long as their shards are there; then their files go too."""
    _filled(tmp_path, 2)
    with Archive.open(tmp_path) as archive:
        archive.build_inverted_files(EVERY_SHARD)
        kept = archive.snapshot().manifest.inverted
        add_videos(archive, 10)
        archive.publish()
        assert kept == archive.snapshot().manifest.inverted
        add_videos(archive, 11)
        archive.publish()  # the fourth shard of its tier: all are merged
        assert {} == archive.snapshot().manifest.inverted
        add_videos(archive, 12)
        archive.publish()  # nobody falls back to a generation that had them any more
    assert [] == _inverted_files(tmp_path)


def test_a_shard_merged_away_during_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others publish while one trains; what was trained for a shard that is gone is dropped, its heir is next."""
    _filled(tmp_path, 3)
    with Archive.open(tmp_path) as archive, Archive.open(tmp_path) as other:

        def train_slowly(shard: Shard) -> InvertedFileBuilder:
            if len(other.snapshot().manifest.shards) == 3:
                add_videos(other, 3)
                other.publish()
            return InvertedFileBuilder(shard)

        monkeypatch.setattr(training, "InvertedFileBuilder", train_slowly)
        assert 1 == archive.build_inverted_files(EVERY_SHARD)
        manifest = archive.snapshot().manifest
        assert {shard.name for shard in manifest.shards} == set(manifest.inverted)
        assert 4 == archive.snapshot().counts().videos
    assert [] == check_archive(tmp_path, read_data=True)


def test_one_process_trains_at_a_time(tmp_path: Path) -> None:
    """While another process trains, nothing is done, at once."""
    _filled(tmp_path, 1)
    with Archive.open(tmp_path) as archive, filelock.FileLock(tmp_path / "training.lock"):
        assert 0 == archive.build_inverted_files(EVERY_SHARD)


def _flip_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "deleted": lambda path: path.unlink(),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "emptied": lambda path: path.write_bytes(b""),
    "bit flipped": _flip_bit,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_changes_no_answer(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    """A damaged inverted file is named by check, and done without; training makes it again."""
    _filled(tmp_path, 1)
    with Archive.open(tmp_path) as archive:
        archive.build_inverted_files(EVERY_SHARD)
        expected = _answers(archive)
    (path,) = _inverted_files(tmp_path)
    DAMAGES[damage](path)
    assert [("cache", str(path))] == [
        (found.kind, found.path) for found in check_archive(tmp_path, read_data=True)
    ]
    with Archive.open(tmp_path) as archive:
        assert expected == _answers(archive)
        assert any(str(path) in record.getMessage() for record in caplog.records)
        assert 1 == archive.build_inverted_files(EVERY_SHARD)
        assert expected == _answers(archive)
    assert [] == check_archive(tmp_path, read_data=True)


def test_repair_leaves_no_damaged_one_named(tmp_path: Path) -> None:
    """After a repair check finds nothing, and the answers are the same."""
    _filled(tmp_path, 1)
    with Archive.open(tmp_path) as archive:
        archive.build_inverted_files(EVERY_SHARD)
        expected = _answers(archive)
    _flip_bit(_inverted_files(tmp_path)[0])
    repair_archive(tmp_path, dry_run=False)
    assert [] == check_archive(tmp_path, read_data=True)
    with Archive.open(tmp_path) as archive:
        assert expected == _answers(archive)


def test_all_of_them_lost_with_the_other_caches(tmp_path: Path) -> None:
    """An archive made again from its truth alone is searched exhaustively until they are trained again."""
    _filled(tmp_path, 2)
    with Archive.open(tmp_path) as archive:
        archive.build_inverted_files(EVERY_SHARD)
        expected = _answers(archive)
    (tmp_path / "CURRENT").unlink()
    for path in (tmp_path / "generations").iterdir():
        path.unlink()
    with Archive.open(tmp_path) as archive:
        assert {} == archive.snapshot().manifest.inverted
        assert expected == _answers(archive)
