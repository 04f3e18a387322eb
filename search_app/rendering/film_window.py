"""Window of a clip's own picture in the pictures of a film, and both made small for a comparison."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search_app.conforming.framing import Focus
from search_app.conforming.picture_names import Framing
from search_app.conforming.target_profile import Profile
from store.records import VideoFacts

LONG_SIDE_PX = 160
"""The longer side of a small picture of the whole film."""


@dataclass(frozen=True, slots=True)
class FilmWindow:
    """The part of a film's pictures that shows a clip.

    Args:
        edges_px: left, top, right and bottom edge in the film.
        source_size: width and height of a small picture of the whole source.
        rows: those of the small picture of the source that are seen in the film.
        columns: those that are.
    """

    edges_px: tuple[int, int, int, int]
    source_size: tuple[int, int]
    rows: slice
    columns: slice

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the small picture of what is seen."""
        return self.columns.stop - self.columns.start, self.rows.stop - self.rows.start

    def open_part(self, covered: tuple[tuple[int, int, int, int], ...]) -> NDArray[np.bool_] | None:
        """Free part of the clip, (height, width) of the small picture; None if nothing lies over it.

        Args:
            covered: left, top, width and height of what lies over it, in pixels of the film.
        """
        if not covered:
            return None
        width, height = self.size
        left, top, right, bottom = self.edges_px
        across, down = width / (right - left), height / (bottom - top)
        is_open = np.ones((height, width), np.bool_)
        for x, y, width_px, height_px in covered:
            rows = slice(max(0, int((y - top) * down) - 1), max(0, math.ceil((y + height_px - top) * down) + 1))
            columns = slice(
                max(0, int((x - left) * across) - 1), max(0, math.ceil((x + width_px - left) * across) + 1)
            )
            is_open[rows, columns] = False
        return is_open if is_open.any() else None


def film_window(facts: VideoFacts, profile: Profile, focus: Focus) -> FilmWindow:
    """Window of a clip of a source in a film.

    Args:
        facts: of the source.
        profile: of the film.
        focus: what is kept of pictures that are cropped.
    """
    fills = profile.framing in {Framing.CROP, Framing.SMART}
    shown = profile.cover(facts) if fills else profile.fit(facts)
    film = profile.width_px, profile.height_px
    scale = min(1.0, LONG_SIDE_PX / max(film))
    (left, right, columns, width), (top, bottom, rows, height) = (
        _side(*sides, scale, share) for sides, share in zip(zip(shown, film, strict=True), focus, strict=True)
    )
    return FilmWindow((left, top, right, bottom), (width, height), rows, columns)


def _side(shown_px: int, film_px: int, scale: float, share: float) -> tuple[int, int, slice, int]:
    """Both edges in the film, the seen part of the small picture of the source, and that picture's length."""
    n_small = max(1, round(shown_px * scale))
    if shown_px <= film_px:
        begin = (film_px - shown_px) // 2 // 2 * 2  # colours are stored at half the size
        return begin, begin + shown_px, slice(0, n_small), n_small
    cut = round((shown_px - film_px) * share)
    # Whole small pixels only: half of one more or less on one side would look like a moving camera.
    begin, end = math.ceil(cut * n_small / shown_px), math.floor((cut + film_px) * n_small / shown_px)
    edges = (min(film_px, max(0, round(place * shown_px / n_small - cut))) for place in (begin, end))
    return (*edges, slice(begin, end), n_small)  # type: ignore[return-value]
