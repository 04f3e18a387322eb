"""How a profile's pictures and sound are coded: in the file of each clip, and in the file joined of them.

Clips are joined by copying, under the headers of the first: whatever codes them must write the same headers for
all. Frames of ProRes and DNxHR bring their own; x264 is asked for headers that can be stitched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from indexer.media.ffmpeg import thread_count
from search_app.cutting.target_profile import Codec, Profile
from search_app.errors import RenderError

CLIP_SUFFIX = ".mov"
"""Ending of the file of each clip; the container holds every codec here."""


@dataclass(frozen=True, slots=True)
class Coding:
    """What a codec's files hold.

    Args:
        containers: endings that such a file may have, and ffmpeg's name of the container.
        sound: ffmpeg's names of the sound's encoder, by container; empty where there is no sound.
        pixel_format: ffmpeg's name of how pictures are stored; empty where there are none.
        pictures: ffmpeg's options for the pictures of a clip.
    """

    containers: Mapping[str, str]
    sound: Mapping[str, str]
    pixel_format: str = ""
    pictures: Mapping[str, object] = field(default_factory=dict)


_MOVIES = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
_QUICKTIME = {".mov": "mov"}
_SAMPLES = {"mov": "pcm_s16le"}

CODINGS: Mapping[Codec, Coding] = {
    Codec.H264: Coding(_MOVIES, dict.fromkeys(_MOVIES.values(), "aac"), "yuv420p"),
    Codec.PRORES: Coding(
        _QUICKTIME, _SAMPLES, "yuv422p10le", {"c:v": "prores_ks", "profile:v": "hq", "vendor": "apl0"}
    ),
    Codec.DNXHR: Coding(_QUICKTIME, _SAMPLES, "yuv422p10le", {"c:v": "dnxhd", "profile:v": "dnxhr_hqx"}),
}


def container_of(output: Path, codec: Codec) -> str:
    """Ffmpeg's name of the container that a file's ending asks for.

    Raises:
        RenderError: files of this codec have other endings.
    """
    containers = CODINGS[codec].containers
    container = containers.get(output.suffix.lower())
    if container is None:
        allowed = ", ".join(containers)
        raise RenderError(
            f"the ending of {output.name!r} does not fit {codec.value}: give it one of the endings {allowed}"
        )
    return container


def picture_options(profile: Profile) -> dict[str, object]:
    """Options for the pictures of one clip; the clips of one profile can be joined by copying."""
    coding = CODINGS[profile.codec]
    return {
        **(coding.pictures or _x264(profile)),
        "color_range": "tv",
        "colorspace": "bt709",
        "color_primaries": "bt709",
        "color_trc": "bt709",
        "threads": thread_count(),
        "format": "mov",
    }


def _x264(profile: Profile) -> dict[str, object]:
    return {
        "c:v": "libx264",
        "crf": profile.crf,
        "preset": profile.preset,
        # Headers must not depend on the pictures: all clips are joined under the headers of the first.
        "x264-params": "stitchable=1",
    }


def join_options(profile: Profile, container: str) -> dict[str, object]:
    """Options for the joined file: pictures as they are, sound coded once over the whole."""
    sound = CODINGS[profile.codec].sound[container]
    options: dict[str, object] = {"c:v": "copy", "c:a": sound, "map_metadata": -1}
    if sound == "aac":
        options["b:a"] = profile.audio_bits_per_second
    if container in {"mp4", "mov"}:
        options["movflags"] = "+faststart"
    return options
