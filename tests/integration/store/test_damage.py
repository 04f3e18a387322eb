"""Damage to any file: caches are noticed at open and made again, truth is named, quarantined and indexed again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from store.archive import Archive, check_archive, repair_archive
from store.errors import ArchiveDamagedError
from store.events import Described
from store.files import seal, unseal
from store.truth.segments import is_whole
from tests.integration.store.samples import LIBRARY, add_videos, fingerprint_of, rows_of, segment_of
from tests.sampled import sampled_product

CACHES = ("catalog", "shard", "manifest", "CURRENT")


def _flip_bit(path: Path, _foreign: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def _zero_page(path: Path, _foreign: Path) -> None:
    data = bytearray(path.read_bytes())
    start = min(4096, len(data) // 2)
    data[start : start + 4096] = bytes(len(data[start : start + 4096]))
    path.write_bytes(data)


DAMAGES: dict[str, Callable[[Path, Path], object]] = {
    "deleted": lambda path, _foreign: path.unlink(),
    "truncated": lambda path, _foreign: path.write_bytes(path.read_bytes()[:-1]),
    "emptied": lambda path, _foreign: path.write_bytes(b""),
    "bit flipped": _flip_bit,
    "page zeroed": _zero_page,
    "foreign": lambda path, foreign: shutil.copyfile(foreign, path),
}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two archives with the same number of generations: one to be damaged, and one of other content."""
    folders = {}
    for name, first in (("own", 0), ("foreign", 50)):
        folders[name] = tmp_path_factory.mktemp(name) / "archive"
        with Archive.create(folders[name]) as archive:
            for video in range(first, first + 6):
                add_videos(archive, video)
                archive.publish()
    return folders


def _cache_files(folder: Path, cache: str) -> list[Path]:
    """Files of that sort that the current generation uses, the largest last."""
    with Archive.open(folder) as archive:
        manifest = archive.snapshot().manifest
    found = {
        "catalog": [folder / "catalog" / manifest.catalog.name],
        "shard": [folder / "vectors" / manifest.space_id / shard.name for shard in manifest.shards],
        "manifest": [folder / "generations" / f"{manifest.generation:06d}.json"],
        "CURRENT": [folder / "CURRENT"],
    }[cache]
    return sorted(found, key=lambda path: path.stat().st_size)


@pytest.mark.slow
@pytest.mark.parametrize(("cache", "damage"), sampled_product(CACHES, DAMAGES, every=5))
def test_damaged_cache_is_made_again(tmp_path: Path, samples: dict[str, Path], cache: str, damage: str) -> None:
    """A cache file that is damaged in this way is named by check and made again at open, with the same answers."""
    folder = tmp_path / "archive"
    shutil.copytree(samples["own"], folder)
    with Archive.open(folder) as archive:
        expected, generation = rows_of(archive.snapshot()), archive.snapshot().generation
    DAMAGES[damage](_cache_files(folder, cache)[-1], _cache_files(samples["foreign"], cache)[-1])
    assert {found.kind for found in check_archive(folder, read_data=True)} == {"cache"}
    with Archive.open(folder) as archive:
        assert archive.snapshot().generation > generation
        assert rows_of(archive.snapshot()) == expected
    with Archive.open(folder) as archive:
        assert rows_of(archive.snapshot()) == expected
    assert check_archive(folder) == []


def test_all_caches_lost_at_once(tmp_path: Path, samples: dict[str, Path]) -> None:
    """Segments and edits alone give the same archive."""
    folder = tmp_path / "archive"
    shutil.copytree(samples["own"], folder)
    with Archive.open(folder) as archive:
        expected = rows_of(archive.snapshot())
    for name in ("catalog", "vectors", "generations"):
        shutil.rmtree(folder / name)
    (folder / "CURRENT").unlink()
    with Archive.open(folder) as archive:
        assert rows_of(archive.snapshot()) == expected


def test_damage_while_open_is_noticed_by_the_next_generation(tmp_path: Path, samples: dict[str, Path]) -> None:
    """A writer that has the archive open does not carry a damaged catalog into the next generation."""
    folder = tmp_path / "archive"
    shutil.copytree(samples["own"], folder)
    with Archive.open(folder) as archive:
        _flip_bit(_cache_files(folder, "catalog")[0], folder)
        _cache_files(folder, "shard")[0].unlink()
        add_videos(archive, 30)
        archive.publish()
        assert archive.snapshot().counts().videos == 7
    assert check_archive(folder, read_data=True) == []


