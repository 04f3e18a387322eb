"""Choice and order of clips, as options of a command."""

from __future__ import annotations

import click

from search_app.commands.as_one import as_one
from search_app.commands.number_types import Finite
from search_app.cutting.cut_options import FIT_LIMIT, LIMIT, MAX_CLIP, MIN_CLIP, SEED, CutOptions, Order

_SECONDS = Finite(0, min_open=True)
_OPTIONS = (
    click.option(
        "--limit",
        type=click.IntRange(1, 10_000),
        help=f"Matches to take at most; with --fit, to choose from.  [default: {LIMIT}; {FIT_LIMIT} with --fit]",
    ),
    click.option("--max-seconds", type=_SECONDS, help="Longest length; shots are taken in turn."),
    click.option("--handles", type=Finite(0), default=0.0, help="Seconds added around each shot."),
    click.option("--fit", type=_SECONDS, help="Fill so many seconds with the best clips that are unlike."),
    click.option("--max-per-source", type=click.IntRange(1), help="With --fit: most clips of one video."),
    click.option("--min-gap", type=Finite(0), help="With --fit: seconds between clips of one video."),
    click.option("--min-clip", type=Finite(0), help=f"With --fit: shortest clip.  [default: {MIN_CLIP:g}]"),
    click.option(
        "--max-clip",
        type=_SECONDS,
        help=f"With --fit: longest clip, trimmed around its best frame.  [default: {MAX_CLIP:g}]",
    ),
    click.option(
        "--order",
        type=click.Choice([*map(str, Order)]),
        default=str(Order.STORY),
        show_default=True,
        help="Order of the clips; story: as they answer, step after step.",
    ),
    click.option("--seed", type=int, help=f"With --order random: which one.  [default: {SEED}]"),
    click.option("--avoid-used", is_flag=True, help="Leave out what earlier exports show; take the next instead."),
    click.option("--nearest", is_flag=True, help="Take the nearest shots, whether they match or not."),
    click.option(
        "--min-sure",
        type=Finite(0, 100),
        metavar="PERCENT",
        help="Take shots that are at least so sure; without it matches alone: those of 50 %, or found by words.",
    ),
)


add_cut_options = as_one(CutOptions, "choice", _OPTIONS)
"""Gives a command the options of `CutOptions`; it gets them as one, named `choice`."""
