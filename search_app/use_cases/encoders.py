"""Encoders of an archive: which spaces there are, what one has not seen, and the rankings of two side by side."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.models import open_clip_encoder
from search_app.errors import QueryError
from store.errors import UnknownIdError

if TYPE_CHECKING:
    from indexer.models.encoder import Encoder
    from store.archive import Archive
    from store.records import EmbeddingSpace
    from store.snapshot import Snapshot


def known_space(snapshot: Snapshot, name: str) -> EmbeddingSpace | None:
    """The space of that id, or of the only encoder of that name; None if there is none.

    Raises:
        UnknownIdError: encoders of that name with different weights were used.
    """
    spaces = [space for space, _ in snapshot.spaces().values()]
    found = [space for space in spaces if space.space_id == name] or [one for one in spaces if one.name == name]
    if len(found) > 1:
        ids = ", ".join(space.space_id for space in found)
        raise UnknownIdError(f"more than one space is called {name!r:.80}; name one of {ids}")
    return found[0] if found else None


def also_available(known: Collection[str]) -> list[str]:
    """Lines for people: encoders that could be used beside those that an archive knows by these names."""
    from indexer.models.packages import WAY_OUT
    from indexer.models.starter_encoder import STARTER_MODEL, is_starter_installed

    if STARTER_MODEL in known:
        return []
    what = f"{STARTER_MODEL}, for real footage without a model hub"
    if is_starter_installed():
        return [f"available: {what}; rushes models use ARCHIVE {STARTER_MODEL}"]
    return [f"not installed: {what}; {WAY_OUT}"]


def has_seen_all(archive: Archive, space: EmbeddingSpace) -> bool:
    """Whether every video of the archive has pictures in a space."""
    n_seen, n_all = archive.snapshot().space_coverage(space.space_id)
    return n_seen == n_all


def load_of(known: EmbeddingSpace | None, name: str, model_path: Path | None, device: str) -> Encoder:
    """The encoder of a known space, or else the one that a person names.

    Raises:
        ModelError: it cannot be loaded.
    """
    if known is not None:
        return open_clip_encoder.load_encoder_of(known, device=device)
    return open_clip_encoder.load_encoder(None if model_path else name, model_path, device=device)


def paths_without(archive: Archive, space: EmbeddingSpace) -> list[Path]:
    """Files that are there, of videos that a space has not seen."""
    snapshot = archive.snapshot()
    seen = snapshot.videos_in_space(space.space_id)
    paths = (Path(video.path) for video in snapshot.videos() if video.video_id not in seen)
    return [path for path in paths if path.is_file()]


def pair_of_spaces(snapshot: Snapshot, other: str | None) -> tuple[EmbeddingSpace, EmbeddingSpace]:
    """The space that answers, and the one to compare it with.

    Raises:
        QueryError: there is none, or it is not clear which.
    """
    if snapshot.space is None:
        raise QueryError("the archive holds no videos yet; fill it with: rushes index ARCHIVE PATH")
    others = [space for space, _ in snapshot.spaces().values() if space.space_id != snapshot.space.space_id]
    if other is not None:
        others = [space for space in others if other in (space.name, space.space_id)]
    if len(others) != 1:
        known = ", ".join(space.name for space, _ in snapshot.spaces().values())
        raise QueryError(f"name one encoder to compare with: --with NAME; the archive has {known}")
    return snapshot.space, others[0]


def compare_rankings(
    snapshot: Snapshot, encoders: Sequence[Encoder], queries: Sequence[str], limit: int
) -> list[dict[str, Any]]:
    """For each question the nearest shots by each encoder, as plain data; None where one has fewer.

    Args:
        snapshot: the archive.
        encoders: each of a space of the archive.
        queries: plain words.
        limit: how many shots.
    """
    paths = {video.video_id: video.path for video in snapshot.videos()}
    compared = []
    for query in queries:
        rankings: list[list[dict[str, Any] | None]] = []
        for encoder in encoders:
            hits = snapshot.search_space(encoder.space, encoder.encode_texts([query])[0], limit)
            told: list[dict[str, Any] | None] = [
                {
                    "video": paths[hit.video_id],
                    "start_seconds": hit.span.start_seconds,
                    "end_seconds": hit.span.end_seconds,
                    "score": round(hit.score, 4),
                }
                for hit in hits
            ]
            rankings.append(told + [None] * (limit - len(told)))
        places = [{(one["video"], one["start_seconds"]) for one in ranking if one} for ranking in rankings]
        depth = max(len(place) for place in places)
        n_common = len(set.intersection(*places))
        compared.append({"query": query, "n_common": n_common, "rankings": [one[:depth] for one in rankings]})
    return compared
