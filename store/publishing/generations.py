"""Generations: which catalog and shards belong together, and what of the truth they cover.

A generation is named by a manifest, `generations/000012.json`; `CURRENT` says which one readers should open. Both
are sealed lines, so that a changed byte is noticed, and carry the archive's id, so that files of another archive
are. A manifest is written after all the files it names, and `CURRENT` after the manifest.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from store.errors import CacheDamagedError
from store.files import TEMPORARY_PREFIX, digest_file, put, read_sealed, remove_dead_temporaries, seal
from store.records import is_space_id
from store.truth.edits import is_edits_name
from store.vectors.inverted_file import InvertedFileEntry
from store.vectors.shard import ShardFile
from store.words.index import LexicalFile, LexicalFolder

MANIFEST_FORMAT = 9
"""Generations of older formats are made anew: who wrote them passed over later kinds of segments and events."""
MOST_GENERATIONS = 10**12
_MANIFEST_PATTERN = re.compile(r"([0-9]{6,})\.json")
_CATALOG_PATTERN = re.compile(r"gen-([0-9]{6,})\.duckdb")
_LEXICAL_PATTERN = re.compile(r"gen-([0-9]{6,})")
_PLAIN_PATTERN = re.compile(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_SHARD_PATTERN = re.compile(r"(shard|inverted)-[0-9a-f]{16}\.faiss")


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """Manifest entry of a catalog file."""

    name: str
    size_bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """One generation.

    Args:
        archive_id: the archive it belongs to.
        generation: its number, from 1, never used twice.
        catalog: its catalog; the segments that it covers are listed there, in the table `segment`.
        space_id: the embedding space of its shards, empty before one was claimed.
        shards: its shards.
        n_segments: how many segments it covers.
        segments_digest: digest of their sorted names.
        edits: for each edits file, how many bytes it covers.
        latest_ns: time of the latest event it covers.
        text_shards: for each kind of text that has vectors, its shards.
        lexical: its index of words; None before there was a text.
        inverted: inverted files, by the names of their shards; most shards have none.
        text_space_id: the embedding space of `text_shards`: that of pictures, unless texts have one of their own.
    """

    archive_id: str
    generation: int
    catalog: CatalogFile
    space_id: str
    shards: tuple[ShardFile, ...]
    n_segments: int
    segments_digest: str
    edits: Mapping[str, int]
    latest_ns: int
    text_shards: Mapping[str, tuple[ShardFile, ...]]
    lexical: LexicalFolder | None
    inverted: Mapping[str, InvertedFileEntry]
    text_space_id: str

    def space_of(self, shard: str) -> str:
        """The embedding space of a shard, which is the folder that it and its inverted file lie in."""
        texts = {file.name for shards in self.text_shards.values() for file in shards}
        return self.text_space_id if shard in texts else self.space_id

    @property
    def placed_files(self) -> tuple[tuple[str, ShardFile | InvertedFileEntry], ...]:
        """Every file of vectors, with its embedding space."""
        shards = [(self.space_of(file.name), file) for file in self.all_shards]
        return (*shards, *((self.space_of(name), entry) for name, entry in self.inverted.items()))

    @property
    def all_shards(self) -> tuple[ShardFile, ...]:
        """Shards of pictures and of texts."""
        return (*self.shards, *(shard for shards in self.text_shards.values() for shard in shards))

    @property
    def vector_files(self) -> tuple[ShardFile | InvertedFileEntry, ...]:
        """Every file below the folders of its spaces."""
        return (*self.all_shards, *self.inverted.values())


def is_manifest_name(name: str) -> bool:
    """Whether a file of that name is a manifest."""
    return _MANIFEST_PATTERN.fullmatch(name) is not None


def is_catalog_name(name: str) -> bool:
    """Whether a file of that name is a catalog."""
    return _CATALOG_PATTERN.fullmatch(name) is not None


def is_shard_name(name: str) -> bool:
    """Whether a file of that name is a shard or an inverted file."""
    return _SHARD_PATTERN.fullmatch(name) is not None


def is_plain_name(name: str) -> bool:
    """Whether a name is that of a file in the very folder, as tantivy names its own."""
    return _PLAIN_PATTERN.fullmatch(name) is not None


def is_lexical_name(name: str) -> bool:
    """Whether a folder of that name is an index of words."""
    return _LEXICAL_PATTERN.fullmatch(name) is not None


def verify_catalog(path: Path, expected: CatalogFile) -> None:
    """Compare a catalog file with what its manifest says.

    Raises:
        CacheDamagedError: it is missing or differs, or a log lies beside it that DuckDB would play into it.
    """
    try:
        whole = path.stat().st_size == expected.size_bytes and digest_file(path) == expected.digest
    except OSError as error:
        raise CacheDamagedError(f"catalog {path} cannot be read ({error.strerror})", path.name) from error
    if not whole:
        raise CacheDamagedError(f"catalog {path} is damaged", path.name)
    if path.with_name(f"{path.name}.wal").exists():
        raise CacheDamagedError(f"catalog {path} has a foreign log beside it", path.name)


class Generations:
    """The manifests of an archive and the files they name.

    Args:
        folder: the archive's folder.
        archive_id: its id.
    """

    def __init__(self, folder: Path, archive_id: str) -> None:
        self.folder = folder
        self.archive_id = archive_id
        self.manifests = folder / "generations"
        self.catalogs = folder / "catalog"
        self.vectors = folder / "vectors"
        self.texts = folder / "text"
        self.current_path = folder / "CURRENT"

    def catalog_path(self, manifest: Manifest) -> Path:
        """Path of a generation's catalog."""
        return self.catalogs / manifest.catalog.name

    def lexical_path(self, lexical: LexicalFolder) -> Path:
        """Path of an index of words."""
        return self.texts / lexical.name

    def shards_folder(self, space_id: str) -> Path:
        """Folder of the shards of a space."""
        return self.vectors / space_id

    def current(self) -> int | None:
        """Number of the generation that readers should open; None if `CURRENT` is missing or damaged."""
        fields = read_sealed(self.current_path)
        if fields is None or fields.get("archive_id") != self.archive_id:
            return None
        number = fields.get("generation")
        return number if type(number) is int and 0 < number < MOST_GENERATIONS else None

    def numbers(self) -> list[int]:
        """Numbers of all manifests, newest first."""
        return sorted(self._numbers(self.manifests, _MANIFEST_PATTERN), reverse=True)

    def next_number(self) -> int:
        """A number that no manifest and no catalog has ever had, as far as can be seen."""
        taken = self._numbers(self.manifests, _MANIFEST_PATTERN) + self._numbers(self.catalogs, _CATALOG_PATTERN)
        return max([*taken, self.current() or 0], default=0) + 1

    @staticmethod
    def _numbers(folder: Path, pattern: re.Pattern[str]) -> list[int]:
        if not folder.is_dir():
            return []
        matches = (pattern.fullmatch(entry.name) for entry in os.scandir(folder))
        return [int(match[1]) for match in matches if match]

    def manifest_path(self, generation: int) -> Path:
        """Path of a generation's manifest."""
        return self.manifests / f"{generation:06d}.json"

    def read(self, generation: int) -> Manifest | None:
        """The manifest of a generation, or None if it is missing, damaged, or of another archive."""
        fields = read_sealed(self.manifest_path(generation))
        if fields is None or fields.pop("format", None) != MANIFEST_FORMAT:
            return None
        try:
            manifest = _manifest_from_fields(fields)
        except (ValueError, TypeError, LookupError, AttributeError):
            return None
        if manifest.archive_id != self.archive_id or manifest.generation != generation:
            return None
        return manifest

    def why_unreadable(self, generation: int) -> str:
        """Why `read` gives nothing, for people: another format is no damage."""
        path = self.manifest_path(generation)
        number = (read_sealed(path) or {}).get("format")
        if type(number) is not int or number == MANIFEST_FORMAT:
            return f"manifest {path} is missing or damaged"
        return f"{path} was made by {'an older' if number < MANIFEST_FORMAT else 'a newer'} Rushes"

    def write(self, manifest: Manifest) -> None:
        """Make a generation known and current; all its files must be durable already."""
        data = seal({"format": MANIFEST_FORMAT, **asdict(manifest)})
        put(self.manifest_path(manifest.generation), data, kind="manifest", overwrite=True)
        self.switch(manifest.generation)

    def switch(self, generation: int) -> None:
        """Make a generation current."""
        data = seal({"archive_id": self.archive_id, "generation": generation})
        put(self.current_path, data, kind="current", overwrite=True)

    def collect(self, kept: Sequence[Manifest]) -> None:
        """Delete the caches of all generations but these, and what killed publishers left.

        Only files that this project makes from the truth are touched, by name. Readers that have one of them open
        keep it: its name goes, not its content. To be called with the writer lock held.
        """
        for number in self.numbers():
            if number not in {manifest.generation for manifest in kept}:
                self.manifest_path(number).unlink(missing_ok=True)
        for folder in (self.folder, self.manifests, self.catalogs):
            remove_dead_temporaries(folder)
        catalogs = {manifest.catalog.name for manifest in kept}
        for path in self.catalogs.glob("gen-*.duckdb*"):
            if path.name not in catalogs:
                path.unlink(missing_ok=True)
        shards = {(space_id, file.name) for manifest in kept for space_id, file in manifest.placed_files}
        for path in self.vectors.glob("*/*.faiss"):
            if is_shard_name(path.name) and (path.parent.name, path.name) not in shards:
                path.unlink(missing_ok=True)
        for folder in self.vectors.glob("*"):
            remove_dead_temporaries(folder)
        indexes = {manifest.lexical.name for manifest in kept if manifest.lexical}
        for folder in self.texts.glob("*"):
            is_ours = is_lexical_name(folder.name) or folder.name.startswith(TEMPORARY_PREFIX)
            if is_ours and folder.name not in indexes:
                shutil.rmtree(folder, ignore_errors=True)


