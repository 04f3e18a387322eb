"""Pictures of any shape in the frame of the profile: whole inside bars or a blur, or cropped."""

from __future__ import annotations

from indexer.media.ffmpeg import Stream
from search_app.conforming.coding import CODINGS
from search_app.conforming.colours import converted
from search_app.conforming.picture_names import Framing
from search_app.conforming.source_frames import FrameLog
from search_app.conforming.target_profile import Profile
from store.records import VideoFacts

Focus = tuple[float, float]
"""Position of a crop's window: 0 is left or top, 1 is right or bottom."""

CENTRE: Focus = (0.5, 0.5)

BLUR_SCALE = 8
"""The blurred copy is made at this part of the size: what is blurred needs no more."""
BLUR_SIGMA = 3.0

_OVERLAY_FORMATS = {"yuv420p": "yuv420", "yuv422p10le": "yuv422p10"}


def fitted(pictures: Stream, facts: VideoFacts, look: FrameLog, profile: Profile, focus: Focus = CENTRE) -> Stream:
    """Pictures with the profile's size, framing, pixel shape, colours and depth.

    Args:
        pictures: of a source.
        facts: of the source.
        look: how its pictures are stored.
        profile: what they shall become.
        focus: what is kept of pictures that are cropped.
    """
    pixel_format = CODINGS[profile.codec].pixel_format
    fills = profile.framing in {Framing.CROP, Framing.SMART}
    size = profile.cover(facts) if fills else profile.fit(facts)
    scaled = converted(pictures, facts, look, size, pixel_format, profile.matrix)
    if fills:
        framed = _cropped(scaled, profile.width_px, profile.height_px, focus)
    elif profile.framing is Framing.BLUR and size != (profile.width_px, profile.height_px):
        framed = _before_blur(scaled, size, profile, pixel_format)
    else:
        framed = scaled.filter("pad", profile.width_px, profile.height_px, "(ow-iw)/2", "(oh-ih)/2")
    return framed.filter("setsar", 1).filter("setparams", range="tv", **profile.color_tags)


def _cropped(pictures: Stream, width: int, height: int, focus: Focus) -> Stream:
    across, down = focus
    return pictures.filter("crop", width, height, f"(iw-ow)*{across:.6f}", f"(ih-oh)*{down:.6f}", exact=1)


def _before_blur(pictures: Stream, size: tuple[int, int], profile: Profile, pixel_format: str) -> Stream:
    width, height = (max(4, side // BLUR_SCALE // 2 * 2) for side in (profile.width_px, profile.height_px))
    copies = pictures.split()
    behind = (
        copies[1]
        .filter("setsar", 1)
        # Both sides from the larger need, so that nothing is distorted and nothing stays empty.
        .filter("scale", *_covering(size, (width, height)), flags="area")
        .filter("crop", width, height)
        .filter("gblur", sigma=BLUR_SIGMA)
        .filter("scale", profile.width_px, profile.height_px, flags="bicubic")
    )
    overlay = {"format": _OVERLAY_FORMATS[pixel_format], "eof_action": "endall"}
    return behind.overlay(copies[0].filter("setsar", 1), x="(W-w)/2", y="(H-h)/2", **overlay).filter(
        "format", pixel_format
    )


def _covering(size: tuple[int, int], frame: tuple[int, int]) -> tuple[int, int]:
    scale = max(frame[0] / size[0], frame[1] / size[1])
    return max(frame[0], round(size[0] * scale)), max(frame[1], round(size[1] * scale))
