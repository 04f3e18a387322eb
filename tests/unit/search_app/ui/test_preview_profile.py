"""The shape of previews, and how wide films are shown."""

from fractions import Fraction

import pytest

from search_app.ui.panels import fitted_width
from search_app.ui.previews import MAX_SIDE_PX, preview_profile
from store.records import VideoFacts
from store.timespan import TimeSpan


@pytest.mark.parametrize(
    ("source", "preview"),
    [((3840, 2160), (960, 540)), ((2160, 3840), (540, 960)), ((640, 360), (640, 360)), ((7680, 100), (960, 64))],
)
def test_previews_are_small_and_keep_the_shape(source: tuple[int, int], preview: tuple[int, int]) -> None:
    """A large source is scaled down to the longest side allowed, a small one is left alone."""
    span = TimeSpan(Fraction(0), Fraction(2))
    facts = VideoFacts("mov", "h264", *source, 0, Fraction(25), Fraction(1, 25), Fraction(0), span, 50, False)
    profile = preview_profile(facts)
    assert max(profile.width_px, profile.height_px) <= MAX_SIDE_PX
    assert preview[0] == profile.width_px


@pytest.mark.parametrize(
    ("shape", "width_px"), [((1920, 1080), 700), ((1080, 1920), 270), ((1, 10_000), 1), ((100, 100), 480)]
)
def test_upright_films_fit_the_page(shape: tuple[int, int], width_px: int) -> None:
    """A film is never shown taller than there is room."""
    assert width_px == fitted_width(*shape, 700, 480)
