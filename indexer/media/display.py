"""From a stored picture to the shown one: crop of the container, mirror, turn, pixel aspect."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

_MATRIX = struct.Struct("<9i")
_TOLERANCE_DEGREES = 1.0
"""Tolerance in degrees of a turn that counts as a right angle; the ffmpeg program has the same."""

_CROPPING = re.compile(r" +Frame [Cc]ropping: (\d{1,5})/(\d{1,5})/(\d{1,5})/(\d{1,5}) *")

_NEAREST = {  # signs of the matrix's first two rows, as (a, b, c, d) -> mirrored, clockwise turn
    (1, 0, 0, 1): (False, 0),
    (0, 1, -1, 0): (False, 90),
    (-1, 0, 0, -1): (False, 180),
    (0, -1, 1, 0): (False, 270),
    (-1, 0, 0, 1): (True, 0),
    (0, -1, -1, 0): (True, 90),
    (1, 0, 0, -1): (True, 180),
    (0, 1, 1, 0): (True, 270),
}


@dataclass(frozen=True, slots=True)
class Orientation:
    """One of the eight ways to lay a rectangle on another.

    Args:
        rotation_degrees: clockwise turn: 0, 90, 180 or 270.
        mirrored: whether the picture is flipped left to right before it is turned.
    """

    rotation_degrees: int = 0
    mirrored: bool = False

    @property
    def is_upright(self) -> bool:
        """Whether width and height stay what they are."""
        return self.rotation_degrees % 180 == 0


@dataclass(frozen=True, slots=True)
class Crop:
    """Pixels cut off the sides of a stored picture."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    def within(self, width_px: int, height_px: int) -> Crop:
        """This crop, or none where it would leave nothing of a picture of this size."""
        fits = self.left + self.right < width_px and self.top + self.bottom < height_px
        return self if fits else Crop()


@dataclass(frozen=True, slots=True)
class DisplayShape:
    """Transformation of the stored picture into the shown one.

    Args:
        width_px: shown width.
        height_px: shown height.
        orientation: how the cropped picture is flipped and turned.
        crop: what is cut off first.
    """

    width_px: int
    height_px: int
    orientation: Orientation
    crop: Crop


def display_shape(
    stored_width_px: int, stored_height_px: int, pixel_aspect: Fraction, orientation: Orientation, crop: Crop
) -> DisplayShape:
    """The shown size and how to get there: cut off, make pixels square, flip, turn."""
    crop = crop.within(stored_width_px, stored_height_px)
    width = max(1, round((stored_width_px - crop.left - crop.right) * pixel_aspect))
    height = stored_height_px - crop.top - crop.bottom
    if not orientation.is_upright:
        width, height = height, width
    return DisplayShape(width, height, orientation, crop)


def orientation_of(matrix: bytes | None) -> Orientation:
    """Effect of a display matrix (ISO 14496-12, nine 32-bit numbers) on a picture, scaling left aside.

    A turn by another than a right angle, and nonsense, count as none: such pictures are shown as they are stored.
    """
    if matrix is None or len(matrix) < _MATRIX.size:
        return Orientation()
    a, b, _, c, d, *_ = _MATRIX.unpack_from(matrix)
    across, down = math.hypot(a, b), math.hypot(c, d)
    if not across or not down:
        return Orientation()
    slack = math.sin(math.radians(_TOLERANCE_DEGREES))
    shares = (a / across, b / across, c / down, d / down)
    if any(slack < abs(share) < math.sqrt(1 - slack * slack) for share in shares):
        return Orientation()
    mirrored, turn = _NEAREST.get(tuple(round(share) for share in shares), (False, 0))
    return Orientation(turn, mirrored)


def frame_orientation(frame: Any) -> Orientation:
    """Display of a decoded frame by its own and its container's data."""
    # Not `frame.side_data`: PyAV lets that and the frame hold each other, and megabytes wait for the collector.
    from av.sidedata import sidedata

    make_container: Any = sidedata.SideDataContainer
    for data in make_container(frame):
        if data.type.name == "DISPLAYMATRIX":
            return orientation_of(bytes(data))
    return Orientation()


def true_aspect(told: Fraction, width_px: int, height_px: int, crop: Crop) -> Fraction:
    """The aspect of a stored picture's pixels, where the demuxer made it up of the shape of the cropped picture.

    QuickTime files without pixel aspect name the size of the clean aperture. Taken for that of the whole picture,
    it makes pixels narrower by what is cut off.

    Args:
        told: width of a pixel relative to its height, as the demuxer says.
        width_px: stored width.
        height_px: stored height.
        crop: what the container cuts off.
    """
    crop = crop.within(width_px, height_px)
    if crop == Crop() or not width_px or not height_px:
        return told
    kept = Fraction(width_px - crop.left - crop.right, height_px - crop.top - crop.bottom)
    return Fraction(1) if told * Fraction(width_px, height_px) == kept else told


def read_crop(lines: Sequence[str]) -> Crop:
    """Crop by the container: clean aperture of QuickTime, pixel crop of Matroska.

    PyAV does not hand it out, but FFmpeg prints it; so we see what the ffmpeg program applies.

    Args:
        lines: of the stream, as `describe_streams` gives them.
    """
    found = next(filter(None, map(_CROPPING.fullmatch, lines)), None)
    if found is None:
        return Crop()
    left, right, top, bottom = (int(side) for side in found.groups())
    return Crop(left, top, right, bottom)
