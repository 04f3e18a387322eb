"""Salient part of a clip, for a crop that keeps it: one for the whole clip, so that nothing swims.

What stands out in space is found by the spectral residual (Hou and Zhang, "Saliency Detection: A Spectral
Residual Approach", CVPR 2007): what an image's log amplitude spectrum has more than its own local average. What
stands out in time is what changes between sampled pictures more than half of the picture does, so that a moving
camera counts for less. Each map is scaled to a sum of 1, and all are added up; the window that holds most wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from search_app.conforming.framing import CENTRE, Focus
from store.records import VideoFacts

RgbPictures = NDArray[np.uint8]
"""(n, height, width, 3): small pictures of one clip, in order of time."""
SalienceMap = NDArray[np.float64]
"""(height, width), not negative."""

LONG_SIDE_PX = 96
"""The paper's scale is 64; wide pictures have less of it across."""

LEAST_GAIN = 1.25
"""A window must hold so much more than the middle one to be preferred to it; small gains were mistakes."""

_AVERAGE = 3
_SMOOTH_SIGMA = 2.5


def thumbnail_size(facts: VideoFacts) -> tuple[int, int]:
    """Width and height of the pictures that are looked at."""
    scale = Fraction(LONG_SIDE_PX, max(facts.width_px, facts.height_px))
    return max(8, round(facts.width_px * scale)), max(8, round(facts.height_px * scale))


def find_focus(pictures: RgbPictures, window: tuple[Fraction, Fraction]) -> Focus:
    """Position of the crop.

    Args:
        pictures: sampled from one clip.
        window: which parts of width and height the crop keeps.

    Returns:
        The middle where nothing stands out or there are no pictures.
    """
    if not len(pictures):
        return CENTRE
    salience = _over_time(pictures)
    across, down = window
    return _best_place(salience.sum(axis=0), float(across)), _best_place(salience.sum(axis=1), float(down))


def _over_time(pictures: RgbPictures) -> SalienceMap:
    total = np.zeros(pictures.shape[1:3])
    for i, picture in enumerate(pictures):
        total += _as_shares(_spectral_residual(picture.astype(np.float64)))
        if i:
            change = np.abs(picture.astype(np.float64) - pictures[i - 1]).sum(axis=2)
            total += _as_shares(_smooth(np.maximum(change - np.median(change), 0)))
    return total


def _spectral_residual(picture: NDArray[np.float64]) -> SalienceMap:
    """The map of the paper, added up over the three colours."""
    total = np.zeros(picture.shape[:2])
    for colour in np.moveaxis(picture, 2, 0):
        if np.ptp(colour) < 1:
            continue
        spectrum = np.fft.fft2(colour)
        logs = np.log(np.abs(spectrum) + 1e-9)
        residual = logs - _box_average(logs)
        back = np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))
        total += _smooth(np.abs(back) ** 2)
    return total


def _box_average(values: NDArray[np.float64]) -> NDArray[np.float64]:
    # A spectrum has no edges: it goes on at the other side.
    steps = range(-(_AVERAGE // 2), _AVERAGE // 2 + 1)
    shifted: Sequence[NDArray[np.float64]] = [np.roll(values, (y, x), (0, 1)) for y in steps for x in steps]
    return np.mean(shifted, axis=0)  # type: ignore[no-any-return]  # numpy's own types are too wide


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    reach = np.arange(-8, 9)
    bell = np.exp(-(reach**2) / (2 * _SMOOTH_SIGMA**2))
    bell /= bell.sum()
    for axis in (0, 1):
        padded = np.pad(values, [(8, 8) if side == axis else (0, 0) for side in (0, 1)], "edge")
        values = np.apply_along_axis(np.convolve, axis, padded, bell, "valid")
    return values


def _as_shares(values: SalienceMap) -> SalienceMap:
    total = values.sum()
    return values / total if total > 0 else values


def _best_place(profile: NDArray[np.float64], part: float) -> float:
    """Where a window over this part of a line holds most of it, 0 to 1 of the way that it can go."""
    n = len(profile)
    kept = max(1, round(n * part))
    if kept >= n or not profile.sum():
        return 0.5
    held = np.convolve(profile, np.ones(kept), "valid")
    middle = (n - kept) / 2
    # Of equal windows the one nearest to the middle.
    best = min(range(len(held)), key=lambda place: (-held[place], abs(place - middle)))
    if held[best] <= LEAST_GAIN * held[round(middle)]:
        return 0.5
    return best / (n - kept)
