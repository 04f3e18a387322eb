"""Pictures of scenes: `draw_scene` gives the frame of a moving shot at any size and time."""
# ruff: noqa: S311 - chance is seeded on purpose: the same seed, the same pictures

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from indexer.demo.layout import Placed, lay_out, reference_length
from indexer.demo.objects import DRAWINGS
from indexer.demo.pen import Light, Palette, Pen, Rgb
from indexer.demo.places import PAINTERS, Backdrop
from indexer.demo.weather import paint_weather
from indexer.demo.world import FLYING, Scene

RgbPicture = NDArray[np.uint8]

_LIGHTS: Final = {
    "clear": Light(),
    "rain": Light((0.7, 0.74, 0.8), (4, 8, 14)),
    "fog": Light((0.86, 0.86, 0.86), (22, 24, 26)),
    "snow": Light((0.9, 0.92, 0.95), (14, 15, 18)),
    "dusk": Light((0.84, 0.62, 0.56), (18, 2, 14)),
    "night": Light((0.3, 0.34, 0.5), (2, 4, 16)),
}
_THING_LIGHTS: Final = {
    "clear": Light(),
    "rain": Light((0.84, 0.86, 0.9), (2, 4, 8)),
    "fog": Light((0.94, 0.94, 0.94), (8, 9, 10)),
    "snow": Light((0.96, 0.97, 0.98), (4, 4, 6)),
    "dusk": Light((0.9, 0.77, 0.72), (10, 2, 8)),
    "night": Light((0.76, 0.76, 0.84), (2, 4, 10)),
}
_SKIES: Final[dict[str, tuple[Rgb, Rgb]]] = {
    "clear": ((74, 150, 226), (196, 226, 246)),
    "rain": ((92, 102, 118), (146, 156, 168)),
    "fog": ((188, 194, 200), (214, 218, 222)),
    "snow": ((168, 178, 194), (214, 220, 230)),
    "dusk": ((92, 62, 122), (250, 146, 84)),
    "night": ((8, 12, 36), (26, 34, 74)),
}
_DETAILS: Final = {"close-up": 1.4, "medium": 1.0, "wide": 0.7}


@dataclass(frozen=True, slots=True)
class _Camera:
    pan_x: float
    pan_y: float
    zoom: float


def draw_scene(scene: Scene, width_px: int, height_px: int, seconds: float, seed: int) -> RgbPicture:
    """The picture of the scene at `seconds` since its shot began, with moving things and a moving camera.

    Args:
        scene: what to show.
        width_px: width of the picture; any shape works, also upright.
        height_px: height of the picture.
        seconds: time since the start of the shot, from 0 to any length.
        seed: the same seed gives the same shot; another one, another view of the same scene.

    Returns:
        uint8 RGB of shape (height_px, width_px, 3).
    """
    scale = 2
    canvas = Image.new("RGB", (width_px * scale, height_px * scale))
    draw = ImageDraw.Draw(canvas)
    camera = _camera_at(seconds, seed)
    backdrop = Backdrop(
        image=canvas,
        draw=draw,
        light=_LIGHTS[scene.weather],
        weather=scene.weather,
        seconds=seconds,
        seed=seed,
        pan_x=camera.pan_x,
        pan_y=camera.pan_y,
        zoom=camera.zoom,
        detail=_DETAILS[scene.shot_size],
        sky=_SKIES[scene.weather],
    )
    PAINTERS[scene.place](backdrop)
    light = _THING_LIGHTS[scene.weather]
    for placed in lay_out(scene, round(width_px / height_px, 4), seed):
        _draw_thing(draw, canvas.size, placed, camera, light, scene, seconds)
    picture = canvas.reduce(scale)
    return paint_weather(picture, scene.weather, seconds, seed)


def _camera_at(seconds: float, seed: int) -> _Camera:
    """Camera movement: it rests, pans, tilts, zooms or shakes in the hand, never far."""
    rng = random.Random(f"camera {seed}")
    kind = rng.choice(("still", "pan", "zoom", "hand", "pan and zoom"))
    phase, period = rng.uniform(0, 2 * math.pi), rng.uniform(5.0, 9.0)
    swing = math.sin(phase + 2 * math.pi * seconds / period)
    pan_x = pan_y = 0.0
    zoom = 1.0
    if "pan" in kind:
        pan_x = 0.035 * swing
        pan_y = 0.012 * math.cos(phase + seconds * 0.6)
    if "zoom" in kind:
        zoom = 1.0 + 0.06 * math.cos(phase + 2 * math.pi * seconds / period)
    if kind == "hand":
        pan_x = 0.006 * (math.sin(seconds * 3.1 + phase) + 0.6 * math.sin(seconds * 7.3))
        pan_y = 0.006 * (math.cos(seconds * 2.7 + phase) + 0.5 * math.sin(seconds * 8.9))
    return _Camera(pan_x, pan_y, zoom)


def _draw_thing(
    draw: ImageDraw.ImageDraw,
    canvas_px: tuple[int, int],
    placed: Placed,
    camera: _Camera,
    light: Light,
    scene: Scene,
    seconds: float,
) -> None:
    width, height = canvas_px
    beat = seconds + placed.phase
    x, foot, tilt = placed.x, placed.foot, 0.0
    size = placed.height * reference_length(width, height)
    if placed.thing in FLYING or scene.place in ("sky", "sea") or placed.thing == "boat":
        foot += 0.008 * math.sin(beat * 1.7)
        tilt = 0.04 * math.sin(beat * 1.2)
    elif placed.thing == "ball":
        foot -= 0.05 * placed.height * abs(math.sin(beat * 3))
    x += 0.008 * math.sin(beat * 0.9)
    x_px = (0.5 + (x - 0.5 - camera.pan_x) * camera.zoom) * width
    foot_px = (0.5 + (foot - 0.5 - camera.pan_y) * camera.zoom) * height
    drawing = DRAWINGS[placed.thing]
    size *= camera.zoom
    if placed.thing not in FLYING and scene.place not in ("sky", "sea"):
        half, thick = size * drawing.aspect * 0.46, size * 0.045
        shade = light.tint((64, 66, 60))
        draw.ellipse((x_px - half, foot_px - thick, x_px + half, foot_px + thick), fill=shade)
    pen = Pen(draw, x_px, foot_px, size, placed.mirror, tilt)
    drawing.draw(pen, Palette(placed.colour, light), beat)
    if scene.place == "sea" and placed.thing not in FLYING:
        _draw_ripples(draw, x_px, foot_px, size * drawing.aspect * 0.6, size, light)


def _draw_ripples(
    draw: ImageDraw.ImageDraw, x: float, foot: float, half: float, size: float, light: Light
) -> None:
    width = max(1, round(size * 0.03))
    for k, colour in ((0.0, (190, 224, 240)), (0.05, (98, 164, 206))):
        span = half * (1 - k * 3)
        draw.line((x - span, foot + size * k, x + span, foot + size * k), fill=light.tint(colour), width=width)
