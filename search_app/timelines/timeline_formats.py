"""A planned timeline as text: OTIO, CMX 3600 EDL, FCPXML, and the XML of Final Cut Pro 7, which Premiere reads.

All times are whole frames or exact fractions of the plan; nothing is rounded here.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from search_app.errors import TimelineError
from search_app.timelines.otio_timeline import build_timeline
from search_app.timelines.timecode import format_timecode, nominal_rate
from search_app.timelines.timeline import (
    Source,
    TimelineClip,
    TimelinePlan,
    marker_comment,
    one_line,
)

MAX_EDL_EVENTS = 999
"""Event numbers of CMX 3600 have three digits."""

FCPXML_VERSION = "1.10"
"""Final Cut Pro 10.6 and everything since reads it, and so does DaVinci Resolve."""

_CONFORM_RATES = ("23.98", "24", "25", "29.97", "30", "60", "47.95", "48", "50", "59.94")


def otio_text(plan: TimelinePlan) -> str:
    """The timeline as OpenTimelineIO's own JSON."""
    return f"{build_timeline(plan).to_json_string()}\n"


def edl_text(plan: TimelinePlan) -> str:
    """The timeline as a CMX 3600 edit decision list.

    Source timecode counts as its source does; where that is another rate than the list's, `M2` says how many of
    its frames play in a second.

    Raises:
        TimelineError: the format has no room for so many clips.
    """
    if len(plan.clips) > MAX_EDL_EVENTS:
        raise TimelineError(
            f"{len(plan.clips)} clips, but an EDL holds {MAX_EDL_EVENTS}: write .otio, .fcpxml or .xml"
        )
    lines = [f"TITLE: {plan.name}", f"FCM: {'' if plan.drop else 'NON-'}DROP FRAME", ""]
    for number, clip in enumerate(plan.clips, start=1):
        lines += _edl_event(plan, number, clip)
    return "\n".join(lines) + "\n"


def _edl_event(plan: TimelinePlan, number: int, clip: TimelineClip) -> list[str]:
    source = clip.source
    start = plan.record_start + clip.record_in
    times = [
        *(source_name(frame, source) for frame in (clip.source_in, clip.source_in + clip.n_source_frames)),
        *(record_name(frame, plan) for frame in (start, start + clip.n_frames)),
    ]
    channels = "B" if source.has_audio else "V"  # B: both picture and sound
    lines = [f"{number:03d}  {source.reel:<8} {channels:<5} C        {' '.join(times)}"]
    if source.rate != plan.rate:
        lines.append(f"M2   {source.reel:<8} {float(source.rate):06.2f}                {times[0]}")
    lines += [f"* FROM CLIP NAME:  {source.name}", f"* SOURCE FILE: {one_line(source.path).strip()}"]
    if source.rate != plan.rate:
        lines.append(f"* SOURCE RATE: {source.rate}")
    marker = start + (clip.marker - clip.source_in) * clip.n_frames // clip.n_source_frames
    comment = marker_comment(clip)
    text = one_line(f"{plan.question} ({comment})" if comment else plan.question).strip()
    if clip.remark:
        lines.append(f"* COMMENT: {clip.remark}")
    return [*lines, f"* LOC: {record_name(marker, plan)} GREEN   {text}", ""]


def source_name(frame: int, source: Source) -> str:
    """The timecode of a frame of a source."""
    return format_timecode(frame, source.rate, drop=source.drop)


def record_name(frame: int, plan: TimelinePlan) -> str:
    """The timecode of a frame of the timeline, counted from 00:00:00:00."""
    return format_timecode(frame, plan.rate, drop=plan.drop)


def fcpxml_text(plan: TimelinePlan) -> str:
    """The timeline as XML of Final Cut Pro X: exact fractions of seconds; timecode is a start time."""
    root = Element("fcpxml", version=FCPXML_VERSION)
    resources = SubElement(root, "resources")
    shape = _largest(plan)
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
        tcFormat=_counting(plan.drop),
        audioLayout="stereo",
        audioRate="48k",
    )
    spine = SubElement(sequence, "spine")
    for clip in plan.clips:
        _asset_clip(spine, plan, clip, assets[clip.source])
    return _xml(root, "fcpxml")


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
        asset.attrib.update(hasAudio="1", audioSources="1")  # channels and rate are not in the archive
    SubElement(asset, "media-rep", kind="original-media", src=source.url)
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
        tcFormat=_counting(source.drop),
    )
    if source.has_audio:
        cut.set("audioRole", "dialogue")
    if clip.caption:
        SubElement(cut, "note").text = clip.caption
    if source.rate != plan.rate:
        conform = SubElement(cut, "conform-rate", scaleEnabled="0")
        name = f"{round(float(source.rate), 2):g}"
        if name in _CONFORM_RATES:
            conform.set("srcFrameRate", name)
    SubElement(
        cut,
        "marker",
        start=_seconds(clip.marker, source.rate),
        duration=_seconds(1, source.rate),
        value=plan.question or source.name,
        note=marker_comment(clip),
    )


def _seconds(n_frames: int, rate: Fraction) -> str:
    time = n_frames / rate
    return f"{time.numerator}s" if time.denominator == 1 else f"{time.numerator}/{time.denominator}s"


