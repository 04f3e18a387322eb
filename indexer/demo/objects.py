"""Drawings of buildings and of things people make, and the list of all drawings."""
# ruff: noqa: ARG001 - every drawing takes the beat, also of what keeps still

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from indexer.demo import living, vehicles
from indexer.demo.pen import Palette, Pen


def draw_house(pen: Pen, c: Palette, beat: float) -> None:
    """A house with a roof, a door and two windows."""
    pen.box(0.24, 0.72, 0.36, 0.98, c.outline)
    pen.box(-0.5, 0.0, 0.5, 0.6, c.main)
    pen.poly(((-0.62, 0.56), (0.62, 0.56), (0.0, 1.0)), c.outline)
    pen.box(-0.1, 0.0, 0.1, 0.34, c.wood)
    for x in (-0.34, 0.34):
        pen.box(x - 0.11, 0.22, x + 0.11, 0.46, c.paper)
        pen.box(x - 0.08, 0.25, x + 0.08, 0.43, c.glass)


def draw_castle(pen: Pen, c: Palette, beat: float) -> None:
    """A castle with three towers."""
    for x, top in ((-0.46, 0.78), (0.46, 0.78), (0.0, 0.96)):
        pen.box(x - 0.16, 0.0, x + 0.16, top - 0.08, c.main)
        for i in range(3):
            left = x - 0.16 + i * 0.12
            pen.box(left, top - 0.1, left + 0.08, top, c.main)
        pen.box(x - 0.04, top - 0.34, x + 0.04, top - 0.2, c.ink)
    pen.box(-0.4, 0.0, 0.4, 0.46, c.dark)
    for i in range(5):
        pen.box(-0.4 + i * 0.17, 0.44, -0.31 + i * 0.17, 0.52, c.dark)
    pen.box(-0.11, 0.0, 0.11, 0.22, c.ink)
    pen.disc(0.0, 0.22, 0.11, c.ink)


def draw_windmill(pen: Pen, c: Palette, beat: float) -> None:
    """A windmill with turning sails."""
    pen.poly(((-0.24, 0.0), (0.24, 0.0), (0.14, 0.66), (-0.14, 0.66)), c.main)
    pen.poly(((-0.17, 0.64), (0.17, 0.64), (0.0, 0.8)), c.outline)
    pen.box(-0.07, 0.0, 0.07, 0.18, c.wood)
    pen.box(-0.05, 0.32, 0.05, 0.42, c.glass)
    for i in range(4):
        a = beat * 1.5 + i * math.pi / 2
        x, y = math.cos(a), math.sin(a)
        root, tip = (0.1 * x, 0.62 + 0.1 * y), (0.4 * x, 0.62 + 0.4 * y)
        side = (tip[0] - 0.1 * y, tip[1] + 0.1 * x)
        pen.poly((root, tip, side, (root[0] - 0.1 * y, root[1] + 0.1 * x)), c.paper)
        pen.line(((0.0, 0.62), tip), 0.03, c.ink)
    pen.disc(0.0, 0.62, 0.045, c.ink)


def draw_lighthouse(pen: Pen, c: Palette, beat: float) -> None:
    """A striped lighthouse with its lamp."""
    for i in range(4):
        low, high = i * 0.18, (i + 1) * 0.18
        half_low, half_high = 0.2 - 0.1 * low / 0.72, 0.2 - 0.1 * high / 0.72
        colour = c.paper if i % 2 else c.main
        pen.poly(((-half_low, low), (half_low, low), (half_high, high), (-half_high, high)), colour)
    pen.box(-0.15, 0.71, 0.15, 0.75, c.ink)
    pen.box(-0.09, 0.75, 0.09, 0.88, c.glow)
    pen.poly(((-0.13, 0.88), (0.13, 0.88), (0.0, 1.0)), c.main)


