"""Fog, rain and snow in the air, painted over a finished picture."""
# ruff: noqa: S311 - chance is seeded on purpose: the same seed, the same pictures

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

_FOG: tuple[int, int, int] = (206, 210, 214)


def paint_weather(picture: Image.Image, weather: str, seconds: float, seed: int) -> NDArray[np.uint8]:
    """The picture with what is in the air between it and the camera, as uint8 RGB."""
    if weather == "fog":
        picture = _paint_fog(picture)
    elif weather == "rain":
        _paint_rain(picture, seconds, seed)
    elif weather == "snow":
        _paint_snowfall(picture, seconds, seed)
    return np.asarray(picture, dtype=np.uint8)


def _paint_fog(picture: Image.Image) -> Image.Image:
    """A pale veil, thickest at half height, where the view goes farthest."""
    ys = np.linspace(-1.0, 1.0, picture.height)
    veil = (0.3 + 0.22 * np.exp(-((ys + 0.1) ** 2) / 0.16)) * 255
    mask = Image.fromarray(veil.astype(np.uint8)[:, None]).resize(picture.size)
    return Image.composite(Image.new("RGB", picture.size, _FOG), picture, mask)


def _paint_rain(picture: Image.Image, seconds: float, seed: int) -> None:
    rng = random.Random(f"rain {seed}")
    draw = ImageDraw.Draw(picture)
    width, height = picture.size
    slant = rng.uniform(-0.25, 0.25)
    for _ in range(110):
        x, y, speed = rng.uniform(-0.2, 1.2), rng.random(), rng.uniform(1.1, 1.6)
        length = rng.uniform(0.05, 0.11)
        fall = (y + seconds * speed) % 1.2 - 0.1
        left, top = (x + slant * fall) * width, fall * height
        shade = rng.randint(168, 208)
        end = (left + slant * length * width, top + length * height)
        draw.line((left, top, *end), fill=(shade, shade + 6, shade + 14), width=max(1, round(height / 240)))


def _paint_snowfall(picture: Image.Image, seconds: float, seed: int) -> None:
    rng = random.Random(f"flakes {seed}")
    draw = ImageDraw.Draw(picture)
    width, height = picture.size
    for _ in range(110):
        x, y, speed = rng.uniform(-0.1, 1.1), rng.random(), rng.uniform(0.12, 0.3)
        sway, radius = rng.uniform(-0.05, 0.05), rng.uniform(0.0035, 0.0095) * height
        fall = (y + seconds * speed) % 1.1 - 0.05
        left, top = (x + sway * fall) * width, fall * height
        draw.ellipse((left - radius, top - radius, left + radius, top + radius), fill=(250, 251, 254))
