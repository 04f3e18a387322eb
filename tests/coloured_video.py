"""Small videos of flat colours, stored in any of the ways in which cameras store them, and their own arithmetic.

The arithmetic is written from the standards (ITU-R BT.601, BT.709, BT.2020, BT.2100), not taken from the code that
is tested: a colour is coded here, converted there, and must come out as the same light.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

Colours = NDArray[np.float64]
"""(..., 3): red, green and blue."""

SIZE = (96, 64)
COLUMNS = 6

PATCHES: Colours = np.array(
    [[0.9, 0.9, 0.9], [0.75, 0.2, 0.2], [0.2, 0.7, 0.25], [0.25, 0.25, 0.75], [0.5, 0.5, 0.5], [0.1, 0.1, 0.1]]
)
"""What is coded, as non-linear values from 0 to 1: one colour for each upright stripe."""

LUMA = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
"""Kr and Kb."""

CHROMATICITIES = {
    "bt709": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    "625": ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060)),
    "525": ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    "bt2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
}
"""x and y of red, green and blue; white is D65 for all."""

WHITE = (0.3127, 0.3290)
SCREEN_GAMMA = 2.4
_MATRICES = {"bt601": Colorspace.SMPTE170M, "bt709": Colorspace.ITU709, "bt2020": Colorspace.BT2020}
_PRIMARIES = {
    "bt709": ColorPrimaries.BT709,
    "625": ColorPrimaries.BT470BG,
    "525": ColorPrimaries.SMPTE170M,
    "bt2020": ColorPrimaries.BT2020,
}
_CURVES = {"pq": ColorTrc.SMPTE2084, "hlg": ColorTrc.ARIB_STD_B67, "bt709": ColorTrc.BT709}


@dataclass(frozen=True)
class Stored:
    """How colours are stored.

    Args:
        name: of the file; its ending chooses the container.
        pixel_format: planar, luma and two colour differences, or red, green and blue.
        matrix: one of `LUMA`.
        primaries: one of `CHROMATICITIES`, empty to leave them untagged.
        curve: `bt709`, `pq` or `hlg`, empty to leave it untagged.
        is_full_range: whether values fill the whole range.
        codec: ffmpeg's name of the encoder.
        opacity: of all pixels, where the format has it.
    """

    name: str
    pixel_format: str = "yuv420p"
    matrix: str = "bt709"
    primaries: str = "bt709"
    curve: str = "bt709"
    is_full_range: bool = False
    codec: str = "ffv1"
    opacity: float = 1.0

    def write(self, folder: Path, pictures: list[Colours], rate: Fraction = Fraction(25)) -> Path:
        """Make a video of pictures of non-linear values, each (height, width, 3)."""
        path = folder / self.name
        with av.open(str(path), "w") as container:
            height, width = pictures[0].shape[:2]
            stream: Any = container.add_stream(self.codec, rate=rate)
            stream.width, stream.height, stream.pix_fmt = width, height, self.pixel_format
            context = stream.codec_context
            context.color_range = ColorRange.JPEG if self.is_full_range else ColorRange.MPEG
            if self.pixel_format.startswith("yuv"):
                context.colorspace = _MATRICES[self.matrix]
            if self.primaries:
                context.color_primaries = _PRIMARIES[self.primaries]
            if self.curve:
                context.color_trc = _CURVES[self.curve]
            for number, picture in enumerate(pictures):
                frame = self._frame(picture)
                frame.pts, frame.time_base = number, 1 / rate
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    def _frame(self, picture: Colours) -> av.VideoFrame:
        height, width = picture.shape[:2]
        is_rgb = not self.pixel_format.startswith("yuv")
        planar = "gbrap" if self.pixel_format == "argb" else self.pixel_format
        frame = av.VideoFrame(width, height, planar)
        planes = [picture[..., i] for i in (1, 2, 0)]
        if not is_rgb:
            planes = [
                values + half
                for values, half in zip(
                    np.moveaxis(to_ycc(picture, self.matrix), 2, 0), (0, 0.5, 0.5), strict=True
                )
            ]
        planes.append(np.full((height, width), self.opacity))
        bits = 10 if "10" in self.pixel_format else 8
        top = 2**bits - 1
        for i, plane in enumerate(frame.planes):
            values = planes[i][:: height // plane.height, :: width // plane.width]
            if self.is_full_range or is_rgb or i == 3:
                coded = values * top
            elif i == 0:
                coded = (16 + 219 * values) * 2 ** (bits - 8)
            else:
                coded = (128 + 224 * (values - 0.5)) * 2 ** (bits - 8)
            put(plane, np.clip(np.round(coded), 0, top), bits)
        return frame.reformat(format=self.pixel_format)


def put(plane: Any, values: NDArray[Any], bits: int) -> None:
    """Fill a plane of a frame with numbers of so many bits."""
    width_bytes = 1 if bits == 8 else 2
    rows = np.zeros((plane.height, plane.line_size // width_bytes), np.uint8 if bits == 8 else "<u2")
    rows[:, : plane.width] = values
    plane.update(rows.tobytes())


def stripes(colours: Colours = PATCHES) -> Colours:
    """A picture of upright stripes, one for each colour."""
    width, height = SIZE
    return np.repeat(colours[np.arange(width) * len(colours) // width][None], height, axis=0)


def to_ycc(rgb: Colours, matrix: str) -> Colours:
    """Luma from 0 to 1 and the two colour differences around 0."""
    kr, kb = LUMA[matrix]
    luma = rgb @ np.array([kr, 1 - kr - kb, kb])
    return np.stack([luma, (rgb[..., 2] - luma) / (2 - 2 * kb), (rgb[..., 0] - luma) / (2 - 2 * kr)], axis=-1)


def to_xyz(primaries: str) -> Colours:
    """The matrix that turns light of these primaries into CIE XYZ."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in CHROMATICITIES[primaries]]).T
    x, y = WHITE
    return columns * np.linalg.solve(columns, np.array([x / y, 1, (1 - x - y) / y]))


