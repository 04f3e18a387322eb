"""Draws the training pictures, with several processes, the same ones for the same seed."""
# ruff: noqa: S311 - chance is seeded on purpose: the same seed, the same pictures

from __future__ import annotations

import multiprocessing
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.demo.degrade import degrade_picture
from indexer.demo.drawing import draw_scene
from indexer.demo.variations import vary
from indexer.demo.world import Scene, is_held_out, sample_scene

_FRAME_SIZES: Final = (
    (160, 90), (160, 90), (192, 108), (192, 108), (256, 144), (256, 144), (320, 180), (90, 160), (144, 256),
    (160, 120), (240, 180),
)  # fmt: skip
_LONGEST_SHOT_SECONDS: Final = 8.0
_PAIRS_PER_TASK: Final = 64

RgbPicture = NDArray[np.uint8]


def sample_pair(seed: int, index: int) -> tuple[Scene, Scene]:
    """Two training scenes that differ in one point; neither is held out."""
    rng = random.Random(f"pair {seed} {index}")
    scene = sample_scene(rng)
    while is_plain_pair(index) and (scene.second or scene.first.count > 1 or scene.shot_size == "wide"):
        scene = sample_scene(rng)
    while True:
        other = vary(scene, rng)
        if not is_held_out(other):
            return scene, other


def is_plain_pair(index: int) -> bool:
    """Whether a pair starts from one large thing: every third one, and training begins with these."""
    return index % 3 == 0


def draw_training_picture(scene: Scene, size_px: int, rng: random.Random) -> RgbPicture:
    """One frame of a shot of the scene, damaged as video is, then shrunk as the encoder shrinks it."""
    width, height = rng.choice(_FRAME_SIZES)
    seconds = rng.uniform(0, _LONGEST_SHOT_SECONDS)
    picture = draw_scene(scene, width, height, seconds, rng.getrandbits(31))
    picture = degrade_picture(picture, rng)
    small = Image.fromarray(picture).resize((size_px, size_px), Image.Resampling.BICUBIC)
    return np.asarray(small, dtype=np.uint8)


@contextmanager
def drawn_pictures(n_pairs: int, size_px: int, seed: int, n_processes: int) -> Iterator[NDArray[np.uint8]]:
    """Pictures of `sample_pair(seed, 0)`, `sample_pair(seed, 1)` and so on, in a temporary file.

    Yields:
        uint8, (2 * n_pairs, 3, size_px, size_px); row 2i and 2i + 1 show pair i.
    """
    shape = (2 * n_pairs, 3, size_px, size_px)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pictures"
        pictures = np.memmap(path, dtype=np.uint8, mode="w+", shape=shape)
        tasks = [
            (path, shape, seed, first, min(n_pairs, first + _PAIRS_PER_TASK))
            for first in range(0, n_pairs, _PAIRS_PER_TASK)
        ]
        if n_processes <= 1:
            for task in tasks:
                _draw_pairs(task)
        else:
            with multiprocessing.get_context("spawn").Pool(n_processes) as pool:
                for _ in pool.imap_unordered(_draw_pairs, tasks):
                    pass
        yield pictures
        del pictures


def _draw_pairs(task: tuple[Path, tuple[int, int, int, int], int, int, int]) -> None:
    path, shape, seed, first, end = task
    pictures = np.memmap(path, dtype=np.uint8, mode="r+", shape=shape)
    for index in range(first, end):
        rng = random.Random(f"picture {seed} {index}")
        for k, scene in enumerate(sample_pair(seed, index)):
            picture = draw_training_picture(scene, shape[-1], rng)
            pictures[2 * index + k] = picture.transpose(2, 0, 1)
    pictures.flush()
