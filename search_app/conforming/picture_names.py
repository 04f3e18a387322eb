"""Choices for the pictures of a supercut, by name; light, because commands list them in their help."""

from __future__ import annotations

from enum import StrEnum


class Codec(StrEnum):
    """Codings of a supercut; `sound` has no pictures, and `gif` no sound."""

    H264 = "h264"
    PRORES = "prores"
    DNXHR = "dnxhr"
    GIF = "gif"
    SOUND = "sound"


class Framing(StrEnum):
    """Ways with a picture whose shape is not the profile's.

    `pad`: whole inside black bars. `crop`: fills the frame, its middle is kept. `blur`: whole, before a blurred
    copy of itself. `smart`: fills the frame, what draws the eye is kept.
    """

    PAD = "pad"
    CROP = "crop"
    BLUR = "blur"
    SMART = "smart"


class Encoder(StrEnum):
    """H.264 encoders: `auto` is the first of the cards that works, else the software."""

    AUTO = "auto"
    SOFTWARE = "software"
    NVENC = "nvenc"
    QSV = "qsv"
    VAAPI = "vaapi"
    VIDEOTOOLBOX = "videotoolbox"


class Preset(StrEnum):
    """Ready-made profiles; `presets.py` has what each stands for."""

    WEB_1080P = "web-1080p"
    WEB_720P = "web-720p"
    SQUARE = "square"
    VERTICAL = "vertical"
    PRORES = "prores"
    DNXHR = "dnxhr"
    AUDIO_ONLY = "audio-only"
    GIF = "gif"
