"""The choice of a supercut's shape."""

from __future__ import annotations

from fractions import Fraction

import pytest

from search_app.conforming.picture_names import Codec
from search_app.conforming.target_profile import Profile, choose_profile
from store.records import VideoFacts
from store.timespan import TimeSpan


def facts(width: int, height: int, rate: Fraction | None = Fraction(25)) -> VideoFacts:
    """Facts of a source of this shape."""
    span, n_frames = TimeSpan(Fraction(0), Fraction(9)), round(9 * (rate or 25))
    return VideoFacts(
        "mov", "h264", width, height, 0, rate, Fraction(1, 90_000), Fraction(0), span, n_frames, True
    )


@pytest.mark.parametrize(
    ("sources", "shape"),
    [
        ([(640, 360), (640, 360), (1920, 1080)], (640, 360)),
        ([(640, 360), (1920, 1080)], (1920, 1080)),
        ([(1080, 1920), (640, 360), (320, 180)], (640, 360)),
        ([(1080, 1920), (720, 1280), (1920, 1200)], (1080, 1920)),
        ([(853, 481)], (852, 480)),
        ([(2, 2)], (64, 64)),
        ([(7680, 4320)], (4096, 2304)),
    ],
)
def test_commonest_shape_wins(sources: list[tuple[int, int]], shape: tuple[int, int]) -> None:
    """The commonest shape is taken, of ties as most lie or stand, then the largest; sides are even."""
    profile = choose_profile([facts(*size) for size in sources])
    assert shape == (profile.width_px, profile.height_px)


def test_rate_of_the_majority_wins() -> None:
    """The rate of most of the material is taken, and 25 where no source says."""
    rates = [Fraction(30), Fraction(24000, 1001), Fraction(24000, 1001), None]
    assert Fraction(24000, 1001) == choose_profile([facts(640, 360, rate) for rate in rates]).frame_rate
    assert Fraction(25) == choose_profile([facts(640, 360, None)]).frame_rate
    seconds = [Fraction(5), Fraction(1), Fraction(1), Fraction(1)]
    assert Fraction(30) == choose_profile([facts(640, 360, rate) for rate in rates], seconds).frame_rate


def test_sound_alone_is_described_by_its_sound() -> None:
    """Where there are no pictures no shape is told."""
    assert "640x360, 29.97 frames per second" == Profile(640, 360, Fraction(30000, 1001)).described
    sound = Profile(64, 64, Fraction(25), codec=Codec.SOUND)
    assert "sound alone, 48000 Hz, stereo" == sound.described


def test_fit_keeps_the_shape_of_the_picture() -> None:
    """A picture is scaled as a whole, never stretched, into even sides."""
    profile = Profile(1280, 720, Fraction(25))
    assert (404, 720) == profile.fit(facts(360, 640))
    assert (1280, 534) == profile.fit(facts(1920, 800))


@pytest.mark.parametrize("shape", [(639, 360), (640, 0)])
def test_odd_and_empty_shapes_are_refused(shape: tuple[int, int]) -> None:
    """A profile that the encoder cannot code is refused."""
    with pytest.raises(ValueError, match="even and positive"):
        Profile(*shape, Fraction(25))
