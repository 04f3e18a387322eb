"""Size, framing and coding of a supercut, as options of a command."""

from __future__ import annotations

import click

from search_app.commands.as_one import as_one
from search_app.conforming.picture_names import Encoder, Framing, Preset
from search_app.conforming.picture_options import PictureOptions

_OPTIONS = (
    click.option(
        "--preset",
        type=click.Choice([*map(str, Preset)]),
        help="A ready-made profile; without one, H.264 in the commonest size and rate of the sources.",
    ),
    click.option(
        "--framing",
        type=click.Choice([*map(str, Framing)]),
        help="Pictures of another shape: whole inside black bars, cropped to fill, whole before a blurred copy, "
        "or cropped around what draws the eye.  [default: pad]",
    ),
    click.option("--size", metavar="WxH", help="Width and height in pixels, both even."),
    click.option("--rate", metavar="FPS", help="Frames per second: 25, 29.97, 30000/1001."),
    click.option(
        "--crf",
        type=click.IntRange(0, 51),
        help="Quality of H.264, lower is better.  [default: 18; 20 with a preset]",
    ),
    click.option(
        "--encoder",
        type=click.Choice([*map(str, Encoder)]),
        help="H.264 encoder; auto: a graphics card if one works.  [default: software]",
    ),
    click.option(
        "--audio-track",
        type=click.IntRange(1, 64),
        help="Sound track of each source.  [default: the one that the file names]",
    ),
)


add_picture_options = as_one(PictureOptions, "picture", _OPTIONS)
"""Gives a command the options of `PictureOptions`; it gets them as one, named `picture`."""
