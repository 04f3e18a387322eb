"""`.xml` is built as Apple's "Final Cut Pro XML Interchange Format", version 5, chapter "Elements Catalog", says.

Its DTD may not be shipped; below is, of the elements that we write, what each may hold, and what it must hold.
"""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from search_app.timelines.timeline_formats import WRITERS
from tests.golden.write_timelines import golden_plans

MAY_HOLD = {
    "xmeml": "importoptions project bin clip sequence",
    "sequence": (
        "uuid updatebehavior name duration rate in out timecode media marker labels comments masterclipid "
        "ismasterclip logginginfo filter"
    ),
    "media": "video audio",
    "video": "format track duration samplecharacteristics",
    "audio": "format outputs track in out channelcount duration samplecharacteristics audiochannel",
    "comments": "mastercomment1 mastercomment2 mastercomment3 mastercomment4 clipcommenta clipcommentb",
    "format": "samplecharacteristics appspecificdata",
    "samplecharacteristics": (
        "rate width height anamorphic pixelaspectratio fielddominance colordepth codec depth samplerate"
    ),
    "track": "clipitem generatoritem transitionitem enabled locked outputchannelindex",
    "clipitem": (
        "uuid updatebehavior name duration rate in out start end enabled anamorphic alphatype compositemode "
        "masterclipid ismasterclip labels comments file sequence timecode marker filter sourcetrack link "
        "fielddominance logginginfo stillframe stillframeoffset syncoffset subclipinfo itemhistory"
    ),
    "file": "uuid updatebehavior name pathurl rate duration timecode width height media mixedratesoffset",
    "timecode": "name rate string frame source displayformat reel",
    "reel": "name",
    "rate": "timebase ntsc",
    "marker": "name comment in out color",
    "link": "linkclipref mediatype trackindex clipindex groupindex",
    "sourcetrack": "mediatype trackindex",
}
MUST_HOLD = {
    "xmeml": "sequence",
    "sequence": "name duration rate media",
    "clipitem": "name duration rate in out start end file",
    "timecode": "rate frame displayformat",
    "reel": "name",
    "rate": "timebase ntsc",
    "marker": "name in out",
    "link": "linkclipref mediatype trackindex clipindex",
    "sourcetrack": "mediatype",
}
VALUES = {
    "ntsc": {"TRUE", "FALSE"},
    "displayformat": {"DF", "NDF"},
    "outputchannelindex": {"1", "2"},
    "mediatype": {"video", "audio"},
    "timebase": {"24", "25", "30", "50", "60"},
}
NUMBERS = (
    *("duration", "in", "out", "start", "end", "frame", "trackindex", "clipindex", "groupindex"),
    *("width", "height", "channelcount"),
)
TREES = {
    name: ElementTree.fromstring(WRITERS[".xml"](plan))  # noqa: S314  # our own text
    for name, plan in golden_plans()
}


@pytest.mark.parametrize("name", TREES)
def test_every_element_holds_what_it_may_and_must(name: str) -> None:
    """Nothing unknown, nothing twice that is there once, nothing missing."""
    for element in TREES[name].iter():
        held = [child.tag for child in element]
        assert set() == set(held) - set(MAY_HOLD.get(element.tag, "").split())
        full = element.tag != "file" or held  # a file that was told before is only named
        assert set() == set(MUST_HOLD.get(element.tag, "").split() if full else ()) - set(held)
        several = {"track", "clipitem", "link", "marker"}
        assert len(held) == len(set(held)) or set(held) & several
        assert not held or not (element.text or "").strip()


@pytest.mark.parametrize("name", TREES)
def test_values_are_of_their_kind(name: str) -> None:
    """Words are those of the catalog, numbers whole; only the end of a marker may be -1, which means none."""
    for element in TREES[name].iter():
        if element.tag in VALUES:
            assert element.text in VALUES[element.tag]
        if element.tag in NUMBERS:
            assert int(element.text or "") >= (-1 if element.tag == "out" else 0)


@pytest.mark.parametrize("name", TREES)
def test_references_lead_to_what_is_there(name: str) -> None:
    """Identifiers are unique where they are told, each file is told before it is named, links name both tracks."""
    root = TREES[name]
    items = {item.attrib["id"]: item for item in root.iter("clipitem")}
    assert len(items) == len([*root.iter("clipitem")])
    told: set[str] = set()
    for file in root.iter("file"):
        assert (file.attrib["id"] in told) is not bool(len(file))
        told.add(file.attrib["id"])
        assert len(file) == 0 or {"name", "pathurl", "rate", "duration", "timecode", "media"} == {
            child.tag for child in file
        }
    tracks = {medium: root.findall(f"./sequence/media/{medium}/track") for medium in ("video", "audio")}
    for link in root.iter("link"):
        place = _number(link, "trackindex"), _number(link, "clipindex")
        track = tracks[link.findtext("mediatype") or ""][place[0] - 1]
        assert items[link.findtext("linkclipref") or ""] is track.findall("clipitem")[place[1] - 1]


@pytest.mark.parametrize("name", TREES)
def test_clips_lie_inside_their_media_and_touch(name: str) -> None:
    """`in` and `out` lie within the file, `start` is where the clip before ended."""
    ended = 0
    for item in TREES[name].findall("./sequence/media/video/track/clipitem"):
        assert 0 <= _number(item, "in") < _number(item, "out") <= _number(item, "duration")
        assert ended == _number(item, "start") < _number(item, "end")
        ended = _number(item, "end")
    assert ended == _number(TREES[name], "sequence/duration")


@pytest.mark.parametrize("name", TREES)
def test_every_channel_of_sound_has_its_own_clip_item_and_track(name: str) -> None:
    """A channel is heard once, on the track of its number, in step with its picture and linked with it."""
    root = TREES[name]
    tracks = root.findall("./sequence/media/audio/track")
    counts = {
        file.attrib["id"]: _number(file, "media/audio/channelcount") for file in root.iter("file") if len(file)
    }
    for picture in root.findall("./sequence/media/video/track/clipitem"):
        file = picture.find("file")
        assert file is not None
        links = [link.findtext("linkclipref") for link in picture.findall("link")]
        sounds = [(n, item) for n, track in enumerate(tracks, 1) for item in track if item.get("id") in links]
        assert max(0, counts[file.attrib["id"]]) == len(sounds)
        for number, sound in sounds:
            assert number == _number(sound, "sourcetrack/trackindex")
            assert links == [link.findtext("linkclipref") for link in sound.findall("link")]
            for tag in ("in", "out", "start", "end"):
                assert picture.findtext(tag) == sound.findtext(tag)


def _number(element: Element, path: str) -> int:
    return int(element.findtext(path) or "-1")
