"""Readers of written timelines, by other means than they were written with.

Every reader gives one mapping a clip, in order, with those of these fields that the format holds:

    name, media (address), path, reel,
    sound (whether it is linked), n channels (linked), told channels (of the media)
    channels                               as an EDL names them
    media start, media length              frames of the source, the timecode counted in
    source in, source out                  as media start
    record in, record out                  frames from the beginning of the timeline
    source rate, rate                      frames per second, exact; `rate` is the timeline's

A field that cannot be understood is None, which no plan says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from search_app.timelines.edl import count_edl
from search_app.timelines.timecode import frames_a_day, parse_timecode
from search_app.timelines.timeline import TimelinePlan

Said = Mapping[str, object]
Reader = Callable[[str, TimelinePlan], Sequence[Said]]

_EVENT = re.compile(r"\d{3}  (?P<reel>\S+) +(?P<channels>\S+) +C +(?P<times>\S+ \S+ \S+ \S+)")


def read_otio(text: str, _: TimelinePlan) -> Sequence[Said]:
    """By OpenTimelineIO."""
    import opentimelineio as otio

    timeline = otio.adapters.read_from_string(text, "otio_json")
    rate = _exact(timeline.duration().rate)
    linked = {clip.metadata["rushes"]["link"] for track in timeline.audio_tracks() for clip in track.find_clips()}
    said = []
    track = timeline.video_tracks()[0]
    places = track.range_of_all_children()  # one by one they would cost the square of their number
    for clip in track.find_clips():
        place, media = places[clip], clip.media_reference
        said.append(
            {
                **_source_fields(clip),
                "source in": _whole(clip.source_range.start_time.value),
                "record in": _whole(place.start_time.value),
                "record out": _whole(place.end_time_exclusive().value),
                "reel": media.metadata["rushes"]["reel"],
                "sound": clip.metadata["rushes"]["link"] in linked,
                "source rate": _exact(clip.source_range.start_time.rate),
                "rate": rate,
            }
        )
    return said


def _source_fields(clip: Any) -> dict[str, object]:
    media = clip.media_reference
    return {
        "name": clip.name,
        "media": media.target_url,
        "media start": _whole(media.available_range.start_time.value),
        "media length": _whole(media.available_range.duration.value),
    }


def _whole(number: float) -> int | None:
    return int(number) if number == int(number) else None


def _exact(rate: float) -> Fraction:
    """The rate that a decimal number stands for: 29.97 for 30000/1001."""
    whole = round(rate)
    ntsc = Fraction(1000 * whole, 1001)
    return Fraction(whole) if abs(rate - whole) < abs(rate - float(ntsc)) else ntsc


def read_edl(text: str, plan: TimelinePlan) -> Sequence[Said]:
    """An EDL, line by line: all its timecodes in one count, which it does not say; the plan's is taken."""
    edl = count_edl(plan)
    said: list[Said] = []
    for block in re.split(r"\n(?=\d{3}  )", text)[1:]:
        event = _EVENT.match(block)
        if event is None:
            said.append({"name": None})
            continue
        comments = dict(re.findall(r"^\* ([A-Z ]+): +(.*)$", block, re.MULTILINE))
        times = event["times"].split()
        source_in, source_out = _frames(times[:2], edl.rate)
        record_in, record_out = _frames(times[2:], edl.rate)
        said.append(
            {
                "name": comments.get("FROM CLIP NAME"),
                "path": comments.get("SOURCE FILE"),
                "reel": event["reel"],
                "channels": event["channels"],
                "source rate": Fraction(comments.get("SOURCE RATE", edl.rate)),
                "source in": source_in,
                "source out": source_out,
                "record in": record_in - edl.record_start,
                "record out": record_out - edl.record_start,
            }
        )
    return said


def _frames(names: Sequence[str], rate: Fraction) -> tuple[int, int]:
    """The numbers of two frames; a clip that ends after midnight ends on the next day."""
    first, end = (parse_timecode(name, rate) for name in names)
    return first, end if end > first else end + frames_a_day(rate, drop=";" in names[0])


def read_edl_by_adapter(text: str, plan: TimelinePlan) -> Sequence[Said]:
    """By OpenTimelineIO's adapter, which knows one rate for all timecodes, as an EDL has it, and no midnight."""
    import opentimelineio as otio

    rate = count_edl(plan).rate
    timeline = otio.adapters.read_from_string(text, "cmx_3600", rate=float(rate))
    said = []
    for clip in timeline.video_tracks()[0].find_clips():
        place, cut = clip.range_in_parent(), clip.source_range
        said.append(
            {
                "name": clip.name,
                "reel": clip.metadata["cmx_3600"]["reel"],
                "source in": round(cut.start_time.value),
                "source out": round(cut.end_time_exclusive().value),
                "record in": round(place.start_time.value),
                "record out": round(place.end_time_exclusive().value),
            }
        )
    return said


