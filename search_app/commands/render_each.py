"""`rushes supercut --each`: every clip as a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from search_app.commands.render import render_cut
from search_app.commands.search import given_options
from search_app.errors import QueryError

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from collections.abc import Mapping, Sequence

    from search_app.cutting.cut_list import CutList
    from search_app.rendering.outcomes import SupercutReport
    from store.archive import Archive

EACH = click.option(
    "--each",
    is_flag=True,
    help="Every clip as a file of its own; OUTPUT: a folder, or a name like FOLDER/{place}_{source}.mov.",
)
_OF_THE_WHOLE = {"transition", "transition_seconds", "chapters", "dry_run", "poster", "poster_at"}


def refuse_beside_each() -> None:
    """Refuse what has no effect on clips that are alone.

    Raises:
        QueryError: names the option.
    """
    if between := sorted(given_options() & _OF_THE_WHOLE):
        raise QueryError(f"--{between[0].replace('_', '-')}: not together with --each, where no film is made")


def render_clips(
    context: click.Context,
    archive: Archive,
    cut_list: CutList,
    marks: Sequence[str],
    output: Path,
    provenance: Mapping[str, Any],
    *,
    as_json: bool,
    **options: Any,
) -> None:
    """Render every clip into a file of its own, and say what came of each.

    Args:
        context: of the command; left with 1 if a clip failed or is not exact.
        archive: where the clips come from.
        cut_list: the clips.
        marks: what rights say must be seen on each.
        output: folder, or name with fields.
        provenance: for the ledgers.
        as_json: print the folder's ledger instead of lines.
        options: those of `add_render_options`.
    """
    from indexer.commands.console import print_json, printable
    from search_app.conforming.picture_names import Codec
    from search_app.conforming.presets import PRESETS
    from search_app.exports.film import plan_film
    from search_app.exports.separate_clips import LEDGER, render_each
    from search_app.rendering.ledger import read_ledger
    from search_app.rendering.outcomes import left_out_lines
    from search_app.search.decisions import record_export

    film = plan_film(cut_list, output.name, question=str(provenance["query"]))

    made: list[SupercutReport] = []

    def render(one: CutList, path: Path) -> SupercutReport:
        mark = marks[cut_list.clips.index(one.clips[0])]
        report = render_cut(
            archive, one, path, provenance, marks=[mark], quiet=True, on_made=made.append, **options
        )
        click.echo(f"{printable(path.name)}: {report.verification_line()}", err=True)
        return report

    picture = options.get("picture")
    codec = PRESETS[picture.preset].codec if picture and picture.preset else Codec.H264
    try:
        files = render_each(film, cut_list, output, render, overwrite=options["overwrite"], codec=codec)
    finally:  # also of a run that was stopped: what is there was used
        if made:
            record_export(archive, output.name, [stretch for report in made for stretch in report.stretches])
    done = [one.report for one in files if one.report]
    folder = files[0].path.parent
    for one in files:
        if one.reason:
            click.echo(printable(f"clip {one.planned.number} failed: {one.reason}"), err=True)
    for line in left_out_lines(cut_list.left_out):
        click.echo(printable(line), err=True)
    if as_json:
        print_json(read_ledger(folder / LEDGER))
    else:
        click.echo(f"{folder}: {len(done)} of {len(files)} clips, {_verdict(done)}; {LEDGER} lists them")
    failed = len(done) < len(files) and not options["skip_missing"]
    if failed or not done or any(report.has_wrong_cut for report in done):
        context.exit(1)


def _verdict(done: Sequence[SupercutReport]) -> str:
    """Number of exact files among those that could be compared."""
    compared = [report for report in done if report.is_verified]
    if not compared:
        return next((report.verification_line() for report in done), "none made")
    return f"{sum(report.is_exact for report in compared)}/{len(compared)} exact"
