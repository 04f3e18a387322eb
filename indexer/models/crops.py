"""Pieces of pictures, cut out by boxes in shares of the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.models.encoder import RgbImage
    from store.row_checks import Box


def pad_box(box: Box, padding: float) -> Box:
    """A box made larger on every side, and cut at the picture's edges.

    Args:
        box: left, top, width, height as shares of the picture.
        padding: share of its width and height that is added on each side.
    """
    left, top = max(0.0, box[0] - padding * box[2]), max(0.0, box[1] - padding * box[3])
    right = min(1.0, box[0] + box[2] * (1 + padding))
    bottom = min(1.0, box[1] + box[3] * (1 + padding))
    return left, top, max(0.0, right - left), max(0.0, bottom - top)


def cut_out(picture: RgbImage, box: Box) -> RgbImage | None:
    """The pixels in a box, a view of the picture; None where it has none."""
    height, width = picture.shape[:2]
    left, top = int(box[0] * width), int(box[1] * height)
    right, bottom = round((box[0] + box[2]) * width), round((box[1] + box[3]) * height)
    return picture[top:bottom, left:right] if right > left and bottom > top else None