def fits_edl_adapter(plan: TimelinePlan) -> bool:
    """Whether the adapter can read the plan's EDL: no source passes midnight."""
    edl = count_edl(plan)
    return all(event.source_in + event.n_frames < frames_a_day(edl.rate, drop=edl.drop) for event in edl.events)


def read_fcpxml(text: str, _: TimelinePlan) -> Sequence[Said]:
    """FCPXML by exact fractions: the adapter rounds rates down to whole numbers."""
    root = ElementTree.fromstring(text)  # noqa: S314  # what we have just written
    found = {element.attrib["id"]: element.attrib for element in root.findall("./resources/*")}
    addresses = {asset.attrib["id"]: asset.find("media-rep") for asset in root.findall("./resources/asset")}
    sequence = _child(root, ".//sequence")
    rate = 1 / _time(found[sequence.attrib["format"]]["frameDuration"])
    said = []
    for cut in sequence.findall("./spine/asset-clip"):
        asset, address = found[cut.attrib["ref"]], addresses[cut.attrib["ref"]]
        source_rate = 1 / _time(found[asset["format"]]["frameDuration"])
        offset, length = (_time(cut.attrib[key]) for key in ("offset", "duration"))
        said.append(
            {
                "name": cut.attrib["name"],
                "media": None if address is None else address.attrib["src"],
                "sound": asset.get("hasAudio") == "1",
                "media start": _count(_time(asset["start"]), source_rate),
                "media length": _count(_time(asset["duration"]), source_rate),
                "source in": _count(_time(cut.attrib["start"]), source_rate),
                "record in": _count(offset, rate),
                "record out": _count(offset + length, rate),
                "source rate": source_rate,
                "rate": rate,
            }
        )
    return said


def _child(parent: Element, path: str) -> Element:
    found = parent.find(path)
    return Element("missing") if found is None else found


def _time(text: str) -> Fraction:
    return Fraction(text.removesuffix("s"))


def _count(time: Fraction, rate: Fraction) -> int | None:
    n_frames = time * rate
    return int(n_frames) if n_frames.denominator == 1 else None


def read_xmeml(text: str, _: TimelinePlan) -> Sequence[Said]:
    """The XML of Final Cut Pro 7, element by element."""
    root = ElementTree.fromstring(text)  # noqa: S314  # what we have just written
    files = {file.attrib["id"]: file for file in root.iter("file") if len(file)}
    rate = _rate_of(_child(root, "./sequence/rate"))
    audio = {item.attrib["id"] for item in root.findall("./sequence/media/audio/track/clipitem")}
    said = []
    for item in root.findall("./sequence/media/video/track/clipitem"):
        file = files[_child(item, "file").attrib["id"]]
        start = _number(file, "timecode/frame")
        said.append(
            {
                "name": item.findtext("name"),
                "media": file.findtext("pathurl"),
                "reel": file.findtext("timecode/reel/name"),
                "n channels": len(audio & {link.findtext("linkclipref") for link in item.findall("link")}),
                "told channels": int(file.findtext("media/audio/channelcount") or 0),
                "media start": start,
                "media length": _number(file, "duration"),
                "source in": start + _number(item, "in"),
                "source out": start + _number(item, "out"),
                "record in": _number(item, "start"),
                "record out": _number(item, "end"),
                "source rate": _rate_of(_child(item, "rate")),
                "rate": rate,
            }
        )
    return said


def _number(element: Element, path: str) -> int:
    return int(element.findtext(path) or "-1")


def _rate_of(element: Element) -> Fraction:
    whole = Fraction(element.findtext("timebase") or 0)
    return whole * Fraction(1000, 1001) if element.findtext("ntsc") == "TRUE" else whole


def read_xmeml_by_adapter(text: str, plan: TimelinePlan) -> Sequence[Said]:
    """By OpenTimelineIO's adapter, which puts the media's timecode on the clips again.

    It takes the length of a clip from the timeline: of a source of another rate it cannot tell where it ends.
    """
    import opentimelineio as otio

    # For every clip it looks for the rate in its whole track before it looks in the sequence, so that 5,000 clips
    # take 20 s instead of 9. Found at once, it is the same rate.
    root = ElementTree.fromstring(text)  # noqa: S314  # what we have just written
    for track in root.iter("track"):
        track.insert(0, _child(_child(root, "sequence"), "rate"))
    timeline = otio.adapters.read_from_string(ElementTree.tostring(root, encoding="unicode"), "fcp_xml")
    said = []
    for clip in timeline.video_tracks()[0].find_clips():
        cut = clip.source_range
        said.append({**_source_fields(clip), "source in": round(cut.start_time.value)})
        if _exact(cut.start_time.rate) == plan.rate:
            said[-1]["source out"] = round(cut.end_time_exclusive().value)
    return said
