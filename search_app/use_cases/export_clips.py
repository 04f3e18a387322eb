"""Export clips without rendering them: a timeline, or a table, playlist, subtitles, chapters, a sheet."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_app.conforming.target_profile import film_rate
from search_app.errors import QueryError
from search_app.exports.contact_sheet import summary
from search_app.exports.export import FORMATS, check_export_target, export_cut_list, format_of
from search_app.exports.tables import film_json
from search_app.output_files import refuse_footage
from search_app.search.decisions import record_export
from search_app.timelines.edl import edl_notes
from search_app.timelines.sources import describe_rate
from search_app.timelines.timecode import COUNTINGS
from search_app.timelines.timeline import TimelinePlan, plan_timeline
from search_app.timelines.timeline_export import check_timeline_target, export_timeline
from search_app.use_cases.choose_clips import (
    ChosenClips,
    ExportNeeds,
    changed_sources,
    choose_export,
    idle_relinking,
    relinker_of,
)
from search_app.use_cases.options import FORMER_TEXTS
from store.stages import stages_by_has
from store.wording import n_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search_app.cutting.cut_list import CutList
    from search_app.cutting.fit import RateOf
    from search_app.use_cases.options import ClipSource, ListOptions, TimelineOptions
    from store.archive import Archive
    from store.records import TextHit, VideoFacts
    from store.snapshot import Snapshot

_NAMING_SOURCES = ("csv", "json", "m3u", "mpv-edl", "mlt")
_TEXTS = stages_by_has()


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written, read back and found right.

    Args:
        output: the file.
        summary: one line for people.
        notes: what is not as one might expect, for people.
        entries: the same for programs.
    """

    output: Path
    summary: str
    notes: tuple[str, ...]
    entries: dict[str, Any]


def write_timeline(archive: Archive, source: ClipSource, output: Path, options: TimelineOptions) -> Exported:
    """Write clips as a timeline for editing programs, and remember what was used.

    Args:
        archive: where to look.
        source: an answer, or a stored cut list.
        output: the `.otio`, `.edl`, `.fcpxml` or `.xml` to make.
        options: how it is written.

    Raises:
        QueryError: options have no effect, or the question cannot be understood.
        TimelineError: the target cannot be used, or the format cannot hold the timeline; nothing is written then.
    """
    if options.short_reels and output.suffix.lower() != ".edl":
        raise QueryError("--short-reels: only with .edl; the other formats have room for whole names")
    relink = relinker_of(options.relink, output)
    check_timeline_target(output.absolute(), (), overwrite=options.overwrite)
    refuse_footage(archive.snapshot(), output)
    counting = None if options.rate is None else COUNTINGS[options.rate]
    rate_of = film_rate if counting is None else _always(counting[0])
    chosen = choose_export(archive, source, ExportNeeds(names_sound=True, rate_of=rate_of))
    cut_list = chosen.cut_list
    plan = plan_timeline(
        cut_list,
        output.stem,
        question=chosen.question,
        captions=_captions(archive.snapshot(), cut_list),
        relink=relink,
        counting=counting,
        short_reels=options.short_reels,
    )
    sources = [path for clip in cut_list.clips for path in clip.paths]
    export_timeline(plan, output, sources=sources, overwrite=options.overwrite)
    record_export(archive, output.name, [(clip.video_id, clip.span) for clip in cut_list.clips])
    notes = (
        *plan.notes,
        *(edl_notes(plan) if output.suffix.lower() == ".edl" else ()),
        *changed_sources(cut_list),
        *idle_relinking(relink, cut_list),
        *chosen.left_out_notes,
    )
    seconds = float(plan.n_frames / plan.rate)
    said = f"{output}: {n_of(len(plan.clips), 'clip')}, {seconds:.1f} s at {describe_rate(plan.rate)}, read back"
    return Exported(output, said, notes, _timeline_entries(plan, output, chosen))


def _always(rate: Fraction) -> RateOf:
    def rate_of(_sources: Sequence[VideoFacts], _seconds: Sequence[Fraction]) -> Fraction:
        return rate

    return rate_of