def _counting(drop: bool) -> str:
    return "DF" if drop else "NDF"


def _largest(plan: TimelinePlan) -> tuple[int, int]:
    shapes = [(clip.source.width_px, clip.source.height_px) for clip in plan.clips]
    return max(shapes, key=lambda shape: shape[0] * shape[1])


def xmeml_text(plan: TimelinePlan) -> str:
    """The timeline as XML of Final Cut Pro 7, which Premiere and Resolve read: frames from the media's first.

    The timecode is told once, in the `file`; `in` and `out` are without it.
    """
    root = Element("xmeml", version="5")
    sequence = SubElement(root, "sequence", id="sequence-1")
    _leaf(sequence, "name", plan.name)
    _leaf(sequence, "duration", plan.n_frames)
    sequence.append(_rate(plan.rate))
    sequence.append(_timecode(plan.record_start, plan.rate, plan.drop))
    media = SubElement(sequence, "media")
    video = SubElement(media, "video")
    look = SubElement(SubElement(video, "format"), "samplecharacteristics")
    look.append(_rate(plan.rate))
    for tag, side in zip(("width", "height"), _largest(plan), strict=True):
        _leaf(look, tag, side)
    pictures = SubElement(video, "track")
    told: dict[Source, str] = {}
    sounding = [number for number, clip in enumerate(plan.clips, start=1) if clip.source.has_audio]
    places = {number: place for place, number in enumerate(sounding, start=1)}
    for number, clip in enumerate(plan.clips, start=1):
        pictures.append(_clipitem(plan, clip, f"v{number}", (number, places.get(number)), told))
    if sounding:
        sounds = SubElement(SubElement(media, "audio"), "track")
        for number in sounding:
            clip = plan.clips[number - 1]
            sounds.append(_clipitem(plan, clip, f"a{number}", (number, places[number]), told))
    return _xml(root, "xmeml")


def _clipitem(
    plan: TimelinePlan, clip: TimelineClip, name: str, places: tuple[int, int | None], told: dict[Source, str]
) -> Element:
    """The picture (`v` and a number) or the sound (`a`) of a clip; `places`: on its two tracks, from 1."""
    source, first = clip.source, clip.source_in - clip.source.start
    item = Element("clipitem", id=name)
    _leaf(item, "name", source.name)
    _leaf(item, "duration", source.n_frames)
    item.append(_rate(source.rate))
    _leaf(item, "in", first)
    _leaf(item, "out", first + clip.n_source_frames)
    _leaf(item, "start", clip.record_in)
    _leaf(item, "end", clip.record_in + clip.n_frames)
    item.append(_file(source, told))
    if name.startswith("a"):
        track = SubElement(item, "sourcetrack")
        _leaf(track, "mediatype", "audio")
        _leaf(track, "trackindex", 1)
    else:
        marker = SubElement(item, "marker")
        _leaf(marker, "name", plan.question)
        _leaf(marker, "comment", marker_comment(clip))
        _leaf(marker, "in", clip.marker - source.start)
        _leaf(marker, "out", -1)
    if source.has_audio:
        for media, index in zip(("video", "audio"), places, strict=True):
            link = SubElement(item, "link")
            _leaf(link, "linkclipref", f"{media[0]}{places[0]}")
            _leaf(link, "mediatype", media)
            _leaf(link, "trackindex", 1)
            _leaf(link, "clipindex", index)
    return item


def _file(source: Source, told: dict[Source, str]) -> Element:
    """The source; in full where it is named first."""
    if source in told:
        return Element("file", id=told[source])
    told[source] = f"file-{len(told) + 1}"
    file = Element("file", id=told[source])
    _leaf(file, "name", source.name)
    _leaf(file, "pathurl", source.url)
    file.append(_rate(source.rate))
    _leaf(file, "duration", source.n_frames)
    timecode = _timecode(source.start, source.rate, source.drop)
    _leaf(SubElement(timecode, "reel"), "name", source.reel)
    file.append(timecode)
    media = SubElement(file, "media")
    look = SubElement(SubElement(media, "video"), "samplecharacteristics")
    _leaf(look, "width", source.width_px)
    _leaf(look, "height", source.height_px)
    if source.has_audio:
        SubElement(media, "audio")
    return file


def _rate(rate: Fraction) -> Element:
    element = Element("rate")
    _leaf(element, "timebase", nominal_rate(rate))
    _leaf(element, "ntsc", "FALSE" if rate.denominator == 1 else "TRUE")
    return element


def _timecode(frame: int, rate: Fraction, drop: bool) -> Element:
    element = Element("timecode")
    element.append(_rate(rate))
    _leaf(element, "string", format_timecode(frame, rate, drop=drop))
    _leaf(element, "frame", frame)
    _leaf(element, "displayformat", _counting(drop))
    return element


def _leaf(parent: Element, tag: str, value: object) -> None:
    SubElement(parent, tag).text = str(value)


def _xml(root: Element, doctype: str) -> str:
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE {doctype}>\n{body}\n'


WRITERS: dict[str, Callable[[TimelinePlan], str]] = {
    ".otio": otio_text,
    ".edl": edl_text,
    ".fcpxml": fcpxml_text,
    ".xml": xmeml_text,
}
"""What writes each format, by the ending of the file."""
