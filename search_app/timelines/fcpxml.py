"""The plan as XML of Final Cut Pro X: exact fractions of seconds; timecode is a start time."""

from __future__ import annotations

from fractions import Fraction
from xml.etree.ElementTree import Element, SubElement

from search_app.timelines.sources import Source
from search_app.timelines.timecode import counting_name
from search_app.timelines.timeline import TimelineClip, TimelinePlan, comment_of
from search_app.timelines.xml_text import xml_text

FCPXML_VERSION = "1.10"
"""Final Cut Pro 10.6 and everything since reads it, and so does DaVinci Resolve."""

_CONFORM_RATES = ("23.98", "24", "25", "29.97", "30", "60", "47.95", "48", "50", "59.94")
_REEL_KEY = "com.apple.proapps.studio.reel"


def fcpxml_text(plan: TimelinePlan) -> str:
    """The timeline as XML of Final Cut Pro X: exact fractions of seconds; timecode is a start time."""
    root = Element("fcpxml", version=FCPXML_VERSION)
    resources = SubElement(root, "resources")
    shape = plan.largest_shape
    sequence_format = _format(resources, "r1", plan.rate, shape)
    assets: dict[Source, Element] = {}
    for clip in plan.clips:
        if clip.source not in assets:
            assets[clip.source] = _asset(resources, clip, len(assets) + 1)
    event = SubElement(SubElement(root, "library"), "event", name=plan.name)
    sequence = SubElement(
        SubElement(event, "project", name=plan.name),
        "sequence",
        format=sequence_format,
        duration=_seconds(plan.n_frames, plan.rate),
        tcStart="0s",
        tcFormat=counting_name(plan.drop),
        audioLayout="stereo",
        audioRate="48k",
    )
    spine = SubElement(sequence, "spine")
    for clip in plan.clips:
        _asset_clip(spine, plan, clip, assets[clip.source])
    return xml_text(root, "fcpxml")


def _format(resources: Element, name: str, rate: Fraction, shape: tuple[int, int]) -> str:
    SubElement(
        resources, "format", id=name, frameDuration=_seconds(1, rate), width=str(shape[0]), height=str(shape[1])
    )
    return name


def _asset(resources: Element, clip: TimelineClip, number: int) -> Element:
    source = clip.source
    shape = _format(resources, f"f{number}", source.rate, (source.width_px, source.height_px))
    asset = SubElement(
        resources,
        "asset",
        id=f"a{number}",
        name=source.name,
        start=_seconds(source.start, source.rate),
        duration=_seconds(source.n_frames, source.rate),
        hasVideo="1",
        format=shape,
        videoSources="1",
    )
    if source.has_audio:
        tracks, channels = len(source.audio_channels), max(source.audio_channels)
        asset.attrib.update(hasAudio="1", audioSources=str(tracks), audioChannels=str(channels))
    SubElement(asset, "media-rep", kind="original-media", src=source.url)
    SubElement(SubElement(asset, "metadata"), "md", key=_REEL_KEY, value=source.reel)
    return asset


def _asset_clip(spine: Element, plan: TimelinePlan, clip: TimelineClip, asset: Element) -> None:
    source = clip.source
    cut = SubElement(
        spine,
        "asset-clip",
        ref=asset.attrib["id"],
        name=source.name,
        offset=_seconds(clip.record_in, plan.rate),
        start=_seconds(clip.source_in, source.rate),
        duration=_seconds(clip.n_frames, plan.rate),
        format=asset.attrib["format"],
        tcFormat=counting_name(source.drop),
    )
    if source.has_audio:
        cut.set("audioRole", "dialogue")
    if comment := comment_of(clip):
        SubElement(cut, "note").text = comment
    if source.rate != plan.rate:
        conform = SubElement(cut, "conform-rate", scaleEnabled="0")
        name = f"{round(float(source.rate), 2):g}"
        if name in _CONFORM_RATES:
            conform.set("srcFrameRate", name)
    if clip.note:
        length = _seconds(1, source.rate)
        start = _seconds(clip.marker, source.rate)
        SubElement(cut, "marker", start=start, duration=length, value=clip.note, note=clip.remark)


def _seconds(n_frames: int, rate: Fraction) -> str:
    time = n_frames / rate
    return f"{time.numerator}s" if time.denominator == 1 else f"{time.numerator}/{time.denominator}s"