def test_stray_log_beside_a_catalog_is_not_played(tmp_path: Path, samples: dict[str, Path]) -> None:
    """A write-ahead log that somebody put beside a catalog is noticed, and another generation made."""
    folder = tmp_path / "archive"
    shutil.copytree(samples["own"], folder)
    (catalog,) = _cache_files(folder, "catalog")
    catalog.with_name(f"{catalog.name}.wal").write_bytes(b"anything")
    with Archive.open(folder) as archive:
        assert archive.snapshot().manifest.catalog.name != catalog.name
        assert archive.snapshot().counts().videos == 6


def _undisturbed_rows(folder: Path) -> dict[str, object]:
    with Archive.open(folder) as archive:
        return rows_of(archive.snapshot())


@pytest.mark.parametrize("damage", ["truncated", "emptied", "bit flipped", "page zeroed", "foreign"])
def test_damaged_segment_is_named_and_indexed_again(tmp_path: Path, samples: dict[str, Path], damage: str) -> None:
    """Check names it, repair takes it away and says what to index, and indexing that restores every row."""
    folder = tmp_path / "archive"
    shutil.copytree(samples["own"], folder)
    expected = _undisturbed_rows(folder)
    name = f"{fingerprint_of(3)}.visual.k1.parquet"
    path = folder / "segments" / name[:2] / name
    DAMAGES[damage](path, next((samples["foreign"] / "segments").glob("*/*.parquet")))
    (found,) = check_archive(folder, read_data=True)
    assert (found.kind, found.path) == ("segment", str(path))
    assert [action.path for action in repair_archive(folder, dry_run=True)] == [str(path)]
    assert path.exists()
    repair_archive(folder, dry_run=False)
    with Archive.open(folder) as archive:
        assert [location.path for location in archive.locations_without_segment()] == [f"{LIBRARY}/3.mp4"]
        assert archive.snapshot().counts().videos == 5
        archive.put_segment(segment_of(3))
        archive.publish()
        assert rows_of(archive.snapshot()) == expected
    assert len(list((folder / "quarantine").iterdir())) == 1


