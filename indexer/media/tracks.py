"""The video among a file's video streams, and the codecs that are decoded at all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import av
from av.stream import Disposition

# Decoders in wide use. Rarities are refused: that is where the memory corruption is found.
_CODECS = (
    "av1 cfhd cinepak dnxhd dvvideo ffv1 ffvhuff flv1 h263 h263i h263p h264 hap hevc huffyuv indeo3 mjpeg "
    "mpeg1video mpeg2video mpeg4 msmpeg4v1 msmpeg4v2 msmpeg4v3 msvideo1 png prores qtrle rawvideo rpza svq1 "
    "svq3 theora utvideo v210 vc1 vp3 vp6 vp6f vp8 vp9 vvc wmv1 wmv2 wmv3"
)
_MENDED_IN = {"jpeg2000": (8, 1, 2), "magicyuv": (8, 1, 2)}
"""Codecs whose decoders could be made to write where they must not (CVE-2025-9951, CVE-2026-8461), and the version
of FFmpeg from which on we have seen that mended."""

_VERSION = re.compile(r"n?(\d+)\.(\d+)(?:\.(\d+))?(?![.\d])")
_COVERS = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
_PEEKED_PACKETS = 4096


def refusal_of(codec: str, version: str = av.ffmpeg_version_info) -> str:
    """Why videos of a codec are not decoded by this FFmpeg, empty where they are.

    Args:
        codec: canonical name.
        version: of the FFmpeg that would decode it.
    """
    if codec in _CODECS.split():
        return ""
    if codec not in _MENDED_IN:
        return f"videos of codec {codec} are not read"
    needed = _MENDED_IN[codec]
    found = _VERSION.match(version)
    if found and tuple(int(part or 0) for part in found.groups()) >= needed:
        return ""
    return f"videos of codec {codec} are read with FFmpeg {'.'.join(map(str, needed))} or later; update PyAV"


def choose_video(container: Any, reopen: Callable[[], Any]) -> Any:
    """The video stream that a player shows: one that moves, the default one of these, else the first.

    Covers, thumbnails and tracks of a single picture are no videos, unless there is nothing else that is no cover.

    Args:
        container: an open file.
        reopen: opens it once more, to look ahead; called only if there is a choice.

    Returns:
        The stream, None where there is none but covers.
    """
    candidates = [stream for stream in container.streams.video if not stream.disposition & _COVERS]
    if len(candidates) > 1:
        moving = _moving(candidates, reopen)
        readable = [stream for stream in moving if not refusal_of(codec_of(stream))]
        candidates = readable or moving or candidates
    defaults = [stream for stream in candidates if stream.disposition & Disposition.default]
    return next(iter(defaults or candidates), None)


def codec_of(stream: Any) -> str:
    """Canonical name of a stream's codec, empty where it is unknown."""
    context = stream.codec_context
    return str(context.codec.canonical_name) if context is not None and context.codec is not None else ""


def _moving(candidates: Sequence[Any], reopen: Callable[[], Any]) -> list[Any]:
    """The streams with more than one picture; containers that do not count them are looked into."""
    if all(stream.frames for stream in candidates):
        return [stream for stream in candidates if stream.frames > 1]
    n_packets: Counter[int] = Counter({stream.index: 0 for stream in candidates})
    with reopen() as container:
        try:
            for n_read, packet in enumerate(container.demux()):
                if packet.size and packet.stream_index in n_packets:
                    n_packets[packet.stream_index] += 1
                if n_read >= _PEEKED_PACKETS or min(n_packets.values()) > 1:
                    break
        except av.error.FFmpegError:
            pass  # what was read up to here has to do
    return [stream for stream in candidates if n_packets[stream.index] > 1]
