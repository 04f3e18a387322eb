"""The plan as XML of Final Cut Pro 7, which Premiere and Resolve read: frames from the media's first.

Every channel of sound is a clip item of its own, on a track of its own: the first channels of all clips on the
first track, and so on, linked with the picture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from xml.etree.ElementTree import Element, SubElement

from search_app.timelines.sources import Source
from search_app.timelines.timecode import counting_name, format_timecode, nominal_rate
from search_app.timelines.timeline import TimelineClip, TimelinePlan, comment_of
from search_app.timelines.xml_text import xml_text

_STEREO = 2


def xmeml_text(plan: TimelinePlan) -> str:
    """The timeline as XML; the timecode is told once, in the `file`, and `in` and `out` are without it."""
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
    for tag, side in zip(("width", "height"), plan.largest_shape, strict=True):
        _leaf(look, tag, side)
    pictures = SubElement(video, "track")
    told: dict[Source, str] = {}
    linked = _linked_items(plan)
    for clip, items in zip(plan.clips, linked, strict=True):
        pictures.append(_clipitem(clip, items[0], items, told))
    n_tracks = max(clip.source.n_channels for clip in plan.clips)
    if n_tracks:
        audio = SubElement(media, "audio")
        _leaf(audio, "channelcount", min(n_tracks, _STEREO))
        for channel in range(1, n_tracks + 1):
            track = SubElement(audio, "track")
            for clip, items in zip(plan.clips, linked, strict=True):
                if channel < len(items):
                    track.append(_clipitem(clip, items[channel], items, told))
            if n_tracks >= _STEREO:
                _leaf(track, "outputchannelindex", 2 - channel % 2)
    return xml_text(root, "xmeml")


@dataclass(frozen=True, slots=True)
class _Item:
    """A clip item and its place.

    Args:
        name: its identifier.
        media: `video` or `audio`.
        track: number of its track, which is that of its channel, from 1.
        place: number on its track, from 1.
    """

    name: str
    media: str
    track: int
    place: int


def _linked_items(plan: TimelinePlan) -> list[list[_Item]]:
    """For each clip its picture and the channels of its sound, which belong together."""
    n_on_track: Counter[int] = Counter()
    linked = []
    for number, clip in enumerate(plan.clips, start=1):
        items = [_Item(f"v{number}", "video", 1, number)]
        for channel in range(1, clip.source.n_channels + 1):
            n_on_track[channel] += 1
            items.append(_Item(f"a{number}-{channel}", "audio", channel, n_on_track[channel]))
        linked.append(items)
    return linked


def _clipitem(clip: TimelineClip, item: _Item, linked: Sequence[_Item], told: dict[Source, str]) -> Element:
    """The picture of a clip, or one channel of its sound."""
    source, first = clip.source, clip.source_in - clip.source.start
    element = Element("clipitem", id=item.name)
    _leaf(element, "name", source.name)
    _leaf(element, "duration", source.n_frames)
    element.append(_rate(source.rate))
    _leaf(element, "in", first)
    _leaf(element, "out", first + clip.n_source_frames)
    _leaf(element, "start", clip.record_in)
    _leaf(element, "end", clip.record_in + clip.n_frames)
    element.append(_file(source, told))
    if item.media == "audio":
        track = SubElement(element, "sourcetrack")
        _leaf(track, "mediatype", "audio")
        _leaf(track, "trackindex", item.track)
    else:
        _tell(element, clip)
    for other in linked if len(linked) > 1 else ():
        link = SubElement(element, "link")
        _leaf(link, "linkclipref", other.name)
        _leaf(link, "mediatype", other.media)
        _leaf(link, "trackindex", other.track)
        _leaf(link, "clipindex", other.place)
        if other.media == "audio" and len(linked) > _STEREO:
            _leaf(link, "groupindex", 1)
    return element


def _tell(element: Element, clip: TimelineClip) -> None:
    """Text about a clip: a marker where people wrote a note, and a comment."""
    if clip.note:
        marker = SubElement(element, "marker")
        _leaf(marker, "name", clip.note)
        _leaf(marker, "comment", clip.remark)
        _leaf(marker, "in", clip.marker - clip.source.start)
        _leaf(marker, "out", -1)
    if comment := comment_of(clip):
        _leaf(SubElement(element, "comments"), "mastercomment1", comment)


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
        _leaf(SubElement(media, "audio"), "channelcount", source.n_channels)
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
    _leaf(element, "displayformat", counting_name(drop))
    return element


def _leaf(parent: Element, tag: str, value: object) -> None:
    SubElement(parent, tag).text = str(value)