def draw_tent(pen: Pen, c: Palette, beat: float) -> None:
    """A tent with an open door."""
    pen.poly(((-0.34, 0.98), (0.42, 0.98), (0.88, 0.0), (0.12, 0.0)), c.dark)
    pen.poly(((-0.84, 0.0), (-0.26, 1.0), (0.32, 0.0)), c.main)
    pen.poly(((-0.46, 0.0), (-0.26, 0.62), (-0.06, 0.0)), c.ink)
    pen.poly(((-0.26, 0.62), (-0.16, 0.3), (0.02, 0.0), (-0.06, 0.0)), c.pale)


def draw_ball(pen: Pen, c: Palette, beat: float) -> None:
    """A beach ball."""
    pen.disc(0.0, 0.5, 0.5, c.main)
    turn = 0.3 * math.sin(beat * 2)
    for lean in (turn, turn + math.pi / 2):
        pen.oval(0.0, 0.5, 0.13, 0.49, c.paper, lean)
    pen.disc(0.0, 0.5, 0.1, c.dark)
    pen.ring(0.0, 0.5, 0.5, 0.03, c.dark)


def draw_flag(pen: Pen, c: Palette, beat: float) -> None:
    """A flag waving on its pole."""
    pen.line(((-0.34, 0.0), (-0.34, 1.0)), 0.05, c.silver)
    pen.disc(-0.34, 0.98, 0.04, c.gold)
    top, low = [], []
    for i in range(9):
        x = -0.32 + i * 0.1
        wave = 0.05 * math.sin(beat * 5 - i * 0.8) * i / 8
        top.append((x, 0.95 + wave))
        low.append((x, 0.45 + wave))
    pen.poly(top + low[::-1], c.main)
    pen.poly(top[3:5] + low[3:5][::-1], c.dark)


def draw_moon(pen: Pen, c: Palette, beat: float) -> None:
    """A crescent moon."""
    outer = [(0.5 * math.cos(a), 0.5 + 0.5 * math.sin(a)) for a in _arc(0.9, 5.38, 20)]
    inner = [(0.23 + 0.4 * math.cos(a), 0.5 + 0.4 * math.sin(a)) for a in _arc(5.0, 1.28, 16)]
    pen.poly(outer + inner, c.main)
    pen.disc(-0.3, 0.42, 0.06, c.dark)
    pen.disc(-0.22, 0.68, 0.045, c.dark)


def draw_star(pen: Pen, c: Palette, beat: float) -> None:
    """A five-pointed star."""
    points = []
    for i in range(10):
        r = 0.52 if i % 2 == 0 else 0.22
        a = math.pi / 2 + i * math.pi / 5
        points.append((r * math.cos(a), 0.48 + r * math.sin(a)))
    pen.poly(points, c.main)
    pen.poly([points[0], points[1], (0.0, 0.48), points[9]], c.pale)


def draw_umbrella(pen: Pen, c: Palette, beat: float) -> None:
    """An open umbrella."""
    pen.line(((0.0, 0.98), (0.0, 0.08), (0.05, 0.02), (0.12, 0.04), (0.13, 0.12)), 0.035, c.ink)
    dome = [(0.52 * math.cos(a), 0.52 + 0.42 * math.sin(a)) for a in _arc(0.0, math.pi, 16)]
    pen.poly(dome, c.main)
    pen.poly([(0.0, 0.94), (-0.17, 0.52), (0.17, 0.52)], c.pale)
    for x in (-0.35, 0.0, 0.35):
        pen.oval(x, 0.52, 0.17, 0.07, c.dark)


