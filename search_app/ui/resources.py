"""Resources that all visitors share: open archives, loaded encoders, answers, thumbnails."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from search_app.query.parser import parse_query
from search_app.search.search import SearchResult, search
from search_app.ui.media_cache import media_shelf
from search_app.ui.previews import Previews
from search_app.ui.thumbnails import framed_thumbnail
from store.archive import Archive
from store.records import EmbeddingSpace, TextStage

if TYPE_CHECKING:
    from indexer.models.encoder import Encoder
    from search_app.search.ranking import Hit
    from store.snapshot import Snapshot


@st.cache_resource(show_spinner=False)
def open_archive(folder: str) -> Archive:
    """The archive in that folder, opened once for all visitors; it notices new generations by itself.

    Raises:
        ArchiveError: there is none, or it cannot be opened.
    """
    return Archive.open(Path(folder).expanduser())


@cache
def _loader() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="load-encoder")


@st.cache_resource(show_spinner=False, hash_funcs={EmbeddingSpace: lambda space: space.space_id})
def begin_loading(space: EmbeddingSpace) -> Future[Encoder]:
    """The encoder of that space, being loaded while the visitor still types."""

    def load() -> Encoder:
        from indexer.models.asking import load_asking_encoder

        encoder = load_asking_encoder(space)
        encoder.encode_texts(["a video"])  # what it needs is there before the first question
        return encoder

    return _loader().submit(load)


def loaded_encoder(space: EmbeddingSpace) -> Encoder:
    """The encoder of that space, as soon as it is there.

    Raises:
        ArchiveError: it cannot be loaded; the next visitor tries again.
    """
    try:
        return begin_loading(space).result()
    except Exception:
        begin_loading.clear()
        raise


def _state_of(archive: Archive) -> tuple[str, int]:
    """Key of an answer: an archive changes only with its generation."""
    return str(archive.folder), archive.snapshot().generation


@st.cache_data(show_spinner=False, max_entries=64, hash_funcs={Archive: _state_of})
def _answer(archive: Archive, _load: Callable[[], Encoder], text: str, limit: int) -> SearchResult:
    return search(archive, text, encoder=_load, limit=limit)


def find_answer(archive: Archive, load: Callable[[], Encoder], text: str, limit: int) -> SearchResult:
    """The ranked shots for a text, by the archive's newest generation.

    Args:
        archive: where to look.
        load: gives the encoder; filters alone need none, and do not wait for it.
        text: the question.
        limit: how many shots at most.

    Raises:
        ArchiveError: the text cannot be used, or the archive cannot be read.
    """
    parse_query(text)  # a bad question is refused before an answer is looked up
    return _answer(archive, load, text, limit)


@st.cache_data(show_spinner=False, max_entries=2_000)
def thumbnail_of(path: str) -> bytes:
    """The thumbnail at that path in the page's one shape."""
    return framed_thumbnail(Path(path))


@st.cache_resource(show_spinner=False)
def previews() -> Previews:
    """The previews of all visitors."""
    return Previews(media_shelf())


def captions_of(snapshot: Snapshot, hit: Hit) -> list[str]:
    """What is written about the shots of a hit, by time; doubtful captions are marked."""
    shots = {part.shot.shot_id for part in hit.parts}
    rows = snapshot.text_rows(hit.shot.video_id, TextStage.CAPTION)
    return [row.shown_text for row in rows if shots & set(row.shot_ids[:1])]
