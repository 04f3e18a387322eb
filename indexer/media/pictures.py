"""From a decoder's frame to the pictures we work with: upright, with square pixels, and small."""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexer.media.display import Crop, DisplayShape, Orientation, display_shape, frame_orientation
from indexer.media.limits import MAX_SIDE_PX

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
_MAX_ENLARGEMENT = 8
"""A crop that leaves less of a side than one part in so many is not applied where pictures are only analysed."""

_LUMA_SHARES = (0.2126, 0.7152, 0.0722)
"""Of red, green and blue in light (ITU-R BT.709)."""


@dataclass(frozen=True, slots=True)
class AnalysisPicture:
    """A frame as the detector and the sampler see it: always the same size, whatever the video's shape.

    Args:
        luma: uint8, (144, 256).
        chroma: uint8, (2, 72, 128): blue and red difference.
    """

    luma: NDArray[np.uint8]
    chroma: NDArray[np.uint8]


class PictureMaker:
    """Shrinks frames of one video. Keeps its scalers, which cost more to set up than to use.

    Args:
        pixel_aspect: width of a pixel relative to its height.
        crop: what the container cuts off.
    """

    def __init__(self, pixel_aspect: Fraction, crop: Crop | None = None) -> None:
        from av.video.reformatter import VideoReformatter

        self._pixel_aspect = pixel_aspect
        self._crop = crop or Crop()
        self._small: Any = VideoReformatter()
        self._large: Any = VideoReformatter()

    def shape_of(self, frame: av.VideoFrame) -> DisplayShape:
        """Display of this frame; sizes may change in mid-stream."""
        return display_shape(frame.width, frame.height, self._pixel_aspect, frame_orientation(frame), self._crop)

    def analysis_picture(self, frame: av.VideoFrame) -> AnalysisPicture:
        """The frame at the fixed size that boundaries and sharpness are judged at; neither flipped nor turned."""
        crop = self._crop.within(frame.width, frame.height)
        width, left = _enlarged(ANALYSIS_WIDTH_PX, frame.width, crop.left, crop.right)
        height, top = _enlarged(ANALYSIS_HEIGHT_PX, frame.height, crop.top, crop.bottom)
        if max(width // ANALYSIS_WIDTH_PX, height // ANALYSIS_HEIGHT_PX) >= _MAX_ENLARGEMENT:
            width, left, height, top = ANALYSIS_WIDTH_PX, 0, ANALYSIS_HEIGHT_PX, 0
        size = {"width": width // 2 * 2, "height": height // 2 * 2}  # colours are stored at half the size
        small = self._small.reformat(frame, **size, format="yuv420p", interpolation="AREA")
        luma, blue, red = (_plane_array(plane) for plane in small.planes)
        rows, columns = (
            slice(top // 2, top // 2 + ANALYSIS_HEIGHT_PX // 2),
            slice(left // 2, left // 2 + ANALYSIS_WIDTH_PX // 2),
        )
        chroma = np.stack((blue[rows, columns], red[rows, columns]))
        top, left = top // 2 * 2, left // 2 * 2
        kept = luma[top : top + ANALYSIS_HEIGHT_PX, left : left + ANALYSIS_WIDTH_PX]
        return AnalysisPicture(np.ascontiguousarray(kept), chroma)

    def grey_picture(self, frame: av.VideoFrame, width_px: int, height_px: int) -> NDArray[np.uint8]:
        """The frame as it is shown, (height, width), at any size; what is transparent lies over black."""
        shape = self.shape_of(frame)
        size = (width_px, height_px) if shape.orientation.is_upright else (height_px, width_px)
        whole_width, left = _enlarged(size[0], frame.width, shape.crop.left, shape.crop.right)
        whole_height, top = _enlarged(size[1], frame.height, shape.crop.top, shape.crop.bottom)
        is_transparent = any(component.is_alpha for component in frame.format.components)
        grey = self._small.reformat(
            frame,
            width=whole_width,
            height=whole_height,
            format="rgba" if is_transparent else "gray",
            interpolation="AREA" if whole_width < frame.width else "BICUBIC",
        ).to_ndarray()[top : top + size[1], left : left + size[0]]
        if is_transparent:
            luma = grey[..., :3] @ np.asarray(_LUMA_SHARES)
            grey = (luma * (grey[..., 3] / 255)).astype(np.uint8)
        return _laid(grey, shape.orientation)

    def rgb_picture(self, frame: av.VideoFrame, short_side_px: int) -> RgbImage:
        """The frame as it is shown, its shorter side `short_side_px`; smaller frames keep their size."""
        shape = self.shape_of(frame)
        short, long = sorted((shape.width_px, shape.height_px))
        factor = min(1.0, short_side_px / short, _MAX_ELONGATION * short_side_px / long)
        width, height = (max(1, round(side * factor)) for side in (shape.width_px, shape.height_px))
        if not shape.orientation.is_upright:
            width, height = height, width
        crop = shape.crop
        whole_width, left = _enlarged(width, frame.width, crop.left, crop.right)
        whole_height, top = _enlarged(height, frame.height, crop.top, crop.bottom)
        picture = self._large.reformat(
            frame,
            width=whole_width,
            height=whole_height,
            format="rgb24",
            interpolation="AREA" if factor < 1 else "BICUBIC",
        ).to_ndarray()[top : top + height, left : left + width]
        return _laid(picture, shape.orientation)


def _laid(picture: NDArray[np.uint8], orientation: Orientation) -> NDArray[np.uint8]:
    """The picture flipped and turned."""
    flipped = picture[:, ::-1] if orientation.mirrored else picture
    return np.ascontiguousarray(np.rot90(flipped, k=-(orientation.rotation_degrees // 90)), dtype=np.uint8)


def _enlarged(kept_px: int, stored_px: int, cut_before: int, cut_after: int) -> tuple[int, int]:
    """Length of a whole side of which `kept_px` are kept, and where the kept part begins."""
    stored_kept = stored_px - cut_before - cut_after
    whole = max(kept_px, round(kept_px * stored_px / stored_kept))
    return whole, min(round(cut_before * kept_px / stored_kept), whole - kept_px)


def shrink_rgb(image: RgbImage, short_side_px: int) -> RgbImage:
    """The picture with its shorter side at most `short_side_px`; never enlarged."""
    from PIL import Image

    height, width = image.shape[:2]
    factor = short_side_px / min(height, width)
    if factor >= 1:
        return image
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


def encode_thumbnail(
    image: RgbImage, long_side_px: float = THUMBNAIL_LONG_SIDE_PX, short_side_px: int | None = None
) -> bytes:
    """WebP bytes of the picture, its longer side at most `long_side_px`, its shorter at most `short_side_px`."""
    from PIL import Image

    picture = Image.fromarray(image)
    factor = min(long_side_px / max(picture.size), (short_side_px or MAX_SIDE_PX) / min(picture.size))
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