def draw_chair(pen: Pen, c: Palette, beat: float) -> None:
    """A kitchen chair."""
    for x in (-0.26, 0.26):
        pen.line(((x, 0.46), (x, 0.02)), 0.07, c.dark)
    pen.line(((-0.14, 0.46), (-0.14, 0.1)), 0.05, c.outline)
    pen.line(((0.14, 0.46), (0.14, 0.1)), 0.05, c.outline)
    pen.line(((-0.26, 0.46), (-0.3, 0.98)), 0.075, c.main)
    pen.line(((0.2, 0.5), (0.18, 0.98)), 0.075, c.main)
    for y in (0.92, 0.74, 0.6):
        pen.line(((-0.28, y), (0.18, y)), 0.075, c.main)
    pen.poly(((-0.34, 0.42), (0.34, 0.42), (0.28, 0.54), (-0.3, 0.54)), c.main)


def draw_lamp(pen: Pen, c: Palette, beat: float) -> None:
    """A standing lamp with a coloured shade."""
    pen.oval(0.0, 0.03, 0.2, 0.03, c.ink)
    pen.line(((0.0, 0.03), (0.0, 0.68)), 0.035, c.ink)
    pen.disc(0.0, 0.64, 0.06, c.glow)
    pen.poly(((-0.26, 0.64), (0.26, 0.64), (0.14, 1.0), (-0.14, 1.0)), c.main)
    pen.poly(((-0.26, 0.64), (0.26, 0.64), (0.25, 0.68), (-0.25, 0.68)), c.dark)


def draw_clock(pen: Pen, c: Palette, beat: float) -> None:
    """A round clock with moving hands."""
    pen.disc(0.0, 0.5, 0.5, c.main)
    pen.disc(0.0, 0.5, 0.38, c.paper)
    for i in range(12):
        a = i * math.pi / 6
        x, y = math.cos(a), math.sin(a)
        pen.line(((0.31 * x, 0.5 + 0.31 * y), (0.36 * x, 0.5 + 0.36 * y)), 0.025, c.ink)
    for length, speed, width in ((0.3, 0.8, 0.035), (0.2, 0.07, 0.05)):
        a = 1.2 - beat * speed
        pen.line(((0.0, 0.5), (length * math.cos(a), 0.5 + length * math.sin(a))), width, c.ink)


def draw_cup(pen: Pen, c: Palette, beat: float) -> None:
    """A cup with steam."""
    for x in (-0.2, 0.05):
        pen.line([(x + 0.04 * math.sin(beat * 3 + i), 0.72 + i * 0.07) for i in range(5)], 0.035, c.silver)
    pen.ring(0.4, 0.34, 0.2, 0.075, c.main)
    pen.poly(((-0.44, 0.64), (0.34, 0.64), (0.26, 0.06), (0.2, 0.0), (-0.3, 0.0), (-0.36, 0.06)), c.main)
    pen.oval(-0.05, 0.64, 0.39, 0.07, c.dark)


def draw_kite(pen: Pen, c: Palette, beat: float) -> None:
    """A kite with a tail of bows."""
    tail = [(0.08 * math.sin(beat * 4 - i), 0.34 - i * 0.085) for i in range(5)]
    pen.line(tail, 0.02, c.ink)
    for x, y in tail[1::2]:
        pen.poly(((x - 0.07, y - 0.03), (x + 0.07, y + 0.03), (x + 0.07, y - 0.03), (x - 0.07, y + 0.03)), c.dark)
    pen.poly(((0.0, 1.0), (0.34, 0.72), (0.0, 0.32), (-0.34, 0.72)), c.main)
    pen.poly(((0.0, 1.0), (0.34, 0.72), (0.0, 0.72)), c.pale)
    pen.poly(((0.0, 0.32), (-0.34, 0.72), (0.0, 0.72)), c.dark)


def draw_guitar(pen: Pen, c: Palette, beat: float) -> None:
    """A guitar standing upright."""
    pen.box(-0.035, 0.46, 0.035, 0.94, c.wood)
    pen.box(-0.06, 0.9, 0.06, 1.0, c.ink)
    pen.oval(0.0, 0.2, 0.24, 0.2, c.main)
    pen.oval(0.0, 0.43, 0.17, 0.13, c.main)
    pen.disc(0.0, 0.36, 0.075, c.ink)
    pen.box(-0.1, 0.11, 0.1, 0.15, c.ink)


