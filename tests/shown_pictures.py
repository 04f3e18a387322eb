"""What a video shows at given times, as the product reads it, in a list."""

from collections.abc import Sequence
from fractions import Fraction

from indexer.media.pictures import RgbImage
from indexer.media.pictures_at import PictureRequest, read_pictures


def shown_at(path: str, times: Sequence[Fraction]) -> list[RgbImage]:
    """The pictures at the given times, in their order, at full size."""
    found = {one.number: one.picture for one in read_pictures(path, [PictureRequest(time) for time in times])}
    return [found[number] for number in range(len(times))]
