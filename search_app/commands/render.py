"""Common part of rendering commands: options, the rendering, and the report afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from search_app.conforming.modes import Mode
from search_app.conforming.picture_options import PictureOptions, add_picture_options
from search_app.errors import QueryError, RenderError
from search_app.rendering.film_options import FilmOptions, add_film_options
from store.errors import ArchiveError
from store.wording import n_of

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.conforming.target_profile import Profile
    from search_app.cutting.cut_list import CutList
    from search_app.exports.poster import Poster
    from search_app.rendering.outcomes import RenderProgress, SupercutReport
    from store.archive import Archive

_OPTIONS = (
    click.option(
        "--mode",
        type=click.Choice([*map(str, Mode)]),
        default=str(Mode.EXACT),
        show_default=True,
        help="exact: every frame encoded anew; fast: copied where the source allows, else encoded, and the report "
        "says why; preview: at most 480 pixels, rough, not verified.",
    ),
    click.option("--skip-missing", is_flag=True, help="Go on without clips whose source is missing or fails."),
    click.option("--dry-run", is_flag=True, help="Only tell length, size, time and bad sources; write nothing."),
    click.option("--overwrite", is_flag=True, help="Replace the output if it exists."),
    click.option(
        "--keep-inexact",
        is_flag=True,
        help="Give a film its name though it is proven not to be exact; else it is kept as NAME.inexact.",
    ),
    click.option(
        "--poster",
        type=click.Path(path_type=Path),
        help="A .jpg or .png of one frame, in the size of the film: the sharpest of the clip that answers best.",
    ),
    click.option(
        "--poster-at",
        metavar="TIME",
        help="With --poster: this frame instead, as timecode or seconds of the film.",
    ),
)


_OF_ONE_RUN = ("skip_missing", "overwrite", "keep_inexact")
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
    poster: Path | None = None,
    poster_at: str | None = None,
    on_made: Callable[[SupercutReport], None] | None = None,
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
        poster: a picture to make of one frame; None for none.
        poster_at: which frame, as timecode or seconds; None for the sharpest of the best clip.
        on_made: told of the film as soon as it is there; if None, the archive remembers what was used.
        options: the others of `add_render_options`.

    Raises:
        RenderError: nothing was rendered; or the film is there, but not all that belongs beside it, which is said.
    """
    from search_app.cutting.clip_texts import read_clip_texts
    from search_app.exports.manifest import seal_manifest
    from search_app.exports.poster import write_poster
    from search_app.output_checks import refuse_archive_folder, refuse_footage

    refuse_archive_folder(output, poster)
    snapshot = archive.snapshot() if archive else None
    if snapshot:
        refuse_footage(snapshot, output, poster)
        options.setdefault("texts", read_clip_texts(snapshot, cut_list, marks))
    shape = _choose_shape(cut_list, picture, options)
    still = _asked_poster(poster, poster_at, cut_list, output, shape, options)
    if dry_run:
        _tell_estimate(cut_list, output, as_json=quiet, shape=shape, **options)
    report = _render(cut_list, output, provenance, options, shape, quiet=quiet)
    with _beside(report, "it was not remembered as used"):
        if on_made:
            on_made(report)
        elif archive:
            _remember(archive, report)
    how = {name: value for name, value in options.items() if name not in _OF_ONE_RUN}
    with _beside(report, "its manifest has no seal, so --from cannot render it again"):
        seal_manifest(report, options=how, snapshot=snapshot)
    if still:
        with _beside(report, f"{still.path} was not made"):
            write_poster(still, report)
    return report


def _choose_shape(cut_list: CutList, picture: PictureOptions | None, options: dict[str, Any]) -> Profile | None:
    """The shape that the film will have, None without clips; a profile that is asked for goes into the options."""
    from indexer.media.ffmpeg import find_ffmpeg
    from search_app.conforming.target_profile import commonest_coding, shape_for

    sources, seconds = [clip.facts for clip in cut_list.clips], [clip.span.duration for clip in cut_list.clips]
    mode = Mode(options.get("mode", Mode.EXACT))
    if not sources:
        return None
    if picture:
        like = commonest_coding(sources) if mode is Mode.FAST else sources
        lengths = seconds if len(like) == len(sources) else ()
        options["profile"] = picture.profile(like, find_ffmpeg(), lengths)
    return shape_for(mode, options.get("profile"), sources, seconds)


