"""Backgrounds: one drawing for each place of the drawn world."""
# ruff: noqa: S311 - chance is seeded on purpose: the same seed, the same pictures

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from PIL import Image, ImageDraw

from indexer.demo.pen import Light, Point, Rgb, mix


@dataclass(slots=True)
class Backdrop:
    """A canvas for a background and the camera that looks at it.

    Background coordinates: x from 0 (left) to 1, y from 0 (top) to 1 of the frame at rest. `depth` says how
    much of the camera's pan a layer follows: 0 is infinitely far away, 1 is where the things are.
    """

    image: Image.Image
    draw: ImageDraw.ImageDraw
    light: Light
    weather: str
    seconds: float
    seed: int
    pan_x: float
    pan_y: float
    zoom: float
    detail: float
    sky: tuple[Rgb, Rgb]
    lamps: list[tuple[float, float, float, float]] = field(default_factory=list)

    def xy(self, x: float, y: float, depth: float) -> Point:
        """Canvas coordinates of a background point."""
        zoom = 1 + (self.zoom - 1) * (0.4 + 0.6 * depth)
        return (
            (0.5 + (x - 0.5 - self.pan_x * depth) * zoom) * self.image.width,
            (0.5 + (y - 0.5 - self.pan_y * depth) * zoom) * self.image.height,
        )

    def poly(self, points: list[Point], colour: Rgb, depth: float) -> None:
        """A filled polygon in the light of the hour."""
        tinted = self.light.tint(self.whiten(colour))
        self.draw.polygon([self.xy(x, y, depth) for x, y in points], fill=tinted)

    def whiten(self, colour: Rgb) -> Rgb:
        """Snowfall covers what it falls on."""
        return mix(colour, (236, 240, 246), 0.42) if self.weather == "snow" else colour

    def box(self, left: float, top: float, right: float, bottom: float, colour: Rgb, depth: float) -> None:
        """A filled rectangle."""
        self.poly([(left, top), (right, top), (right, bottom), (left, bottom)], colour, depth)

    def band(self, top: float, bottom: float, upper: Rgb, lower: Rgb, depth: float) -> None:
        """A strip over the whole width that shades from one colour to another."""
        y0, y1 = self.xy(0, top, depth)[1], self.xy(0, bottom, depth)[1]
        first, last = max(0, math.floor(y0)), min(self.image.height, math.ceil(y1))
        steps = 24
        a, b = self.light.tint(self.whiten(upper)), self.light.tint(self.whiten(lower))
        for i in range(steps):
            low, high = first + (last - first) * i // steps, first + (last - first) * (i + 1) // steps
            if high > low:
                self.draw.rectangle((0, low, self.image.width, high), fill=mix(a, b, i / (steps - 1)))

    def rng(self, name: str) -> random.Random:
        """The same chance in every frame of the shot."""
        return random.Random(f"{name} {self.seed}")


def paint_sky(b: Backdrop, bottom: float) -> None:
    """The sky down to the horizon, with stars at night, a low sun at dusk and clouds by day."""
    top, low = b.sky
    end = round(b.xy(0, bottom, 0.3)[1]) + 2
    steps = 40
    for i in range(steps):
        y0, y1 = end * i // steps, end * (i + 1) // steps
        b.draw.rectangle((0, y0, b.image.width, y1), fill=mix(top, low, i / (steps - 1)))
    rng = b.rng("sky")
    if b.weather == "night":
        for _ in range(46):
            x, y = b.xy(rng.uniform(-0.05, 1.05), rng.uniform(0, bottom), 0.05)
            r = rng.uniform(0.5, 1.5) * b.image.height / 420
            b.draw.ellipse((x - r, y - r, x + r, y + r), fill=(226, 230, 255))
    elif b.weather == "dusk":
        x, y = b.xy(rng.uniform(0.2, 0.8), bottom - 0.03, 0.05)
        for r, colour in ((0.13, (252, 150, 84)), (0.085, (255, 206, 120))):
            px = r * b.image.height
            b.draw.ellipse((x - px, y - px, x + px, y + px), fill=colour)
    if b.weather in ("clear", "dusk"):
        white: Rgb = (250, 252, 255) if b.weather == "clear" else (226, 132, 130)
        for _ in range(4):
            _paint_cloud(b, rng, rng.uniform(0.04, bottom * 0.75), white)


