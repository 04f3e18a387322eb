"""Thumbnails of one shape, so that portrait and landscape stand in straight rows."""

from __future__ import annotations

import io
from pathlib import Path

from store.limited import is_own_file

WIDTH_PX, HEIGHT_PX = 480, 270
_MOST_PIXELS = 4_000_000
_BACKGROUND = (16, 18, 22)  # the black of a player, which suits light and dark pages alike


def framed_thumbnail(path: Path) -> bytes:
    """The picture, whole and centred on a 16:9 ground, as JPEG; the empty ground if it cannot be read."""
    from PIL import Image, ImageOps

    ground = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), _BACKGROUND)
    try:
        if not is_own_file(path, n_folders=2):
            raise OSError(f"{path} is no thumbnail of an archive")
        with Image.open(path, formats=("WEBP",)) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise ValueError(f"{path} is no thumbnail")
            fitted = ImageOps.contain(picture.convert("RGB"), ground.size, Image.Resampling.LANCZOS)
        ground.paste(fitted, ((WIDTH_PX - fitted.width) // 2, (HEIGHT_PX - fitted.height) // 2))
    except (OSError, ValueError, Image.DecompressionBombError):
        pass  # thumbnails are a cache: a shot without one can still be played and cut
    result = io.BytesIO()
    ground.save(result, "JPEG", quality=85)
    return result.getvalue()
