"""Drawings of people, animals and plants."""
# ruff: noqa: ARG001 - every drawing takes the beat, also of what keeps still

from __future__ import annotations

import math

from indexer.demo.pen import Palette, Pen


def draw_person(pen: Pen, c: Palette, beat: float) -> None:
    """A person walking, in a coloured coat."""
    swing = 0.09 * math.sin(beat * 5)
    pen.line(((-0.03, 0.46), (-0.04 - swing, 0.02)), 0.085, c.ink)
    pen.line(((0.03, 0.46), (0.04 + swing, 0.02)), 0.085, c.ink)
    pen.line(((-0.11, 0.76), (-0.19 + swing, 0.47)), 0.07, c.dark)
    pen.line(((0.11, 0.76), (0.19 - swing, 0.47)), 0.07, c.dark)
    pen.disc(-0.19 + swing, 0.46, 0.035, c.skin)
    pen.disc(0.19 - swing, 0.46, 0.035, c.skin)
    pen.poly(((-0.14, 0.8), (0.14, 0.8), (0.17, 0.38), (-0.17, 0.38)), c.main)
    pen.box(-0.035, 0.78, 0.035, 0.86, c.skin)
    pen.disc(0.0, 0.9, 0.095, c.skin)
    pen.poly(((-0.1, 0.9), (-0.08, 0.99), (0.05, 1.0), (0.1, 0.92), (0.02, 0.94)), c.wood)


def draw_dog(pen: Pen, c: Palette, beat: float) -> None:
    """A dog from the side, wagging."""
    wag = 0.08 * math.sin(beat * 9)
    pen.line(((-0.48, 0.6), (-0.68, 0.86 + wag)), 0.075, c.main)
    _draw_legs(pen, c, (-0.4, -0.26, 0.2, 0.34), 0.42, 0.1, beat)
    pen.oval(-0.05, 0.52, 0.48, 0.2, c.main)
    pen.poly(((0.16, 0.48), (0.24, 0.8), (0.52, 0.82), (0.44, 0.46)), c.main)
    pen.oval(0.44, 0.82, 0.21, 0.17, c.main)
    pen.round_box(0.48, 0.68, 0.8, 0.84, 0.05, c.main)
    pen.disc(0.78, 0.82, 0.05, c.ink)
    pen.oval(0.3, 0.78, 0.085, 0.2, c.dark, -0.25)
    pen.disc(0.53, 0.88, 0.032, c.ink)
    pen.line(((0.24, 0.6), (0.47, 0.6)), 0.05, c.gold)


def draw_cat(pen: Pen, c: Palette, beat: float) -> None:
    """A sitting cat with pointed ears."""
    curl = 0.06 * math.sin(beat * 3)
    pen.line(((-0.28, 0.07), (-0.5, 0.14), (-0.52 + curl, 0.42), (-0.42 + curl, 0.52)), 0.085, c.dark)
    pen.poly(((-0.34, 0.02), (-0.3, 0.3), (-0.12, 0.56), (0.14, 0.56), (0.28, 0.3), (0.3, 0.02)), c.main)
    pen.oval(-0.02, 0.12, 0.34, 0.12, c.main)
    pen.oval(0.02, 0.3, 0.12, 0.2, c.pale)
    pen.poly(((-0.24, 0.74), (-0.24, 1.0), (-0.04, 0.88)), c.main)
    pen.poly(((0.26, 0.74), (0.26, 1.0), (0.06, 0.88)), c.main)
    pen.oval(0.01, 0.7, 0.28, 0.22, c.main)
    for x in (-0.1, 0.12):
        pen.oval(x, 0.74, 0.05, 0.055, c.gold)
        pen.oval(x, 0.74, 0.02, 0.05, c.ink)
    pen.poly(((-0.03, 0.66), (0.05, 0.66), (0.01, 0.61)), c.skin)
    for dy in (0.0, 0.06):
        pen.line(((0.1, 0.62 + dy), (0.38, 0.6 + dy * 2)), 0.014, c.paper)
        pen.line(((-0.08, 0.62 + dy), (-0.36, 0.6 + dy * 2)), 0.014, c.paper)