def as_rec709(rgb: Colours, primaries: str) -> Colours:
    """Non-linear values of these primaries as those of BT.709 that show the same light."""
    light = rgb**SCREEN_GAMMA @ (np.linalg.solve(to_xyz("bt709"), to_xyz(primaries))).T
    return np.clip(light, 0, 1) ** (1 / SCREEN_GAMMA)


def pq(nits: Colours) -> Colours:
    """Light in cd/m2 as values of SMPTE ST 2084."""
    y = (nits / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375


def hlg(nits: Colours) -> Colours:
    """Light of a screen of 1,000 cd/m2, without colour, as values of ARIB STD-B67."""
    scene = (nits / 1000) ** (1 / 1.2)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c)


def shown_colours(path: Path, n: int = COLUMNS, frame_number: int = 0) -> Colours:
    """What a player shows of a rendered file: the middle of each of `n` stripes, by the arithmetic of BT.709."""
    with av.open(str(path)) as container:
        frame = next(itertools.islice(container.decode(video=0), frame_number, None))
    bits = 10 if "10" in frame.format.name else 8
    found = []
    for i in range(n):
        values = []
        for plane in frame.planes:
            at = plane.line_size // (bits // 8 if bits == 8 else 2)
            grid = np.frombuffer(bytes(plane), np.uint8 if bits == 8 else "<u2").reshape(plane.height, at)
            column = (2 * i + 1) * plane.width // (2 * n)
            middle = grid[plane.height // 3 : 2 * plane.height // 3, column - 1 : column + 2]
            values.append(float(middle.mean()) / 2 ** (bits - 8))
        luma, blue, red = (values[0] - 16) / 219, (values[1] - 128) / 224, (values[2] - 128) / 224
        kr, kb = LUMA["bt709"]
        r, b = luma + (2 - 2 * kr) * red, luma + (2 - 2 * kb) * blue
        found.append([r, (luma - kr * r - kb * b) / (1 - kr - kb), b])
    return np.array(found)
