"""Texts of the next generation: their rows, the shards of their vectors, and the index of their words."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from store.files import (
    TEMPORARY_PREFIX,
    failpoint,
    link_or_copy,
    make_folder,
    sync_file,
    sync_folder,
    translated_errors,
)
from store.truth.segments import stage_of
from store.words.index import LexicalFolder, describe_folder, write_index

if TYPE_CHECKING:
    from store.catalog.text_tables import LexicalDocument, TextTables
    from store.publishing.generations import Generations
    from store.publishing.shard_writer import ShardWriter
    from store.truth.text_segments import StoredText
    from store.vectors.shard import ShardFile


def index_texts(
    tables: TextTables,
    read: Callable[[str], StoredText],
    shard_writer: ShardWriter,
    text_shards: Mapping[str, Sequence[ShardFile]],
) -> dict[str, list[ShardFile]]:
    """Bring the rows of texts up to date, and their vectors in shards of their own for each kind of text.

    Args:
        tables: the texts of the catalog that is being made, whose videos are up to date.
        read: gives a text segment by its name.
        shard_writer: writes the shards.
        text_shards: the shards that are there.

    Returns:
        For each kind of text the shards that are to be used.
    """
    load, index = tables.settle()
    for name in load:
        tables.load_rows(read(name))
    tables.correct()
    by_stage: dict[str, list[str]] = {stage: [] for stage in text_shards}
    for name in index:
        by_stage.setdefault(stage_of(name), []).append(name)
    written = {}
    for stage, names in by_stage.items():
        found = (read(name) for name in names)
        vectors = ((text.name, text.text_ids, text.embeddings) for text in found if text.embeddings is not None)
        written[stage] = shard_writer.add(text_shards.get(stage, ()), vectors)
    return written


def index_words(
    tables: TextTables, generations: Generations, number: int, known: LexicalFolder | None
) -> LexicalFolder | None:
    """The index of words with what has changed, in a folder of its own; the one that is known if nothing has.

    Args:
        tables: the texts of the catalog that is being made, up to date.
        generations: the archive's generations.
        number: of the generation that is being made.
        known: the index of the generation before; None to write all anew.
    """
    old, new = tables.changed_documents()
    first = next(new, None)
    if not old and first is None:
        return known
    make_folder(generations.texts)
    final = generations.texts / f"gen-{number:06d}"
    temporary = generations.texts / f"{TEMPORARY_PREFIX}{final.name}"
    with translated_errors(final):
        for leftover in (temporary, final):
            shutil.rmtree(leftover, ignore_errors=True)
        temporary.mkdir()
        try:
            if known is not None:
                for file in known.files:
                    link_or_copy(generations.lexical_path(known) / file.name, temporary / file.name)
            failpoint("text.linked")
            _write(temporary, old, chain([] if first is None else [first], new))
            temporary.rename(final)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        failpoint("text.after-rename")
        sync_folder(final.parent)
    return describe_folder(final)


def _write(folder: Path, old: Iterable[str], new: Iterable[Sequence[LexicalDocument]]) -> None:
    """Write an index and make it durable, so that its folder may be renamed."""
    write_index(folder, old, new)
    failpoint("text.before-sync")
    for file in folder.iterdir():
        # What an older generation has under a second name is durable already.
        if file.stat().st_nlink == 1:
            sync_file(file)
    sync_folder(folder)
    failpoint("text.before-rename")
