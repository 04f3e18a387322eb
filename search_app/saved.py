"""What people decide: judgements, saved searches, sets and exports, kept in the archive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from search_app.errors import QueryError
from search_app.query import format_query
from search_app.query_parser import parse_query
from store.events import Exported, Judged, SearchDeleted, SearchSaved, SetChanged

if TYPE_CHECKING:
    from store.archive import Archive
    from store.records import ShotRow
    from store.snapshot import Snapshot
    from store.timespan import TimeSpan


def judge(archive: Archive, query: str, shot_ids: Sequence[str], verdict: str) -> None:
    """Remember that shots are right (`keep`) or wrong (`reject`) for a question, or take that back (`clear`).

    What is kept is the stretch of the video, so that it outlives a new detection of shots, and the question as it
    was understood, so that spaces and the like make no other question of it.

    Raises:
        UnknownIdError: there is no such shot.
        QueryError: the question cannot be understood.
    """
    snapshot, query = archive.snapshot(), format_query(parse_query(query))
    archive.record([_judged(query, snapshot.shot(shot_id), verdict) for shot_id in shot_ids])


def _judged(query: str, shot: ShotRow, verdict: str) -> Judged:
    return Judged(query, *_stretch(shot.video_id, shot.shot.span), verdict)


def _stretch(video_id: str, span: TimeSpan) -> tuple[str, str, str]:
    """A stretch of a video as events have it: it outlives a new detection of shots."""
    start, end = (f"{time.numerator}/{time.denominator}" for time in (span.start, span.end))
    return video_id, start, end


def change_set(archive: Archive, name: str, shot_ids: Sequence[str], *, is_member: bool) -> None:
    """Put shots into a set, for `set:NAME`, or take them out.

    Raises:
        UnknownIdError: there is no such shot.
    """
    if not shot_ids:
        return
    snapshot = archive.snapshot()
    shots = [snapshot.shot(shot_id) for shot_id in shot_ids]
    archive.record([SetChanged(name, *_stretch(shot.video_id, shot.shot.span), is_member) for shot in shots])
    archive.publish()


def record_export(archive: Archive, name: str, clips: Iterable[tuple[str, TimeSpan]]) -> None:
    """Remember which stretches of which videos went into a supercut, for `used:never`."""
    archive.record([Exported(name, tuple(_stretch(*clip) for clip in clips))])
    archive.publish()


def judged_shots(snapshot: Snapshot, query: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids of the shots that were kept, and of those that were rejected, for a question."""
    verdicts: dict[str, list[str]] = {"keep": [], "reject": []}
    for judgement in snapshot.judgements(format_query(parse_query(query))):
        for shot in snapshot.shots(judgement.fingerprint):
            middle = (shot.shot.span.start + shot.shot.span.end) / 2
            if judgement.span.start <= middle < judgement.span.end:
                verdicts.setdefault(judgement.verdict, []).append(shot.shot_id)
    return tuple(verdicts["keep"]), tuple(verdicts["reject"])


def record_judgements(
    archive: Archive, query: str, keep: Sequence[str], reject: Sequence[str], use_earlier: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Remember what is kept and rejected now; both, with what was judged earlier if that is wanted."""
    judge(archive, query, keep, "keep")
    judge(archive, query, reject, "reject")
    if keep or reject:
        archive.publish()
    if not use_earlier:
        return tuple(keep), tuple(reject)
    return judged_shots(archive.snapshot(), query)


def save_search(archive: Archive, name: str, query: str, options: Mapping[str, Any]) -> None:
    """Give a question a name."""
    kept = {key: value for key, value in options.items() if key not in ("page", "device")}
    archive.record([SearchSaved(name, query, kept)])
    archive.publish()


def delete_search(archive: Archive, name: str) -> None:
    """Forget a saved search.

    Raises:
        QueryError: there is none of that name.
    """
    _saved(archive, name)
    archive.record([SearchDeleted(name)])
    archive.publish()


def resolve_saved(
    archive: Archive, name: str, query: str | None, options: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """The question saved under a name, with more words if there are any, and its options under those given now.

    Raises:
        QueryError: there is none of that name.
    """
    saved = _saved(archive, name)
    question = saved.query if query is None else f"{saved.query} {query}"
    options = {**options, "variety": options["variety"] or saved.options.get("variety", 0.0)}
    options["merge"] = options["merge"] or bool(saved.options.get("merge"))
    if options["sort"] == "relevance":
        options["sort"] = saved.options.get("sort", "relevance")
    return question, options


def _saved(archive: Archive, name: str) -> Any:
    saved = {one.name: one for one in archive.snapshot().saved_searches()}
    if name not in saved:
        known = ", ".join(saved) or "none yet"
        raise QueryError(f"no search is saved under the name {name!r}; saved: {known}")
    return saved[name]