def draw_robot(pen: Pen, c: Palette, beat: float) -> None:
    """A robot of boxes."""
    lift = 0.05 * math.sin(beat * 4)
    for side in (-1, 1):
        pen.box(0.12 * side - 0.07, 0.0, 0.12 * side + 0.07, 0.26, c.grey)
        pen.line(((0.26 * side, 0.58), (0.4 * side, 0.36 + lift * side)), 0.075, c.grey)
    pen.box(-0.26, 0.22, 0.26, 0.64, c.main)
    pen.box(-0.14, 0.34, 0.14, 0.52, c.silver)
    pen.box(-0.05, 0.64, 0.05, 0.7, c.grey)
    pen.box(-0.22, 0.68, 0.22, 0.92, c.main)
    for x in (-0.1, 0.1):
        pen.disc(x, 0.81, 0.055, c.glow)
    pen.line(((0.0, 0.92), (0.0, 0.98)), 0.025, c.ink)
    pen.disc(0.0, 0.98, 0.03, c.gold)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawable thing: `draw(pen, palette, beat)`, and its width at a height of 1."""

    draw: Callable[[Pen, Palette, float], None]
    aspect: float


DRAWINGS: Final[dict[str, Drawing]] = {
    "car": Drawing(vehicles.draw_car, 2.0),
    "bus": Drawing(vehicles.draw_bus, 2.0),
    "truck": Drawing(vehicles.draw_truck, 2.0),
    "train": Drawing(vehicles.draw_train, 2.4),
    "bicycle": Drawing(vehicles.draw_bicycle, 1.6),
    "boat": Drawing(vehicles.draw_boat, 1.35),
    "plane": Drawing(vehicles.draw_plane, 2.2),
    "helicopter": Drawing(vehicles.draw_helicopter, 1.9),
    "rocket": Drawing(vehicles.draw_rocket, 0.55),
    "balloon": Drawing(vehicles.draw_balloon, 0.76),
    "house": Drawing(draw_house, 1.25),
    "castle": Drawing(draw_castle, 1.25),
    "windmill": Drawing(draw_windmill, 0.85),
    "lighthouse": Drawing(draw_lighthouse, 0.42),
    "tent": Drawing(draw_tent, 1.75),
    "tree": Drawing(living.draw_tree, 0.8),
    "palm": Drawing(living.draw_palm, 0.95),
    "flower": Drawing(living.draw_flower, 0.6),
    "mushroom": Drawing(living.draw_mushroom, 0.92),
    "cactus": Drawing(living.draw_cactus, 0.75),
    "person": Drawing(living.draw_person, 0.45),
    "dog": Drawing(living.draw_dog, 1.5),
    "cat": Drawing(living.draw_cat, 0.9),
    "horse": Drawing(living.draw_horse, 1.4),
    "bird": Drawing(living.draw_bird, 1.5),
    "duck": Drawing(living.draw_duck, 1.4),
    "fish": Drawing(living.draw_fish, 1.55),
    "butterfly": Drawing(living.draw_butterfly, 1.15),
    "ball": Drawing(draw_ball, 1.0),
    "flag": Drawing(draw_flag, 0.9),
    "moon": Drawing(draw_moon, 0.9),
    "star": Drawing(draw_star, 1.0),
    "umbrella": Drawing(draw_umbrella, 1.04),
    "chair": Drawing(draw_chair, 0.68),
    "lamp": Drawing(draw_lamp, 0.52),
    "clock": Drawing(draw_clock, 1.0),
    "cup": Drawing(draw_cup, 1.04),
    "kite": Drawing(draw_kite, 0.7),
    "guitar": Drawing(draw_guitar, 0.48),
    "robot": Drawing(draw_robot, 0.85),
}


def _arc(start: float, end: float, n: int) -> list[float]:
    return [start + (end - start) * i / (n - 1) for i in range(n)]