def draw_horse(pen: Pen, c: Palette, beat: float) -> None:
    """A horse from the side."""
    flick = 0.05 * math.sin(beat * 3)
    pen.line(((-0.48, 0.62), (-0.64 + flick, 0.46), (-0.62 + flick, 0.24)), 0.085, c.outline)
    _draw_legs(pen, c, (-0.4, -0.28, 0.2, 0.31), 0.5, 0.075, beat)
    pen.oval(-0.06, 0.56, 0.46, 0.17, c.main)
    pen.poly(((0.12, 0.52), (0.38, 0.96), (0.58, 0.92), (0.4, 0.46)), c.main)
    pen.poly(((0.36, 0.96), (0.5, 0.98), (0.78, 0.7), (0.68, 0.63), (0.44, 0.78)), c.main)
    pen.poly(((0.36, 0.93), (0.4, 1.02), (0.46, 0.95)), c.dark)
    pen.line(((0.38, 0.98), (0.24, 0.86), (0.12, 0.64)), 0.09, c.outline)
    pen.disc(0.53, 0.86, 0.025, c.ink)


def draw_bird(pen: Pen, c: Palette, beat: float) -> None:
    """A flying bird, wings beating."""
    flap = math.sin(beat * 7)
    pen.poly(((-0.36, 0.42), (-0.76, 0.58), (-0.74, 0.34)), c.dark)
    pen.poly(((-0.2, 0.46), (0.12, 0.46), (-0.06, 0.62 - 0.42 * flap), (-0.4, 0.66 - 0.5 * flap)), c.dark)
    pen.oval(0.0, 0.42, 0.44, 0.17, c.main, 0.1)
    pen.disc(0.42, 0.54, 0.16, c.main)
    pen.poly(((0.54, 0.58), (0.78, 0.5), (0.54, 0.47)), c.gold)
    pen.disc(0.46, 0.58, 0.03, c.ink)
    pen.poly(((-0.22, 0.48), (0.2, 0.48), (0.0, 0.6 + 0.4 * flap), (-0.34, 0.62 + 0.46 * flap)), c.pale)


def draw_duck(pen: Pen, c: Palette, beat: float) -> None:
    """A swimming duck."""
    nod = 0.02 * math.sin(beat * 4)
    pen.poly(((-0.62, 0.64), (-0.5, 0.12), (0.36, 0.02), (0.56, 0.22), (0.42, 0.46), (-0.2, 0.42)), c.main)
    pen.oval(0.0, 0.24, 0.54, 0.24, c.main)
    pen.oval(-0.1, 0.3, 0.3, 0.13, c.dark, 0.25)
    pen.poly(((0.18, 0.3), (0.24, 0.76), (0.46, 0.7), (0.46, 0.24)), c.main)
    pen.disc(0.37, 0.79 + nod, 0.2, c.main)
    pen.poly(((0.5, 0.84 + nod), (0.8, 0.76 + nod), (0.52, 0.68 + nod)), c.gold)
    pen.disc(0.43, 0.86 + nod, 0.034, c.ink)


def draw_fish(pen: Pen, c: Palette, beat: float) -> None:
    """A fish."""
    swish = 0.12 * math.sin(beat * 6)
    pen.poly(((-0.36, 0.5), (-0.8, 0.92 + swish), (-0.68, 0.5), (-0.8, 0.08 + swish)), c.dark)
    pen.poly(((-0.2, 0.78), (0.0, 1.0), (0.28, 0.84)), c.dark)
    pen.poly(((-0.1, 0.24), (-0.02, 0.04), (0.16, 0.2)), c.dark)
    pen.oval(0.12, 0.5, 0.62, 0.36, c.main)
    for x in (-0.12, 0.1):
        pen.oval(x, 0.5, 0.04, 0.28, c.pale)
    pen.disc(0.5, 0.6, 0.085, c.paper)
    pen.disc(0.52, 0.6, 0.045, c.ink)


def draw_butterfly(pen: Pen, c: Palette, beat: float) -> None:
    """A butterfly with open wings."""
    open_ = 0.72 + 0.28 * abs(math.cos(beat * 5))
    for side in (-1, 1):
        s = side * open_
        pen.oval(0.3 * s, 0.68, 0.3 * open_, 0.25, c.main, 0.5 * side)
        pen.oval(0.24 * s, 0.28, 0.22 * open_, 0.2, c.main, -0.6 * side)
        pen.oval(0.34 * s, 0.72, 0.13 * open_, 0.11, c.pale, 0.5 * side)
        pen.oval(0.26 * s, 0.26, 0.09 * open_, 0.08, c.dark)
        pen.line(((0.0, 0.82), (0.12 * side, 1.0)), 0.02, c.outline)
    pen.oval(0.0, 0.5, 0.05, 0.36, c.ink)


