"""Where the clips of an export come from: an answer, or a stored cut list; and whether they may be exported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from search_app.commands.search import LIKE, find, question_text
from search_app.cutting.cut_options import NEAREST, CutOptions, add_cut_options

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.cutting.cut_list import CutList
    from search_app.cutting.rights import Ruling
    from store.archive import Archive

SKIP_BLOCKED = click.option(
    "--skip-blocked", is_flag=True, help="Leave out what must not be exported, instead of refusing all."
)
ANSWER_OPTIONS = frozenset({"query", "like", "nearest", "device", *(field.name for field in fields(CutOptions))})
"""Names of the options that only an answer has: a stored cut list was chosen and ordered before."""


@dataclass(frozen=True, slots=True)
class ChosenClips:
    """What is exported.

    Args:
        cut_list: the clips that may be.
        question: what was asked; empty if somebody named the clips.
        provenance: for the ledger.
        rulings: what holds for each clip.
    """

    cut_list: CutList
    question: str
    provenance: dict[str, Any]
    rulings: tuple[Ruling, ...]


def add_answer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that choose and order clips, and --skip-blocked; `take_clips` takes them."""
    for option in (SKIP_BLOCKED, NEAREST, LIKE):
        command = option(command)
    return add_cut_options(command)


def take_clips(
    archive: Archive, query: str | None, options: dict[str, Any], *, can_mark: bool = False
) -> ChosenClips:
    """The clips that a command is to export.

    Args:
        archive: where to look.
        query: the question.
        options: the command's; those of `add_answer_options` and `device` are taken out. With a `cut`, the clips
            are those of the stored cut list of that name, and `skip_missing` leaves out what is gone.
        can_mark: whether the export draws the marks that rights ask for.

    Raises:
        QueryError: the question cannot be understood, or there is nothing to cut.
        RightsError: a clip must not be exported.
    """
    from search_app.cutting.rights import keep_rights, rights_entry

    name, skip_blocked = options.pop("cut", None), options.pop("skip_blocked")
    if name is None:
        cut_list, question, provenance = _answered(archive, query, options)
    else:
        cut_list, question, provenance = _stored(archive, name, skip_missing=options.get("skip_missing", False))
    flags = archive.snapshot().rights()
    cut_list, rulings = keep_rights(
        cut_list,
        flags,
        skip_blocked=skip_blocked,
        can_mark=can_mark,
        way_out="--skip-blocked leaves out what is blocked",
    )
    return ChosenClips(cut_list, question, {**provenance, "rights": rights_entry(len(flags), rulings)}, rulings)


def _answered(archive: Archive, query: str | None, options: dict[str, Any]) -> tuple[CutList, str, dict[str, Any]]:
    from search_app.cutting.choice import choose_clips, used_shots
    from search_app.guard import refuse_no_match

    wanted = CutOptions.take_from(options)
    question = question_text(query, options.pop("like"))
    used = used_shots(archive.snapshot()) if wanted.avoid_used else set()
    result = find(archive, question, device=options.pop("device"), limit=wanted.n_shots + len(used))
    refuse_no_match(result, question, nearest=options.pop("nearest"))
    provenance = {
        "query": question,
        "embedding_space": result.space_id,
        "archive_generation": result.generation,
        **wanted.provenance(),
    }
    return choose_clips(archive.snapshot(), result.hits, wanted, used), question, provenance


def _stored(archive: Archive, name: str, *, skip_missing: bool) -> tuple[CutList, str, dict[str, Any]]:
    from search_app.cutting.cut_film import to_cut_list
    from search_app.cutting.stored_cut import read_cut

    snapshot = archive.snapshot()
    cut = read_cut(snapshot, name)
    cut_list = to_cut_list(snapshot, cut.clips, skip_missing=skip_missing)
    provenance = {
        "query": cut.query,
        "embedding_space": snapshot.space.space_id if snapshot.space else "",
        "archive_generation": snapshot.generation,
        "cut": {
            "name": cut.name,
            "version": cut.version,
            "number": cut.number,
            "decided": [
                {"fingerprint": clip.video_id, "state": clip.state.value, "by": clip.decided_by, "note": clip.note}
                for clip in cut.clips
            ],
        },
    }
    return cut_list, cut.query, provenance
