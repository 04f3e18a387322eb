"""Drawings of what drives, floats and flies."""
# ruff: noqa: ARG001 - every drawing takes the beat, also of what keeps still

from __future__ import annotations

import math

from indexer.demo.pen import Palette, Pen


def draw_car(pen: Pen, c: Palette, beat: float) -> None:
    """A car from the side."""
    pen.poly(((-0.62, 0.5), (-0.36, 0.98), (0.28, 0.98), (0.6, 0.5)), c.main)
    pen.poly(((-0.5, 0.54), (-0.31, 0.88), (-0.06, 0.88), (-0.06, 0.54)), c.glass)
    pen.poly(((0.03, 0.54), (0.03, 0.88), (0.24, 0.88), (0.46, 0.54)), c.glass)
    pen.round_box(-0.98, 0.2, 0.98, 0.58, 0.12, c.main)
    pen.box(-0.97, 0.2, 0.97, 0.28, c.dark)
    pen.box(0.86, 0.42, 0.97, 0.52, c.gold)
    pen.line(((-0.02, 0.24), (-0.02, 0.54)), 0.02, c.dark)
    _draw_wheels(pen, c, (-0.56, 0.56), 0.21, beat)


def draw_bus(pen: Pen, c: Palette, beat: float) -> None:
    """A bus with a row of windows."""
    pen.round_box(-0.98, 0.16, 0.98, 1.0, 0.07, c.main)
    pen.box(-0.98, 0.38, 0.98, 0.46, c.pale)
    for i in range(5):
        left = -0.9 + i * 0.35
        pen.box(left, 0.54, left + 0.28, 0.88, c.glass)
    pen.box(0.84, 0.22, 0.95, 0.88, c.glass)
    pen.box(-0.98, 0.14, 0.98, 0.2, c.dark)
    _draw_wheels(pen, c, (-0.58, 0.55), 0.16, beat)


def draw_truck(pen: Pen, c: Palette, beat: float) -> None:
    """A lorry: a big load and a small cab."""
    pen.box(-0.98, 0.24, 0.42, 1.0, c.main)
    for i in range(1, 5):
        x = -0.98 + i * 0.28
        pen.line(((x, 0.28), (x, 0.97)), 0.018, c.dark)
    pen.poly(((0.48, 0.2), (0.48, 0.8), (0.76, 0.8), (0.96, 0.5), (0.96, 0.2)), c.silver)
    pen.poly(((0.58, 0.5), (0.58, 0.73), (0.73, 0.73), (0.87, 0.5)), c.glass)
    pen.box(-0.98, 0.16, 0.98, 0.26, c.ink)
    _draw_wheels(pen, c, (-0.68, -0.3, 0.68), 0.17, beat)


def draw_train(pen: Pen, c: Palette, beat: float) -> None:
    """A steam engine with smoke."""
    for i in range(3):
        k = (beat * 0.5 + i / 3) % 1.0
        pen.disc(0.82 - k * 0.5, 0.9 + k * 0.12, 0.06 + 0.07 * k, c.silver)
    pen.box(-1.1, 0.24, -0.45, 0.94, c.main)
    pen.box(-1.18, 0.9, -0.38, 1.0, c.dark)
    pen.box(-0.95, 0.56, -0.62, 0.84, c.glass)
    pen.round_box(-0.5, 0.28, 1.02, 0.68, 0.08, c.main)
    for x in (-0.1, 0.3, 0.62):
        pen.box(x, 0.28, x + 0.06, 0.68, c.gold)
    pen.poly(((0.74, 0.66), (0.7, 0.92), (0.98, 0.92), (0.94, 0.66)), c.ink)
    pen.disc(0.2, 0.7, 0.1, c.dark)
    pen.poly(((0.98, 0.05), (1.25, 0.05), (1.0, 0.34)), c.ink)
    pen.box(-1.14, 0.18, 1.04, 0.3, c.ink)
    _draw_wheels(pen, c, (-0.9, -0.55, 0.1, 0.45, 0.8), 0.15, beat)


def draw_bicycle(pen: Pen, c: Palette, beat: float) -> None:
    """A bicycle without a rider."""
    for x in (-0.46, 0.46):
        pen.ring(x, 0.33, 0.33, 0.055, c.ink)
        for i in range(3):
            a = -beat * 5 + i * math.pi / 3
            dx, dy = 0.3 * math.cos(a), 0.3 * math.sin(a)
            pen.line(((x - dx, 0.33 - dy), (x + dx, 0.33 + dy)), 0.012, c.grey)
    frame = ((-0.46, 0.33), (-0.2, 0.74), (0.32, 0.74), (-0.04, 0.33), (-0.46, 0.33))
    pen.line(frame, 0.085, c.main)
    pen.line(((-0.04, 0.33), (-0.24, 0.86)), 0.085, c.main)
    pen.line(((0.46, 0.33), (0.28, 0.95), (0.46, 0.98)), 0.075, c.main)
    pen.line(((-0.36, 0.88), (-0.12, 0.88)), 0.08, c.ink)
    pen.disc(-0.04, 0.33, 0.08, c.grey)


