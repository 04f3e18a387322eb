"""Whether the caches of a generation are as its manifest says, and whether their engines can read them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from store.catalog.reader import CatalogReader
from store.errors import CacheDamagedError
from store.files import digest_file
from store.publishing.generations import Generations, Manifest, verify_catalog
from store.vectors.inverted_file import InvertedFile
from store.vectors.shard import Shard
from store.words.index import LexicalIndex


def damaged_caches(generations: Generations, manifest: Manifest, *, read_data: bool) -> Iterator[tuple[Path, str]]:
    """Each file of a generation that is not as its manifest says, or that its engine cannot read, and why."""
    catalog = generations.catalog_path(manifest)
    vectors = [
        (generations.shards_folder(space_id) / file.name, file.size_bytes, file.digest)
        for space_id, file in manifest.placed_files
    ]
    words = []
    if manifest.lexical is not None:
        folder = generations.lexical_path(manifest.lexical)
        words = [(folder / file.name, file.size_bytes, file.digest) for file in manifest.lexical.files]
    is_sound = True
    for path, size_bytes, digest in (*vectors, *words):
        what = _damage_of_file(path, size_bytes, digest if read_data else None)
        if what is not None:
            is_sound = False
            yield path, what
    try:
        verify_catalog(catalog, manifest.catalog)
    except CacheDamagedError as error:
        yield catalog, str(error)
        return
    if is_sound and read_data:
        yield from _unreadable_caches(generations, manifest)


def _damage_of_file(path: Path, size_bytes: int, digest: str | None) -> str | None:
    try:
        size_found = path.stat().st_size
        if size_found != size_bytes:
            return f"has {size_found} bytes instead of {size_bytes}"
        if digest is not None and digest_file(path) != digest:
            return "its content has changed"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None


def _unreadable_caches(generations: Generations, manifest: Manifest) -> Iterator[tuple[Path, str]]:
    """Caches that have the right digest and that DuckDB, FAISS or tantivy cannot read all the same."""
    catalog = generations.catalog_path(manifest)
    try:
        with contextlib.closing(CatalogReader(catalog, generations.folder / "thumbs")) as reader:
            reader.read_all()
    except CacheDamagedError as error:
        yield catalog, str(error)
    for shard in manifest.all_shards:
        folder = generations.shards_folder(manifest.space_of(shard.name))
        try:
            Shard(folder / shard.name, shard)
            entry = manifest.inverted.get(shard.name)
            if entry is not None:
                InvertedFile(folder / entry.name, entry)
        except CacheDamagedError as error:
            yield folder / error.cache, str(error)
    if manifest.lexical is not None:
        folder = generations.lexical_path(manifest.lexical)
        try:
            LexicalIndex(folder, [file.name for file in manifest.lexical.files]).read_all()
        except CacheDamagedError as error:
            yield folder, str(error)