def draw_tree(pen: Pen, c: Palette, beat: float) -> None:
    """A tree with a round crown."""
    sway = 0.012 * math.sin(beat * 2)
    pen.poly(((-0.07, 0.0), (0.07, 0.0), (0.045, 0.5), (-0.045, 0.5)), c.wood)
    pen.disc(-0.2 + sway, 0.56, 0.2, c.dark)
    pen.disc(0.2 + sway, 0.56, 0.2, c.dark)
    pen.disc(sway, 0.7, 0.29, c.main)
    pen.disc(-0.16 + sway, 0.62, 0.17, c.main)
    pen.disc(0.18 + sway, 0.63, 0.16, c.main)
    pen.disc(-0.08 + sway, 0.79, 0.11, c.pale)


def draw_palm(pen: Pen, c: Palette, beat: float) -> None:
    """A palm tree."""
    sway = 0.02 * math.sin(beat * 2)
    pen.line(((-0.12, 0.0), (-0.06, 0.3), (0.02, 0.56), (0.06, 0.74)), 0.085, c.wood)
    for angle in (-0.5, 0.25, 0.95, 2.2, 2.9, 3.65):
        x, y = math.cos(angle), math.sin(angle)
        tip = (0.06 + 0.46 * x + sway, 0.74 + 0.26 * y - 0.1)
        middle = (0.06 + 0.26 * x, 0.76 + 0.22 * y + 0.04)
        low = (0.06 + 0.2 * x, 0.74 + 0.16 * y - 0.06)
        pen.poly(((0.06, 0.76), middle, tip, low), c.main if angle < 2 else c.dark)
    pen.disc(0.02, 0.7, 0.045, c.outline)
    pen.disc(0.1, 0.69, 0.045, c.outline)


def draw_flower(pen: Pen, c: Palette, beat: float) -> None:
    """A flower with round petals."""
    sway = 0.015 * math.sin(beat * 2)
    pen.line(((0.0, 0.0), (0.01, 0.4), (sway, 0.66)), 0.045, c.leaf)
    pen.oval(0.12, 0.24, 0.13, 0.05, c.leaf, 0.6)
    pen.oval(-0.11, 0.16, 0.12, 0.05, c.leaf, -0.6)
    for i in range(6):
        a = i * math.pi / 3
        pen.oval(0.18 * math.cos(a) + sway, 0.7 + 0.18 * math.sin(a), 0.13, 0.095, c.main, a)
    pen.disc(sway, 0.7, 0.095, c.gold)


def draw_mushroom(pen: Pen, c: Palette, beat: float) -> None:
    """A mushroom with a spotted cap."""
    pen.poly(((-0.17, 0.0), (0.17, 0.0), (0.12, 0.5), (-0.12, 0.5)), c.paper)
    cap = [(0.46 * math.cos(math.pi * i / 14), 0.42 + 0.56 * math.sin(math.pi * i / 14)) for i in range(15)]
    pen.poly(cap, c.main)
    pen.oval(0.0, 0.43, 0.46, 0.07, c.dark)
    for x, y, r in ((-0.22, 0.6, 0.07), (0.02, 0.78, 0.085), (0.24, 0.6, 0.065), (0.0, 0.56, 0.05)):
        pen.disc(x, y, r, c.paper)


def draw_cactus(pen: Pen, c: Palette, beat: float) -> None:
    """A cactus with two arms."""
    pen.line(((-0.1, 0.38), (-0.3, 0.38), (-0.3, 0.66)), 0.14, c.main)
    pen.line(((0.1, 0.5), (0.3, 0.5), (0.3, 0.8)), 0.14, c.main)
    pen.disc(-0.3, 0.66, 0.07, c.main)
    pen.disc(0.3, 0.8, 0.07, c.main)
    pen.round_box(-0.13, 0.0, 0.13, 1.0, 0.12, c.main)
    for x in (-0.05, 0.05):
        pen.line(((x, 0.04), (x, 0.93)), 0.02, c.dark)


def _draw_legs(pen: Pen, c: Palette, xs: tuple[float, ...], top: float, width: float, beat: float) -> None:
    for i, x in enumerate(xs):
        swing = 0.07 * math.sin(beat * 5 + i * math.pi * 0.9)
        pen.line(((x, top), (x + swing, width / 2)), width, c.dark if i % 2 else c.main)
