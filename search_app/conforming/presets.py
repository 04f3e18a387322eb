"""Values of each preset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from search_app.conforming.picture_names import Codec, Preset
from search_app.conforming.target_profile import Profile, choose_profile, scaled_size
from store.records import VideoFacts


@dataclass(frozen=True, slots=True)
class Shape:
    """Values that a preset fixes; None leaves them to the sources.

    Args:
        codec: what it is coded in; which endings that has, `coding.py` says.
        size: width and height in pixels.
        longest_px: longest side, where the shape is that of the sources.
        frame_rate: frames per second.
        crf: x264's constant quality.
        speed: x264's trade of time for size.
    """

    codec: Codec
    size: tuple[int, int] | None = None
    longest_px: int | None = None
    frame_rate: Fraction | None = None
    crf: int = 20
    speed: str = "fast"


PRESETS: Mapping[Preset, Shape] = {
    Preset.WEB_1080P: Shape(Codec.H264, (1920, 1080)),
    Preset.WEB_720P: Shape(Codec.H264, (1280, 720)),
    Preset.SQUARE: Shape(Codec.H264, (1080, 1080)),
    Preset.VERTICAL: Shape(Codec.H264, (1080, 1920)),
    Preset.PRORES: Shape(Codec.PRORES),
    Preset.DNXHR: Shape(Codec.DNXHR),
    # The pictures of sound alone are not kept, only their time is.
    Preset.AUDIO_ONLY: Shape(Codec.SOUND, (64, 64), crf=30, speed="ultrafast"),
    # A GIF counts time in hundredths of a second: eight of them.
    Preset.GIF: Shape(Codec.GIF, longest_px=480, frame_rate=Fraction(25, 2), crf=12, speed="veryfast"),
}


def preset_profile(
    sources: Sequence[VideoFacts], preset: Preset | None, seconds: Sequence[Fraction] = ()
) -> Profile:
    """The profile of a preset; the one that changes least if None.

    Raises:
        ValueError: there are no clips.
    """
    profile = choose_profile(sources, seconds)
    if preset is None:
        return profile
    shape = PRESETS[preset]
    width, height = shape.size or (profile.width_px, profile.height_px)
    if shape.longest_px:
        width, height = scaled_size(width, height, shape.longest_px)
    return replace(
        profile,
        width_px=width,
        height_px=height,
        frame_rate=shape.frame_rate or profile.frame_rate,
        codec=shape.codec,
        crf=shape.crf,
        preset=shape.speed,
    )
