"""Source of an export's clips: an answer, or a stored cut list; and whether they may be exported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from search_app.commands.relink_cut import relink_command
from search_app.commands.search import (
    QUESTION,
    RANKING,
    add_question_options,
    find,
    read_search_settings,
    resolve_question,
)
from search_app.cutting.cut_options import CutOptions, add_cut_options
from store.wording import n_of

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from fractions import Fraction

    from search_app.cutting.cut_list import CutList
    from search_app.cutting.fit import RateOf
    from search_app.cutting.rights import Ruling
    from search_app.search.ranking import Hit
    from search_app.search.search import SearchResult
    from search_app.timelines.relink import Relinker
    from store.archive import Archive
    from store.records import VideoFacts

SKIP_BLOCKED = click.option(
    "--skip-blocked", is_flag=True, help="Leave out what must not be exported, instead of refusing all."
)
_PATH_MAP = click.option(
    "--path-map",
    multiple=True,
    metavar="FROM=TO",
    help="Sources below FROM here lie below TO where it is opened; may be repeated, the longest FROM holds.",
)
_RELATIVE = click.option(
    "--relative",
    is_flag=True,
    help="Name the sources by paths from the output's folder, but for those that a --path-map holds for.",
)
SKIP_MISSING = click.option(
    "--skip-missing", is_flag=True, help="Go on without clips whose video the archive does not have any more."
)
INCLUDE_MISSING = click.option(
    "--include-missing", is_flag=True, help="Also clips whose file is missing now: they are named all the same."
)
MISSING = "its file is missing"
CHANGED = "its file has changed since it was indexed"
ANSWER_OPTIONS = frozenset({*QUESTION, "device", *(field.name for field in fields(CutOptions))})
"""Names of the options that only an answer has: a stored cut list was chosen and ordered before."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer that clips are chosen from.

    Args:
        question: what was asked.
        result: the answer.
        wanted: how to choose and order.
        used: ids of shots to avoid.
        ranking: how the answer was ranked, for the ledger.
    """

    question: str
    result: SearchResult
    wanted: CutOptions
    used: frozenset[str]
    ranking: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ChosenClips:
    """Clips to be exported.

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


def add_relink_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say by which paths sources are named; `take_relinker` takes them."""
    for option in (_RELATIVE, _PATH_MAP):
        command = option(command)
    return command


def take_relinker(options: dict[str, Any], output: Path) -> Relinker:
    """What names the sources; the options are taken out.

    Raises:
        ConfigError: a path map cannot be understood.
    """
    from search_app.timelines.relink import Relinker, read_path_map

    relative_to = output.absolute().parent if options.pop("relative") else None
    return Relinker(read_path_map(options.pop("path_map")), relative_to)


def idle_relinking(relink: Relinker, cut_list: CutList) -> list[str]:
    """What was asked of a relinker and has no effect, for people."""
    from search_app.timelines.sources import place_of

    if not relink.path_map:
        return []  # what is only relative always has an effect
    sources = {clip.video_id: clip for clip in cut_list.clips}
    return relink.without_effect(place_of(clip)[0] for clip in sources.values())


def left_out_notes(cut_list: CutList) -> list[str]:
    """A line for people for each reason why clips are left out; one that is alone is named."""
    from search_app.cutting.matches import reason_with_way_out

    of_reason: dict[str, list[str]] = {}
    for left in cut_list.left_out:
        of_reason.setdefault(reason_with_way_out(left.reason), []).append(left.hit.shot.path)
    return [
        f"{paths[0] if len(paths) == 1 else n_of(len(paths), 'shot')} left out: {reason}"
        for reason, paths in of_reason.items()
    ]


def find_trouble(sources: Iterable[tuple[str, Sequence[str]]]) -> dict[str, str]:
    """What is wrong with the files of videos as they lie there now, by fingerprint; nothing where one is right.

    Args:
        sources: fingerprint of each video, and where it may lie.
    """
    from indexer.library.scan import fingerprint_file

    trouble = {}
    for video_id, paths in sources:
        there = [Path(path) for path in paths if Path(path).is_file()]
        try:
            if not any(fingerprint_file(path) == video_id for path in there):
                trouble[video_id] = CHANGED if there else MISSING
        except OSError as error:
            trouble[video_id] = f"its file cannot be read ({error.strerror or error})"
    return trouble


def changed_sources(cut_list: CutList) -> list[str]:
    """Of which sources another file lies there now, for people; what is missing, a plan says itself."""
    from store.names import display_names

    sources = {clip.video_id: clip.paths for clip in cut_list.clips}
    trouble = find_trouble(sources.items())
    names = display_names(paths[0] for paths in sources.values())
    changed = (paths[0] for video_id, paths in sources.items() if trouble.get(video_id) == CHANGED)
    return [f"{names[path]}: {CHANGED}; index it again" for path in changed]


def add_answer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that ask, choose and order, and --skip-blocked; `take_clips` takes them."""
    return add_choice_options(SKIP_BLOCKED(command))


