"""Pictures to search by."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from search_app.errors import QueryError

if TYPE_CHECKING:
    from PIL import Image

    from indexer.models.encoder import RgbImage

_FORMATS = ("JPEG", "PNG", "WEBP")  # decoders that are small and much attacked: no EPS, no PDF, no rarities
DAMAGE = (OSError, ValueError, SyntaxError, TypeError, AttributeError, struct.error)
"""Errors of Pillow's decoders for damaged files."""
_MAX_PIXELS = 40_000_000
_LONGEST_SIDE_PX = 1024  # more than any encoder looks at


def read_picture(path: str | Path) -> RgbImage:
    """A picture file, upright as its camera was held, transparent parts on white.

    Args:
        path: the file; `~` stands for the home folder.

    Raises:
        QueryError: it cannot be read, is no JPEG, PNG or WebP, or is too large.
    """
    from PIL import Image, UnidentifiedImageError

    path = _regular_file(path)
    try:
        with Image.open(path, formats=_FORMATS) as opened:
            n_pixels = opened.width * opened.height
            if n_pixels > _MAX_PIXELS:
                raise QueryError(
                    f"the picture {path} has {n_pixels:,} pixels, more than {_MAX_PIXELS:,}; make it smaller"
                )
            upright = _turned_upright(opened)
            upright.thumbnail((_LONGEST_SIDE_PX, _LONGEST_SIDE_PX), reducing_gap=2.0)
            if upright.has_transparency_data:
                upright = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)
            return np.asarray(upright.convert("RGB"))
    except UnidentifiedImageError as error:
        raise QueryError(f"{path} is not a picture that can be read: give a JPEG, PNG or WebP file") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise QueryError(f"the picture {path} has too many pixels, at most {_MAX_PIXELS:,} are read") from error
    except DAMAGE as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise QueryError(f"cannot read the picture {path}: {reason}") from error


def _regular_file(path: str | Path) -> Path:
    """The place of a picture, if it is no pipe or device, which would be waited for without end."""
    try:
        found = Path(path).expanduser()
        is_endless = found.exists() and not found.is_file() and not found.is_dir()
    except (RuntimeError, OSError, ValueError) as error:  # no such user, a name too long, a NUL
        raise QueryError(f"cannot read the picture {path}: {' '.join(str(error).split())}") from error
    if is_endless:
        raise QueryError(f"cannot read the picture {found}: it is no regular file")
    return found


def _turned_upright(picture: Image.Image) -> Image.Image:
    """The picture as its camera was held; as it is stored where what the camera wrote makes no sense."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # Pillow fails here in many ways, while the picture itself is whole
        return picture
