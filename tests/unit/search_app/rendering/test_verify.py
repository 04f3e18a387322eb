"""The judgement on one rendered frame."""

from __future__ import annotations

import numpy as np
import pytest

from search_app.rendering.verify import Luma, compare_edge

RANDOM = np.random.default_rng(7)


def picture(shift: int) -> Luma:
    """A bar at a place."""
    grey = np.full((72, 128), 90, np.uint8)
    grey[:, 20 + shift : 40 + shift] = 200
    return grey


def noisy(grey: Luma) -> Luma:
    """The picture as an encoder may give it back."""
    return np.clip(grey + RANDOM.normal(0, 2, grey.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_a_moving_picture_shows_by_how_many_frames_a_cut_is_off(offset: int) -> None:
    """Where the picture moves, one frame too early or too late is noticed and named."""
    around = [(tick, picture(tick)) for tick in range(3, 8)]
    check = compare_edge(noisy(picture(5 + offset)), around, 5)
    assert (offset == 0, offset) == (check.is_exact, check.seen_offset)


def test_a_still_picture_is_exact() -> None:
    """Where all neighbours look the same, any of them is right."""
    assert compare_edge(noisy(picture(0)), [(tick, picture(0)) for tick in range(3)], 1).is_exact


def test_another_picture_is_not_exact() -> None:
    """A frame that is far from what must be there is wrong even if its neighbours are farther."""
    check = compare_edge(picture(60), [(0, picture(0)), (1, picture(1))], 0)
    assert (False, 0) == (check.is_exact, check.seen_offset)


@pytest.mark.parametrize("seen", [None, picture(0)])
def test_nothing_to_compare_is_not_exact(seen: Luma | None) -> None:
    """Without the rendered or the expected frame nothing is proven."""
    check = compare_edge(seen, [] if seen is not None else [(0, picture(0))], 0)
    assert (False, None) == (check.is_exact, check.distance)