def _paint_cloud(b: Backdrop, rng: random.Random, y: float, colour: Rgb) -> None:
    x, size = rng.uniform(-0.1, 1.1) + b.seconds * 0.006, rng.uniform(0.03, 0.06)
    for i in range(4):
        px, py = b.xy(x + (i - 1.5) * size * 0.75, y + size * 0.25 * (i % 2), 0.08)
        rx, ry = size * b.image.width * 0.62, size * b.image.height * 0.55
        b.draw.ellipse((px - rx, py - ry, px + rx, py + ry), fill=colour)


def paint_sea(b: Backdrop) -> None:
    """Open water up to the horizon."""
    paint_sky(b, 0.46)
    b.band(0.45, 1.2, (42, 118, 170), (18, 66, 128), 0.5)
    _paint_waves(b, 0.48, 1.05, 26)


def _paint_waves(b: Backdrop, top: float, bottom: float, n: int) -> None:
    rng = b.rng("waves")
    colour = b.light.tint((126, 188, 220))
    for _ in range(n):
        near = rng.random() ** 1.5
        y, x, half = top + near * (bottom - top), rng.uniform(-0.05, 1.05), 0.02 + 0.05 * near
        x += 0.012 * math.sin(b.seconds * 1.3 + y * 40)
        points = [b.xy(x + half * k / 3, y + 0.006 * (abs(k) - 1.5), 0.5) for k in range(-3, 4)]
        b.draw.line(points, fill=colour, width=max(1, round(b.image.height * (0.003 + 0.006 * near))))


def paint_field(b: Backdrop) -> None:
    """A green meadow with rolling hills and small flowers."""
    paint_sky(b, 0.56)
    _paint_hills(b, 0.5, 0.05, (106, 160, 84), 0.3)
    b.band(0.56, 1.2, (122, 186, 72), (74, 140, 48), 0.6)
    rng = b.rng("field")
    for _ in range(46):
        y = 0.58 + 0.5 * rng.random() ** 1.3
        x, h = rng.uniform(-0.05, 1.05), 0.02 + 0.04 * (y - 0.55)
        b.poly([(x - 0.006, y), (x, y - h * 1.4), (x + 0.006, y)], (58, 122, 40), 0.7)
    for _ in range(16):
        y = 0.6 + 0.4 * rng.random()
        x = rng.uniform(-0.05, 1.05)
        b.box(x, y, x + 0.006, y + 0.01, (250, 246, 210), 0.7)


def _paint_hills(b: Backdrop, y: float, rise: float, colour: Rgb, depth: float) -> None:
    shift = b.rng("hills").uniform(0, 6)
    points = [(i / 16 * 1.4 - 0.2, y - rise * math.sin(shift + i * 0.7) * 0.6) for i in range(17)]
    b.poly([*points, (1.3, 0.75), (-0.3, 0.75)], colour, depth)


def paint_desert(b: Backdrop) -> None:
    """Yellow dunes."""
    paint_sky(b, 0.54)
    b.band(0.52, 1.2, (240, 208, 140), (222, 174, 98), 0.6)
    shift = b.rng("dunes").uniform(0, 6)
    for k, (y, shade) in enumerate(((0.5, (226, 180, 108)), (0.62, (236, 196, 122)), (0.78, (216, 166, 92)))):
        crest = [
            (i / 14 * 1.4 - 0.2, y + 0.05 * math.sin(shift + k * 2 + i * (0.75 - 0.15 * k))) for i in range(15)
        ]
        b.poly([*crest, (1.3, 1.2), (-0.3, 1.2)], shade, 0.3 + 0.2 * k)


def paint_city(b: Backdrop) -> None:
    """Tall buildings with windows, and a pavement before them."""
    paint_sky(b, 0.72)
    rng = b.rng("city")
    for row, (low, high, depth) in enumerate(((0.12, 0.34, 0.25), (0.26, 0.5, 0.5))):
        x = -0.2
        while x < 1.2:
            width = rng.uniform(0.09, 0.16) * (0.8 + 0.4 * b.detail)
            top = rng.uniform(low, high)
            grey = rng.randint(104, 150) + (24 if row == 0 else 0)
            b.box(x, top, x + width, 0.76, (grey, grey + 2, grey + 14), depth)
            _paint_windows(b, rng, x, top, width, depth)
            x += width + rng.uniform(0.0, 0.012)
    b.band(0.74, 1.2, (150, 148, 146), (112, 110, 110), 0.8)
    b.box(-0.3, 0.74, 1.3, 0.765, (186, 184, 178), 0.8)


