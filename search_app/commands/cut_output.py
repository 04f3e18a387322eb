"""The commands of `rushes cut` that look at cut lists and go back and forth in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.commands.options import ARCHIVE, AS_JSON, DEVICE
from search_app.commands.edit_cut import NAME
from search_app.commands.stored_output import export_stored, render_stored
from store.wording import n_of, printable

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.cutting.cut_list import Clip
    from search_app.cutting.stored_cut import StoredCut
    from store.archive import Archive


@click.command()
@ARCHIVE
@NAME
@DEVICE
@AS_JSON
def show(archive: Path, name: str, device: str, as_json: bool) -> None:
    """Show the clips of a cut list, what stands in the way of exporting them, and how many candidates are new.

    In and out are timecodes of the source, or count from its first frame if it has none; out is the frame behind
    the last. Handles, in frames before and after, are shown besides, as far as the source has them free.
    """
    from indexer.commands.console import print_json
    from indexer.library.presence import look_for_files
    from search_app.commands.cut_view import cut_json, find_edges, print_cut
    from search_app.confidence.calibration import calibration_of
    from search_app.cutting.cut_film import place_clips, relink_command
    from search_app.cutting.stored_cut import read_cut
    from search_app.relinking.relink import gone_places
    from search_app.use_cases.change_cut import look_for_news
    from store.archive import Archive

    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        cut = read_cut(snapshot, name)
        film = place_clips(snapshot, cut.clips)
        flagged = _flags(opened, cut, film)
        edges = find_edges(snapshot, cut, film)
        files = look_for_files(snapshot, (clip.video_id for clip in cut.clips))
        n_lost = len(gone_places(snapshot, cut.clips))
        news = len(look_for_news(opened, cut, device))
    if as_json:
        print_json(cut_json(cut, film, edges, flagged, news, files))
        return
    is_calibrated = snapshot.space is not None and calibration_of(snapshot.space.space_id) is not None
    print_cut(cut, film, edges, flagged, news, files, is_calibrated=is_calibrated)
    if n_lost:
        click.echo(printable(f"{n_of(n_lost, 'clip')} without a video: {relink_command(archive, name)}"))


def _flags(archive: Archive, cut: StoredCut, film: dict[int, Clip]) -> dict[int, str]:
    """For the place of a clip, what stands in the way of exporting it."""
    from search_app.cutting.cut_film import GONE
    from search_app.cutting.rights import rule_clips
    from search_app.use_cases.choose_clips import find_trouble

    snapshot = archive.snapshot()
    rulings = rule_clips([*film.values()], snapshot.rights())
    flags = {place: ruling.reason for place, ruling in zip(film, rulings, strict=True) if ruling.reason}
    trouble = find_trouble({clip.video_id: clip.paths for clip in film.values()}.items())
    for place, clip in enumerate(cut.clips, start=1):
        if clip.is_wanted and place not in film:
            flags[place] = GONE
        elif clip.video_id in trouble:
            flags[place] = "; ".join([trouble[clip.video_id], *filter(None, [flags.get(place)])])
    return flags


@click.command("list")
@ARCHIVE
@AS_JSON
def list_command(archive: Path, as_json: bool) -> None:
    """List the cut lists of ARCHIVE."""
    from indexer.commands.console import print_json, print_table
    from search_app.commands.cut_view import when
    from search_app.cutting.stored_cut import list_cuts
    from store.archive import Archive

    with Archive.open(archive) as opened:
        cuts = list_cuts(opened.snapshot())
    made = [next(step for step in cut.steps if step.version == cut.version and not step.is_move) for cut in cuts]
    if as_json:
        print_json(
            [
                {"name": cut.name, "number": cut.number, "clips": step.n_clips, "query": cut.query}
                for cut, step in zip(cuts, made, strict=True)
            ]
        )
        return
    rows = [
        (cut.name, str(cut.number), str(step.n_clips), when(step.time_ns), step.editor, cut.query)
        for cut, step in zip(cuts, made, strict=True)
    ]
    if not rows:
        click.echo("no cut lists yet; rushes cut new ARCHIVE NAME QUERY makes one", err=True)
        return
    print_table(("cut list", "version", "clips", "changed", "by", "query"), rows, right=(1, 2))


@click.command()
@ARCHIVE
@NAME
@AS_JSON
def log(archive: Path, name: str, as_json: bool) -> None:
    """List every version of a cut list: when, who, what; * is the one that counts."""
    from indexer.commands.console import print_json
    from search_app.commands.cut_view import log_json, print_log
    from search_app.cutting.stored_cut import read_deleted_too
    from store.archive import Archive

    with Archive.open(archive) as opened:
        cut = read_deleted_too(opened.snapshot(), name)
    if as_json:
        print_json(log_json(cut))
    else:
        print_log(cut)


def _go(archive: Path, name: str, how: str) -> None:
    from search_app.commands.cut_view import say_change
    from search_app.cutting import stored_cut
    from search_app.use_cases.change_cut import CutChange
    from store.archive import Archive

    steps: dict[str, Callable[[Archive, StoredCut], StoredCut]] = {
        "undone": stored_cut.undo,
        "redone": stored_cut.redo,
        "deleted": stored_cut.delete_cut,
    }
    with Archive.open(archive) as opened:
        read = stored_cut.read_cut if how == "deleted" else stored_cut.read_deleted_too
        after = steps[how](opened, read(opened.snapshot(), name))
        if how != "deleted":
            say_change(opened.snapshot(), CutChange(after, f"{how}, this is version {after.number}"))
    if how == "deleted":
        click.echo(f"{name}: deleted; `rushes cut undo` brings it back")


@click.command()
@ARCHIVE
@NAME
def undo(archive: Path, name: str) -> None:
    """Go back to the version before this one."""
    _go(archive, name, "undone")


@click.command()
@ARCHIVE
@NAME
def redo(archive: Path, name: str) -> None:
    """Go to the version that was undone last."""
    _go(archive, name, "redone")


@click.command()
@ARCHIVE
@NAME
def delete(archive: Path, name: str) -> None:
    """Delete a cut list; `undo` brings it back."""
    _go(archive, name, "deleted")


@click.command()
@ARCHIVE
@NAME
@click.option("--dismiss", is_flag=True, help="They were looked at, and are no candidates any more.")
@DEVICE
@AS_JSON
def candidates(archive: Path, name: str, dismiss: bool, device: str, as_json: bool) -> None:
    """List what came since the cut list was made and answers its question; `add --candidates` adds all of it."""
    from indexer.commands.console import print_json
    from search_app.commands.cut_view import print_candidates
    from search_app.commands.search_view import hit_json
    from search_app.cutting.stored_cut import read_cut
    from search_app.use_cases.answer import files_of_hits
    from search_app.use_cases.change_cut import dismiss_news, look_for_news
    from store.archive import Archive

    with Archive.open(archive) as opened:
        cut = read_cut(opened.snapshot(), name)
        hits = look_for_news(opened, cut, device)
        if dismiss and hits:
            dismiss_news(opened, cut, hits)
        files = files_of_hits(opened.snapshot(), hits)
    if as_json:
        print_json([hit_json(hit, files) for hit in hits])
    elif hits:
        print_candidates(hits, files)
    else:
        click.echo("no candidates since this cut", err=True)


OUTPUT_COMMANDS = (show, list_command, log, undo, redo, delete, candidates, render_stored, export_stored)
