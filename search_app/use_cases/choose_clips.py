"""The clips of an export: of an answer or of a stored cut list, after the rights were asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.library.scan import fingerprint_file
from search_app.conforming.modes import Mode
from search_app.conforming.target_profile import commonest_coding, film_rate
from search_app.cutting.choice import choose_clips, gone_files, used_shots
from search_app.cutting.cut_film import relink_command, to_cut_list
from search_app.cutting.cut_list import CutList, LeftOut
from search_app.cutting.matches import reason_with_way_out, refuse_no_answer
from search_app.cutting.measured import measure_sources
from search_app.cutting.rights import keep_rights, rights_entry
from search_app.cutting.stored_cut import read_cut
from search_app.errors import CutError
from search_app.search.decisions import judged_shots
from search_app.timelines.relink import Relinker, read_path_map
from search_app.timelines.sources import place_of
from search_app.use_cases.answer import find_shots, loader, read_search_settings, resolve_question
from search_app.use_cases.options import AnswerSource, ClipSource, RelinkOptions, RenderOptions, StoredSource
from store.names import display_names
from store.wording import n_of

if TYPE_CHECKING:
    from fractions import Fraction

    from search_app.conforming.picture_options import PictureOptions
    from search_app.cutting.cut_options import CutOptions
    from search_app.cutting.fit import RateOf
    from search_app.cutting.rights import Ruling
    from search_app.search.ranking import Hit
    from search_app.search.search import SearchResult
    from store.archive import Archive
    from store.records import VideoFacts

MISSING = "its file is missing"
CHANGED = "its file has changed since it was indexed"


@dataclass(frozen=True, slots=True)
class ExportNeeds:
    """Demands of an export on its clips.

    Args:
        can_mark: whether the export draws the marks that rights ask for.
        needs_files: whether it reads the sources; then a stored cut list is given with what is missing, which its
            rendering refuses or skips.
        names_sound: whether it names the channels of sound tracks.
        rate_of: gives the rate of the film, in whose frames a length that clips have to fit into is counted.
        way_out: how a person leaves out what is blocked, for the message.
    """

    can_mark: bool = False
    needs_files: bool = False
    names_sound: bool = False
    rate_of: RateOf = film_rate
    way_out: str = "--skip-blocked leaves out what is blocked"


@dataclass(frozen=True, slots=True)
class AskedAnswer:
    """An answer that clips are chosen from.

    Args:
        question: what was asked.
        result: the answer.
        choice: how to choose and order.
        used: ids of shots to avoid.
        ranking: how the answer was ranked, for the ledger.
    """

    question: str
    result: SearchResult
    choice: CutOptions
    used: frozenset[str]
    ranking: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChosenClips:
    """Clips to be exported.

    Args:
        cut_list: the clips that may be.
        question: what was asked; empty if a person named the clips.
        provenance: for the ledger.
        rulings: what holds for each clip.
    """

    cut_list: CutList
    question: str
    provenance: Mapping[str, Any]
    rulings: tuple[Ruling, ...] = ()

    @property
    def marks(self) -> list[str]:
        """Mark that must be seen on each clip; empty for none."""
        return [ruling.text for ruling in self.rulings]

    @property
    def left_out_lines(self) -> list[str]:
        """A line for each shot that is left out, for programs."""
        return [f"{left.hit.shot.path} left out: {left.reason}" for left in self.cut_list.left_out]

    @property
    def left_out_notes(self) -> list[str]:
        """A line for people for each reason why clips are left out; one that is alone is named."""
        of_reason: dict[str, list[str]] = {}
        for left in self.cut_list.left_out:
            of_reason.setdefault(reason_with_way_out(left.reason), []).append(left.hit.shot.path)
        return [
            f"{paths[0] if len(paths) == 1 else n_of(len(paths), 'shot')} left out: {reason}"
            for reason, paths in of_reason.items()
        ]


def choose_export(archive: Archive, source: ClipSource, needs: ExportNeeds) -> ChosenClips:
    """The clips of an export, and what its ledger says of them.

    Args:
        archive: where to look.
        source: an answer, or a stored cut list.
        needs: what the export asks of them.

    Raises:
        QueryError: the question cannot be understood, or there is no such cut list.
        CutError: there is nothing to cut, or a clip is gone.
        RightsError: a clip must not be exported.
    """
    if isinstance(source, StoredSource):
        chosen = _stored(archive, source)
        if not (needs.needs_files or source.include_missing):
            chosen = replace(chosen, cut_list=_without_missing(archive, chosen.cut_list))
    else:
        chosen = _answered(archive, source, needs)
    flags = archive.snapshot().rights()
    cut_list, rulings = keep_rights(
        chosen.cut_list,
        flags,
        skip_blocked=source.skip_blocked,
        can_mark=needs.can_mark,
        way_out=needs.way_out,
    )
    cut_list = measure_sources(cut_list, sound=needs.names_sound)
    provenance = {**chosen.provenance, "rights": rights_entry(len(flags), rulings)}
    return ChosenClips(cut_list, chosen.question, provenance, rulings)


def film_needs(rendering: RenderOptions) -> ExportNeeds:
    """Demands of a film on its clips."""
    rate_of = film_rate_of(rendering.picture, rendering.mode)
    return ExportNeeds(can_mark=True, needs_files=True, rate_of=rate_of)


def film_rate_of(picture: PictureOptions, mode: Mode) -> RateOf:
    """Make the function that gives the rate of a film of some sources."""

    def rate_of(sources: Sequence[VideoFacts], seconds: Sequence[Fraction]) -> Fraction:
        like = commonest_coding(sources) if mode is Mode.FAST else sources
        return picture.rate_of(like, seconds if len(like) == len(sources) else ())

    return rate_of


def ask_for_clips(archive: Archive, source: AnswerSource, *, at_least: int = 0) -> AskedAnswer:
    """The answer that clips are chosen from.

    Args:
        archive: where to look.
        source: the question, and how clips are chosen.
        at_least: how many shots to look at, if more than are chosen from.

    Raises:
        QueryError: the question cannot be understood.
        CutError: nothing answers.
    """
    choice = source.choice
    resolved = resolve_question(archive, source.query, source.asked, choice.limit)
    if choice.fit is None:  # else it chooses from many more than a page of a search has
        choice = replace(choice, limit=resolved.limit)
    question, snapshot = resolved.question, archive.snapshot()
    kept, rejected = judged_shots(snapshot, question) if source.asked.judged else ((), ())
    used = used_shots(snapshot) if choice.avoid_used else set()
    limit = max(choice.bar.depth(choice.n_shots + len(used)), at_least)
    result = find_shots(
        archive,
        question,
        resolved.search_options(limit, keep=kept, reject=rejected),
        encoder=loader(archive, source.device),
        settings=read_search_settings(source.asked.config),
    )
    refuse_no_answer(result.hits, question, choice.bar, result.remarks)
    judged = {"kept": list(kept), "rejected": list(rejected)} if kept or rejected else {}
    return AskedAnswer(question, result, choice, frozenset(used), {**resolved.asked.ranking(), **judged})


def gone_videos(
    archive: Archive, hits: Iterable[Hit], *, include_missing: bool, needs_files: bool = False
) -> dict[str, str]:
    """For each video of an answer that is to be left out because its file is not there, the reason."""
    if include_missing:
        return {}
    video_ids = {part.shot.video_id for hit in hits for part in hit.parts}
    return gone_files(archive.snapshot(), video_ids, needs_files=needs_files)


def _answered(archive: Archive, source: AnswerSource, needs: ExportNeeds) -> ChosenClips:
    asked = ask_for_clips(archive, source)
    provenance = {
        "query": asked.question,
        "ranking": asked.ranking,
        "embedding_space": asked.result.space_id,
        "archive_generation": asked.result.generation,
        **asked.choice.provenance(),
    }
    hits = asked.result.hits
    gone = gone_videos(archive, hits, include_missing=source.include_missing, needs_files=needs.needs_files)
    cut_list = choose_clips(archive.snapshot(), hits, asked.choice, asked.used, needs.rate_of, gone)
    return ChosenClips(cut_list, asked.question, provenance)


def _stored(archive: Archive, source: StoredSource) -> ChosenClips:
    snapshot = archive.snapshot()
    cut = read_cut(snapshot, source.name)
    # Equal scores keep their order.
    clips = sorted(cut.clips, key=lambda clip: -clip.score) if source.best_first else cut.clips
    way_out = relink_command(archive.folder, source.name)
    cut_list = to_cut_list(snapshot, clips, skip_missing=source.skip_missing, way_out=way_out)
    question = cut.query or "; ".join(dict.fromkeys(clip.question for clip in clips if clip.question))
    provenance = {
        "query": question,
        "embedding_space": snapshot.space.space_id if snapshot.space else "",
        "archive_generation": snapshot.generation,
        "cut": {
            "name": cut.name,
            "version": cut.version,
            "number": cut.number,
            "decided": [
                {"fingerprint": clip.video_id, "state": clip.state.value, "by": clip.decided_by, "note": clip.note}
                for clip in clips
            ],
        },
    }
    return ChosenClips(cut_list, question, provenance)


def _without_missing(archive: Archive, cut_list: CutList) -> CutList:
    """The clips whose files are there or offline; the others are left out.

    Raises:
        CutError: all files are missing.
    """
    gone = gone_files(archive.snapshot(), {clip.video_id for clip in cut_list.clips}, needs_files=False)
    kept = tuple(clip for clip in cut_list.clips if clip.video_id not in gone)
    left_out = [LeftOut(clip.hits[0], gone[clip.video_id]) for clip in cut_list.clips if clip.video_id in gone]
    if not kept:
        raise CutError(f"nothing is left: {left_out[0].reason}, of every clip; --include-missing takes them")
    return CutList(kept, (*cut_list.left_out, *left_out))


def relinker_of(options: RelinkOptions, output: Path) -> Relinker:
    """Paths by which an export names its sources.

    Raises:
        ConfigError: a path map cannot be understood.
    """
    return Relinker(read_path_map(options.path_map), output.absolute().parent if options.relative else None)


def idle_relinking(relink: Relinker, cut_list: CutList) -> list[str]:
    """Options of a relinker that have no effect, for people."""
    if not relink.path_map:
        return []  # what is only relative always has an effect
    sources = {clip.video_id: clip for clip in cut_list.clips}
    return relink.without_effect(place_of(clip)[0] for clip in sources.values())


def find_trouble(sources: Iterable[tuple[str, Sequence[str]]]) -> dict[str, str]:
    """Changes of the files of videos since they were indexed, by fingerprint; none where one is right.

    Args:
        sources: fingerprint of each video, and where it may lie.
    """
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
    """Sources in whose place another file lies now, for people; a plan itself says what is missing."""
    sources = {clip.video_id: clip.paths for clip in cut_list.clips}
    trouble = find_trouble(sources.items())
    names = display_names(paths[0] for paths in sources.values())
    changed = (paths[0] for video_id, paths in sources.items() if trouble.get(video_id) == CHANGED)
    return [f"{names[path]}: {CHANGED}; index it again" for path in changed]