def _paint_windows(b: Backdrop, rng: random.Random, x: float, top: float, width: float, depth: float) -> None:
    columns = max(2, round(width / 0.036))
    for row in range(7):
        y = top + 0.03 + row * 0.06
        for column in range(columns):
            left = x + width * (column + 0.25) / columns
            lit = rng.random() < 0.45
            if y > 0.68:
                continue
            if lit and b.weather in ("night", "dusk"):
                b.lamps.append((left, y, left + width * 0.5 / columns, y + 0.032))
            else:
                b.box(left, y, left + width * 0.5 / columns, y + 0.032, (84, 104, 128), depth)
    if b.lamps:
        for left, y, right, bottom in b.lamps:
            x0, y0 = b.xy(left, y, depth)
            x1, y1 = b.xy(right, bottom, depth)
            b.draw.rectangle((x0, y0, x1, y1), fill=(255, 216, 120))
        b.lamps.clear()


def paint_open_sky(b: Backdrop) -> None:
    """Nothing but sky: big clouds by day, many stars at night."""
    paint_sky(b, 1.08)
    rng = b.rng("open sky")
    if b.weather == "night":
        for _ in range(60):
            x, y = b.xy(rng.uniform(-0.05, 1.05), rng.uniform(-0.05, 1.05), 0.05)
            r = rng.uniform(0.6, 2.0) * b.image.height / 420
            b.draw.ellipse((x - r, y - r, x + r, y + r), fill=(240, 240, 255))
        return
    cloud: Rgb = mix(b.sky[1], (255, 255, 255), 0.45)
    for _ in range(5):
        _paint_cloud(b, rng, rng.uniform(0.1, 0.95), cloud)
    for i in range(9):
        x, y = b.xy(i / 8 * 1.2 - 0.1, 1.02 + rng.uniform(-0.03, 0.03), 0.2)
        r = b.image.height * 0.11
        b.draw.ellipse((x - r * 1.4, y - r, x + r * 1.4, y + r), fill=cloud)


def paint_snow(b: Backdrop) -> None:
    """A snow-covered plain with firs far away."""
    paint_sky(b, 0.54)
    _paint_hills(b, 0.5, 0.06, (206, 218, 234), 0.3)
    b.band(0.54, 1.2, (240, 244, 250), (208, 220, 238), 0.6)
    rng = b.rng("firs")
    for _ in range(7):
        _paint_fir(b, rng.uniform(-0.05, 1.05), 0.58, rng.uniform(0.07, 0.12), (70, 104, 96), 0.4)
    for _ in range(8):
        x, y = rng.uniform(-0.1, 1.1), 0.66 + 0.35 * rng.random()
        b.poly([(x - 0.1, y), (x, y - 0.02), (x + 0.12, y), (x, y + 0.012)], (194, 208, 230), 0.7)


def _paint_fir(b: Backdrop, x: float, foot: float, height: float, colour: Rgb, depth: float) -> None:
    for k in range(3):
        low, half = foot - height * (0.1 + 0.28 * k), height * (0.3 - 0.07 * k)
        b.poly([(x - half, low), (x + half, low), (x, low - height * 0.44)], colour, depth)


