"""From a question to ranked shots: the conductor of the asking half."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from search_app.errors import QueryError
from search_app.picture import read_picture
from search_app.query import parse_query
from search_app.ranking import Hit, rank_shots
from store.errors import SpaceMismatchError

if TYPE_CHECKING:
    from indexer.models.encoder import Encoder
    from store.archive import Archive
    from store.records import Embeddings, FrameHit
    from store.snapshot import Snapshot

_FRAMES_PER_SHOT = 4  # first guess of how many frames to look at for each shot wanted


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Ranked shots, all from one generation of the archive.

    Args:
        hits: best first, one for each shot.
        generation: the generation that answered.
        space_id: short name of the embedding space that was searched.
        seconds: how long encoding and searching took.
    """

    hits: list[Hit]
    generation: int
    space_id: str
    seconds: float


def find_shots(
    archive: Archive,
    encoder: Encoder,
    *,
    text: str | None = None,
    picture: Path | None = None,
    limit: int = 20,
) -> SearchResult:
    """The shots nearest to a text or to a picture, best first.

    Args:
        archive: where to look.
        encoder: the one that the archive was indexed with.
        text: plain words, or None to ask with a picture.
        picture: a JPEG, PNG or WebP file, or None to ask with a text.
        limit: how many shots at most.

    Raises:
        QueryError: neither or both are given, or what is given cannot be used.
        SpaceMismatchError: the encoder is not the archive's.
    """
    started = time.perf_counter()
    if limit < 1:
        raise QueryError(f"the limit must be at least 1, got {limit}")
    snapshot = archive.snapshot()
    if snapshot.space is not None and snapshot.space.space_id != encoder.space.space_id:
        raise SpaceMismatchError(
            f"the archive was indexed with {snapshot.space.name} ({snapshot.space.space_id}), but the question "
            f"was to be encoded with {encoder.space.name} ({encoder.space.space_id}); use the archive's own model"
        )
    question = _encode_question(encoder, text, picture)
    hits = rank_shots(_nearest_frames(snapshot, question, limit), limit)
    return SearchResult(hits, snapshot.generation, encoder.space.space_id, time.perf_counter() - started)


def _encode_question(encoder: Encoder, text: str | None, picture: Path | None) -> Embeddings:
    """The question as a vector of the embedding space: float32, (dim,)."""
    if text is not None and picture is None:
        rows = encoder.encode_texts([parse_query(text)])
    elif picture is not None and text is None:
        rows = encoder.encode_images([read_picture(picture)])
    else:
        raise QueryError("ask with a text or with a picture: one of them, not both")
    question: Embeddings = rows[0]
    return question


def _nearest_frames(snapshot: Snapshot, question: Embeddings, n_shots: int) -> list[FrameHit]:
    """Frames, best first, of at least `n_shots` different shots, or every frame if there are not so many."""
    n_frames = n_shots * _FRAMES_PER_SHOT
    while True:
        frames = snapshot.search(question, n_frames)
        if len(frames) < n_frames or len({frame.shot.shot_id for frame in frames}) >= n_shots:
            return frames
        n_frames *= 4