def draw_boat(pen: Pen, c: Palette, beat: float) -> None:
    """A sailing boat."""
    pen.line(((0.0, 0.2), (0.0, 1.0)), 0.035, c.wood)
    lean = 0.03 * math.sin(beat * 2)
    pen.poly(((0.04, 0.3), (0.04, 0.97), (0.5 + lean, 0.32)), c.paper)
    pen.poly(((-0.04, 0.32), (-0.04, 0.86), (-0.38 + lean, 0.34)), c.pale)
    pen.poly(((-0.66, 0.28), (0.68, 0.28), (0.46, 0.0), (-0.46, 0.0)), c.main)
    pen.poly(((-0.66, 0.28), (0.68, 0.28), (0.64, 0.21), (-0.61, 0.21)), c.dark)


def draw_plane(pen: Pen, c: Palette, beat: float) -> None:
    """An airliner from the side."""
    pen.poly(((-0.86, 0.5), (-1.08, 1.0), (-0.86, 1.0), (-0.52, 0.6)), c.dark)
    body = (
        (-1.08, 0.56), (-0.7, 0.36), (0.72, 0.34), (0.98, 0.42), (1.08, 0.52),
        (0.98, 0.62), (0.7, 0.7), (-0.6, 0.7),
    )  # fmt: skip
    pen.poly(body, c.main)
    pen.poly(((0.78, 0.6), (0.98, 0.58), (0.9, 0.66), (0.78, 0.68)), c.glass)
    for i in range(7):
        pen.disc(-0.5 + i * 0.17, 0.58, 0.04, c.glass)
    pen.poly(((0.2, 0.48), (-0.28, 0.48), (-0.62, 0.04), (-0.4, 0.04)), c.dark)
    pen.oval(-0.08, 0.24, 0.14, 0.08, c.grey)
    pen.poly(((-0.66, 0.56), (-0.86, 0.56), (-1.12, 0.4), (-1.0, 0.4)), c.dark)


def draw_helicopter(pen: Pen, c: Palette, beat: float) -> None:
    """A helicopter with a turning rotor."""
    pen.poly(((-0.1, 0.64), (-0.9, 0.62), (-0.9, 0.54), (-0.1, 0.42)), c.dark)
    pen.poly(((-0.98, 0.52), (-0.94, 0.8), (-0.84, 0.8), (-0.82, 0.52)), c.main)
    pen.oval(0.26, 0.5, 0.48, 0.3, c.main)
    pen.poly(((0.3, 0.48), (0.3, 0.74), (0.56, 0.68), (0.72, 0.48)), c.glass)
    pen.box(0.2, 0.78, 0.28, 0.94, c.ink)
    reach = 0.92 * (0.55 + 0.45 * abs(math.cos(beat * 9)))
    pen.line(((0.24 - reach, 0.95), (0.24 + reach * 0.8, 0.95)), 0.045, c.ink)
    for x in (0.05, 0.46):
        pen.line(((x, 0.24), (x, 0.06)), 0.035, c.ink)
    pen.line(((-0.2, 0.05), (0.66, 0.05), (0.76, 0.12)), 0.05, c.ink)


def draw_rocket(pen: Pen, c: Palette, beat: float) -> None:
    """A rocket with its flame."""
    flame = 0.03 * math.sin(beat * 17)
    pen.poly(((-0.09, 0.17), (0.09, 0.17), (0.0, 0.0 + flame)), c.gold)
    pen.poly(((-0.12, 0.42), (-0.26, 0.14), (-0.1, 0.2)), c.dark)
    pen.poly(((0.12, 0.42), (0.26, 0.14), (0.1, 0.2)), c.dark)
    body = (
        (-0.11, 0.16),
        (-0.16, 0.36),
        (-0.16, 0.6),
        (-0.1, 0.8),
        (0.0, 1.0),
        (0.1, 0.8),
        (0.16, 0.6),
        (0.16, 0.36),
        (0.11, 0.16),
    )
    pen.poly(body, c.main)
    pen.poly(((-0.1, 0.8), (0.0, 1.0), (0.1, 0.8)), c.dark)
    pen.disc(0.0, 0.6, 0.085, c.silver)
    pen.disc(0.0, 0.6, 0.06, c.glass)


def draw_balloon(pen: Pen, c: Palette, beat: float) -> None:
    """A hot-air balloon with a basket."""
    for x in (-0.1, 0.1):
        pen.line(((x, 0.12), (x * 2.2, 0.36)), 0.014, c.ink)
    pen.poly(((-0.3, 0.46), (0.3, 0.46), (0.12, 0.22), (-0.12, 0.22)), c.main)
    pen.oval(0.0, 0.64, 0.37, 0.36, c.main)
    pen.oval(0.0, 0.64, 0.22, 0.36, c.pale)
    pen.oval(0.0, 0.64, 0.09, 0.36, c.main)
    pen.box(-0.11, 0.0, 0.11, 0.14, c.wood)


def _draw_wheels(pen: Pen, c: Palette, xs: tuple[float, ...], radius: float, beat: float) -> None:
    for x in xs:
        pen.disc(x, radius, radius, c.ink)
        pen.disc(x, radius, radius * 0.5, c.silver)
        dx, dy = radius * 0.45 * math.cos(beat * 4), radius * 0.45 * math.sin(beat * 4)
        pen.line(((x - dx, radius - dy), (x + dx, radius + dy)), radius * 0.15, c.grey)
