"""From a question to ranked shots: the conductor of the asking half.

from pathlib import Path

from search_app.search.search import search
from store.archive import Archive

with Archive.open(Path("my-archive")) as archive:
    for hit in search(archive, "harbour at dusk -people dur:<8s", limit=10).hits:
        print(hit.rank, hit.shot.path, float(hit.span.start), hit.confidence)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING

from search_app.config import SearchSettings
from search_app.errors import QueryError
from search_app.query.options import SearchOptions, Sort
from search_app.query.parser import parse_query
from search_app.query.query import Query
from search_app.search.encoding import Asker
from search_app.search.no_answer import explain_nothing, find_unknown
from search_app.search.rank_sequence import rank_chains
from search_app.search.rank_step import Ranked, rank_step
from search_app.search.ranking import Hit
from search_app.search.shot_ids import whole_shot_ids

if TYPE_CHECKING:
    from indexer.models.encoder import Encoder
    from store.archive import Archive
    from store.records import EmbeddingSpace
    from store.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Ranked shots, all from one generation of the archive.

    Args:
        hits: the page, best first.
        query: what was asked, as it was understood.
        generation: the generation that answered.
        space_id: short name of the embedding space that was searched; empty before the first video.
        seconds: how long encoding and searching took.
        nothing_matches: whether no shot may well be an answer: no words found any, and the best is below
            `POSSIBLE_FROM`.
        has_more: whether there is another page.
        remarks: what was found nothing of and why, a line each; never empty if there are no hits.
    """

    hits: list[Hit]
    query: Query
    generation: int
    space_id: str
    seconds: float
    nothing_matches: bool = False
    has_more: bool = False
    remarks: tuple[str, ...] = ()

    @property
    def is_answer(self) -> bool:
        """Whether there is anything that was asked for, and not only what is nearest."""
        return bool(self.hits) and not self.nothing_matches


def search(
    archive: Archive,
    query: str | Query,
    *,
    encoder: Encoder | Callable[[], Encoder] | None = None,
    settings: SearchSettings | None = None,
    limit: int = 20,
    page: int = 1,
    sort: Sort = Sort.RELEVANCE,
    variety: float = 0.0,
    merge: bool = False,
    stack: bool = True,
    keep: tuple[str, ...] = (),
    reject: tuple[str, ...] = (),
) -> SearchResult:
    """The shots that answer a query, best first.

    Args:
        archive: where to look.
        query: what to look for, in the language described in this package's README, or already parsed.
        encoder: the one that the archive was indexed with, or what loads it when it is needed; if None, the one
            that the archive's own record names, loaded once.
        settings: weights and thresholds; the defaults, as in configs/search.toml, if None.
        limit: as in `SearchOptions`, and so are all that follow.
        page: which page, from 1.
        sort: the order of the answers.
        variety: 0 for the best, 1 for what is unlike all before it.
        merge: whether neighbouring shots that answer together are one hit.
        stack: whether one hit stands for all shots that show the same picture.
        keep: ids of shots that are right.
        reject: ids of shots that are wrong.

    Raises:
        QueryError: the query or an option cannot be used; it says where and what to write instead.
        SpaceMismatchError: the encoder is not the archive's.
        ModelError: the archive's encoder cannot be loaded.
    """
    parsed = parse_query(query) if isinstance(query, str) else query
    options = SearchOptions(limit, page, sort, variety, merge, stack, keep, reject)
    return answer_query(archive, parsed, options, encoder=encoder, settings=settings)


