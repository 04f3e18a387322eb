"""`rushes cut`: named cut lists that are kept, changed, undone, rendered and exported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.commands.options import ARCHIVE, DEVICE
from search_app.commands.as_one import as_one
from search_app.commands.cut_output import OUTPUT_COMMANDS
from search_app.commands.edit_cut import AGAIN, EDIT_COMMANDS, NAME
from search_app.commands.export_options import ANSWER_OPTIONS, INCLUDE_MISSING, add_choice_options, refuse_given
from search_app.commands.relink_cut import relink
from search_app.errors import QueryError
from search_app.use_cases.options import AnswerSource

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.cutting.stored_cut import CutClip
    from store.archive import Archive

_CHOOSING = (ANSWER_OPTIONS | {"include_missing"}) - {"query"}
"""Names of the options that choose among answers: without effect where nothing is asked."""
_SHOTS = click.option(
    "--shot", multiple=True, metavar="SHOT", help="This shot; may be repeated, and mixed with --range, in order."
)
_TYPED = f"{__name__}.typed"
_RANGES = click.option(
    "--range",
    "ranges",
    nargs=3,
    multiple=True,
    metavar="VIDEO IN OUT",
    help="This stretch of a video, such as beach.mp4 1:02 1:08.5 or 1550f 1600f; may be repeated.",
)


class _InTypedOrder(click.Command):
    """Remembers in which order options were typed: click itself only keeps it among those of one name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as usual, after noting the order."""
        _, _, typed = self.make_parser(ctx).parse_args(args=[*args])
        ctx.meta[_TYPED] = [param.name for param in typed]
        return super().parse_args(ctx, args)


@click.group()
def cut() -> None:
    """Keep cut lists in the archive: choose, order, trim, undo, render.

    Every change is a version; `undo` and `redo` go back and forth, and nothing is ever overwritten. Clips are
    named by their places: 3, 3-5, 1,4,7-9, first, last or all. A name that begins with a dash goes behind --.
    """


@cut.command(cls=_InTypedOrder)
@ARCHIVE
@NAME
@click.argument("query", required=False)
@add_choice_options
@INCLUDE_MISSING
@_SHOTS
@_RANGES
@DEVICE
@as_one(AnswerSource, "source")
def new(
    archive: Path,
    name: str,
    source: AnswerSource,
    shot: tuple[str, ...],
    ranges: tuple[tuple[str, str, str], ...],
) -> None:
    """Begin the cut list NAME with the best shots for QUERY, or with named ones.

    It keeps the question: when new footage answers it, `show` says how many candidates there are.
    """
    from search_app.commands.cut_view import say_change
    from search_app.use_cases.change_cut import answer_clips, begin_cut, named_clips, refuse_name
    from store.archive import Archive

    with Archive.open(archive) as opened:
        before = refuse_name(opened, name)
        named = _named(opened, shot, ranges, source)
        found = answer_clips(opened, source) if named is None else named_clips(opened, named)
        say_change(opened.snapshot(), begin_cut(opened, before, found))


@cut.command(cls=_InTypedOrder)
@ARCHIVE
@NAME
@click.argument("query", required=False)
@add_choice_options
@INCLUDE_MISSING
@_SHOTS
@_RANGES
@click.option("--candidates", is_flag=True, help="All that `candidates` lists.")
@click.option("--at", type=click.IntRange(1), metavar="PLACE", help="Put them here.  [default: at the end]")
@AGAIN
@DEVICE
@as_one(AnswerSource, "source")
def add(
    archive: Path,
    name: str,
    source: AnswerSource,
    shot: tuple[str, ...],
    ranges: tuple[tuple[str, str, str], ...],
    candidates: bool,
    at: int | None,
    again: bool,
) -> None:
    """Add the best shots for QUERY, named shots, stretches of a video, or candidates; no other clip is touched."""
    from search_app.commands.cut_view import say_change
    from search_app.cutting.stored_cut import read_cut
    from search_app.use_cases.change_cut import add_to_cut, answer_clips, candidate_clips, named_clips
    from store.archive import Archive

    with Archive.open(archive) as opened:
        before = read_cut(opened.snapshot(), name)
        if candidates:
            _refuse_beside_candidates(source.query, shot, ranges)
            found = candidate_clips(opened, before, source.device, include_missing=source.include_missing)
        elif (named := _named(opened, shot, ranges, source)) is None:
            found = answer_clips(opened, source)
        elif named:
            found = named_clips(opened, named)
        else:
            raise QueryError("what? give a QUERY, --shot, --range or --candidates")
        changed = add_to_cut(opened, before, found, at, again=again, keep_settings=candidates)
        say_change(opened.snapshot(), changed)


def _named(
    archive: Archive, shots: Sequence[str], ranges: Sequence[tuple[str, str, str]], source: AnswerSource
) -> list[CutClip] | None:
    """The shots and stretches that were named, in the order typed; None where a question is asked."""
    from search_app.use_cases.change_cut import range_clip, shot_clip

    of_kind = {
        "shot": iter([shot_clip(archive, shot_id) for shot_id in shots]),
        "ranges": iter([range_clip(archive, *one) for one in ranges]),
    }
    typed = click.get_current_context().meta[_TYPED]
    named = [next(of_kind[kind]) for kind in typed if kind in of_kind]
    is_asked = source.query is not None or source.asked.like is not None or source.asked.saved is not None
    if named and is_asked:
        raise QueryError("give a QUERY, or name shots and ranges, not both at once")
    if is_asked:
        return None
    refuse_given("only with a QUERY", _CHOOSING)
    return named


def _refuse_beside_candidates(
    query: str | None, shots: Sequence[str], ranges: Sequence[tuple[str, str, str]]
) -> None:
    if query is not None or shots or ranges:
        raise QueryError(
            "--candidates adds what `rushes cut candidates` lists; leave out QUERY, --shot and --range"
        )
    refuse_given(
        "not together with --candidates, which adds all of them", _CHOOSING - {"device", "include_missing"}
    )


for _command in (*EDIT_COMMANDS, relink, *OUTPUT_COMMANDS):
    cut.add_command(_command)
