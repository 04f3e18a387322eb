"""From a decoder's frame to the pictures we work with: upright, with square pixels, and small."""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import av

RgbImage = NDArray[np.uint8]
"""RGB, uint8, (height, width, 3)."""

ANALYSIS_WIDTH_PX = 256
ANALYSIS_HEIGHT_PX = 144

THUMBNAIL_LONG_SIDE_PX = 320
_WEBP_QUALITY = 75
_WEBP_EFFORT = 2
# A picture 64 times longer than wide would otherwise blow up when its short side is enlarged.
_MAX_ELONGATION = 4


@dataclass(frozen=True, slots=True)
class AnalysisPicture:
    """A frame as the detector and the sampler see it: always the same size, whatever the video's shape.

    Args:
        luma: uint8, (144, 256).
        chroma: uint8, (2, 72, 128): blue and red difference.
    """

    luma: NDArray[np.uint8]
    chroma: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class DisplayShape:
    """How the stored picture becomes the shown one.

    Args:
        width_px: shown width.
        height_px: shown height.
        rotation_degrees: clockwise: 0, 90, 180 or 270.
    """

    width_px: int
    height_px: int
    rotation_degrees: int


def display_shape(
    stored_width_px: int, stored_height_px: int, pixel_aspect: Fraction, rotation_counterclockwise: int
) -> DisplayShape:
    """The shown size and turn; a turn that is no multiple of a right angle, or nonsense, counts as none."""
    width = max(1, round(stored_width_px * pixel_aspect))
    turn = -rotation_counterclockwise % 360
    if abs(rotation_counterclockwise) > 360 or turn % 90:
        turn = 0
    if turn in (90, 270):
        return DisplayShape(stored_height_px, width, turn)
    return DisplayShape(width, stored_height_px, turn)


class PictureMaker:
    """Shrinks frames of one video. Keeps its scalers, which cost more to set up than to use."""

    def __init__(self, pixel_aspect: Fraction) -> None:
        from av.video.reformatter import VideoReformatter

        self._pixel_aspect = pixel_aspect
        self._small: Any = VideoReformatter()
        self._large: Any = VideoReformatter()

    def shape_of(self, frame: av.VideoFrame) -> DisplayShape:
        """How this frame is shown; sizes may change in mid-stream."""
        return display_shape(frame.width, frame.height, self._pixel_aspect, int(frame.rotation))

    def analysis_picture(self, frame: av.VideoFrame) -> AnalysisPicture:
        """The frame at the fixed size that boundaries and sharpness are judged at."""
        small = self._small.reformat(
            frame, width=ANALYSIS_WIDTH_PX, height=ANALYSIS_HEIGHT_PX, format="yuv420p", interpolation="AREA"
        )
        luma, blue, red = (_plane_array(plane) for plane in small.planes)
        return AnalysisPicture(luma, np.stack((blue, red)))

    def rgb_picture(self, frame: av.VideoFrame, short_side_px: int) -> RgbImage:
        """The frame as it is shown, its shorter side `short_side_px`; smaller frames keep their size."""
        shape = self.shape_of(frame)
        short, long = sorted((shape.width_px, shape.height_px))
        factor = min(1.0, short_side_px / short, _MAX_ELONGATION * short_side_px / long)
        width, height = (max(1, round(side * factor)) for side in (shape.width_px, shape.height_px))
        if shape.rotation_degrees in (90, 270):
            width, height = height, width
        picture = self._large.reformat(
            frame,
            width=width,
            height=height,
            format="rgb24",
            interpolation="AREA" if factor < 1 else "BICUBIC",
        ).to_ndarray()
        turned = np.rot90(picture, k=-(shape.rotation_degrees // 90))
        return np.ascontiguousarray(turned, dtype=np.uint8)


def shrink_rgb(image: RgbImage, short_side_px: int) -> RgbImage:
    """The picture with its shorter side at most `short_side_px`; never enlarged."""
    from PIL import Image

    height, width = image.shape[:2]
    factor = short_side_px / min(height, width)
    if factor >= 1:
        return image
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


def encode_thumbnail(image: RgbImage) -> bytes:
    """WebP bytes of the picture, its longer side at most 320 pixels."""
    from PIL import Image

    picture = Image.fromarray(image)
    factor = THUMBNAIL_LONG_SIDE_PX / max(picture.size)
    if factor < 1:
        width, height = (max(1, round(side * factor)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=_WEBP_QUALITY, method=_WEBP_EFFORT)
    return buffer.getvalue()


def measure_sharpness(luma: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian: high where there are crisp edges, low for blur and for flat pictures."""
    grey = luma.astype(np.int16)
    laplacian = (
        grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    ).astype(np.float32)
    return float(laplacian.var())


def _plane_array(plane: Any) -> NDArray[np.uint8]:
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width].copy()