def _manifest_from_fields(fields: dict[str, Any]) -> Manifest:
    """A manifest, whose files all lie where those of a generation lie: it may come from a stranger.

    Raises:
        ValueError: a name leads elsewhere, or a value is none.
        TypeError, LookupError, AttributeError: it is no manifest.
    """
    manifest = _typed(fields)
    lexical = manifest.lexical
    numbers = [manifest.n_segments, manifest.latest_ns, *manifest.edits.values()]
    sizes = [manifest.catalog.size_bytes, *(file.size_bytes for file in manifest.vector_files)]
    if lexical is not None:
        sizes += [file.size_bytes for file in lexical.files]
    if (
        not is_catalog_name(manifest.catalog.name)
        or not all(is_shard_name(file.name) for file in manifest.vector_files)
        or not all(map(is_shard_name, manifest.inverted))
        or not all(map(is_edits_name, manifest.edits))
        or any(space_id and not is_space_id(space_id) for space_id in (manifest.space_id, manifest.text_space_id))
        or (lexical is not None and not is_lexical_name(lexical.name))
        or (lexical is not None and not all(is_plain_name(file.name) for file in lexical.files))
        or not all(type(number) is int and 0 <= number < 2**63 for number in (*numbers, *sizes))
        or not all(type(shard.n_vectors) is int and shard.n_vectors >= 0 for shard in manifest.all_shards)
    ):
        raise ValueError("a manifest names what is no file of a generation")
    return manifest


def _typed(fields: dict[str, Any]) -> Manifest:
    lexical = fields["lexical"]
    return Manifest(
        **{
            **fields,
            "catalog": CatalogFile(**fields["catalog"]),
            "shards": tuple(ShardFile(**shard) for shard in fields["shards"]),
            "text_shards": {
                stage: tuple(ShardFile(**shard) for shard in shards)
                for stage, shards in fields["text_shards"].items()
            },
            "inverted": {shard: InvertedFileEntry(**entry) for shard, entry in fields["inverted"].items()},
            "lexical": lexical
            and LexicalFolder(lexical["name"], tuple(LexicalFile(**file) for file in lexical["files"])),
        }
    )
