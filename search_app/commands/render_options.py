"""Rendering of a cut list, as options of a command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from search_app.commands.as_one import as_one
from search_app.commands.film_options import add_film_options
from search_app.commands.picture_options import add_picture_options
from search_app.conforming.modes import Mode
from search_app.use_cases.options import RenderOptions

DRY_RUN = click.option(
    "--dry-run", is_flag=True, help="Only tell length, size, time and bad sources; write nothing."
)
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
    DRY_RUN,
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


def add_render_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of `RenderOptions`, as one named `rendering`, and a flag `dry_run`."""
    return add_picture_options(add_film_options(as_one(RenderOptions, "rendering", _OPTIONS)(command)))
