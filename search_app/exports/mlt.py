"""A film as a project of MLT: Shotcut opens it as a timeline, Kdenlive imports it, `melt` plays it; and read back.

By MLT's own DTD (src/modules/xml/mlt-xml.dtd, v0.2.0), but for the properties of a playlist and of the tractor,
which MLT writes itself and Shotcut wants (its "MLT XML Annotations"). All times are frames of the film, `out` is
the last one shown, and frame 0 of a producer is its first picture.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from search_app.exports.film import Film, FilmClip

if TYPE_CHECKING:
    from search_app.exports.film import Said

_TRACK = "playlist0"
_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def mlt_text(film: Film) -> str:
    """The project: black below, and one track that holds every clip."""
    root = Element("mlt", LC_NUMERIC="C", version="7.0.0", title=film.name)
    width, height = film.size
    shape = {"width": width, "height": height, "display_aspect_num": width, "display_aspect_den": height}
    rate = {"frame_rate_num": film.rate.numerator, "frame_rate_den": film.rate.denominator}
    square = {"sample_aspect_num": 1, "sample_aspect_den": 1, "progressive": 1}
    numbers = {name: str(number) for name, number in {**shape, **rate, **square}.items()}
    SubElement(root, "profile", {"description": film.name, **numbers})
    last = str(film.n_frames - 1)
    black = SubElement(root, "producer", {"id": "black", "in": "0", "out": last})
    _set(black, {"length": film.n_frames, "mlt_service": "color", "resource": "0"})
    background = SubElement(root, "playlist", id="background")
    SubElement(background, "entry", {"producer": "black", "in": "0", "out": last})
    for clip in film.clips:
        _producer(root, film, clip)
    track = SubElement(root, "playlist", id=_TRACK)
    _set(track, {"shotcut:name": "V1", "shotcut:video": 1})
    for clip in film.clips:
        first, end = _frames(film, clip)
        entry = {"producer": f"clip{clip.number}", "in": str(first), "out": str(end - 1)}
        SubElement(track, "entry", entry)
    tractor = SubElement(root, "tractor", {"id": "tractor0", "in": "0", "out": last})
    _set(tractor, {"shotcut": 1})
    multitrack = SubElement(tractor, "multitrack", id="tracks")
    SubElement(multitrack, "track", producer="background")
    SubElement(multitrack, "track", producer=_TRACK)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _producer(root: Element, film: Film, clip: FilmClip) -> None:
    """A clip's source; each clip has its own, so that each can have its own name and comment."""
    _, end = _frames(film, clip)
    length = max(end, round(clip.clip.facts.span.duration * film.rate))
    producer = SubElement(root, "producer", {"id": f"clip{clip.number}", "in": "0", "out": str(length - 1)})
    properties = {
        "length": length,
        "resource": clip.source.path,
        "mlt_service": "avformat",
        "shotcut:caption": clip.source.name,
        "shotcut:comment": f"{clip.caption} ({clip.why})".strip(),
    }
    _set(producer, properties)


def _frames(film: Film, clip: FilmClip) -> tuple[int, int]:
    """First frame of a clip in its source, and the first after it, counted at the film's rate."""
    facts = clip.clip.facts
    if clip.source.rate == film.rate and clip.n_frames == clip.n_source_frames:
        first = clip.source_in - clip.source.start
    else:
        first = max(0, round((clip.clip.span.start - facts.span.start) * film.rate))
    return first, first + clip.n_frames


def _set(element: Element, properties: Mapping[str, object]) -> None:
    for name, value in properties.items():
        SubElement(element, "property", name=name).text = _xml_text(str(value))


def _xml_text(text: str) -> str:
    """Without what XML cannot hold; reading back refuses a path with such signs, which no project can name."""
    return _NOT_XML.sub(" ", text)


def read_mlt(text: str) -> list[Said]:
    """Content of a project for each entry of its track."""
    root = ElementTree.fromstring(text)  # noqa: S314 - our own text, without a document type
    producers = {
        producer.get("id"): {one.get("name"): one.text or "" for one in producer.iter("property")}
        for producer in root.iter("producer")
    }
    profile, tractor = root.find("profile"), root.find("tractor")
    (track,) = (playlist for playlist in root.iter("playlist") if playlist.get("id") == _TRACK)
    if profile is None or tractor is None:
        raise ValueError("no profile or no tractor")
    return [
        {
            "in": int(entry.get("in", "")),
            "out": int(entry.get("out", "")),
            "resource": producers[entry.get("producer")]["resource"],
            "caption": producers[entry.get("producer")]["shotcut:caption"],
            "rate": f"{profile.get('frame_rate_num')}/{profile.get('frame_rate_den')}",
            "film": int(tractor.get("out", "")) + 1,
        }
        for entry in track.iter("entry")
    ]


def mlt_expected(film: Film) -> list[Said]:
    """Its expected content."""
    return [
        {
            "in": first,
            "out": end - 1,
            "resource": clip.source.path,
            "caption": clip.source.name,
            "rate": f"{film.rate.numerator}/{film.rate.denominator}",
            "film": film.n_frames,
        }
        for clip in film.clips
        for first, end in (_frames(film, clip),)
    ]
