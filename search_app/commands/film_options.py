"""Parts of a supercut beside its clips, as options of a command."""

from __future__ import annotations

from pathlib import Path

import click

from search_app.commands.as_one import as_one
from search_app.commands.number_types import Finite
from search_app.rendering.film_options import CARD_SECONDS, TRANSITION_SECONDS, FilmOptions, LowerThird, Subtitles
from search_app.rendering.transitions import Transition

_OPTIONS = (
    click.option(
        "--transition",
        type=click.Choice([*map(str, Transition)]),
        default=str(Transition.CUT),
        show_default=True,
        help="Between two clips: a cut, a cross-dissolve of both, or a dip to black.",
    ),
    click.option(
        "--transition-seconds",
        type=Finite(0, 10, min_open=True),
        help=f"How long it takes.  [default: {TRANSITION_SECONDS:g}]",
    ),
    click.option("--title", help="Text of a card before the first clip, and title of the file."),
    click.option("--end-card", help="Text of a card after the last clip."),
    click.option(
        "--card-seconds",
        type=Finite(0, 60, min_open=True),
        help="Length of a card; cards come on top of what --max-seconds and --fit allow."
        f"  [default: {CARD_SECONDS:g}]",
    ),
    click.option(
        "--lower-third",
        type=click.Choice([*map(str, LowerThird)]),
        help="Write over each clip what it shows, its file's name, when it was recorded, or its source's timecode "
        "as it runs.",
    ),
    click.option("--watermark", metavar="FILE|TEXT", help="A PNG, JPEG or WebP, or a text, over every clip."),
    click.option(
        "--subtitles",
        type=click.Choice([*map(str, Subtitles)]),
        help="Speech, from the archive's transcripts: in an .srt beside the film, or in its pictures.",
    ),
    click.option(
        "--loudness",
        type=Finite(-40, -5),
        metavar="LUFS",
        help="Make each clip and the whole so loud (EBU R128): -23 for broadcasting, -14 for the web.",
    ),
    click.option(
        "--music",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Lay this audio file under the film: looped or cut, faded out, quieter where clips are heard.",
    ),
    click.option("--chapters", is_flag=True, help="A chapter for each clip, named after its caption or file."),
)


add_film_options = as_one(FilmOptions, "film", _OPTIONS)
"""Gives a command the options of `FilmOptions`; it gets them as one, named `film`."""