def answer_query(
    archive: Archive,
    parsed: Query,
    wanted: SearchOptions,
    *,
    encoder: Encoder | Callable[[], Encoder] | None = None,
    settings: SearchSettings | None = None,
) -> SearchResult:
    """As `search`, for a query that is parsed and options that are put together."""
    started = time.perf_counter()
    snapshot, ranked, remarks = archive.ask(
        partial(_rank_in, parsed, wanted, settings or SearchSettings(), encoder)
    )
    if snapshot.space is None or ranked is None:
        seconds = time.perf_counter() - started
        return SearchResult([], parsed, snapshot.generation, "", seconds, True, remarks=remarks)
    first = wanted.depth - wanted.limit
    page = ranked.candidates.order[first : wanted.depth]
    return SearchResult(
        [build_hit(ranked, shot_id, rank) for rank, shot_id in enumerate(page, start=first + 1)],
        parsed,
        snapshot.generation,
        snapshot.space.space_id,
        time.perf_counter() - started,
        ranked.nothing_matches,
        len(ranked.candidates.order) > wanted.depth,
        remarks,
    )


def _rank_in(
    query: Query,
    options: SearchOptions,
    settings: SearchSettings,
    encoder: Encoder | Callable[[], Encoder] | None,
    snapshot: Snapshot,
) -> tuple[Snapshot, Ranked | None, tuple[str, ...]]:
    """The snapshot that answers, what it answers, None before the first video, and what it found nothing of."""
    if snapshot.space is None:
        return snapshot, None, ("the archive holds no videos yet; fill it with: rushes index ARCHIVE PATH",)
    ranked = rank(snapshot, query, options, settings, encoder)
    is_empty = len(ranked.candidates.order) <= options.depth - options.limit
    remarks = explain_nothing(snapshot, query, options, ranked) if is_empty else find_unknown(snapshot, query)
    return snapshot, ranked, (*remarks, *ranked.remarks)


def rank(
    snapshot: Snapshot,
    query: Query,
    options: SearchOptions,
    settings: SearchSettings,
    encoder: Encoder | Callable[[], Encoder] | None = None,
) -> Ranked:
    """Everything that is known about the answers to a query, down to the page that is asked for."""
    keep, reject = (whole_shot_ids(snapshot, typed) for typed in (options.keep, options.reject))
    options = replace(options, keep=keep, reject=reject)
    asker = Asker(snapshot, encoder_for(snapshot, encoder))
    if len(query.steps) > 1:
        ranked = rank_chains(snapshot, asker, query, options, settings)
    else:
        ranked = rank_step(snapshot, asker, query.steps[0], options, settings)
    ranked.remarks = asker.remarks
    return ranked


def encoder_for(snapshot: Snapshot, given: Encoder | Callable[[], Encoder] | None) -> Callable[[], Encoder]:
    """Loader of the encoder, called when it is needed: a question of filters alone needs none."""
    if given is None:
        return lambda: load_once(snapshot.space)
    return given if callable(given) else lambda: given


@cache
def load_once(space: EmbeddingSpace | None) -> Encoder:
    """The encoder of an archive's space, loaded once in a process.

    Raises:
        QueryError: the archive has no space yet, since it holds no video.
        ModelError: it cannot be loaded.
    """
    from indexer.models.asking import load_asking_encoder

    if space is None:
        raise QueryError("the archive holds no videos yet; fill it with: rushes index ARCHIVE PATH")
    return load_asking_encoder(space)


def build_hit(ranked: Ranked, shot_id: str, rank: int) -> Hit:
    """The hit of one candidate."""
    candidates, shots = ranked.candidates, ranked.shots
    frame, steps = ranked.frames.best(shot_id), ranked.steps.get(shot_id, ())
    members = [shots[member] for member in candidates.members.get(shot_id, ())]
    return Hit(
        rank,
        steps[0].score if steps else ranked.frames.score(shot_id),
        shots[shot_id],
        steps[0].time if steps else frame.time,
        frame.thumbnail,
        relevance=candidates.relevance[shot_id],
        confidence=ranked.confidence.get(shot_id),
        matches=candidates.matches.get(shot_id, ()),
        members=tuple(sorted(members, key=lambda member: member.shot.span.start)),
        stack=tuple(shots[other] for other in candidates.stacks.get(shot_id, ()) if other != shot_id),
        steps=steps,
        is_measured=ranked.has_meaning,
        is_calibrated=ranked.is_calibrated,
    )
