"""Effects of cameras and video compression on pictures: blur, motion, exposure, noise, lost detail."""

from __future__ import annotations

import io
import random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

RgbPicture = NDArray[np.uint8]


def degrade_picture(picture: RgbPicture, rng: random.Random) -> RgbPicture:
    """The picture as a camera and a codec would have left it: each kind of damage by chance.

    Args:
        picture: uint8 RGB of shape (height, width, 3); left unchanged.
        rng: decides what happens and how much of it.
    """
    if rng.random() < 0.25:
        picture = blur_motion(picture, rng.randint(2, 5), upright=rng.random() < 0.3)
    if rng.random() < 0.3:
        picture = blur(picture, rng.uniform(0.3, 1.1) * picture.shape[0] / 180)
    if rng.random() < 0.5:
        picture = change_exposure(picture, rng.uniform(0.82, 1.18), rng.uniform(-12, 12))
    if rng.random() < 0.3:
        picture = add_noise(picture, rng.uniform(2, 9), rng.getrandbits(32))
    if rng.random() < 0.6:
        picture = compress(picture, rng.randint(22, 80))
    return picture


def blur(picture: RgbPicture, radius_px: float) -> RgbPicture:
    """The picture out of focus."""
    image = Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius_px))
    return np.asarray(image, dtype=np.uint8)


def blur_motion(picture: RgbPicture, length_px: int, upright: bool = False) -> RgbPicture:
    """The picture smeared along its width, or along its height, as by a camera that moves."""
    axis = 0 if upright else 1
    total = np.zeros(picture.shape, dtype=np.uint16)
    for shift in range(length_px):
        total += np.roll(picture, shift, axis=axis)
    return (total // length_px).astype(np.uint8)


def change_exposure(picture: RgbPicture, gain: float, lift: float) -> RgbPicture:
    """The picture brighter or darker."""
    table = np.clip(np.arange(256) * gain + lift, 0, 255).astype(np.uint8)
    changed: RgbPicture = table[picture]
    return changed


def add_noise(picture: RgbPicture, strength: float, seed: int) -> RgbPicture:
    """The picture with grain; `strength` is its standard deviation in grey levels."""
    grain = np.random.default_rng(seed).normal(0, strength, picture.shape[:2])[..., None]
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def compress(picture: RgbPicture, quality: int) -> RgbPicture:
    """The picture after lossy compression; JPEG stands in for a video codec."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"), dtype=np.uint8)