def _asked_poster(
    path: Path | None,
    at: str | None,
    cut_list: CutList,
    output: Path,
    shape: Profile | None,
    options: Mapping[str, Any],
) -> Poster | None:
    """The poster that is asked for, looked at before anything is rendered."""
    from search_app.exports.poster import Poster, check_poster
    from search_app.rendering.estimate import planned_frames

    if path is None:
        if at is not None:
            raise QueryError("--poster-at: only with --poster")
        return None
    poster = Poster(path, at)
    if shape:
        n_frames = planned_frames(cut_list.clips, shape, options.get("film"))
        check_poster(poster, cut_list, output, shape, n_frames, overwrite=options.get("overwrite", False))
    return poster


def _render(
    cut_list: CutList,
    output: Path,
    provenance: Mapping[str, Any],
    options: Mapping[str, Any],
    shape: Profile | None,
    *,
    quiet: bool,
) -> SupercutReport:
    """The film, with a line of what it will be, and a bar, for people."""
    from indexer.commands.console import progress_bar
    from indexer.library.scan import fingerprint_file
    from search_app.rendering.estimate import planned_frames
    from search_app.rendering.outcomes import RenderStage, length_words
    from search_app.rendering.supercut import render_supercut

    to_say = ""
    if shape and not quiet:
        film = options.get("film") or FilmOptions()
        n_frames, n_cards = planned_frames(cut_list.clips, shape, film), film.n_card_frames(shape.frame_rate)
        to_say = f"{n_of(len(cut_list.clips), 'clip')}, {length_words(shape, n_frames, n_cards)}"
    with progress_bar(visible=not quiet) as bar:
        task = bar.add_task("rendering", total=1.0, detail="")

        def show(progress: RenderProgress) -> None:
            nonlocal to_say
            if to_say and progress.stage is not RenderStage.PREFLIGHT:  # what is refused has no other line
                bar.console.print(to_say, highlight=False, markup=False)
                to_say = ""
            detail = f"{progress.n_clips_done}/{progress.n_clips}"
            bar.update(task, completed=progress.fraction, description=progress.stage.value, detail=detail)

        return render_supercut(
            cut_list, output, identify=fingerprint_file, provenance=provenance, on_progress=show, **options
        )


def _remember(archive: Archive, report: SupercutReport) -> None:
    from search_app.search.decisions import record_export

    record_export(archive, report.output.name, report.stretches)


@contextlib.contextmanager
def _beside(report: SupercutReport, loss: str) -> Iterator[None]:
    """What follows a film that is there: whatever ends it, what is lost is said."""
    said = f"{report.output} is made, but {loss}"
    try:
        yield
    except (ArchiveError, OSError) as error:
        raise RenderError(f"{said}: {error}") from error
    except KeyboardInterrupt:
        click.echo(f"{said}: stopped", err=True)
        raise


def _tell_estimate(
    cut_list: CutList,
    output: Path,
    *,
    as_json: bool,
    shape: Profile | None,
    mode: str = Mode.EXACT,
    profile: Profile | None = None,
    skip_missing: bool = False,
    keep_inexact: bool = False,
    **options: Any,
) -> None:
    """Say what would be rendered, and leave the command: with 1 if it could not be.

    Raises:
        QueryError: the mode is fast.
    """
    from indexer.commands.console import print_json, say
    from indexer.library.scan import fingerprint_file
    from search_app.rendering.estimate import estimate_supercut
    from search_app.rendering.ledger import left_out_entries
    from search_app.rendering.outcomes import left_out_lines

    if mode == Mode.FAST:
        raise QueryError(
            "--dry-run, --mode fast: what can be copied is only known once it is; leave one of them out"
        )
    del profile, keep_inexact  # the mode's, which the shape has; and what only a film can be
    estimate = estimate_supercut(cut_list, output, profile=shape, identify=fingerprint_file, **options)
    if as_json:
        print_json({**estimate.entries(), "left_out": left_out_entries(cut_list.left_out)})
    else:
        say("\n".join([estimate.summary(), *left_out_lines(cut_list.left_out)]))
    can_be_rendered = not estimate.unusable or (skip_missing and estimate.n_clips > 0)
    click.get_current_context().exit(0 if can_be_rendered else 1)


def finish_render(context: click.Context, report: SupercutReport, *, as_json: bool) -> None:
    """Say what came of it, and leave with 1 if a cut is wrong."""
    from indexer.commands.console import print_json, say
    from search_app.rendering.ledger import read_ledger

    if as_json:
        print_json(read_ledger(report.ledger))
    else:
        say(report.summary())
    if report.has_wrong_cut:
        context.exit(1)
