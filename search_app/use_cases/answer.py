"""Answer a question: the shots that show it, where their files lie, and what a person decides about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.library.presence import look_for_files, look_for_shots
from search_app.config import SearchSettings
from search_app.errors import QueryError
from search_app.query.options import SearchOptions
from search_app.query.parser import parse_query
from search_app.query.query import quote
from search_app.query.values import parse_seconds
from search_app.search.decisions import judged_shots, record_judgements, resolve_saved, save_search
from search_app.search.history import remember
from search_app.search.search import answer_query
from search_app.search.why import explain
from store.config import read_settings

if TYPE_CHECKING:
    from indexer.library.presence import Presence
    from indexer.models.encoder import Encoder
    from search_app.query.query import Query
    from search_app.search.ranking import Hit
    from search_app.search.search import SearchResult
    from search_app.search.why import Explanation
    from search_app.use_cases.options import QuestionOptions
    from store.archive import Archive
    from store.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Resolved:
    """A question with its picture and its saved search put in.

    Args:
        question: the whole question.
        asked: the options, with those that were saved.
        limit: shots to list, that of the saved search included; None if nobody said.
    """

    question: str
    asked: QuestionOptions
    limit: int | None

    def search_options(
        self, limit: int, page: int = 1, keep: Sequence[str] = (), reject: Sequence[str] = ()
    ) -> SearchOptions:
        """Options of a search for one page of the answer."""
        asked = self.asked
        return SearchOptions(
            limit, page, asked.sort, asked.variety, asked.merge, asked.stack, tuple(keep), tuple(reject)
        )


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to a person.

    Args:
        result: the ranked shots.
        files: where each video of the hits lies now, by id.
        has_replaced: whether the search took its name from another one.
    """

    result: SearchResult
    files: Mapping[str, Presence]
    has_replaced: bool = False


def answer(
    archive: Archive,
    query: str | None,
    asked: QuestionOptions,
    *,
    limit: int = 20,
    page: int = 1,
    keep: Sequence[str] = (),
    reject: Sequence[str] = (),
    save: str | None = None,
    device: str = "auto",
) -> Answered:
    """Answer a question, and remember it and what is decided with it.

    Args:
        archive: where to look.
        query: the words; None where a picture or a saved search is asked for.
        asked: what is asked beside them.
        limit: shots on a page.
        page: which page, from 1.
        keep: shots that are right: remembered, and the question moves towards them.
        reject: shots that are wrong: remembered, and left out.
        save: a name to save the search under.
        device: where the model runs.

    Raises:
        QueryError: the question cannot be understood, or nothing is asked.
        UnknownIdError: there is no such shot; nothing is remembered then.
        ModelError: the archive's encoder cannot be loaded.
    """
    resolved = resolve_question(archive, query, asked, limit)
    question, settings = resolved.question, read_search_settings(asked.config)
    kept, rejected = record_judgements(archive, question, keep, reject, asked.judged)
    options = resolved.search_options(resolved.limit or limit, page, kept, rejected)
    result = find_shots(archive, question, options, encoder=loader(archive, device), settings=settings)
    has_replaced = save is not None and save_search(
        archive, save, question, {"limit": options.limit, **resolved.asked.ranking()}
    )
    remember(archive, question, len(result.hits))
    return Answered(result, files_of_hits(archive.snapshot(), result.hits), has_replaced)


def explain_moment(
    archive: Archive,
    video: str,
    time: str,
    query: str,
    *,
    judged: bool = False,
    config: Path | None = None,
    device: str = "auto",
) -> tuple[Explanation, Presence | None]:
    """Why the shot of a video at a time is, or is not, an answer; and where the video lies now.

    Args:
        archive: where to look.
        video: path, end of a path, or fingerprint.
        time: as people type it: `12.5s`, `1m30s`, `1:30`.
        query: the question.
        judged: use what was kept and rejected for it before.
        config: a file of settings over the defaults.
        device: where the model runs.

    Raises:
        QueryError: the question or the time cannot be understood.
    """
    kept, rejected = judged_shots(archive.snapshot(), query) if judged else ((), ())
    found = explain(
        archive,
        video,
        parse_seconds(time, 0),
        query,
        encoder=loader(archive, device),
        settings=read_search_settings(config),
        options=SearchOptions(keep=kept, reject=rejected),
    )
    shown = [found.shot.video_id] if found.shot else []
    return found, next(iter(look_for_files(archive.snapshot(), shown).values()), None)


def resolve_question(
    archive: Archive, query: str | None, asked: QuestionOptions, limit: int | None = None
) -> Resolved:
    """The question, a picture and a saved search included.

    Args:
        archive: where searches are saved.
        query: the words.
        asked: what is asked beside them.
        limit: shots to list; that of a saved search goes before it, unless a person gave one.

    Raises:
        QueryError: nothing is asked, or no search has that name.
    """
    if not asked.saved:
        return Resolved(question_text(query, asked.like), asked, limit)
    more = None if query is None and asked.like is None else question_text(query, asked.like)
    question, kept = resolve_saved(archive, asked.saved, more, {}, asked.typed)
    ranking = {name: value for name, value in kept.items() if name != "limit"}
    return Resolved(question, replace(asked, **ranking), kept.get("limit", limit))


def question_text(query: str | None, like: Path | None) -> str:
    """The whole question, a picture included.

    Raises:
        QueryError: there is none.
    """
    if query is None and like is None:
        raise QueryError("nothing to look for: give a QUERY, a picture with --like, or --saved NAME")
    picture = "" if like is None else f"like:{quote(str(like))}"
    return " ".join(part for part in (query, picture) if part)


def find_shots(
    archive: Archive,
    question: str | Query,
    options: SearchOptions,
    *,
    encoder: Encoder | Callable[[], Encoder] | None = None,
    settings: SearchSettings | None = None,
) -> SearchResult:
    """The shots that answer a question; a bad one is refused before seconds are spent on loading a model.

    Raises:
        QueryError: the question cannot be understood, or the archive holds no videos.
        ModelError: the archive's encoder cannot be loaded.
    """
    parsed = parse_query(question) if isinstance(question, str) else question
    if archive.snapshot().space is None:
        raise _empty(archive)
    return answer_query(archive, parsed, options, encoder=encoder, settings=settings)


def loader(archive: Archive, device: str) -> Callable[[], Encoder]:
    """Loader of an archive's encoder."""

    def load() -> Encoder:
        from indexer.models.asking import load_asking_encoder

        space = archive.snapshot().space
        if space is None:
            raise _empty(archive)
        return load_asking_encoder(space, device=device)

    return load


def _empty(archive: Archive) -> QueryError:
    return QueryError(f"{archive.folder} holds no videos yet; fill it with: rushes index ARCHIVE PATH")


def read_search_settings(config: Path | None) -> SearchSettings:
    """The settings of searching, a file over the defaults."""
    return read_settings(SearchSettings, *([config] if config else []))


def files_of_hits(snapshot: Snapshot, hits: Iterable[Hit]) -> dict[str, Presence]:
    """For every video that these hits name, where it lies now: one look at the disk for each of its places."""
    shots = (shot for hit in hits for shot in (hit.shot, *hit.stack, *(step.shot for step in hit.steps)))
    return look_for_shots(snapshot, shots)
