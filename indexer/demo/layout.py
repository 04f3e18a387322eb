"""Positions of the things of a scene in the frame, before the camera moves."""
# ruff: noqa: S311 - chance is seeded on purpose: the same seed, the same pictures

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from indexer.demo.objects import DRAWINGS
from indexer.demo.world import FLYING, MANY, Group, Scene

_SIZE_RANGES: Final = {"close-up": (0.74, 0.9), "medium": (0.42, 0.52), "wide": (0.21, 0.27)}
_PAIR_FILLS: Final = {"close-up": 1.0, "medium": 1.0, "wide": 0.7}
_CROWD_FILLS: Final = {"close-up": 1.0, "medium": 1.0, "wide": 0.66}
_FOOT_LINES: Final = {"close-up": 0.95, "medium": 0.84, "wide": 0.76}


@dataclass(frozen=True, slots=True)
class Placed:
    """One drawn thing: middle and foot as shares of frame width and height; height in reference lengths."""

    thing: str
    colour: str
    x: float
    foot: float
    height: float
    mirror: bool
    phase: float


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float


def reference_length(width_px: float, height_px: float) -> float:
    """The length in pixels that sizes of things are shares of: the frame's height, less in tall frames."""
    return min(height_px, width_px / 0.72)


@lru_cache(maxsize=256)
def lay_out(scene: Scene, aspect: float, seed: int) -> tuple[Placed, ...]:
    """Places for all things of the scene, the farthest first.

    Args:
        scene: what to show.
        aspect: frame width divided by frame height.
        seed: the same seed gives the same places.
    """
    rng = random.Random(f"layout {seed}")
    frame = _Frame(aspect, rng)
    if scene.relation is not None and scene.second is not None:
        return frame.place_pair(scene, scene.second)
    if scene.first.count == MANY:
        return frame.place_crowd(scene)
    return frame.place_row(scene)