def test_every_byte_of_a_segment_is_guarded(samples: dict[str, Path]) -> None:
    """Whichever byte of a segment is changed, reading it fails."""
    data = next((samples["own"] / "segments").glob("*/*.parquet")).read_bytes()
    assert is_whole(data)
    unnoticed = [
        position
        for position in range(0, len(data), 7)
        if is_whole(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
    ]
    assert unnoticed == []


def test_lost_segment_is_named_and_its_rows_stay_until_repair(tmp_path: Path, samples: dict[str, Path]) -> None:
    """A segment that vanished is named; the catalog still answers, until repair takes the video out."""
    folder = tmp_path / "archive"
    shutil.copytree(samples["own"], folder)
    next((folder / "segments").glob("*/*.parquet")).unlink()
    assert [found.kind for found in check_archive(folder)] == ["lost segment"]
    with Archive.open(folder) as archive:
        archive.publish()
        assert archive.snapshot().counts().videos == 6
    repair_archive(folder, dry_run=False)
    with Archive.open(folder) as archive:
        assert archive.snapshot().counts().videos == 5
    assert check_archive(folder, read_data=True) == []


def test_damaged_segment_does_not_stop_a_rebuild(tmp_path: Path, samples: dict[str, Path]) -> None:
    """With a damaged segment and no caches, the archive opens with all other videos."""
    folder = tmp_path / "archive"
    shutil.copytree(samples["own"], folder)
    _flip_bit(next((folder / "segments").glob("*/*.parquet")), folder)
    (folder / "CURRENT").unlink()
    shutil.rmtree(folder / "generations")
    with Archive.open(folder) as archive:
        assert archive.snapshot().counts().videos == 5


def test_damaged_line_of_edits_is_named_and_the_others_hold(tmp_path: Path) -> None:
    """Check names a line that both copies lack; repair keeps the others, and the original in quarantine."""
    folder = tmp_path / "archive"
    with Archive.create(folder) as archive:
        add_videos(archive, 1, 2, 3)
        archive.record([Described(fingerprint_of(1), {"title": "kept"})])
        archive.publish()
    for path in (next((folder / "edits").iterdir()), next((folder / "edits-copy").iterdir())):
        lines = path.read_bytes().splitlines(keepends=True)
        lines[3] = lines[3].replace(b"2.mp4", b"9.mp4")
        path.write_bytes(b"".join(lines))
    found = next(found for found in check_archive(folder, read_data=True) if found.kind == "edits")
    assert ("damaged lines: 4", "keep its good lines") == (found.what, found.what_to_do[-19:])
    repair_archive(folder, dry_run=False)
    with Archive.open(folder) as archive:
        assert [video.path for video in archive.snapshot().videos()] == [f"{LIBRARY}/1.mp4", f"{LIBRARY}/3.mp4"]
        assert archive.snapshot().video("1.mp4").metadata == {"title": "kept"}
    assert check_archive(folder, read_data=True) == []


def test_torn_last_line_is_left_out(tmp_path: Path) -> None:
    """A line that a killed writer did not finish is reported and ignored, and later edits count."""
    folder = tmp_path / "archive"
    with Archive.create(folder) as archive:
        add_videos(archive, 1)
        archive.publish()
    (path,) = (folder / "edits").iterdir()
    path.write_bytes(path.read_bytes() + b'{"at":12,"by":"x","kind":"dropped"')
    assert [found.kind for found in check_archive(folder)] == ["torn edits"]
    with Archive.open(folder) as archive:
        add_videos(archive, 2)
        archive.publish()
        assert archive.snapshot().counts().videos == 2
    repair_archive(folder, dry_run=False)
    assert check_archive(folder, read_data=True) == []
    with Archive.open(folder) as archive:
        assert archive.snapshot().counts().videos == 2


def test_lost_or_damaged_identity_is_restored(tmp_path: Path, samples: dict[str, Path]) -> None:
    """Repair writes archive.json again, with the same id, so that no cache has to be made again."""
    folder = tmp_path / "archive"
    shutil.copytree(samples["own"], folder)
    whole = (folder / "archive.json").read_bytes()
    for damaged in (None, whole[:-5], b"\0" * 50):
        (folder / "archive.json").unlink()
        if damaged is not None:
            (folder / "archive.json").write_bytes(damaged)
        with pytest.raises(ArchiveDamagedError, match="rushes repair"):
            Archive.open(folder)
        repair_archive(folder, dry_run=False)
        assert (folder / "archive.json").read_bytes() == whole


def test_foreign_files_and_leftovers_are_found(tmp_path: Path, samples: dict[str, Path]) -> None:
    """What does not belong goes to quarantine, what killed writers left is deleted, and the rest is untouched."""
    folder = tmp_path / "archive"
    shutil.copytree(samples["own"], folder)
    (folder / "segments" / "aa").mkdir(exist_ok=True)
    (folder / "segments" / "aa" / "notes.txt").write_text("mine")
    (folder / "thumbs" / ".tmp-0123456789abcdef").write_bytes(b"half a picture")
    assert [found.kind for found in check_archive(folder)] == ["foreign file", "leftover"]
    repair_archive(folder, dry_run=False)
    assert check_archive(folder, read_data=True) == []
    assert [path.read_text() for path in (folder / "quarantine").iterdir()] == ["mine"]


@pytest.mark.parametrize(("number", "said"), [(1, "an older Rushes"), (99, "a newer Rushes")])
def test_another_format_is_no_damage(
    tmp_path: Path, samples: dict[str, Path], caplog: pytest.LogCaptureFixture, number: int, said: str
) -> None:
    """A generation of another format is made again, and it is said by whom it was made."""
    folder = tmp_path / "archive"
    shutil.copytree(samples["own"], folder)
    path = _cache_files(folder, "manifest")[0]
    fields = unseal(path.read_bytes())
    assert fields is not None
    path.write_bytes(seal({**fields, "format": number}))
    with Archive.open(folder) as archive:
        assert 0 < archive.snapshot().counts().videos
    assert [f"made again: {path} was made by {said}"] == [
        record.getMessage() for record in caplog.records if "made again" in record.getMessage()
    ]
