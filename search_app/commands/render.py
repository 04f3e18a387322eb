"""Common part of rendering commands: options, the rendering, and the report afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from search_app.commands.as_one import given_options
from search_app.errors import QueryError

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.rendering.outcomes import RenderProgress, SupercutReport
    from search_app.use_cases.choose_clips import ChosenClips
    from search_app.use_cases.make_again import FilmBefore
    from search_app.use_cases.make_film import FilmPlan, MadeFilm
    from search_app.use_cases.options import ClipSource, RenderOptions
    from store.archive import Archive

EACH = click.option(
    "--each",
    is_flag=True,
    help="Every clip as a file of its own; OUTPUT: a folder, or a name like FOLDER/{place}_{source}.mov.",
)
_OF_THE_WHOLE = {"transition", "transition_seconds", "chapters", "dry_run", "poster", "poster_at"}


def render_source(
    archive: Path,
    source: ClipSource,
    output: Path,
    rendering: RenderOptions,
    *,
    dry_run: bool,
    each: bool,
    as_json: bool,
) -> None:
    """Make a film, or a file of each clip, and say what came of it; the command ends with 1 if a cut is wrong."""
    from search_app.output_files import refuse_footage
    from search_app.use_cases.choose_clips import choose_export, film_needs
    from search_app.use_cases.make_film import prepare_film
    from store.archive import Archive

    if each:
        _refuse_beside_each()
    with Archive.open(archive) as opened:
        refuse_footage(opened.snapshot(), output)
        chosen = choose_export(opened, source, film_needs(rendering))
        if each:
            _render_clips(opened, chosen, output, rendering, as_json=as_json)
            return
        plan = prepare_film(opened, chosen, output, rendering)
        finish_film(plan, dry_run=dry_run, as_json=as_json)


def finish_film(plan: FilmPlan, *, dry_run: bool, as_json: bool) -> SupercutReport:
    """Make a film that was planned, or only tell what it would be; say what came of it."""
    if dry_run:
        _tell_estimate(plan, as_json=as_json)
    made = make_shown(plan, quiet=as_json)
    made.refuse_losses()
    say_film(made.report, as_json=as_json)
    return made.report


def render_again(
    archive: Path | None,
    before: FilmBefore,
    output: Path,
    rendering: RenderOptions,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make a film again, and say whether it is the same; the command ends with 1 if it is not."""
    from search_app.use_cases.make_again import difference_from, prepare_again
    from store.wording import printable

    for line in before.notes:
        click.echo(printable(line), err=True)
    with _opened(archive or before.find_archive()) as opened:
        plan = prepare_again(opened, before, output, rendering)
        if opened is None:
            click.echo("rights were not checked: name the ARCHIVE to ask what is blocked now", err=True)
        report = finish_film(plan, dry_run=dry_run, as_json=as_json)
    difference = difference_from(before, report)
    verdict = "is the same film: every decoded picture and all sound" if not difference else "is another film: "
    click.echo(f"{report.output} {verdict}{difference}", err=True)
    if difference:
        click.get_current_context().exit(1)


@contextmanager
def _opened(archive: Path | None) -> Iterator[Archive | None]:
    from store.archive import Archive

    if archive is None:
        yield None
    else:
        with Archive.open(archive) as opened:
            yield opened


def make_shown(plan: FilmPlan, *, quiet: bool) -> MadeFilm:
    """Make a film, with a line of what it will be, and a bar, for people."""
    from search_app.use_cases.make_film import make_film

    with film_bar("" if quiet else plan.summary(), visible=not quiet) as show:
        return make_film(plan, on_progress=show)


@contextmanager
def film_bar(summary: str, *, visible: bool) -> Iterator[Callable[[RenderProgress], None]]:
    """A progress bar that shows how far a film is, under a line of what it will be."""
    from indexer.commands.console import progress_bar
    from search_app.rendering.outcomes import RenderStage

    to_say = summary
    with progress_bar(visible=visible) as bar:
        task = bar.add_task("rendering", total=1.0, detail="")

        def show(progress: RenderProgress) -> None:
            nonlocal to_say
            if to_say and progress.stage is not RenderStage.PREFLIGHT:  # what is refused has no other line
                bar.console.print(to_say, highlight=False, markup=False)
                to_say = ""
            detail = f"{progress.n_clips_done}/{progress.n_clips}"
            bar.update(task, completed=progress.fraction, description=progress.stage.value, detail=detail)

        yield show


def _tell_estimate(plan: FilmPlan, *, as_json: bool) -> None:
    """Say what would be rendered, and leave the command: with 1 if it could not be."""
    from indexer.commands.console import print_json, say
    from search_app.rendering.ledger import left_out_entries
    from search_app.rendering.outcomes import left_out_lines
    from search_app.use_cases.make_film import estimate_film

    estimate, left_out = estimate_film(plan), plan.cut_list.left_out
    if as_json:
        print_json({**estimate.entries(), "left_out": left_out_entries(left_out)})
    else:
        say("\n".join([estimate.summary(), *left_out_lines(left_out)]))
    can_be_made = not estimate.unusable or (plan.options.skip_missing and estimate.n_clips > 0)
    click.get_current_context().exit(0 if can_be_made else 1)


def say_film(report: SupercutReport, *, as_json: bool) -> None:
    """Say what came of a film, and leave the command with 1 if a cut is wrong."""
    from indexer.commands.console import print_json, say
    from search_app.rendering.ledger import read_ledger

    if as_json:
        print_json(read_ledger(report.ledger))
    else:
        say(report.summary())
    if report.has_wrong_cut:
        click.get_current_context().exit(1)


def _refuse_beside_each() -> None:
    """Refuse what has no effect on clips that are alone.

    Raises:
        QueryError: names the option.
    """
    if between := sorted(given_options() & _OF_THE_WHOLE):
        raise QueryError(f"--{between[0].replace('_', '-')}: not together with --each, where no film is made")


def _render_clips(
    archive: Archive, chosen: ChosenClips, output: Path, rendering: RenderOptions, *, as_json: bool
) -> None:
    """Render every clip into a file of its own, and say what came of each."""
    from indexer.commands.console import print_json
    from search_app.rendering.ledger import read_ledger
    from search_app.rendering.outcomes import left_out_lines
    from search_app.use_cases.make_clips import make_clips
    from store.wording import printable

    def show(path: Path, report: SupercutReport) -> None:
        click.echo(f"{printable(path.name)}: {report.verification_line()}", err=True)

    made = make_clips(archive, chosen, output, rendering, show)
    for one in made.files:
        if one.reason:
            click.echo(printable(f"clip {one.planned.number} failed: {one.reason}"), err=True)
    for line in left_out_lines(made.left_out):
        click.echo(printable(line), err=True)
    if as_json:
        print_json(read_ledger(made.ledger))
    else:
        click.echo(made.summary())
    if not made.is_whole:
        click.get_current_context().exit(1)
