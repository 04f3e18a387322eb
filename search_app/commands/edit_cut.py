"""The commands of `rushes cut` that change a cut list: each makes a version, which `undo` takes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.commands.options import ARCHIVE, AS_JSON
from search_app.commands.number_types import Finite
from search_app.cutting.cut_options import CutOptions, Order
from search_app.errors import QueryError
from search_app.use_cases.cut_values import EDGE_HELP, parse_edge, parse_length, parse_place, parse_places
from store.wording import n_of

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.cutting.cut_edits import Edited
    from search_app.cutting.stored_cut import CutClip, StoredCut
    from search_app.use_cases.change_cut import Change
    from store.archive import Archive

NAME = click.argument("name")
PLACES = click.argument("places")
PLACE = click.argument("place")
AGAIN = click.option("--again", is_flag=True, help="Also what another clip shows already.")


def _change(archive: Path, name: str, change: Change) -> None:
    """Make a version of a cut list, and say what it is now."""
    from search_app.commands.cut_view import say_change
    from search_app.use_cases.change_cut import change_cut
    from store.archive import Archive

    with Archive.open(archive) as opened:
        say_change(opened.snapshot(), change_cut(opened, name, change))


@click.command()
@ARCHIVE
@NAME
@click.argument("by", type=click.Choice([*map(str, Order)]), metavar="ORDER")
@click.option("--seed", type=int, help="With random: which one.  [default: 0]")
def order(archive: Path, name: str, by: str, seed: int | None) -> None:
    """Order all clips: story (as they answered), relevance, date, source, look, brightness, random."""
    from search_app.cutting.cut_edits import reorder_clips
    from search_app.cutting.cut_film import order_places

    if seed is not None and by != Order.RANDOM:
        raise QueryError("--seed: only with random")

    def change(opened: Archive, before: StoredCut) -> tuple[Edited, str]:
        places = order_places(opened.snapshot(), before.clips, Order(by), seed or 0)
        return reorder_clips(before.clips, places), f"ordered by {by}"

    _change(archive, name, change)


@click.command()
@ARCHIVE
@NAME
@click.argument("seconds", type=Finite(0, min_open=True))
@click.option("--max-per-source", type=click.IntRange(1), help="Most clips of one video.")
@click.option("--min-gap", type=Finite(0), help="Seconds between clips of one video.")
@click.option("--min-clip", type=Finite(0), help="Shortest clip.  [default: 1]")
@click.option("--max-clip", type=Finite(0, min_open=True), help="Longest clip.  [default: 8]")
def fit(
    archive: Path,
    name: str,
    seconds: float,
    max_per_source: int | None,
    min_gap: float | None,
    min_clip: float | None,
    max_clip: float | None,
) -> None:
    """Keep the best clips that fill SECONDS and are unlike each other; accepted ones stay as they are.

    What goes is named, and `undo` brings it back.
    """
    from search_app.conforming.target_profile import film_rate
    from search_app.cutting.cut_film import fit_clips

    wanted = CutOptions(
        fit=seconds, max_per_source=max_per_source, min_gap=min_gap, min_clip=min_clip, max_clip=max_clip
    )

    def change(opened: Archive, before: StoredCut) -> tuple[Edited, str]:
        edited = fit_clips(opened.snapshot(), before.clips, wanted.limits, film_rate)
        return edited, f"fitted to {seconds:g} s: {len(edited.clips)} of {len(before.clips)} clips stay"

    _change(archive, name, change)


@click.command(epilog=EDGE_HELP)
@ARCHIVE
@NAME
@PLACES
@click.option("--in", "begin", metavar="TIME", help="Their begin: +12f, +0.5, 1:02.5 or a timecode.")
@click.option("--out", "end", metavar="TIME", help="Their end, likewise; this frame is not shown any more.")
@click.option("--length", metavar="LENGTH", help="Their length from their begin: 2, 2s or 48f.")
@AGAIN
def trim(
    archive: Path, name: str, places: str, begin: str | None, end: str | None, length: str | None, again: bool
) -> None:
    """Trim clips to the frame; no clip reaches beyond its source. TIME is written as said below."""
    from search_app.cutting.cut_edits import Edited, frame_at, replace_clip, trim_clip
    from search_app.use_cases.change_cut import facts_of_clip

    if begin is None and end is None and length is None:
        raise QueryError("how? give --in, --out or --length")
    if end is not None and length is not None:
        raise QueryError("--out and --length say both where it ends; give one of them")

    def change(opened: Archive, before: StoredCut) -> tuple[Edited, str]:
        edited = Edited(before.clips)
        for place in parse_places(places, len(before.clips)):
            clip = edited.clips[place - 1]
            facts = facts_of_clip(opened, place, clip)
            now = frame_at(facts, clip.span.start), frame_at(facts, clip.span.end)
            first = None if begin is None else parse_edge(begin, facts, now[0])
            last = None if end is None else parse_edge(end, facts, now[1])
            if length is not None:
                last = (now[0] if first is None else first) + parse_length(length, facts)
            try:
                trimmed = trim_clip(clip, facts, first, last)
            except QueryError as error:
                raise QueryError(f"clip {place}: {error}") from error
            edited = replace_clip(edited.clips, place, trimmed, again=again)
        parts = [f"{flag} {value}" for flag, value in (("in", begin), ("out", end), ("length", length)) if value]
        return edited, f"trimmed {places}: {', '.join(parts)}"

    _change(archive, name, change)


@click.command(epilog=EDGE_HELP)
@ARCHIVE
@NAME
@PLACE
@click.argument("time")
def split(archive: Path, name: str, place: str, time: str) -> None:
    """Split a clip at TIME, where + counts from its beginning. TIME is written as said below."""
    from search_app.cutting.cut_edits import frame_at, replace_clip, split_clip
    from search_app.use_cases.change_cut import facts_of_clip

    def change(opened: Archive, before: StoredCut) -> tuple[Edited, str]:
        number = parse_place(place, len(before.clips))
        clip = before.clips[number - 1]
        facts = facts_of_clip(opened, number, clip)
        parts = split_clip(clip, facts, parse_edge(time, facts, frame_at(facts, clip.span.start)))
        return replace_clip(before.clips, number, *parts, again=True), f"split {place} at {time}"

    _change(archive, name, change)


@click.command()
@ARCHIVE
@NAME
@click.argument("places", required=False)
def merge(archive: Path, name: str, places: str | None) -> None:
    """Join clips of one source that touch or overlap; without PLACES all that stand one after another."""
    from search_app.cutting.cut_edits import merge_clips, merge_touching

    def change(_: Archive, before: StoredCut) -> tuple[Edited, str]:
        if places is None:
            return merge_touching(before.clips), "merged what touches"
        return merge_clips(before.clips, parse_places(places, len(before.clips))), f"merged {places}"

    _change(archive, name, change)


@click.command()
@ARCHIVE
@NAME
@PLACES
@click.argument("to")
def move(archive: Path, name: str, places: str, to: str) -> None:
    """Move clips, in the order named, so that the first of them is clip TO: a place, `first`, or `last`.

    With `last` the last of them ends the cut list.
    """
    from search_app.cutting.cut_edits import move_clips

    def change(_: Archive, before: StoredCut) -> tuple[Edited, str]:
        n_clips = len(before.clips)
        moved = move_clips(before.clips, parse_places(places, n_clips), parse_place(to, n_clips))
        return moved, f"moved {places} to {to}"

    _change(archive, name, change)


@click.command()
@ARCHIVE
@NAME
@PLACES
def remove(archive: Path, name: str, places: str) -> None:
    """Take clips out; they do not come back as candidates."""
    from search_app.cutting.cut_edits import remove_clips

    def change(_: Archive, before: StoredCut) -> tuple[Edited, str]:
        return remove_clips(before.clips, parse_places(places, len(before.clips))), f"removed {places}"

    _change(archive, name, change)


@click.command()
@ARCHIVE
@NAME
@PLACES
@click.argument("text")
def note(archive: Path, name: str, places: str, text: str) -> None:
    """Write TEXT beside clips; an empty one takes the note away."""
    action = f"note on {places}{'' if text else ' removed'}"
    _change_each(archive, name, places, action, lambda clip: replace(clip, note=text))


@click.command()
@ARCHIVE
@NAME
@PLACES
@click.argument("before", type=Finite(0))
@click.argument("after", type=Finite(0), required=False)
def handles(archive: Path, name: str, places: str, before: float, after: float | None) -> None:
    """Add seconds BEFORE and AFTER clips (the same, if only one is given), as far as the source has them free."""
    behind = before if after is None else after
    what = f"handles of {before:g} and {behind:g} s on {places}"
    first, last = Fraction(str(before)), Fraction(str(behind))
    _change_each(archive, name, places, what, lambda clip: replace(clip, before=first, after=last))


def _change_each(
    archive: Path, name: str, places: str, action: str, change_clip: Callable[[CutClip], CutClip]
) -> None:
    """Change clips, each by itself."""
    from search_app.cutting.cut_edits import change_clips

    def change(_: Archive, before: StoredCut) -> tuple[Edited, str]:
        return change_clips(before.clips, parse_places(places, len(before.clips)), change_clip), action

    _change(archive, name, change)


def _decide(command: str, state: str, about: str) -> click.Command:
    @click.command(command, help=about)
    @ARCHIVE
    @NAME
    @PLACES
    def decide(archive: Path, name: str, places: str) -> None:
        from search_app.cutting.stored_cut import State, editor_name

        editor = "" if state == State.OPEN else editor_name()
        _change_each(
            archive,
            name,
            places,
            f"{state} {places}",
            lambda clip: replace(clip, state=State(state), decided_by=editor),
        )

    return decide


accept = _decide("accept", "accepted", "Accept clips: `fit` keeps them as they are.")
reject = _decide("reject", "rejected", "Reject clips: they keep their places, and are in no film.")
reopen = _decide("reopen", "open", "Take back that clips were accepted or rejected.")


@click.command()
@ARCHIVE
@NAME
@PLACE
@click.option("--take", type=click.IntRange(1), help="Take this one of the list.")
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="Takes to list.")
@AS_JSON
def swap(archive: Path, name: str, place: str, take: int | None, limit: int, as_json: bool) -> None:
    """List what looks like a clip and is not in the cut list, the largest and sharpest copies first; take one.

    What is taken has the length of the clip, around the frame that is most alike.
    """
    from indexer.commands.console import print_json
    from indexer.library.presence import look_for_files
    from search_app.commands.cut_view import print_takes, take_json
    from search_app.cutting.cut_edits import replace_clip
    from search_app.cutting.cut_film import find_takes
    from search_app.cutting.stored_cut import read_cut
    from store.archive import Archive

    if take is not None and as_json:
        raise QueryError("--json: not together with --take, which lists nothing")
    if take is None:
        with Archive.open(archive) as opened:
            cut = read_cut(opened.snapshot(), name)
            takes = find_takes(opened.snapshot(), cut, parse_place(place, len(cut.clips)), limit)
            files = look_for_files(opened.snapshot(), (one.clip.video_id for one in takes))
        if as_json:
            print_json([take_json(one) for one in takes])
        else:
            print_takes(takes, files)
        return

    def change(opened: Archive, before: StoredCut) -> tuple[Edited, str]:
        number = parse_place(place, len(before.clips))
        takes = find_takes(opened.snapshot(), before, number, max(limit, take))
        if take > len(takes):
            raise QueryError(f"there is no take {take}: {n_of(len(takes), 'shot')} can stand for clip {place}")
        return replace_clip(before.clips, number, takes[take - 1].clip), f"swapped {place} for take {take}"

    _change(archive, name, change)


EDIT_COMMANDS = (
    order,
    fit,
    trim,
    split,
    merge,
    move,
    remove,
    note,
    handles,
    accept,
    reject,
    reopen,
    swap,
)
