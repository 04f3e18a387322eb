"""A pen that draws shapes in a thing's own coordinates, and the colours it draws with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PIL import ImageDraw

Rgb = tuple[int, int, int]
Point = tuple[float, float]

COLOUR_VALUES: Final[dict[str, Rgb]] = {
    "red": (214, 32, 36),
    "orange": (247, 136, 20),
    "yellow": (250, 222, 40),
    "green": (40, 160, 58),
    "blue": (36, 92, 220),
    "purple": (128, 50, 176),
    "pink": (250, 140, 190),
    "brown": (122, 74, 36),
    "black": (30, 30, 34),
    "white": (246, 246, 244),
}


def mix(a: Rgb, b: Rgb, share_of_b: float) -> Rgb:
    """The colour between two colours."""
    k = share_of_b
    return (
        round(a[0] + (b[0] - a[0]) * k),
        round(a[1] + (b[1] - a[1]) * k),
        round(a[2] + (b[2] - a[2]) * k),
    )


@dataclass(frozen=True, slots=True)
class Light:
    """Colour change by weather and hour: each channel times `gain` plus `lift`."""

    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    lift: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def tint(self, colour: Rgb) -> Rgb:
        """The colour as it looks in this light."""
        r, g, b = (
            min(255, max(0, round(c * gain + lift)))
            for c, gain, lift in zip(colour, self.gain, self.lift, strict=True)
        )
        return r, g, b


class Palette:
    """The colours of one thing: its own colour in three shades, and the fixed ones, all in one light."""

    def __init__(self, colour: str, light: Light) -> None:
        base = COLOUR_VALUES[colour]
        is_dark = sum(base) < 150
        self._light = light
        self.main = light.tint(base)
        self.dark = light.tint(mix(base, (0, 0, 0), 0.32) if not is_dark else mix(base, (255, 255, 255), 0.16))
        self.pale = light.tint(mix(base, (255, 255, 255), 0.4 if not is_dark else 0.28))
        self.outline = light.tint(mix(base, (0, 0, 0), 0.6) if not is_dark else (120, 120, 126))
        self.ink = light.tint((36, 34, 38))
        self.grey = light.tint((128, 130, 136))
        self.silver = light.tint((196, 200, 206))
        self.glass = light.tint((172, 214, 236))
        self.paper = light.tint((248, 246, 236))
        self.skin = light.tint((236, 188, 150))
        self.wood = light.tint((132, 92, 54))
        self.leaf = light.tint((66, 140, 60))
        self.gold = light.tint((248, 200, 60))
        self.glow: Rgb = (255, 226, 140)


class Pen:
    """Draws in a thing's own coordinates: x to the right from its middle, y up from its foot, height 1.

    Args:
        draw: the canvas.
        x_px: where the thing's middle is on the canvas.
        foot_px: where its foot is on the canvas.
        height_px: its height on the canvas.
        mirror: whether it looks the other way.
        tilt: radians by which it leans to the right.
    """

    def __init__(
        self,
        draw: ImageDraw.ImageDraw,
        x_px: float,
        foot_px: float,
        height_px: float,
        mirror: bool = False,
        tilt: float = 0.0,
    ) -> None:
        self._draw = draw
        sx = -height_px if mirror else height_px
        cos, sin = math.cos(tilt), math.sin(tilt)
        self._xx, self._xy = sx * cos, height_px * sin
        self._yx, self._yy = sx * sin, -height_px * cos
        self._x0, self._y0 = x_px, foot_px
        self._scale = height_px

    def at(self, x: float, y: float) -> Point:
        """Canvas coordinates of a point."""
        return self._x0 + x * self._xx + y * self._xy, self._y0 + x * self._yx + y * self._yy

    def poly(self, points: Sequence[Point], colour: Rgb) -> None:
        """A filled polygon."""
        self._draw.polygon([self.at(x, y) for x, y in points], fill=colour)

    def box(self, left: float, bottom: float, right: float, top: float, colour: Rgb) -> None:
        """A filled rectangle."""
        self.poly(((left, bottom), (right, bottom), (right, top), (left, top)), colour)

    def round_box(self, left: float, bottom: float, right: float, top: float, radius: float, colour: Rgb) -> None:
        """A filled rectangle with cut corners."""
        r = radius
        self.poly(
            (
                (left + r, bottom), (right - r, bottom), (right - r * 0.3, bottom + r * 0.3), (right, bottom + r),
                (right, top - r), (right - r * 0.3, top - r * 0.3), (right - r, top), (left + r, top),
                (left + r * 0.3, top - r * 0.3), (left, top - r), (left, bottom + r),
                (left + r * 0.3, bottom + r * 0.3),
            ),
            colour,
        )  # fmt: skip

    def disc(self, x: float, y: float, radius: float, colour: Rgb) -> None:
        """A filled circle."""
        px, py = self.at(x, y)
        r = radius * self._scale
        self._draw.ellipse((px - r, py - r, px + r, py + r), fill=colour)

    def ring(self, x: float, y: float, radius: float, width: float, colour: Rgb) -> None:
        """A circle of a line."""
        px, py = self.at(x, y)
        r = radius * self._scale
        w = max(1, round(width * self._scale))
        self._draw.ellipse((px - r, py - r, px + r, py + r), outline=colour, width=w)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Rgb, lean: float = 0.0) -> None:
        """A filled ellipse, leaning by `lean` radians."""
        self.poly(ellipse_points(x, y, rx, ry, lean), colour)

    def line(self, points: Sequence[Point], width: float, colour: Rgb) -> None:
        """A line through points, with round joints."""
        w = max(1, round(width * self._scale))
        self._draw.line([self.at(x, y) for x, y in points], fill=colour, width=w, joint="curve")


_UNIT_CIRCLE: Final = tuple((math.cos(2 * math.pi * i / 20), math.sin(2 * math.pi * i / 20)) for i in range(20))


def ellipse_points(x: float, y: float, rx: float, ry: float, lean: float = 0.0) -> list[Point]:
    """The outline of an ellipse as 20 points."""
    cos, sin = math.cos(lean), math.sin(lean)
    return [(x + c * rx * cos - s * ry * sin, y + c * rx * sin + s * ry * cos) for c, s in _UNIT_CIRCLE]
