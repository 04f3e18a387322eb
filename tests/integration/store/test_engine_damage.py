"""Caches that an engine cannot read, although their digests are right."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from store.archive import Archive, check_archive, repair_archive
from store.errors import CacheDamagedError
from store.files import digest_file, seal
from store.identity import read_identity
from store.publishing.generations import MANIFEST_FORMAT, Generations, Manifest
from store.words.index import describe_folder
from tests.integration.store.samples import DIM, add_videos, captions_of, rows_of
from tests.sampled import sampled


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with texts, of three generations."""
    folder = tmp_path_factory.mktemp("engines") / "archive"
    with Archive.create(folder) as archive:
        for video in range(3):
            add_videos(archive, video)
            archive.put_text(captions_of(video))
            archive.publish()
    return folder


@pytest.fixture
def folder(tmp_path: Path, sample: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(sample, tmp_path / "archive"))


def _garbage(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * (path.stat().st_size // 256 + 1))


def _garbage_inside(path: Path) -> None:
    """Garbage in the body, behind a head and before a footer that are right, so that it opens."""
    data = path.read_bytes()
    path.write_bytes(data[:1] + b"\xff" * (len(data) // 3) + data[1 + len(data) // 3 :])


def _forge(folder: Path, change: Callable[[Generations, Manifest], Manifest]) -> None:
    """Change files of the current generation and give its manifest their digests, as a forger would."""
    generations = Generations(folder, read_identity(folder))
    manifest = generations.read(generations.current() or 0)
    assert manifest is not None
    fields: dict[str, Any] = asdict(change(generations, manifest))
    generations.manifest_path(manifest.generation).write_bytes(seal({"format": MANIFEST_FORMAT, **fields}))


def _forged_words(
    suffix: str, damage: Callable[[Path], object] = _garbage
) -> Callable[[Generations, Manifest], Manifest]:
    def forge(generations: Generations, manifest: Manifest) -> Manifest:
        assert manifest.lexical is not None
        folder = generations.lexical_path(manifest.lexical)
        for path in folder.glob(f"*{suffix}"):
            damage(path)
        return replace(manifest, lexical=describe_folder(folder))

    return forge


def _forged_catalog(generations: Generations, manifest: Manifest) -> Manifest:
    path = generations.catalog_path(manifest)
    _garbage(path)
    return replace(
        manifest, catalog=replace(manifest.catalog, size_bytes=path.stat().st_size, digest=digest_file(path))
    )


def _forged_shard(write: Callable[[Path], object]) -> Callable[[Generations, Manifest], Manifest]:
    def forge(generations: Generations, manifest: Manifest) -> Manifest:
        shard = manifest.shards[0]
        path = generations.shards_folder(manifest.space_id) / shard.name
        write(path)
        forged = replace(shard, size_bytes=path.stat().st_size, digest=digest_file(path))
        return replace(manifest, shards=(forged, *manifest.shards[1:]))

    return forge


def _other_index(path: Path) -> None:
    index = faiss.IndexFlatL2(DIM)
    index.add(np.zeros((3, DIM), np.float32))
    faiss.write_index(index, str(path))


FORGERIES: dict[str, Callable[[Generations, Manifest], Manifest]] = {
    **{f"words {suffix}": _forged_words(suffix) for suffix in (".term", "meta.json")},
    **{f"inside words {suffix}": _forged_words(suffix, _garbage_inside) for suffix in (".term", ".idx", ".store")},
    "catalog": _forged_catalog,
    "shard that is none": _forged_shard(_garbage),
    "shard of another kind": _forged_shard(_other_index),
}


@pytest.mark.parametrize("forgery", sampled([name for name in FORGERIES if name != "inside words .term"], 2))
def test_repair_sees_through_right_digests(folder: Path, forgery: str) -> None:
    """Check reads with the engines themselves, and a repair ends with a sound check and the same answers.

    A list of terms may be wrong in places that no check of all words reads: only the question itself meets those.
    """
    with Archive.open(folder) as archive:
        expected = rows_of(archive.snapshot())
    _forge(folder, FORGERIES[forgery])
    assert {"cache"} == {found.kind.value for found in check_archive(folder, read_data=True)}
    repair_archive(folder, dry_run=False)
    assert [] == check_archive(folder, read_data=True)
    with Archive.open(folder) as archive:
        assert expected == rows_of(archive.snapshot())


@pytest.mark.parametrize("forgery", sampled(reversed(FORGERIES), 2))
def test_a_question_is_answered_all_the_same(folder: Path, forgery: str) -> None:
    """Whatever an engine raises, panics included, the cache is made again and the question answered."""
    with Archive.open(folder) as archive:
        expected = rows_of(archive.snapshot())
    _forge(folder, FORGERIES[forgery])
    with Archive.open(folder) as archive:
        assert expected == archive.ask(rows_of)
    with Archive.open(folder) as archive:
        assert expected == rows_of(archive.snapshot())


def test_damage_noticed_outside_of_ask_is_mended_on_the_way_out(folder: Path) -> None:
    """A command that fails on a damaged cache leaves one that works, so that it need only be run again."""
    _forge(folder, _forged_words(".store", _garbage_inside))
    with pytest.raises(CacheDamagedError, match=r"index of words .*gen-\d+"), Archive.open(folder) as archive:
        archive.snapshot().search_text("boat", ["caption"], 10)
    with Archive.open(folder) as archive:
        assert archive.snapshot().search_text("boat", ["caption"], 10)


@pytest.mark.parametrize("place", ["manifest", "catalog", "words", "shard"])
def test_repair_ends_sound_with_a_damaged_older_generation(folder: Path, place: str) -> None:
    """A damaged generation that is kept to fall back to is taken away."""
    generations = Generations(folder, read_identity(folder))
    current, older = generations.numbers()
    manifest, now = generations.read(older), generations.read(current)
    assert manifest is not None
    assert now is not None
    assert manifest.lexical is not None
    only_old = {shard.name for shard in manifest.shards} - {shard.name for shard in now.shards}
    path = {
        "manifest": generations.manifest_path(older),
        "catalog": generations.catalog_path(manifest),
        "words": generations.lexical_path(manifest.lexical) / "meta.json",
        "shard": generations.shards_folder(manifest.space_id) / sorted(only_old or {now.shards[0].name})[0],
    }[place]
    _garbage(path)
    assert check_archive(folder, read_data=True)
    repair_archive(folder, dry_run=False)
    assert [] == check_archive(folder, read_data=True)