def paint_room(b: Backdrop) -> None:
    """Indoors: a wall with a window and a picture, a wooden floor."""
    b.band(-0.2, 0.7, (228, 208, 178), (212, 190, 158), 0.5)
    b.band(0.7, 1.25, (176, 124, 78), (140, 94, 56), 0.8)
    for i in range(9):
        x = i / 8 * 1.4 - 0.2
        b.poly(
            [(0.5 + (x - 0.5) * 0.8, 0.7), (0.5 + (x - 0.5) * 0.8 + 0.004, 0.7), (x + 0.01, 1.2), (x, 1.2)],
            (124, 82, 48),
            0.8,
        )
    b.box(-0.3, 0.675, 1.3, 0.71, (242, 236, 224), 0.6)
    side = b.rng("room").choice((0.06, 0.62))
    x0, y0 = b.xy(side, 0.12, 0.5)
    x1, y1 = b.xy(side + 0.3, 0.5, 0.5)
    b.box(side - 0.02, 0.09, side + 0.32, 0.53, (250, 248, 242), 0.5)
    for i in range(8):
        ya, yb = y0 + (y1 - y0) * i / 8, y0 + (y1 - y0) * (i + 1) / 8
        b.draw.rectangle((x0, ya, x1, yb), fill=mix(b.sky[0], b.sky[1], i / 7))
    b.box(side + 0.144, 0.12, side + 0.156, 0.5, (250, 248, 242), 0.5)
    b.box(side - 0.04, 0.52, side + 0.34, 0.55, (250, 248, 242), 0.5)
    picture = 0.7 if side < 0.5 else 0.12
    b.box(picture, 0.18, picture + 0.18, 0.4, (120, 80, 44), 0.5)
    b.box(picture + 0.02, 0.21, picture + 0.16, 0.37, (150, 186, 176), 0.5)


def paint_road(b: Backdrop) -> None:
    """A grey road that runs to the horizon between verges."""
    paint_sky(b, 0.52)
    _paint_hills(b, 0.5, 0.03, (120, 150, 110), 0.3)
    b.band(0.52, 1.2, (136, 160, 88), (104, 134, 64), 0.6)
    b.poly([(0.46, 0.52), (0.54, 0.52), (1.25, 1.15), (-0.25, 1.15)], (94, 96, 102), 0.6)
    for k in range(6):
        near, end = (k / 6) ** 1.7, ((k + 0.5) / 6) ** 1.7
        y0, y1 = 0.53 + 0.6 * near, 0.53 + 0.6 * end
        w0, w1 = 0.004 + 0.026 * near, 0.004 + 0.026 * end
        b.poly([(0.5 - w0, y0), (0.5 + w0, y0), (0.5 + w1, y1), (0.5 - w1, y1)], (244, 240, 220), 0.6)
    for edge in (-1, 1):
        b.poly(
            [
                (0.5 + 0.036 * edge, 0.52),
                (0.5 + 0.04 * edge, 0.52),
                (0.5 + 0.72 * edge, 1.15),
                (0.5 + 0.68 * edge, 1.15),
            ],
            (236, 234, 224),
            0.6,
        )


def paint_forest(b: Backdrop) -> None:
    """Tree trunks side by side under dark leaves."""
    paint_sky(b, 0.6)
    b.box(-0.3, -0.2, 1.3, 0.7, (70, 112, 66), 0.2)
    rng = b.rng("forest")
    for depth, shade, n in ((0.3, (88, 76, 54), 13), (0.5, (74, 56, 38), 8)):
        for i in range(n):
            x = (i + rng.uniform(0.1, 0.9)) / n * 1.3 - 0.15
            w = 0.008 + 0.022 * depth
            b.box(x - w, -0.1, x + w, 0.66 + 0.12 * depth, shade, depth)
    for _ in range(26):
        x, y = rng.uniform(-0.1, 1.1), rng.uniform(-0.06, 0.18)
        green = rng.choice(((40, 92, 44), (52, 110, 50), (34, 78, 40)))
        px, py = b.xy(x, y, 0.5)
        r = b.image.height * rng.uniform(0.06, 0.1)
        b.draw.ellipse((px - r * 1.3, py - r, px + r * 1.3, py + r), fill=b.light.tint(b.whiten(green)))
    b.band(0.68, 1.2, (84, 98, 48), (70, 76, 38), 0.7)
    for _ in range(22):
        x, y = rng.uniform(-0.1, 1.1), 0.7 + 0.35 * rng.random()
        b.poly(
            [(x - 0.02, y), (x - 0.01, y - 0.04), (x, y), (x + 0.012, y - 0.035), (x + 0.02, y)],
            (56, 104, 46),
            0.8,
        )