def add_choice_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that ask, choose and order clips; `ask` takes them."""
    return add_cut_options(add_question_options(command))


def film_rate_of(options: Mapping[str, Any], rate: Fraction | None = None) -> RateOf:
    """What gives the rate of the film that a command makes of some sources.

    Args:
        options: the command's, of which `picture` and `mode` decide, if it has them.
        rate: the rate that was asked for.
    """
    from search_app.conforming.modes import Mode
    from search_app.conforming.target_profile import commonest_coding, film_rate

    picture, is_fast = options.get("picture"), options.get("mode") == Mode.FAST

    def rate_of(sources: Sequence[VideoFacts], seconds: Sequence[Fraction]) -> Fraction:
        like = commonest_coding(sources) if is_fast else sources
        lengths = seconds if len(like) == len(sources) else ()
        return rate or (picture.rate_of(like, lengths) if picture else film_rate(like, lengths))

    return rate_of


def take_clips(
    archive: Archive,
    query: str | None,
    options: dict[str, Any],
    *,
    can_mark: bool = False,
    rate: Fraction | None = None,
    with_sound: bool = False,
    needs_files: bool = False,
) -> ChosenClips:
    """The clips that a command is to export.

    Args:
        archive: where to look.
        query: the question.
        options: the command's; those of `add_answer_options` and `device` are taken out. With a `cut`, the clips
            are those of the stored cut list of that name, and `skip_missing` leaves out what is gone. What is
            missing on disk is left out unless `include_missing` is set.
        can_mark: whether the export draws the marks that rights ask for.
        rate: frames per second, if they are asked for: a length that clips have to fit into is counted in them.
        with_sound: whether the export names the channels of sound tracks.
        needs_files: whether the export reads the sources; then a stored cut list is given with what is missing,
            which its rendering refuses or skips.

    Raises:
        QueryError: the question cannot be understood.
        CutError: there is nothing to cut, or a clip is gone.
        RightsError: a clip must not be exported.
    """
    from search_app.cutting.measured import measure_sources
    from search_app.cutting.rights import keep_rights, rights_entry

    name, skip_blocked = options.pop("cut", None), options.pop("skip_blocked")
    include_missing = options.pop("include_missing", False)
    if name is None:
        rate_of = film_rate_of(options, rate)
        found = _answered(
            archive, query, options, rate_of, include_missing=include_missing, needs_files=needs_files
        )
        cut_list, question, provenance = found
    else:
        cut_list, question, provenance = _stored(archive, name, skip_missing=options.get("skip_missing", False))
        if not (needs_files or include_missing):
            cut_list = _without_missing(archive, cut_list)
    flags = archive.snapshot().rights()
    cut_list, rulings = keep_rights(
        cut_list,
        flags,
        skip_blocked=skip_blocked,
        can_mark=can_mark,
        way_out="--skip-blocked leaves out what is blocked",
    )
    cut_list = measure_sources(cut_list, sound=with_sound)
    return ChosenClips(cut_list, question, {**provenance, "rights": rights_entry(len(flags), rulings)}, rulings)


def ask(archive: Archive, query: str | None, options: dict[str, Any], *, at_least: int = 0) -> Asked:
    """The answer that clips are chosen from.

    Args:
        archive: where to look.
        query: the question.
        options: the command's; those of `add_question_options` and `add_cut_options`, and `device` are taken out.
        at_least: how many shots to look at, if more than are chosen from.

    Raises:
        QueryError: the question cannot be understood.
        CutError: nothing answers.
    """
    from search_app.cutting.choice import used_shots
    from search_app.cutting.matches import refuse_no_answer
    from search_app.search.decisions import judged_shots

    question, resolved = resolve_question(archive, query, options)
    if options["fit"] is not None:  # chooses from many more than a page of a search has
        resolved["limit"] = options["limit"]
    options.update(resolved)
    wanted = CutOptions.take_from(options)
    ranking = {name: options.pop(name) for name in RANKING}
    snapshot = archive.snapshot()
    keep, reject = judged_shots(snapshot, question) if options.pop("judged") else ((), ())
    used = used_shots(snapshot) if wanted.avoid_used else set()
    result = find(
        archive,
        question,
        device=options.pop("device"),
        settings=read_search_settings(options.pop("config")),
        limit=max(wanted.bar.depth(wanted.n_shots + len(used)), at_least),
        keep=keep,
        reject=reject,
        **ranking,
    )
    refuse_no_answer(result.hits, question, wanted.bar, result.remarks)
    judged = {"kept": list(keep), "rejected": list(reject)} if keep or reject else {}
    return Asked(question, result, wanted, frozenset(used), {**ranking, **judged})


def gone_videos(
    archive: Archive, hits: Iterable[Hit], *, include_missing: bool, needs_files: bool = False
) -> dict[str, str]:
    """For each video of an answer that is to be left out because its file is not there, the reason."""
    from search_app.cutting.choice import gone_files

    if include_missing:
        return {}
    video_ids = {part.shot.video_id for hit in hits for part in hit.parts}
    return gone_files(archive.snapshot(), video_ids, needs_files=needs_files)


def _without_missing(archive: Archive, cut_list: CutList) -> CutList:
    """The clips whose files are there or offline; the others are left out.

    Raises:
        CutError: all files are missing.
    """
    from search_app.cutting.choice import gone_files
    from search_app.cutting.cut_list import CutList, LeftOut
    from search_app.errors import CutError

    gone = gone_files(archive.snapshot(), {clip.video_id for clip in cut_list.clips}, needs_files=False)
    kept = tuple(clip for clip in cut_list.clips if clip.video_id not in gone)
    left_out = [LeftOut(clip.hits[0], gone[clip.video_id]) for clip in cut_list.clips if clip.video_id in gone]
    if not kept:
        raise CutError(f"nothing is left: {left_out[0].reason}, of every clip; --include-missing takes them")
    return CutList(kept, (*cut_list.left_out, *left_out))


def _answered(
    archive: Archive,
    query: str | None,
    options: dict[str, Any],
    rate_of: RateOf,
    *,
    include_missing: bool,
    needs_files: bool,
) -> tuple[CutList, str, dict[str, Any]]:
    from search_app.cutting.choice import choose_clips

    asked = ask(archive, query, options)
    provenance = {
        "query": asked.question,
        "ranking": asked.ranking,
        "embedding_space": asked.result.space_id,
        "archive_generation": asked.result.generation,
        **asked.wanted.provenance(),
    }
    hits = asked.result.hits
    gone = gone_videos(archive, hits, include_missing=include_missing, needs_files=needs_files)
    cut_list = choose_clips(archive.snapshot(), hits, asked.wanted, asked.used, rate_of, gone)
    return cut_list, asked.question, provenance


def _stored(archive: Archive, name: str, *, skip_missing: bool) -> tuple[CutList, str, dict[str, Any]]:
    from search_app.cutting.cut_film import to_cut_list
    from search_app.cutting.stored_cut import read_cut

    snapshot = archive.snapshot()
    cut = read_cut(snapshot, name)
    way_out = relink_command(archive.folder, name)
    cut_list = to_cut_list(snapshot, cut.clips, skip_missing=skip_missing, way_out=way_out)
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
