"""What every command that renders has in common: its options, the rendering, and what is said afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from search_app.conforming.modes import Mode
from search_app.conforming.picture_options import PictureOptions, add_picture_options
from search_app.errors import QueryError
from search_app.rendering.film_options import add_film_options

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.conforming.target_profile import Profile
    from search_app.cutting.cut_list import CutList
    from search_app.rendering.outcomes import RenderProgress, SupercutReport
    from store.archive import Archive

_OPTIONS = (
    click.option(
        "--mode",
        type=click.Choice([*map(str, Mode)]),
        default=str(Mode.EXACT),
        show_default=True,
        help="exact: every frame encoded anew; fast: copied where the source allows, else encoded, and the report "
        "says why; preview: small, rough and not verified.",
    ),
    click.option("--skip-missing", is_flag=True, help="Go on without clips whose source is missing or fails."),
    click.option("--dry-run", is_flag=True, help="Only tell length, size, time and bad sources; write nothing."),
    click.option("--overwrite", is_flag=True, help="Replace the output if it exists."),
)


_OF_ONE_RUN = ("skip_missing", "overwrite")
"""Options that say nothing about the film, and so are not in its manifest."""


def add_render_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command everything that says how a cut list becomes a film; `render_cut` takes it."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return add_picture_options(add_film_options(command))


def render_cut(
    archive: Archive | None,
    cut_list: CutList,
    output: Path,
    provenance: Mapping[str, Any],
    *,
    picture: PictureOptions | None = None,
    marks: Sequence[str] = (),
    quiet: bool = False,
    dry_run: bool = False,
    **options: Any,
) -> SupercutReport:
    """Render a cut list with a progress bar, or only tell what it would be and leave the command.

    Args:
        archive: where its clips come from, if it is at hand; none of its videos is ever written over.
        cut_list: the clips.
        output: the file to make.
        provenance: for the ledger.
        picture: size, framing and coding.
        marks: what rights say must be seen on each clip, empty for nothing.
        quiet: for programs: without the bar, and what is told as JSON.
        dry_run: render nothing.
        options: the others of `add_render_options`.
    """
    from indexer.console import progress_bar
    from indexer.media.ffmpeg import find_ffmpeg
    from indexer.scan import fingerprint_file
    from search_app.conforming.target_profile import commonest_coding
    from search_app.cutting.clip_texts import read_clip_texts
    from search_app.exports.manifest import seal_manifest
    from search_app.guard import refuse_archive_folder, refuse_footage
    from search_app.rendering.supercut import render_supercut

    refuse_archive_folder(output)
    snapshot = archive.snapshot() if archive else None
    if snapshot:
        refuse_footage(snapshot, output)
        options.setdefault("texts", read_clip_texts(snapshot, cut_list, marks))
    sources = [clip.facts for clip in cut_list.clips]
    if options.get("mode") == Mode.FAST:
        sources = commonest_coding(sources)
    if picture and sources:
        options["profile"] = picture.profile(sources, find_ffmpeg())
    if dry_run:
        _tell_estimate(cut_list, output, as_json=quiet, **options)
    with progress_bar(visible=not quiet) as bar:
        task = bar.add_task("rendering", total=1.0, detail="")

        def show(progress: RenderProgress) -> None:
            detail = f"{progress.n_clips_done}/{progress.n_clips}"
            bar.update(task, completed=progress.fraction, description=progress.stage.value, detail=detail)

        report = render_supercut(
            cut_list, output, identify=fingerprint_file, provenance=provenance, on_progress=show, **options
        )
    how = {name: value for name, value in options.items() if name not in _OF_ONE_RUN}
    seal_manifest(report, options=how, snapshot=snapshot)
    return report


def _tell_estimate(
    cut_list: CutList,
    output: Path,
    *,
    as_json: bool,
    mode: str = Mode.EXACT,
    profile: Profile | None = None,
    skip_missing: bool = False,
    **options: Any,
) -> None:
    """Say what would be rendered, and leave the command: with 1 if it could not be.

    Raises:
        QueryError: the mode is fast.
    """
    from indexer.console import print_json
    from indexer.scan import fingerprint_file
    from search_app.conforming.target_profile import shape_for
    from search_app.rendering.estimate import estimate_supercut
    from search_app.rendering.outcomes import left_out_lines

    if mode == Mode.FAST:
        raise QueryError(
            "--dry-run, --mode fast: what can be copied is only known once it is; leave one of them out"
        )
    profile = shape_for(Mode(mode), profile, [clip.facts for clip in cut_list.clips]) if cut_list.clips else None
    estimate = estimate_supercut(cut_list, output, profile=profile, identify=fingerprint_file, **options)
    if as_json:
        print_json(estimate.entries())
    else:
        click.echo("\n".join([estimate.summary(), *left_out_lines(cut_list.left_out)]))
    can_be_rendered = not estimate.unusable or (skip_missing and estimate.n_clips > 0)
    click.get_current_context().exit(0 if can_be_rendered else 1)


def finish_render(
    context: click.Context, archive: Archive | None, report: SupercutReport, *, as_json: bool
) -> None:
    """Remember what was used, say what came of it, and leave with 1 if a cut is wrong."""
    from indexer.console import print_json
    from search_app.rendering.ledger import read_ledger
    from search_app.saved import record_export

    if archive:
        record_export(archive, report.output.name, report.stretches)
    if as_json:
        print_json(read_ledger(report.ledger))
    else:
        click.echo(report.summary())
    if report.has_wrong_cut:
        context.exit(1)
