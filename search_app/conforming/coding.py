"""Coding of a profile's pictures and sound: in the file of each clip, and in the file joined of them.

Clips are joined by copying, under the headers of the first: whatever codes them must write the same headers for
all. Frames of ProRes and DNxHR bring their own; x264 is asked for headers that can be stitched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from indexer.media.ffmpeg import Stream, save, thread_count
from search_app.conforming.hardware import as_encoder_needs, h264_options
from search_app.conforming.picture_names import Codec
from search_app.conforming.target_profile import Profile
from search_app.errors import RenderError

CLIP_SUFFIX = ".mov"
"""Ending of the file of each clip; the container holds every codec here."""


REORDER_FRAMES = 4
"""By so many frames decoding may run ahead of showing; x264 needs two, hardware encoders up to four."""


@dataclass(frozen=True, slots=True)
class Coding:
    """Content of a codec's files.

    Args:
        containers: endings that such a file may have, and ffmpeg's name of the container.
        sound: ffmpeg's names of the sound's encoder, by container; empty where there is no sound.
        pixel_format: ffmpeg's name of how the pictures of a clip are stored.
        pictures: ffmpeg's options for them; empty for H.264.
        shows_pictures: whether the joined file has pictures.
    """

    containers: Mapping[str, str]
    sound: Mapping[str, str]
    pixel_format: str
    pictures: Mapping[str, object] = field(default_factory=dict)
    shows_pictures: bool = True


_MOVIES = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
_SOUNDS = {".m4a": "ipod", ".wav": "wav", ".mp3": "mp3", ".flac": "flac"}
_QUICKTIME = {".mov": "mov"}
_SAMPLES = {"mov": "pcm_s16le"}

CODINGS: Mapping[Codec, Coding] = {
    Codec.H264: Coding(_MOVIES, dict.fromkeys(_MOVIES.values(), "aac"), "yuv420p"),
    Codec.PRORES: Coding(
        _QUICKTIME, _SAMPLES, "yuv422p10le", {"c:v": "prores_ks", "profile:v": "hq", "vendor": "apl0"}
    ),
    Codec.DNXHR: Coding(_QUICKTIME, _SAMPLES, "yuv422p10le", {"c:v": "dnxhd", "profile:v": "dnxhr_hqx"}),
    # Clips of a GIF are H.264: its colours are chosen over the whole, when all clips are joined.
    Codec.GIF: Coding({".gif": "gif"}, {}, "yuv420p"),
    # Clips of sound alone have pictures too, small ones: they give the time and are left out of the whole.
    Codec.SOUND: Coding(
        _SOUNDS,
        {"ipod": "aac", "wav": "pcm_s16le", "mp3": "libmp3lame", "flac": "flac"},
        "yuv420p",
        shows_pictures=False,
    ),
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


def encoded(pictures: Stream, profile: Profile, target: Path, n_threads: int | None = None) -> Stream:
    """The output of a graph that writes the pictures of one clip."""
    return save([as_encoder_needs(pictures, profile.encoder)], target, **picture_options(profile, n_threads))


def picture_options(profile: Profile, n_threads: int | None = None) -> dict[str, object]:
    """Options for the pictures of one clip; the clips of one profile can be joined by copying."""
    coding = CODINGS[profile.codec]
    return {
        **(coding.pictures or h264_options(profile.encoder, profile.crf, profile.preset)),
        "color_range": "tv",
        **profile.color_tags,
        "threads": n_threads or thread_count(),
        "format": "mov",
    }


def decoding_clock(profile: Profile) -> str:
    """A filter of packets that lets decoding run ahead of showing by the same number of frames from start to end.

    Encoded and copied pieces reorder their frames differently, and times of decoding must never go back.
    """
    beat = f"{profile.frame_rate.denominator}/{profile.frame_rate.numerator}"
    return f"setts=time_base={beat}:prescale=1:pts=PTS:dts=N-{REORDER_FRAMES}:duration=1"


def concat_list(pieces: Iterable[tuple[str, int]], profile: Profile) -> str:
    """The list of files that ffmpeg joins one after another, given by name and number of frames."""
    lines, first = ["ffconcat version 1.0"], 0
    for name, n_frames in pieces:
        # Durations are differences of rounded places, so that rounding never adds up to half a tick.
        start, end = (round(n / profile.frame_rate * 1_000_000) for n in (first, first + n_frames))
        lines += [f"file {name}", f"duration {end - start}us"]
        first += n_frames
    return "\n".join(lines) + "\n"


def join_options(profile: Profile, container: str) -> dict[str, object]:
    """Options for the joined file: pictures as they are, sound coded once over the whole."""
    coding = CODINGS[profile.codec]
    options: dict[str, object] = {"map_metadata": -1}
    if coding.shows_pictures:
        options["c:v"] = "copy"
    if profile.codec is Codec.H264:
        options["bsf:v"] = decoding_clock(profile)
    if sound := coding.sound.get(container):
        options["c:a"] = sound
        if sound in {"aac", "libmp3lame"}:
            options["b:a"] = profile.audio_bits_per_second
    if container in {"mp4", "mov", "ipod"}:
        options["movflags"] = "+faststart"
    return options
