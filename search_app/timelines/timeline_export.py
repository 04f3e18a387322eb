"""Writes a timeline: as text, into a temporary file, read back, compared with the plan, and only then named."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from search_app.errors import TimelineError
from search_app.output_files import atomic_write, refuse_folder, refuse_taken
from search_app.timelines.edl import count_edl
from search_app.timelines.sources import one_line
from search_app.timelines.timeline import TimelineClip, TimelinePlan
from search_app.timelines.timeline_formats import WRITERS
from search_app.timelines.timeline_readers import (
    Reader,
    Said,
    fits_edl_adapter,
    read_edl,
    read_edl_by_adapter,
    read_fcpxml,
    read_otio,
    read_xmeml,
    read_xmeml_by_adapter,
)


def export_timeline(
    plan: TimelinePlan, output: Path, *, sources: Iterable[str] = (), overwrite: bool = False
) -> None:
    """Write a timeline in the format that the ending of its name says.

    Args:
        plan: the timeline.
        output: the file to make: `.otio`, `.edl`, `.fcpxml` or `.xml`.
        sources: paths that must not be written over, whatever is asked for.
        overwrite: replace `output` if it exists.

    Raises:
        TimelineError: the target cannot be used, the format cannot hold the timeline, or what was written does not
            say what was planned. Nothing has the output's name then, and a file that had it is untouched.
    """
    output, sources = output.absolute(), tuple(sources)
    if not plan.clips:
        raise TimelineError("there is nothing to write: the cut list has no clips")
    check_timeline_target(output, sources, overwrite=overwrite)
    text = WRITERS[output.suffix.lower()](plan)
    with atomic_write(output, TimelineError) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        compare_timeline(plan, temporary.read_text(encoding="utf-8"), output)
        check_timeline_target(output, sources, overwrite=overwrite)


def check_timeline_target(output: Path, sources: Iterable[str], *, overwrite: bool) -> None:
    """Refuse a target that cannot be written or must not be.

    Raises:
        TimelineError: it has an unknown ending, no folder, is a folder, is a source, or exists.
    """
    if output.suffix.lower() not in WRITERS:
        endings = ", ".join(WRITERS)
        raise TimelineError(f"cannot tell the format of {output.name!r}: give it one of the endings {endings}")
    refuse_taken(output, sources, overwrite=overwrite, error=TimelineError)
    refuse_folder(output, TimelineError)


def compare_timeline(plan: TimelinePlan, text: str, output: Path) -> None:
    """Read a written timeline in every way we have, and compare all that it says with the plan.

    Raises:
        TimelineError: names the first clip and field that differ.
    """
    ending = output.suffix.lower()
    planned = _planned_events(plan) if ending == ".edl" else [_planned(plan, clip) for clip in plan.clips]
    for reader in _readers(plan, ending):
        try:
            said = reader(text, plan)
        except Exception as error:  # adapters raise whatever they like
            raise TimelineError(f"{output.name} was not written: it cannot be read back ({error})") from error
        if len(said) != len(plan.clips):
            raise TimelineError(f"{output.name} was not written: {len(said)} of {len(plan.clips)} clips are in it")
        for number, (wanted, fields) in enumerate(zip(planned, said, strict=True), start=1):
            _compare_clip(number, wanted, fields, output)


def _readers(plan: TimelinePlan, ending: str) -> list[Reader]:
    edl: list[Reader] = [read_edl, read_edl_by_adapter] if fits_edl_adapter(plan) else [read_edl]
    readers: dict[str, list[Reader]] = {
        ".otio": [read_otio],
        ".edl": edl,
        ".fcpxml": [read_fcpxml],
        ".xml": [read_xmeml, read_xmeml_by_adapter],
    }
    return readers[ending]


def _planned_events(plan: TimelinePlan) -> list[dict[str, object]]:
    """Expected content of an EDL, in its own count."""
    return [
        {
            **_planned(plan, event.clip),
            "reel": event.reel,
            "channels": event.channels,
            "source in": event.source_in,
            "source out": event.source_in + event.n_frames,
            "record in": event.record_in,
            "record out": event.record_in + event.n_frames,
        }
        for event in count_edl(plan).events
    ]


def _planned(plan: TimelinePlan, clip: TimelineClip) -> dict[str, object]:
    source, source_in = clip.source, clip.source_in
    return {
        "name": source.name,
        "media": source.url,
        "path": one_line(source.path).strip(),
        "reel": source.reel,
        "sound": source.has_audio,
        "n channels": source.n_channels,
        "told channels": source.n_channels,
        "media start": source.start,
        "media length": source.n_frames,
        "source in": source_in,
        "source out": source_in + clip.n_source_frames,
        "record in": clip.record_in,
        "record out": clip.record_in + clip.n_frames,
        "source rate": source.rate,
        "rate": plan.rate,
    }


def _compare_clip(number: int, planned: Said, said: Said, output: Path) -> None:
    for field, value in said.items():
        if value != planned[field]:
            raise TimelineError(
                f"{output.name} was not written: clip {number} ({planned['name']}) would have {field} {value} "
                f"instead of {planned[field]}"
            )