def write_list(archive: Archive, source: ClipSource, output: Path, options: ListOptions) -> Exported:
    """Write clips as a table, playlist, subtitles, chapters or contact sheet.

    Args:
        archive: where to look.
        source: an answer, or a stored cut list.
        output: the file to make.
        options: how it is written.

    Raises:
        QueryError: options have no effect, or the question cannot be understood.
        ExportError: the target cannot be used, or the format cannot hold the film; nothing is written then.
    """
    format_name = options.format_name or format_of(output)
    form = FORMATS[format_name]
    if options.text and not form.uses_texts:
        raise QueryError("--text: only with .srt and .vtt")
    kind = FORMER_TEXTS.get(options.text or "", options.text) or "speech"
    relink = relinker_of(options.relink, output)
    if format_name not in _NAMING_SOURCES and (relink.path_map or relink.relative_to):
        raise QueryError(f"--path-map and --relative: only with {', '.join(_NAMING_SOURCES)}, which name sources")
    check_export_target(output.absolute(), (), overwrite=options.overwrite)
    snapshot = archive.snapshot()
    refuse_footage(snapshot, output)
    chosen = choose_export(archive, source, ExportNeeds())
    cut_list = chosen.cut_list
    film = export_cut_list(
        cut_list,
        output,
        format_name=format_name,
        overwrite=options.overwrite,
        question=chosen.question,
        captions=_captions(snapshot, cut_list),
        texts=_subtitle_texts(snapshot, cut_list, kind) if form.uses_texts else None,
        relink=relink,
    )
    notes = (
        *(film.notes if form.names_frames else film.file_notes),
        *form.notes(film),
        *changed_sources(cut_list),
        *idle_relinking(relink, cut_list),
        *chosen.left_out_notes,
    )
    entries = {"output": str(output.absolute()), **film_json(film), "left_out": chosen.left_out_lines}
    return Exported(output, f"{output}: {summary(film)}, read back", notes, entries)


def _subtitle_texts(snapshot: Snapshot, cut_list: CutList, kind: str) -> dict[str, list[TextHit]]:
    """The texts of one kind of a cut list's videos, by video.

    Raises:
        QueryError: the archive holds none, whatever the clips.
    """
    texts = _texts_of(snapshot, cut_list, kind)
    if not any(texts.values()):
        others = [other for other in _TEXTS if any(_texts_of(snapshot, cut_list, other).values())]
        way_out = f"; --text {others[0]} would find some" if others else ", nor any other text"
        raise QueryError(f"no subtitles: the archive holds no {kind} of these videos{way_out}")
    return texts


def _captions(snapshot: Snapshot, cut_list: CutList) -> dict[str, str]:
    """The first caption of each shot of the cut list's videos that has one."""
    found: dict[str, str] = {}
    for rows in _texts_of(snapshot, cut_list, "caption").values():
        for row in rows:
            for shot_id in row.shot_ids[:1]:
                found.setdefault(shot_id, row.shown_text)
    return found


def _texts_of(snapshot: Snapshot, cut_list: CutList, kind: str) -> dict[str, list[TextHit]]:
    """The texts of one kind of a cut list's videos, by video."""
    videos = sorted({clip.video_id for clip in cut_list.clips})
    return {video_id: snapshot.text_rows(video_id, _TEXTS[kind]) for video_id in videos}


def _timeline_entries(plan: TimelinePlan, output: Path, chosen: ChosenClips) -> dict[str, Any]:
    """The written file, as plain data."""
    return {
        "timeline": str(output.absolute()),
        "rate": str(plan.rate),
        "drop_frame": plan.drop,
        "frames": plan.n_frames,
        "clips": [
            {
                "media": clip.source.path,
                "reel": clip.source.reel,
                "source_rate": str(clip.source.rate),
                "source_in": clip.source.timecode(clip.source_in),
                "source_out": clip.source.timecode(clip.source_in + clip.n_source_frames),
                "record_in": plan.timecode(clip.record_in),
                "record_out": plan.timecode(clip.record_in + clip.n_frames),
                "shots": list(clip.shot_ids),
                "score": round(clip.score, 6) if clip.score else None,
                "remark": clip.remark,
            }
            for clip in plan.clips
        ],
        "notes": list(plan.notes),
        "left_out": chosen.left_out_lines,
    }
