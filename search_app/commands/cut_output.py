"""The commands of `rushes cut` that look at cut lists, go back and forth in them, and make films of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.commands.options import ARCHIVE, AS_JSON, DEVICE
from search_app.commands.clip_source import ANSWER_OPTIONS, SKIP_MISSING, find_trouble
from search_app.commands.export import FORMAT_HELP, export
from search_app.commands.relink_cut import relink_command
from search_app.commands.search import given_options
from search_app.commands.supercut import supercut
from search_app.commands.timeline import timeline
from search_app.cutting.cut_options import flag_of
from search_app.errors import ExportError, QueryError
from store.wording import n_of

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.cutting.cut_list import Clip
    from search_app.cutting.stored_cut import StoredCut
    from search_app.search.ranking import Hit
    from store.archive import Archive

NAME = click.argument("name")
_TIMELINE_ENDINGS = (".otio", ".edl", ".fcpxml", ".xml")
_TIMELINE_HELP = """
\b
  .otio          a timeline of OpenTimelineIO
  .edl           a CMX 3600 list
  .fcpxml        for Final Cut Pro
  .xml           for Premiere, Resolve and Final Cut Pro 7"""


def look_for_news(archive: Archive, cut: StoredCut, device: str) -> list[Hit]:
    """What matches the question of a cut list, or is as sure as was asked for it, and is new to it, best first."""
    from search_app.commands.search import find
    from search_app.cutting.cut_film import LOOKED_AT, find_candidates
    from search_app.cutting.matches import Bar
    from search_app.cutting.stored_cut import BRANCH

    snapshot = archive.snapshot()
    if not cut.query or cut.settings.get("looked_at") == snapshot.manifest.segments_digest:
        return []
    result = find(archive, cut.query, device=device, limit=LOOKED_AT, stack=False)
    seen = snapshot.cut_seen(cut.name.partition(BRANCH)[0])
    return find_candidates(result.hits, seen, Bar.of_provenance(cut.settings.get("options", {})))


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
    from indexer.commands.console import print_json, printable
    from indexer.library.presence import look_for_files
    from search_app.commands.cut_view import cut_json, find_edges, print_cut
    from search_app.confidence.calibration import calibration_of
    from search_app.cutting.cut_film import place_clips
    from search_app.cutting.stored_cut import read_cut
    from search_app.relinking.relink import gone_places
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
            say_change(opened.snapshot(), after, f"{how}, this is version {after.number}")
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
    from search_app.commands.search_view import files_of_hits, hit_json
    from search_app.cutting.stored_cut import commit, read_cut
    from store.archive import Archive

    with Archive.open(archive) as opened:
        cut = read_cut(opened.snapshot(), name)
        hits = look_for_news(opened, cut, device)
        if dismiss and hits:
            settings = {**cut.settings, "looked_at": opened.snapshot().manifest.segments_digest}
            seen = [(part.shot.video_id, part.span) for hit in hits for part in hit.parts]
            action = f"dismissed {n_of(len(hits), 'candidate')}"
            commit(opened, cut, cut.clips, action, settings=settings, seen=seen)
        files = files_of_hits(opened.snapshot(), hits)
    if as_json:
        print_json([hit_json(hit, files) for hit in hits])
    elif hits:
        print_candidates(hits, files)
    else:
        click.echo("no candidates since this cut", err=True)


def _of_stored(
    name: str,
    about: str,
    choose: Callable[[dict[str, Any]], click.Command],
    *bases: click.Command,
    more: Sequence[Callable[[click.Command], click.Command]] = (),
    epilog: str | None = None,
) -> click.Command:
    """A command that does with a stored cut list what others do with an answer, with their other options.

    Args:
        name: of the command.
        about: its help.
        choose: which of the others is meant, by the options given.
        bases: the others.
        more: options that only a stored cut list has.
        epilog: what its help ends with.
    """
    known = {param.name for add in more for param in add(click.Command("")).params}
    others = {*ANSWER_OPTIONS, "archive", "manifest", "source_map", "allowed_files"}
    kept = {param.name: param for base in bases for param in base.params if param.name not in others}

    def callback(*args: Any, archive: Path, name: str, **options: Any) -> None:
        base = choose(options)
        own = {param.name for param in base.params} | known
        if foreign := sorted(given_options() & set(options) - own):
            raise QueryError(f"{', '.join(map(flag_of, foreign))}: not for {options['output'].name!r}")
        taken = {option: value for option, value in options.items() if option in own}
        assert base.callback is not None  # noqa: S101 - every command has one
        base.callback(*args, archive=archive, query=None, cut=name, **taken)

    command = click.Command(name, callback=callback, help=about, epilog=epilog)
    parameters: tuple[Callable[[click.Command], click.Command], ...] = (ARCHIVE, NAME, *more)
    for add_parameter in parameters:
        add_parameter(command)
    command.params += kept.values()
    return command


def _writer_of(options: dict[str, Any]) -> click.Command:
    """What writes a file of that name: the command for timelines, or that for everything else.

    Raises:
        ExportError: no format has its ending.
    """
    from search_app.exports.export import format_of

    file_name = options["output"].name.lower()
    if options["format_name"] is not None:
        return export
    if file_name.endswith(_TIMELINE_ENDINGS) and not file_name.endswith(".mpv.edl"):
        return timeline
    try:
        format_of(options["output"])
    except ExportError as error:
        raise ExportError(f"{error}, or of a timeline {', '.join(_TIMELINE_ENDINGS)}") from error
    return export


render = _of_stored(
    "render",
    "Render a cut list into one video, with every option of `rushes supercut` that is not about choosing.",
    lambda _: supercut,
    supercut,
)
export_stored = _of_stored(
    "export",
    "Write a cut list as a timeline, list, playlist, subtitles, chapters or contact sheet, with the endings and "
    "options of `rushes timeline` and `rushes export` that are not about choosing.",
    _writer_of,
    timeline,
    export,
    more=[SKIP_MISSING],
    epilog=_TIMELINE_HELP + FORMAT_HELP.removeprefix("\n\b"),
)

OUTPUT_COMMANDS = (show, list_command, log, undo, redo, delete, candidates, render, export_stored)
