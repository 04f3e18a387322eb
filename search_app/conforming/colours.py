"""Colours of any source as those of a supercut: BT.709, limited range, opaque, standard dynamic range.

Three ways, by what the frames say of themselves. Most differ in matrix and range only, which `scale` converts.
Other primaries are converted in linear light by `zscale`; the curves of all standard-range systems count as one,
since screens show them alike. High dynamic range (PQ, HLG) is tone-mapped: 203 cd/m2, the white of paper in such
pictures (ITU-R BT.2408), becomes white, and what is brighter is compressed below it.
"""

from __future__ import annotations

from indexer.media.ffmpeg import Stream
from search_app.conforming.source_frames import UNNAMED, FrameLog
from store.records import VideoFacts

HD_HEIGHT_PX = 720
HIGH_RANGE = {"smpte2084": "PQ", "arib-std-b67": "HLG"}
"""Ffmpeg's names of the curves of high dynamic range, and everybody else's."""

REFERENCE_WHITE_NITS = 203
USUAL_PEAK_NITS = 1000.0
"""Of the screens that most high-range pictures were made on; taken where a file does not say."""

_BICUBIC = "bicubic+accurate_rnd"


def converted(
    pictures: Stream, facts: VideoFacts, look: FrameLog, size: tuple[int, int], pixel_format: str, matrix: str
) -> Stream:
    """Pictures of a source at a size, in BT.709, or with the colours of another matrix that are theirs already."""
    tags = _tags(facts, look)
    if tags:
        pictures = pictures.filter("setparams", **tags)
    if look.is_transparent:
        pictures = (
            pictures.filter("scale", flags=_BICUBIC)
            .filter("format", "gbrap16le")
            .filter("premultiply", inplace=1)
            .filter("format", "gbrp16le")
        )
    if look.transfer in HIGH_RANGE:
        scaled = _tone_mapped(pictures, look, size)
    elif look.primaries not in {matrix, *UNNAMED}:
        rec709 = {"tin": "bt709", "t": "bt709", "p": "bt709", "m": "bt709", "r": "tv"}
        scaled = pictures.filter("zscale", *size, f="bicubic", **rec709)
    else:
        # Where nothing is asked of it, `scale` hands pictures on untouched, until their size changes in mid file.
        told = {} if _has_colours(facts, look, matrix) else {"out_color_matrix": matrix, "out_range": "tv"}
        scaled = pictures.filter("scale", *size, flags=_BICUBIC, **told)
    return scaled.filter("format", pixel_format)


def matrix_of(facts: VideoFacts, named: str) -> str:
    """The matrix of pictures in standard range: the one they name, else what players take them for."""
    n_lines = facts.width_px if facts.rotation_degrees % 180 else facts.height_px  # as stored, whatever is shown
    guess = "bt709" if n_lines >= HD_HEIGHT_PX else "smpte170m"
    return guess if named in UNNAMED else named


def _has_colours(facts: VideoFacts, look: FrameLog, matrix: str) -> bool:
    """Whether pictures are in this matrix and in limited range as they are."""
    if look.changes:
        return False
    is_limited = look.pixel_format.startswith("yuv4") and look.color_range != "pc"
    return is_limited and matrix_of(facts, look.matrix) == matrix


def _tags(facts: VideoFacts, look: FrameLog) -> dict[str, str]:
    """Colours of the pictures; where nothing says, those that players assume.

    What changes from one to the next is left to each picture.
    """
    is_high_range = look.transfer in HIGH_RANGE
    guesses = {
        "colorspace": "bt2020nc" if is_high_range else matrix_of(facts, look.matrix),
        "color_primaries": "bt2020" if is_high_range else "",
    }
    told = {
        "range": "color_range",
        "colorspace": "matrix",
        "color_primaries": "primaries",
        "color_trc": "transfer",
    }
    steady = {name: getattr(look, of_look) for name, of_look in told.items() if of_look not in look.changes}
    known = {name: guesses.get(name, "") if value in UNNAMED else value for name, value in steady.items()}
    return {name: value for name, value in known.items() if value}


def _tone_mapped(pictures: Stream, look: FrameLog, size: tuple[int, int]) -> Stream:
    peak = max(1.0, (look.brightest_nits or USUAL_PEAK_NITS) / REFERENCE_WHITE_NITS)
    return (
        pictures.filter("zscale", *size, f="bicubic", t="linear", npl=REFERENCE_WHITE_NITS)
        .filter("format", "gbrpf32le")
        .filter("zscale", p="bt709")
        .filter("tonemap", "mobius", desat=0, peak=f"{peak:.4f}")
        .filter("zscale", t="bt709", m="bt709", r="tv")
    )