def paint_beach(b: Backdrop) -> None:
    """Sand, and the sea behind it."""
    paint_sky(b, 0.4)
    b.band(0.39, 0.66, (44, 130, 182), (84, 186, 206), 0.4)
    _paint_waves(b, 0.42, 0.58, 9)
    roll = 0.008 * math.sin(b.seconds * 1.1)
    foam = [(i / 12 * 1.4 - 0.2, 0.6 + roll + 0.012 * math.sin(i * 1.3)) for i in range(13)]
    b.poly([*foam, (1.3, 0.75), (-0.3, 0.75)], (246, 250, 250), 0.5)
    sand = [(x, y + 0.03) for x, y in foam]
    b.poly([*sand, (1.3, 1.3), (-0.3, 1.3)], (240, 216, 158), 0.6)
    rng = b.rng("beach")
    for _ in range(24):
        x, y = rng.uniform(-0.1, 1.1), 0.7 + 0.35 * rng.random()
        b.box(x, y, x + 0.01, y + 0.008, (214, 184, 124), 0.7)


def paint_mountains(b: Backdrop) -> None:
    """Peaks with snow on top over a grey-green valley."""
    paint_sky(b, 0.62)
    rng = b.rng("mountains")
    for depth, shade, low in ((0.15, (134, 146, 172), 0.1), (0.3, (104, 112, 132), 0.22)):
        for i in range(4):
            x = i / 3 * 1.2 - 0.1 + rng.uniform(-0.06, 0.06)
            top, half = low + rng.uniform(0, 0.14), rng.uniform(0.22, 0.32)
            b.poly([(x - half, 0.66), (x, top), (x + half, 0.66)], shade, depth)
            k = 0.3
            drop = (0.66 - top) * k
            cap = [(x - half * k, top + drop), (x, top), (x + half * k, top + drop)]
            zigzag = [
                (x + half * k * 0.4, top + drop * 0.75),
                (x, top + drop * 1.1),
                (x - half * k * 0.4, top + drop * 0.75),
            ]
            b.poly([*cap, *zigzag], (244, 248, 252), depth)
    b.band(0.62, 1.2, (118, 132, 104), (88, 100, 78), 0.6)
    for _ in range(16):
        x, y = rng.uniform(-0.1, 1.1), 0.66 + 0.36 * rng.random()
        b.poly([(x - 0.03, y), (x - 0.01, y - 0.025), (x + 0.02, y - 0.02), (x + 0.03, y)], (128, 126, 126), 0.7)


def paint_harbour(b: Backdrop) -> None:
    """Warehouses and a crane behind a basin, and a quay in front."""
    paint_sky(b, 0.44)
    rng = b.rng("harbour")
    x = -0.15
    for shade in (
        (150, 84, 70),
        (172, 148, 110),
        (110, 122, 138),
        (164, 106, 76),
        (140, 134, 126),
        (120, 92, 84),
    ):
        width = rng.uniform(0.16, 0.24)
        top = rng.uniform(0.3, 0.36)
        b.box(x, top, x + width, 0.47, shade, 0.35)
        b.poly(
            [(x - 0.01, top), (x + width / 2, top - 0.08), (x + width + 0.01, top)],
            mix(shade, (0, 0, 0), 0.35),
            0.35,
        )
        x += width
    crane = rng.uniform(0.25, 0.75)
    b.box(crane, 0.1, crane + 0.018, 0.46, (226, 168, 44), 0.35)
    b.box(crane - 0.14, 0.1, crane + 0.1, 0.122, (226, 168, 44), 0.35)
    b.box(crane - 0.125, 0.12, crane - 0.12, 0.26, (70, 70, 70), 0.35)
    b.band(0.45, 0.72, (52, 96, 116), (38, 76, 98), 0.5)
    _paint_waves(b, 0.47, 0.68, 12)
    b.band(0.7, 1.25, (150, 146, 140), (122, 118, 114), 0.7)
    b.box(-0.3, 0.69, 1.3, 0.73, (92, 88, 86), 0.7)
    for i in range(6):
        x = i / 5 * 1.3 - 0.15
        b.box(x, 0.65, x + 0.024, 0.71, (60, 58, 60), 0.7)


PAINTERS: Final[dict[str, Callable[[Backdrop], None]]] = {
    "sea": paint_sea,
    "field": paint_field,
    "desert": paint_desert,
    "city": paint_city,
    "sky": paint_open_sky,
    "snow": paint_snow,
    "room": paint_room,
    "road": paint_road,
    "forest": paint_forest,
    "beach": paint_beach,
    "mountains": paint_mountains,
    "harbour": paint_harbour,
}
