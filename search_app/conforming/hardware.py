"""Encoders of H.264: the software's, and those of cards, which are used only where a trial shows them work.

That a program lists an encoder says that it was built with it, not that the card, its driver and a free session
are there. So a second of grey is encoded before an encoder is trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import DEFAULT_LIMITS, Ffmpeg, Stream, discard, draw
from indexer.media.limits import ChildLimits
from search_app.conforming.picture_names import Encoder
from search_app.conforming.target_profile import SOFTWARE_ENCODER
from search_app.errors import RenderError


@dataclass(frozen=True, slots=True)
class Hardware:
    """One kind of card.

    Args:
        name: ffmpeg's name of its encoder.
        quality: name of the option that takes the constant quality.
        options: its other options.
        needs_upload: whether pictures must be brought to the card by a filter.
    """

    name: str
    quality: str
    options: Mapping[str, object] = field(default_factory=dict)
    needs_upload: bool = False


HARDWARE: Mapping[Encoder, Hardware] = {
    Encoder.NVENC: Hardware("h264_nvenc", "cq", {"rc": "vbr", "b:v": 0, "preset": "p5"}),
    Encoder.QSV: Hardware("h264_qsv", "global_quality", {"preset": "medium"}),
    Encoder.VIDEOTOOLBOX: Hardware("h264_videotoolbox", "q:v", {"allow_sw": 0}),
    Encoder.VAAPI: Hardware(
        "h264_vaapi",
        "qp",
        {"rc_mode": "CQP", "init_hw_device": "vaapi=card", "filter_hw_device": "card"},
        needs_upload=True,
    ),
}
"""In the order in which `auto` tries them."""

_BY_NAME = {card.name: card for card in HARDWARE.values()}
_TRIAL = "color=gray:size=320x240:rate=25:duration=1"
_TRIAL_SECONDS = 30.0
_CARD_MEMORY_BYTES = 2**46  # drivers reserve address space for all memory of the card and of the machine


def h264_options(encoder: str, crf: int, preset: str) -> dict[str, object]:
    """Options of an encoder of H.264 that writes the same headers for all clips.

    Args:
        encoder: ffmpeg's name of it.
        crf: constant quality on x264's scale; cards have scales of their own that are near to it.
        preset: x264's trade of time for size.
    """
    if encoder == SOFTWARE_ENCODER:
        # Headers must not depend on the pictures: all clips are joined under the headers of the first.
        return {"c:v": encoder, "crf": crf, "preset": preset, "x264-params": "stitchable=1"}
    card = _BY_NAME[encoder]
    # Of all of them only this one counts from 1, worst, to 100.
    quality = 100 - 2 * crf if card.quality == "q:v" else crf
    return {"c:v": encoder, card.quality: quality, **card.options}


def as_encoder_needs(pictures: Stream, encoder: str) -> Stream:
    """Pictures where the encoder finds them: on its card, if it must be so."""
    if encoder != SOFTWARE_ENCODER and _BY_NAME[encoder].needs_upload:
        return pictures.filter("format", "nv12").filter("hwupload")
    return pictures


def encoder_limits(encoder: str) -> ChildLimits:
    """Resources of a program that runs an encoder."""
    if encoder == SOFTWARE_ENCODER:
        return DEFAULT_LIMITS
    return replace(DEFAULT_LIMITS, memory_bytes=_CARD_MEMORY_BYTES)


def choose_encoder(program: Ffmpeg, wanted: Encoder) -> str:
    """Ffmpeg's name of the encoder to use.

    Args:
        program: ffmpeg.
        wanted: whose encoder.

    Raises:
        RenderError: the card that was asked for does not work here.
    """
    if wanted is Encoder.SOFTWARE:
        return SOFTWARE_ENCODER
    if wanted is Encoder.AUTO:
        return next((card.name for card in HARDWARE.values() if not why_not(program, card)), SOFTWARE_ENCODER)
    card = HARDWARE[wanted]
    if reason := why_not(program, card):
        raise RenderError(
            f"{wanted.value} does not work here ({reason}): leave --encoder out, or give it software"
        )
    return card.name


def why_not(program: Ffmpeg, card: Hardware) -> str:
    """Why a card's encoder cannot be used, in the program's words; empty if it can."""
    if card.name not in program.encoders:
        return f"this ffmpeg has no {card.name}"
    pictures = as_encoder_needs(draw(_TRIAL).filter("format", "yuv420p"), card.name)
    limits = replace(encoder_limits(card.name), wall_seconds=_TRIAL_SECONDS)
    try:
        program.run(discard([pictures], **h264_options(card.name, 23, "")), limits=limits)
    except FfmpegError as error:
        return str(error)
    return ""
