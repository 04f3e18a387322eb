"""Pictures to search by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from search_app.errors import QueryError

if TYPE_CHECKING:
    from indexer.models.encoder import RgbImage

_FORMATS = ("JPEG", "PNG", "WEBP")  # decoders that are small and much attacked: no EPS, no PDF, no rarities
_MAX_PIXELS = 40_000_000
_LONGEST_SIDE_PX = 1024  # more than any encoder looks at


def read_picture(path: Path) -> RgbImage:
    """A picture file, upright as its camera was held, transparent parts on white.

    Raises:
        QueryError: it cannot be read, is no JPEG, PNG or WebP, or is too large.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path, formats=_FORMATS) as opened:
            n_pixels = opened.width * opened.height
            if n_pixels > _MAX_PIXELS:
                raise QueryError(
                    f"the picture {path} has {n_pixels:,} pixels, more than {_MAX_PIXELS:,}; make it smaller"
                )
            upright = ImageOps.exif_transpose(opened)
            upright.thumbnail((_LONGEST_SIDE_PX, _LONGEST_SIDE_PX), reducing_gap=2.0)
            if upright.has_transparency_data:
                upright = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)
            return np.asarray(upright.convert("RGB"))
    except UnidentifiedImageError as error:
        raise QueryError(
            f"{path} is not a picture that can be searched by: give a JPEG, PNG or WebP file"
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise QueryError(f"the picture {path} has too many pixels, at most {_MAX_PIXELS:,} are read") from error
    except (OSError, ValueError, SyntaxError) as error:  # Pillow's decoders raise all of these for damaged files
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise QueryError(f"cannot read the picture {path}: {reason}") from error