class _Frame:
    """Frame shares and reference lengths: `rx` and `ry` turn one reference length into frame shares."""

    def __init__(self, aspect: float, rng: random.Random) -> None:
        length = reference_length(aspect, 1.0)
        self.rx, self.ry = length / aspect, length
        self.rng = rng

    def place_row(self, scene: Scene) -> tuple[Placed, ...]:
        """One to three things beside each other, at the size of the shot."""
        group = scene.first
        low, high = _SIZE_RANGES[scene.shot_size]
        aspect = DRAWINGS[group.thing].aspect
        height = self.rng.uniform(low, high) / math.sqrt(max(aspect, 0.6))
        height = min(height, 0.9 / self.ry)
        width = height * aspect * self.rx
        shrink = min(1.0, 0.92 / (width * (1 + 1.12 * (group.count - 1))))
        height, width = height * shrink, width * shrink
        tall = height * self.ry
        if group.thing in FLYING or scene.place == "sky":
            top = self.rng.uniform(0.05, max(0.06, min(0.4, 0.94 - tall)))
            foot = top + tall
        else:
            foot = min(0.97, _FOOT_LINES[scene.shot_size] + self.rng.uniform(-0.03, 0.05))
            foot = max(foot, tall + 0.03)
        span = width * (1 + 1.12 * (group.count - 1))
        box = _Box(0.0, foot - tall, 1.0, foot)
        start = self.rng.uniform(0.04, max(0.041, 0.96 - span))
        if group.count == 1:
            start = self.rng.uniform(max(0.02, 0.5 - width / 2 - 0.2), min(0.98 - width, 0.5 - width / 2 + 0.2))
        return tuple(self._fill_row(group, box, start, width, height))

    def _fill_row(self, group: Group, box: _Box, start: float, width: float, height: float) -> list[Placed]:
        mirror = self.rng.random() < 0.5
        placed = []
        for i in range(group.count):
            x = start + width * (0.5 + 1.12 * i) + self.rng.uniform(-0.03, 0.03) * width
            foot = box.bottom + self.rng.uniform(-0.035, 0.02) * (group.count > 1)
            size = height * self.rng.uniform(0.92, 1.0)
            placed.append(self._thing(group, x, foot, size, mirror))
        return placed

    def place_crowd(self, scene: Scene) -> tuple[Placed, ...]:
        """Five to eight things in a loose grid."""
        group = scene.first
        n = self.rng.randint(5, 8)
        aspect = DRAWINGS[group.thing].aspect
        cell_shape = max(aspect, 0.7)
        fill = _CROWD_FILLS[scene.shot_size]
        up = group.thing in FLYING or scene.place == "sky"
        box = _Box(0.5 - 0.48 * fill, 0.06, 0.5 + 0.48 * fill, 0.06 + 0.8 * fill)
        if not up:
            box = _Box(box.left, 0.97 - 0.66 * fill, box.right, 0.97)
        width, height = (box.right - box.left) / self.rx, (box.bottom - box.top) / self.ry
        rows = max(1, min(4, round(math.sqrt(n * height * cell_shape / width))))
        columns = math.ceil(n / rows)
        size = 0.84 * min(height / rows, width / columns / aspect, 0.36 / math.sqrt(aspect))
        placed = []
        mirror = self.rng.random() < 0.5
        for i in range(n):
            row, column = divmod(i, columns)
            in_row = min(columns, n - row * columns)
            step = (box.right - box.left) / columns
            x = 0.5 + (column - (in_row - 1) / 2) * step + self.rng.uniform(-0.06, 0.06) * step
            foot = box.top + (row + 1) * (box.bottom - box.top) / rows
            foot -= self.rng.uniform(0.0, 0.1) * size * self.ry
            placed.append(self._thing(group, x, foot, size * self.rng.uniform(0.9, 1.0), mirror))
        return tuple(placed)

    def place_pair(self, scene: Scene, second: Group) -> tuple[Placed, ...]:
        """Two kinds of things, so that the scene's relation can be seen."""
        fill = _PAIR_FILLS[scene.shot_size]
        first, relation = scene.first, scene.relation
        if relation in ("left of", "right of"):
            return self._beside(first, second, relation == "left of", fill, scene)
        if relation in ("above", "below"):
            return self._stacked(first, second, relation == "above", fill)
        return self._overlapping(first, second, relation == "in front of", fill)

    def _beside(
        self, first: Group, second: Group, first_left: bool, fill: float, scene: Scene
    ) -> tuple[Placed, ...]:
        foot = 0.9 - self.rng.uniform(0.0, 0.1)
        if (first.thing in FLYING and second.thing in FLYING) or scene.place == "sky":
            foot = 0.5 + 0.2 * fill + self.rng.uniform(-0.1, 0.1)
        middle = 0.5 + self.rng.uniform(-0.04, 0.04)
        reach, top = 0.47 * fill, foot - 0.62 * fill
        left = _Box(middle - reach, top, middle - 0.015, foot)
        right = _Box(middle + 0.015, top, middle + reach, foot)
        boxes = (left, right) if first_left else (right, left)
        return (*self._fit(second, boxes[1]), *self._fit(first, boxes[0]))

    def _stacked(self, first: Group, second: Group, first_up: bool, fill: float) -> tuple[Placed, ...]:
        reach = 0.36 * fill + 0.06
        x = 0.5 + self.rng.uniform(-0.12, 0.12)
        foot = 0.95 - 0.1 * (1 - fill) - self.rng.uniform(0.0, 0.04)
        lower = _Box(x - reach, foot - 0.44 * fill, x + reach, foot)
        dx = self.rng.uniform(-0.05, 0.05)
        rise = lower.top - 0.04
        upper = _Box(x - reach + dx, rise - 0.4 * fill, x + reach + dx, rise)
        boxes = (upper, lower) if first_up else (lower, upper)
        return (*self._fit(second, boxes[1]), *self._fit(first, boxes[0]))

    def _overlapping(self, first: Group, second: Group, first_near: bool, fill: float) -> tuple[Placed, ...]:
        near, far = (first, second) if first_near else (second, first)
        x = 0.5 + self.rng.uniform(-0.1, 0.1)
        foot = 0.84 - 0.06 * (1 - fill) - self.rng.uniform(0.0, 0.05)
        reach = (0.36 + 0.06 * (max(near.count, far.count) - 1)) * fill
        back = self._fit(far, _Box(x - reach, foot - 0.66 * fill, x + reach, foot), 0.62 * fill)
        drop = 0.1 * fill
        slide = self.rng.choice((-1, 1)) * self.rng.uniform(0.04, 0.12) * fill
        box = _Box(x - reach + slide, foot + drop - 0.5 * fill, x + reach + slide, foot + drop)
        front = self._fit(near, box, 0.4 * fill)
        return (*back, *front)

    def _fit(self, group: Group, box: _Box, tallest: float = 0.5) -> list[Placed]:
        """The things of a group beside each other, as large as the box allows, standing on its floor."""
        aspect = DRAWINGS[group.thing].aspect
        slots = 1 + 1.08 * (group.count - 1)
        height = min(
            (box.bottom - box.top) / self.ry,
            (box.right - box.left) / self.rx / (aspect * slots),
            tallest / math.sqrt(max(aspect, 0.6)),
        ) * self.rng.uniform(0.88, 1.0)
        width = height * aspect * self.rx
        start = (box.left + box.right) / 2 - width * slots / 2
        mirror = self.rng.random() < 0.5
        placed = []
        for i in range(group.count):
            x = start + width * (0.5 + 1.08 * i)
            foot = box.bottom - self.rng.uniform(0.0, 0.02) * (group.count > 1)
            placed.append(self._thing(group, x, foot, height, mirror))
        return placed

    def _thing(self, group: Group, x: float, foot: float, height: float, mirror: bool) -> Placed:
        return Placed(group.thing, group.colour, x, foot, height, mirror, self.rng.uniform(0, 6.28))
