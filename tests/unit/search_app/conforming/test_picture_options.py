"""What a supercut looks like, as asked for on the command line."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from search_app.conforming.coding import CODINGS, container_of
from search_app.conforming.hardware import HARDWARE, h264_options
from search_app.conforming.picture_names import Codec, Preset
from search_app.conforming.picture_options import PictureOptions
from search_app.conforming.presets import PRESETS, preset_profile
from search_app.errors import QueryError, RenderError
from store.records import VideoFacts
from store.timespan import TimeSpan


def facts(width: int, height: int, rate: Fraction = Fraction(25)) -> VideoFacts:
    """Facts of a source of a shape and rate."""
    span = TimeSpan(Fraction(0), Fraction(1))
    return VideoFacts("mov", "h264", width, height, 0, rate, Fraction(1, 1000), Fraction(0), span, 25, True)


@pytest.mark.parametrize(
    ("preset", "shape"),
    [
        (None, (640, 360, Fraction(30), Codec.H264)),
        (Preset.WEB_1080P, (1920, 1080, Fraction(30), Codec.H264)),
        (Preset.WEB_720P, (1280, 720, Fraction(30), Codec.H264)),
        (Preset.SQUARE, (1080, 1080, Fraction(30), Codec.H264)),
        (Preset.VERTICAL, (1080, 1920, Fraction(30), Codec.H264)),
        (Preset.PRORES, (640, 360, Fraction(30), Codec.PRORES)),
        (Preset.DNXHR, (640, 360, Fraction(30), Codec.DNXHR)),
        (Preset.GIF, (480, 270, Fraction(25, 2), Codec.GIF)),
    ],
)
def test_presets_fix_what_they_are_named_for(
    preset: Preset | None, shape: tuple[int, int, Fraction, Codec]
) -> None:
    """A preset gives size and codec, and leaves to the sources what it does not name."""
    profile = preset_profile([facts(640, 360, Fraction(30))], preset)
    assert shape == (profile.width_px, profile.height_px, profile.frame_rate, profile.codec)


def test_every_preset_has_a_profile_and_every_codec_a_coding() -> None:
    """Nothing that can be chosen is missing from the tables."""
    assert (set(Preset), set(Codec)) == (set(PRESETS), set(CODINGS))


@pytest.mark.parametrize(
    ("typed", "rate"),
    [
        ("25", Fraction(25)),
        ("12.5", Fraction(25, 2)),
        ("23.976", Fraction(24000, 1001)),
        ("29.97", Fraction(30000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("30000/1001", Fraction(30000, 1001)),
    ],
)
def test_rates_are_what_people_mean_by_them(typed: str, rate: Fraction) -> None:
    """29.97 is 30000/1001 exactly, and 12.5 is itself."""
    assert rate == PictureOptions(rate=typed).frame_rate


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"preset": "prores", "crf": 20}, "--crf: not with --preset prores"),
        ({"preset": "gif", "encoder": "auto", "audio_track": 2}, "--encoder"),
        ({"preset": "audio-only", "framing": "crop", "size": "64x64"}, "--framing, --size"),
        ({"preset": "gif", "rate": "30"}, "hundredths"),
        ({"preset": "dnxhr", "size": "128x96"}, "256x120"),
    ],
)
def test_options_without_effect_are_refused(options: dict[str, object], words: str) -> None:
    """What a preset cannot use is refused by name."""
    with pytest.raises(QueryError, match=words):
        PictureOptions(**options)  # type: ignore[arg-type]  # plain words, as the command line gives them


@pytest.mark.parametrize("size", ["640", "641x360", "8x8", "axb", "99999x2"])
def test_sizes_that_cannot_be_are_refused(size: str) -> None:
    """A size is two even numbers of sensible pixels."""
    with pytest.raises(QueryError, match="--size"):
        PictureOptions(size=size)


@pytest.mark.parametrize("rate", ["0", "fast", "1/0", "500"])
def test_rates_that_cannot_be_are_refused(rate: str) -> None:
    """A rate is a number of frames per second."""
    with pytest.raises(QueryError, match="--rate"):
        PictureOptions(rate=rate)


@pytest.mark.parametrize(
    ("name", "codec", "right"),
    [
        ("a.mp4", Codec.PRORES, ".mov"),
        ("a.mp3", Codec.GIF, ".gif"),
        ("a.mp4", Codec.SOUND, ".m4a, .wav, .mp3, .flac"),
    ],
)
def test_an_ending_that_does_not_fit_is_refused_with_the_right_one(name: str, codec: Codec, right: str) -> None:
    """The message names the endings that fit."""
    with pytest.raises(RenderError, match=f"does not fit {codec.value}: give it one of the endings {right}"):
        container_of(Path(name), codec)


def test_cards_get_a_constant_quality() -> None:
    """Every encoder of a card is asked for the quality by its own option."""
    asked = {card.name: h264_options(card.name, 20, "fast")[card.quality] for card in HARDWARE.values()}
    assert {"h264_nvenc": 20, "h264_qsv": 20, "h264_vaapi": 20, "h264_videotoolbox": 60} == asked
