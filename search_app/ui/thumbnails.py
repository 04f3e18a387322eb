"""Thumbnails of one shape, so that portrait and landscape stand in straight rows."""

from __future__ import annotations

import io
from pathlib import Path

WIDTH_PX, HEIGHT_PX = 480, 270
_BACKGROUND = (16, 18, 22)  # the black of a player, which suits light and dark pages alike


def framed_thumbnail(path: Path) -> bytes:
    """The picture, whole and centred on a 16:9 ground, as JPEG; the empty ground if it cannot be read."""
    from PIL import Image, ImageOps

    ground = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), _BACKGROUND)
    try:
        with Image.open(path, formats=("WEBP",)) as picture:
            fitted = ImageOps.contain(picture.convert("RGB"), ground.size, Image.Resampling.LANCZOS)
        ground.paste(fitted, ((WIDTH_PX - fitted.width) // 2, (HEIGHT_PX - fitted.height) // 2))
    except (OSError, ValueError, Image.DecompressionBombError):
        pass  # thumbnails are a cache: a shot without one can still be played and cut
    result = io.BytesIO()
    ground.save(result, "JPEG", quality=85)
    return result.getvalue()
