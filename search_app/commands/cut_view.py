"""A stored cut list as people and programs read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import click

from store.names import display_names
from store.wording import clock, n_of, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from indexer.library.presence import Presence
    from search_app.cutting.cut_film import Take
    from search_app.cutting.cut_list import Clip
    from search_app.cutting.stored_cut import CutClip, StoredCut
    from search_app.search.ranking import Hit
    from search_app.use_cases.change_cut import CutChange
    from store.records import CutStep
    from store.snapshot import Snapshot


_ASKED_FOR = "removed"
_HEADS = ("clip", "at", "length", "in", "out", "handles", "source", "state", "sure", "note")
_RIGHT = ("clip", "at", "length", "in", "out", "handles", "sure")


def say_change(snapshot: Snapshot, change: CutChange) -> None:
    """One line about an edit, with the length of the film, and on stderr what was left out and why."""
    from search_app.conforming.target_profile import film_rate
    from search_app.cutting.cut_film import film_length
    from search_app.cutting.matches import reason_with_way_out

    cut = change.cut
    of_reason: dict[str, list[CutClip]] = {}
    for clip, reason in change.left_out:
        of_reason.setdefault(reason, []).append(clip)
    names = display_names(clip.path for clips in of_reason.values() for clip in clips)
    for reason, clips in of_reason.items():
        first = f"{names[clips[0].path]} {clock(clips[0].span.start_seconds)}"
        more = f" and {len(clips) - 1} more" if len(clips) > 1 else ""
        if reason != _ASKED_FOR:
            click.echo(printable(f"left out: {first}{more}: {reason_with_way_out(reason)}"), err=True)
    wanted = [clip for clip in cut.clips if clip.is_wanted]
    length = length_words(film_length(snapshot, cut.clips, film_rate))
    n_rejected = len(cut.clips) - len(wanted)
    rejected = f", {n_rejected} rejected" if n_rejected else ""
    click.echo(printable(f"{cut.name}: {change.action}; {n_of(len(wanted), 'clip')}, {length}{rejected}"))


def length_words(film: tuple[int, Fraction] | None) -> str:
    """Length of a film, for people: `0:30.0 (750 frames at 25 fps)`.

    Args:
        film: how many frames it has, and frames per second; None without clips.
    """
    n_frames, rate = film or (0, Fraction(1))
    at = f" ({n_of(n_frames, 'frame')} at {float(rate):.5g} fps)" if film else ""
    return f"{clock(float(n_frames / rate))}{at}"


@dataclass(frozen=True, slots=True)
class Edges:
    """In and out of a clip in its source, as editing programs say it.

    Args:
        start: timecode of its first frame, without handles.
        end: timecode of the frame behind its last.
        before: frames of its handle before it, as many as are free.
        after: frames of the handle behind it.
    """

    start: str
    end: str
    before: int = 0
    after: int = 0


def find_edges(snapshot: Snapshot, cut: StoredCut, film: Mapping[int, Clip]) -> dict[int, Edges]:
    """For the place of each clip whose video is known, where it begins and ends.

    Args:
        snapshot: the archive.
        cut: the cut list.
        film: for the place of each clip that is rendered, how.
    """
    from search_app.cutting.cut_edits import frame_at
    from search_app.cutting.cut_list import Clip
    from search_app.timelines.timeline import name_edges

    videos = {video.video_id: video for video in snapshot.videos()}
    known = {n: clip for n, clip in enumerate(cut.clips, start=1) if clip.video_id in videos}
    rows = [videos[clip.video_id] for clip in known.values()]
    pairs = zip(known.values(), rows, strict=True)
    names = name_edges(Clip(row.video_id, (row.path,), clip.span, (), row.facts) for clip, row in pairs)
    edges = {}
    for (place, clip), row, (start, end) in zip(known.items(), rows, names, strict=True):
        shown = film[place].span if place in film else clip.span
        spans = ((shown.start, clip.span.start), (clip.span.end, shown.end))
        handles = (frame_at(row.facts, later) - frame_at(row.facts, earlier) for earlier, later in spans)
        edges[place] = Edges(start, end, *handles)
    return edges


def film_places(film: Mapping[int, Clip]) -> tuple[dict[int, tuple[int, int]], Fraction]:
    """For the place of each clip its first frame in the film and how many it has; and the film's rate.

    Args:
        film: for the place of each clip that is rendered, how.
    """
    from search_app.conforming.target_profile import film_rate
    from search_app.cutting.film_frames import film_frames
    from search_app.cutting.fit import rate_of_clips

    if not film:
        return {}, Fraction(1)
    rate = rate_of_clips([*film.values()], film_rate)
    lengths = [film_frames(clip.span, clip.facts, rate) for clip in film.values()]
    starts = accumulate(lengths[:-1], initial=0)
    return dict(zip(film, zip(starts, lengths, strict=True), strict=True)), rate


def print_cut(
    cut: StoredCut,
    film: Mapping[int, Clip],
    edges: Mapping[int, Edges],
    flagged: Mapping[int, str],
    news: int,
    files: Mapping[str, Presence],
    *,
    is_calibrated: bool,
) -> None:
    """The clips as a table, with a column for handles if any clip is shown with one.

    Args:
        cut: the cut list.
        film: for the place of each clip that is rendered, how.
        edges: for the place of each clip whose video is known, where it begins and ends.
        flagged: for the place of a clip, what stands in its way.
        news: how many candidates there are since.
        files: where the videos lie now, by id.
        is_calibrated: whether confidences are fitted for the archive's encoder, so that they are numbers.
    """
    from indexer.commands.console import print_table
    from search_app.confidence.certainty import words_of

    rows: list[dict[str, str]] = []
    frames, rate = film_places(film)
    paths = [film[n].paths[0] if n in film else clip.path for n, clip in enumerate(cut.clips, start=1)]
    names = display_names(paths)
    for place, clip in enumerate(cut.clips, start=1):
        is_shown = place in film
        shown = film[place].span if is_shown else clip.span
        sure = "" if clip.confidence is None else words_of(clip.confidence, is_calibrated=is_calibrated)
        edge = edges.get(place) or Edges(clock(clip.span.start_seconds), clock(clip.span.end_seconds))
        row = {
            "clip": str(place),
            "at": clock(float(frames[place][0] / rate)) if is_shown else "",
            "length": clock(float(frames[place][1] / rate if is_shown else shown.duration)),
            "in": edge.start,
            "out": edge.end,
            "handles": f"{edge.before}f {edge.after}f" if edge.before or edge.after else "",
            "source": names[paths[place - 1]],
            "state": clip.decision,
            "sure": sure,
            "note": "; ".join(filter(None, (_flag(flagged.get(place, ""), files.get(clip.video_id)), clip.note))),
        }
        rows.append(row)
    heads = [head for head in _HEADS if head != "handles" or any(row[head] for row in rows)]
    right = [number for number, head in enumerate(heads) if head in _RIGHT]
    print_table(heads, [[row[head] for head in heads] for row in rows], right)
    asked = f", for {cut.query!r}" if cut.query else ""
    click.echo()
    length = length_words((sum(n for _, n in frames.values()), rate) if frames else None)
    click.echo(printable(f"{cut.name}, version {cut.number}: {n_of(len(film), 'clip')}, {length}{asked}"))
    if news:
        click.echo(f"+{n_of(news, 'candidate')} since this cut: rushes cut candidates")
    for branch in cut.branches:
        click.echo(printable(f"edits made elsewhere at the same time are in {branch!r}"))


def _flag(flag: str, presence: Presence | None) -> str:
    """Obstacles of a clip, with since when its file is missing."""
    if presence is None or presence.is_there:
        return flag
    return flag.replace("its file is missing", presence.reason, 1)


def cut_json(
    cut: StoredCut,
    film: Mapping[int, Clip],
    edges: Mapping[int, Edges],
    flagged: Mapping[int, str],
    news: int,
    files: Mapping[str, Presence],
) -> dict[str, Any]:
    """A cut list as plain data; `start`, `end` and `shown`, which has the handles, are exact fractions."""
    clips = []
    frames, rate = film_places(film)
    n_frames = sum(n for _, n in frames.values())
    for place, clip in enumerate(cut.clips, start=1):
        shown = film[place].span if place in film else clip.span
        edge = edges.get(place)
        clips.append(
            {
                "place": place,
                **clip.to_plain(),
                "start_seconds": shown.start_seconds,
                "end_seconds": shown.end_seconds,
                "shown": [f"{time.numerator}/{time.denominator}" for time in (shown.start, shown.end)],
                "source_in": edge.start if edge else None,
                "source_out": edge.end if edge else None,
                "handle_frames": [edge.before, edge.after] if edge else None,
                "is_rendered": place in film,
                "first_frame": frames[place][0] if place in film else None,
                "n_frames": frames[place][1] if place in film else 0,
                "flag": flagged.get(place, ""),
                **(files[clip.video_id].entries() if clip.video_id in files else {"file": "unknown"}),
            }
        )
    return {
        "name": cut.name,
        "version": cut.version,
        "number": cut.number,
        "query": cut.query,
        "settings": dict(cut.settings),
        "candidates": news,
        "branches": list(cut.branches),
        "frame_rate": str(rate) if frames else None,
        "n_frames": n_frames,
        "duration_seconds": float(n_frames / rate),
        "clips": clips,
    }


def print_log(cut: StoredCut) -> None:
    """History of a cut list, the latest first."""
    from indexer.commands.console import print_table

    numbers = version_numbers(cut.steps)
    rows = [
        (
            "*" if step.version == cut.version and not step.is_move else "",
            str(numbers[step.version]),
            when(step.time_ns),
            step.editor,
            f"{step.action} to version {numbers[step.version]}" if step.is_move else step.action,
            "" if step.is_move else str(step.n_clips),
        )
        for step in reversed(cut.steps)
    ]
    print_table(("", "version", "when", "who", "what", "clips"), rows, right=(1, 5))


def log_json(cut: StoredCut) -> list[dict[str, Any]]:
    """The same as plain data, the oldest first."""
    numbers = version_numbers(cut.steps)
    return [
        {
            "version": step.version,
            "number": numbers[step.version],
            "parent": step.parent,
            "is_move": step.is_move,
            "is_current": step.version == cut.version,
            "when": when(step.time_ns),
            "who": step.editor,
            "what": step.action,
            "clips": step.n_clips,
        }
        for step in cut.steps
    ]


def version_numbers(steps: Iterable[CutStep]) -> dict[str, int]:
    """For each version its number for people, from 1."""
    made = (step.version for step in steps if not step.is_move)
    return {version: number for number, version in enumerate(made, start=1)}


def when(time_ns: int) -> str:
    """A time as people read it, in the zone of this machine."""
    return datetime.fromtimestamp(time_ns // 1_000_000_000).astimezone().isoformat(sep=" ", timespec="seconds")


def print_candidates(hits: Sequence[Hit], files: Mapping[str, Presence]) -> None:
    """Shots that came since, as a table."""
    from indexer.commands.console import print_table, with_presence

    rows = [
        (
            str(number),
            hit.sure_text(),
            clock(part.span.start_seconds),
            clock(part.span.end_seconds),
            part.shot.shot_id,
            files[part.shot.video_id].path,
        )
        for number, hit in enumerate(hits, start=1)
        for part in hit.parts
    ]
    presences = [files[part.shot.video_id] for hit in hits for part in hit.parts]
    heads, shown = with_presence(("candidate", "sure", "start", "end", "shot", "video"), rows, presences)
    print_table(heads, shown, right=(0, 1, 2, 3))


def print_takes(takes: Sequence[Take], files: Mapping[str, Presence]) -> None:
    """Other takes for the place of a clip, as a table."""
    from indexer.commands.console import print_table, with_presence

    rows = [
        (
            str(number),
            f"{100 * take.similarity:.0f} %",
            "same picture" if take.is_copy else "",
            f"{take.height_px}p",
            f"{take.sharpness:.0f}",
            clock(take.clip.span.start_seconds),
            clock(take.clip.span.end_seconds),
            files[take.clip.video_id].path,
        )
        for number, take in enumerate(takes, start=1)
    ]
    heads = ("take", "alike", "", "size", "sharp", "start", "end", "video")
    headings, shown = with_presence(heads, rows, [files[take.clip.video_id] for take in takes])
    print_table(headings, shown, right=(0, 1, 3, 4, 5, 6))


def take_json(take: Take) -> dict[str, Any]:
    """A take as plain data."""
    return {
        **take.clip.to_plain(),
        "similarity": round(take.similarity, 6),
        "is_copy": take.is_copy,
        "height_px": take.height_px,
        "sharpness": round(take.sharpness, 3),
    }
