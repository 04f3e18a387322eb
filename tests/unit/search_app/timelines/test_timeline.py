"""Timelines are right to the frame at every rate, with every start timecode, in every format."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import opentimelineio as otio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_app.conforming.target_profile import choose_profile
from search_app.cutting.cut_list import Clip, CutList
from search_app.errors import TimelineError
from search_app.frame_rates import source_rate
from search_app.search.ranking import Hit
from search_app.timelines.relink import Relinker
from search_app.timelines.remarks import About, Remark, remark_lines
from search_app.timelines.timecode import COUNTINGS
from search_app.timelines.timeline import TimelinePlan, name_edges, plan_timeline
from search_app.timelines.timeline_export import compare_timeline
from search_app.timelines.timeline_formats import WRITERS
from store.records import Boundary, Shot, ShotRow, VideoFacts
from store.timespan import TimeSpan

FILM, NTSC, NTSC_60 = Fraction(24_000, 1001), Fraction(30_000, 1001), Fraction(60_000, 1001)
RATES = (FILM, Fraction(24), Fraction(25), NTSC, Fraction(30), Fraction(50), NTSC_60, Fraction(60))
STARTS = (None, "01:00:00:00", "23:59:58:00")
N_FRAMES = 400
CASES = [
    *((rate, start) for rate in RATES for start in STARTS),
    *((rate, start) for rate in (NTSC, NTSC_60) for start in ("00:59:59;28", "23:59:58;00")),
]
FIRST_FRAMES = {
    (NTSC, "00:59:59;28"): 107_890,
    (NTSC_60, "00:59:59;28"): 215_752,
    (NTSC, "23:59:58;00"): 2_589_348,
    (NTSC_60, "23:59:58;00"): 5_178_696,
}
HOSTILE = 'a  b Jörg\'s "take" &%#<x>;1.mov'


def clip_of(
    first: int,
    end: int,
    *,
    rate: Fraction = Fraction(25),
    start: str | None = None,
    path: str = "/media/a.mov",
    sound: bool = True,
) -> Clip:
    """A clip of the frames from `first` up to and without `end`, found by its fourth frame."""
    span = TimeSpan(Fraction(0), N_FRAMES / rate)
    times = (rate, Fraction(1, rate.numerator), Fraction(0), span, N_FRAMES)
    facts = VideoFacts("mov", "prores", 1920, 1080, 0, *times, sound, start_timecode=start)
    piece = TimeSpan(first / rate, end / rate)
    shot = ShotRow(f"shot{first}", path, path, Shot(0, piece, Boundary.CUT), "")
    return Clip(path, (path,), piece, (Hit(1, 0.5, shot, (first + 3) / rate, ""),), facts)


def tree(text: str) -> ElementTree.Element:
    """XML that we have written ourselves."""
    return ElementTree.fromstring(text)  # noqa: S314  # our own text


def plan_of(*clips: Clip, relink: Relinker | None = None, question: str = "a red boat") -> TimelinePlan:
    """The plan of these clips."""
    return plan_timeline(CutList(clips), "harbour", question=question, relink=relink)


def later(name: str, n_frames: int, names: int) -> str:
    """The name so many frames after another, counted one by one as a clock does."""
    hours, minutes, seconds, frames = (int(part) for part in re.split("[:;]", name))
    for _ in range(n_frames):
        frames += 1
        if frames == names:
            seconds, frames = seconds + 1, 0
        if seconds == 60:
            minutes, seconds = minutes + 1, 0
            if ";" in name and minutes % 10:
                frames = names // 15
        if minutes == 60:
            hours, minutes = (hours + 1) % 24, 0
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{name[8]}{frames:02d}"


def first_frame(rate: Fraction, start: str | None) -> int:
    """The number of the frame that has this name."""
    if start is None or ";" in start:
        return FIRST_FRAMES.get((rate, start or ""), 0)
    hours, minutes, seconds, frames = (int(part) for part in start.split(":"))
    return (3600 * hours + 60 * minutes + seconds) * round(rate) + frames


@pytest.mark.parametrize(("rate", "start"), CASES)
def test_an_edl_names_the_frames(rate: Fraction, start: str | None) -> None:
    """Timecodes are those that counting on from the first frame gives; of rates above 30 every second one."""
    plan = plan_of(*(clip_of(*frames, rate=rate, start=start) for frames in ((10, 60), (100, 131))))
    text = WRITERS[".edl"](plan)
    compare_timeline(plan, text, Path("x.edl"))
    fold = 1 if rate <= 30 else 2
    names, first = round(rate) // fold, start or "00:00:00:00"
    record = f"01:00:00{first[8]}00"
    places = [(10, 60, 0, 50), (100, 131, 50, 81)] if fold == 1 else [(5, 30, 0, 25), (50, 66, 25, 41)]
    first = f"{first[:9]}{int(first[9:]) // fold:02d}"
    times = [line.split()[4:] for line in text.splitlines() if re.match(r"\d{3} ", line)]
    assert [
        [*(later(first, n, names) for n in of[:2]), *(later(record, n, names) for n in of[2:])] for of in places
    ] == times
    assert f"FCM: {'' if first[8] == ';' else 'NON-'}DROP FRAME" in text.splitlines()


@pytest.mark.parametrize(("rate", "start"), CASES)
def test_final_cut_7_xml_has_the_timecode_once(rate: Fraction, start: str | None) -> None:
    """In and out count from the media's first frame, whose timecode is told in the file, as text and as number."""
    plan = plan_of(*(clip_of(*frames, rate=rate, start=start) for frames in ((10, 60), (100, 131))))
    text = WRITERS[".xml"](plan)
    compare_timeline(plan, text, Path("x.xml"))
    root = tree(text)
    for medium in ("video", "audio"):
        items = root.findall(f"./sequence/media/{medium}/track/clipitem")
        places = [[item.findtext(tag) for tag in ("in", "out", "start", "end")] for item in items]
        assert [["10", "60", "0", "50"], ["100", "131", "50", "81"]] * (1 + (medium == "audio")) == places
    (file,) = [file for file in root.iter("file") if len(file)]
    assert (start or "00:00:00:00") == file.findtext("timecode/string")
    assert str(first_frame(rate, start)) == file.findtext("timecode/frame")
    assert ("DF" if start and ";" in start else "NDF") == file.findtext("timecode/displayformat")
    assert str(N_FRAMES) == file.findtext("duration")
    ntsc = "FALSE" if rate.denominator == 1 else "TRUE"
    assert {(str(round(rate)), ntsc)} == {
        (one.findtext("timebase"), one.findtext("ntsc")) for one in root.iter("rate")
    }
    links = [link.findtext("linkclipref") for item in root.iter("clipitem") for link in item.findall("link")]
    assert ["v1", "a1-1", "a1-2", "v2", "a2-1", "a2-2"] * 3 == links


@pytest.mark.parametrize(("rate", "start"), CASES)
def test_fcpxml_times_are_exact_fractions(rate: Fraction, start: str | None) -> None:
    """Every time is a whole number of frames: the timecode is where the asset starts, and is in `start` once."""
    plan = plan_of(*(clip_of(*frames, rate=rate, start=start) for frames in ((10, 60), (100, 131))))
    plan = replace(plan, clips=(replace(plan.clips[0], note="the best"), plan.clips[1]))
    text = WRITERS[".fcpxml"](plan)
    compare_timeline(plan, text, Path("x.fcpxml"))
    root = tree(text)

    def frames(element: ElementTree.Element, key: str) -> Fraction:
        return Fraction(element.attrib[key].removesuffix("s")) * rate

    (asset,) = root.iter("asset")
    first = first_frame(rate, start)
    assert [first, N_FRAMES] == [frames(asset, "start"), frames(asset, "duration")]
    assert [[first + 10, 50, 0], [first + 100, 31, 50]] == [
        [frames(cut, key) for key in ("start", "duration", "offset")] for cut in root.iter("asset-clip")
    ]
    assert {1} == {frames(shape, "frameDuration") for shape in root.iter("format")}
    assert [first + 13] == [frames(marker, "start") for marker in root.iter("marker")]


def test_fcpxml_is_built_as_its_dtd_says() -> None:
    """Elements stand in the order of version 1.10's DTD, identifiers are unique, references lead somewhere."""
    clips = [clip_of(0, 60, path=f"/m/{n}.mov") for n in range(2)]
    odd = clip_of(0, 30, rate=Fraction(12), path="/m/odd.mov", sound=False)
    noted = [replace(clip, note="good") for clip in (*clips, clip_of(0, 9, rate=NTSC, path="/m/n.mov"), odd)]
    plan = plan_timeline(CutList(tuple(noted)), "x", captions={"shot0": "sea"})
    root = tree(WRITERS[".fcpxml"](plan))
    assert ["resources", "library"] == [child.tag for child in root]
    identifiers = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert len(identifiers) == len(set(identifiers))
    for element in root.iter():
        for key in {"ref", "format"} & set(element.attrib):
            found = root.find(f"./resources/*[@id='{element.attrib[key]}']")
            assert {"ref": "asset", "format": "format"}[key] == getattr(found, "tag", None)
    cuts = root.findall("./library/event/project/sequence/spine/asset-clip")
    assert [["note", "marker"]] * 2 + [["note", "conform-rate", "marker"]] * 2 == [
        [e.tag for e in cut] for cut in cuts
    ]
    assert [["media-rep", "metadata"]] * 4 == [[e.tag for e in asset] for asset in root.iter("asset")]
    assert ["29.97", None] == [rate.get("srcFrameRate") for rate in root.iter("conform-rate")]
    allowed = {
        "asset": {
            "id",
            "name",
            "start",
            "duration",
            "hasVideo",
            "format",
            "videoSources",
            "hasAudio",
            "audioSources",
            "audioChannels",
        },
        "md": {"key", "value"},
        "asset-clip": {"ref", "name", "offset", "start", "duration", "format", "tcFormat", "audioRole"},
        "marker": {"start", "duration", "value", "note"},
        "format": {"id", "frameDuration", "width", "height"},
    }
    for tag, names in allowed.items():
        assert set() == {key for element in root.iter(tag) for key in element.attrib} - names


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(50), Fraction(60)])
def test_the_fcpxml_adapter_reads_the_same(rate: Fraction) -> None:
    """Where it can count, which is at whole rates, another reader of FCPXML finds the same frames."""
    text = WRITERS[".fcpxml"](plan_of(clip_of(10, 60, rate=rate, start="01:00:00:00")))
    (timeline,) = otio.adapters.read_from_string(text, "fcpx_xml")
    (clip,) = timeline.find_clips()
    start = 3600 * int(rate)
    assert (start + 10, 50) == (clip.source_range.start_time.value, clip.source_range.duration.value)
    assert "a.mov" == clip.name


@pytest.mark.parametrize(("rate", "start"), CASES)
def test_otio_holds_rates_and_timecode(rate: Fraction, start: str | None) -> None:
    """Ranges are whole frames at the source's rate, sound is linked by number, the question is on the clip."""
    plan = plan_of(*(clip_of(*frames, rate=rate, start=start) for frames in ((10, 60), (100, 131))))
    text = WRITERS[".otio"](plan)
    compare_timeline(plan, text, Path("x.otio"))
    timeline = otio.adapters.read_from_string(text, "otio_json")
    first = first_frame(rate, start)
    for track in (timeline.video_tracks()[0], timeline.audio_tracks()[0]):
        clips = list(track.find_clips())
        assert [first + 10, first + 100] == [clip.source_range.start_time.value for clip in clips]
        assert [first, first] == [clip.media_reference.available_range.start_time.value for clip in clips]
        assert [0, 1] == [clip.metadata["rushes"]["link"] for clip in clips]
        assert {"a red boat"} == {clip.metadata["rushes"]["query"] for clip in clips}
        assert not any(clip.markers for clip in clips)
    assert str(rate) == timeline.metadata["rushes"]["rate"]


@pytest.mark.parametrize("ending", WRITERS)
def test_difficult_names_are_only_names(ending: str) -> None:
    """Spaces, umlauts, quotes and signs that mean something to XML or in addresses come back as they were."""
    clips = (clip_of(0, 5, path=f"/my media/ü#1/{HOSTILE}"), clip_of(0, 5, path="/x/line\none\x00.mov"))
    plan = plan_of(*clips, question='"&<dusk>\n%{x}')
    text = WRITERS[ending](plan)
    compare_timeline(plan, text, Path(f"x{ending}"))
    assert [HOSTILE, "line one .mov"] == [clip.source.name for clip in plan.clips]
    assert ["a_b_Jorg_s_take_x_1", "line_one"] == [clip.source.reel for clip in plan.clips]
    address = "file:///my%20media/%C3%BC%231/a%20%20b%20J%C3%B6rg%27s%20%22take%22%20%26%25%23%3Cx%3E%3B1.mov"
    assert address == plan.clips[0].source.url


@pytest.mark.parametrize("ending", WRITERS)
def test_other_rates_play_at_their_own_speed(ending: str) -> None:
    """The timeline has the most frequent rate; others fill the frames that last as long, and that is stated."""
    clips = [clip_of(0, 30, rate=NTSC, path=f"/m/{n}.mov", start="01:00:00;00") for n in range(2)]
    plan = plan_of(*clips, clip_of(10, 60, start="10:00:00:00", path="/m/pal.mov"))
    compare_timeline(plan, WRITERS[ending](plan), Path(f"x{ending}"))
    last = plan.clips[-1]
    assert (NTSC, True) == (plan.rate, plan.drop)
    assert (900_010, 50, 60, 60) == (last.source_in, last.n_source_frames, last.record_in, last.n_frames)
    assert any(
        "clips of 25 fps (1) play at their own speed in a timeline of 29.97 fps" in note for note in plan.notes
    )


@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize("name", COUNTINGS)
def test_the_rate_of_the_timeline_can_be_asked_for(name: str, ending: str) -> None:
    """It counts as asked whatever its sources do, each clip lasts as long, and what is converted is said."""
    rate, drop = COUNTINGS[name]
    clips = (clip_of(10, 60, start="10:00:00:00"), clip_of(3, 33, rate=NTSC, start="01:00:00;00", path="/m/n.mov"))
    plan = plan_timeline(CutList(clips), "x", counting=(rate, drop))
    compare_timeline(plan, WRITERS[ending](plan), Path(f"x{ending}"))
    assert (rate, drop) == (plan.rate, plan.drop)
    assert [max(1, round(seconds * rate)) for seconds in (Fraction(2), 30 / NTSC)] == [
        clip.n_frames for clip in plan.clips
    ]
    assert [900_010, 107_895] == [clip.source_in for clip in plan.clips]
    (converted,) = [note for note in plan.notes if "their own speed" in note]
    assert [other in converted for other in ("25 fps (1)", "29.97 fps (1)")] == [
        other != rate for other in (Fraction(25), NTSC)
    ]


def test_an_edl_states_other_rates() -> None:
    """Source timecode is told in the list's count, with the same seconds; what the source says is a comment."""
    ntsc = [clip_of(0, 30, rate=NTSC, path=f"/m/{n}.mov") for n in range(2)]
    lines = WRITERS[".edl"](plan_of(*ntsc, clip_of(10, 60, start="10:00:00:00", path="/m/pal.mov"))).splitlines()
    (event,) = [place for place, line in enumerate(lines) if line.startswith("003")]
    assert "003  pal      AA/V  C        10:00:00:12 10:00:02:12 01:00:02:00 01:00:04:00" == lines[event]
    assert ["* SOURCE RATE: 25", "* SOURCE TIMECODE: 10:00:00:10 10:00:02:10"] == lines[event + 3 : event + 5]


def test_silent_sources_get_no_sound() -> None:
    """Nothing promises sound that is not there."""
    plan = plan_of(clip_of(0, 5, sound=False), clip_of(0, 5, path="/m/b.mov"))
    assert ["V", "AA/V"] == [
        line.split()[2] for line in WRITERS[".edl"](plan).splitlines() if line.startswith("00")
    ]
    root = tree(WRITERS[".xml"](plan))
    assert ["a2-1", "a2-2"] == [item.get("id") for item in root.findall("./sequence/media/audio/track/clipitem")]
    assert [None, "1"] == [asset.get("hasAudio") for asset in tree(WRITERS[".fcpxml"](plan)).iter("asset")]
    for ending, write in WRITERS.items():
        compare_timeline(plan, write(plan), Path(f"x{ending}"))
    mute = plan_of(clip_of(0, 5, sound=False))
    assert tree(WRITERS[".xml"](mute)).find("./sequence/media/audio") is None


def test_files_of_one_tape_share_its_reel() -> None:
    """The tape's own name goes before the file's, where the timecodes of its files tell them apart."""
    tapes = ("A001", "A001", "A001C003_200101_R1BK", "A001C003_200101_R2BK", None)
    clips = [clip_of(0, 5, path=f"/m/{n}.mov", start=f"0{n}:00:00:00") for n in range(len(tapes))]
    taped = [
        replace(clip, facts=replace(clip.facts, reel_name=tape)) for clip, tape in zip(clips, tapes, strict=True)
    ]
    assert [tape or "4" for tape in tapes] == [clip.source.reel for clip in plan_of(*taped).clips]
    one_time = [replace(clip, facts=replace(clip.facts, start_timecode=None)) for clip in taped[:2]]
    assert ["0", "1"] == [clip.source.reel for clip in plan_of(*one_time).clips]


def test_a_timecode_that_cannot_be_is_not_used() -> None:
    """A start that its own rate has no name for is stated and counts from zero."""
    plan = plan_of(clip_of(10, 60, start="01:00:00:40"))
    assert 10 == plan.clips[0].source_in
    assert any("there is no timecode 01:00:00:40 at 25 frames per second" in note for note in plan.notes)


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(25), FILM, Fraction(30)])
def test_a_drop_flag_at_a_rate_that_cannot_drop_is_ignored(rate: Fraction) -> None:
    """Of what was indexed with it the numbers stand, too."""
    source = plan_of(clip_of(10, 60, rate=rate, start="19:36:10;05")).clips[0].source
    assert ("19:36:10:05", False) == (source.timecode(source.start), source.drop)


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (Fraction(2997, 100), NTSC),
        (Fraction(19_001, 634), NTSC),
        (Fraction(12), Fraction(12)),
        (Fraction(15_000, 1001), Fraction(15_000, 1001)),
        (Fraction(273, 10), Fraction(25)),
        (None, Fraction(25)),
    ],
)
def test_rates_are_those_that_programs_know(measured: Fraction | None, expected: Fraction) -> None:
    """A measured average becomes the known rate beside it, where nothing better was recorded."""
    facts = clip_of(0, 5, rate=measured or Fraction(25)).facts
    assert expected == source_rate(replace(facts, frame_rate=measured))


@pytest.mark.parametrize(
    ("stated", "rate", "last"),
    [
        (Fraction(600), Fraction(25), Fraction(1, 600)),  # how long the last frame lasts is then not known
        (None, Fraction(50), Fraction(1, 25)),
        (None, NTSC, 1 / NTSC),
        (Fraction(240), Fraction(240), Fraction(1, 240)),
    ],
)
def test_a_clock_is_not_taken_for_a_rate(stated: Fraction | None, rate: Fraction, last: Fraction) -> None:
    """Files that state ticks, or nothing, have the rate of their counted frames; real high speed stays."""
    span = TimeSpan(Fraction(0), (N_FRAMES - 1) / rate + last)
    clip = clip_of(0, 5)
    plan = plan_of(replace(clip, facts=replace(clip.facts, frame_rate=stated, span=span)))
    assert rate == plan.clips[0].source.rate
    assert abs(N_FRAMES - plan.clips[0].source.n_frames) <= (last > 1 / rate)
    assert not any("no constant frame rate" in note for note in plan.notes)


def test_pictures_that_begin_late_are_stated() -> None:
    """Frames are counted from the first picture, wherever the sound begins; editors are told."""
    clip = clip_of(10, 60, start="01:00:00:00")
    late = TimeSpan(Fraction(12, 25), Fraction(12 + N_FRAMES, 25))
    moved = replace(clip, span=TimeSpan(Fraction(22, 25), Fraction(72, 25)), facts=replace(clip.facts, span=late))
    plan = plan_of(moved)
    assert (90_010, 50) == (plan.clips[0].source_in, plan.clips[0].n_source_frames)
    said = "1 source has pictures that begin after the file does: a.mov, 0.480 s"
    assert f"{said} (frames counted from the first picture)" in plan.notes


@pytest.mark.parametrize(
    ("ending", "right", "wrong", "said"),
    [
        (".edl", "01:00:02:10", "01:00:02:11", "source out 90061 instead of 90060"),
        (".xml", "<in>10</in>", "<in>11</in>", "source in 90011 instead of 90010"),
        (".fcpxml", 'start="18002/5s"', 'start="3600s"', "source in 90000 instead of 90010"),
        (".otio", '"value": 90010.0', '"value": 90009.0', "source in 90009 instead of 90010"),
        (".xml", "file:///media/a.mov", "file:///a.mov", "media file:///a.mov instead of file:///media/a.mov"),
    ],
)
def test_a_difference_is_named(ending: str, right: str, wrong: str, said: str) -> None:
    """A timeline that says anything else than the cut list is refused, with clip and field."""
    plan = plan_of(clip_of(10, 60, start="01:00:00:00"))
    text = WRITERS[ending](plan)
    assert right in text
    with pytest.raises(TimelineError, match=re.escape(f"clip 1 (a.mov) would have {said}")):
        compare_timeline(plan, text.replace(right, wrong), Path(f"x{ending}"))


def test_lost_clips_are_noticed() -> None:
    """Fewer clips than planned are a difference too, and what is no timeline is an error of ours."""
    plan, other = plan_of(clip_of(10, 60), clip_of(70, 80)), plan_of(clip_of(10, 60))
    for ending, write in WRITERS.items():
        with pytest.raises(TimelineError, match="1 of 2 clips"):
            compare_timeline(plan, write(other), Path(f"x{ending}"))
    with pytest.raises(TimelineError, match="cannot be read back"):
        compare_timeline(plan, "<", Path("x.xml"))


def test_an_edl_holds_999_clips() -> None:
    """More are refused, since their numbers would not fit; other formats take them."""
    plan = plan_of(*(clip_of(n % 300, n % 300 + 1) for n in range(1000)))
    with pytest.raises(TimelineError, match="1000 clips, but an EDL holds 999"):
        WRITERS[".edl"](plan)
    compare_timeline(plan, WRITERS[".fcpxml"](plan), Path("x.fcpxml"))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_laws(data: st.DataObject) -> None:
    """Clips touch, lie inside their media, and every format says the same of them when read back."""
    clips = []
    for number in range(data.draw(st.integers(1, 5))):
        rate, start = data.draw(st.sampled_from(CASES))
        first = data.draw(st.integers(0, N_FRAMES - 1))
        end = data.draw(st.integers(first + 1, N_FRAMES))
        name = data.draw(st.text(max_size=12).filter(lambda text: "/" not in text and "\0" not in text))
        sound = data.draw(st.booleans())
        clips.append(clip_of(first, end, rate=rate, start=start, path=f"/m/{number}{name}", sound=sound))
    plan = plan_of(*clips)
    place = 0
    for clip in plan.clips:
        assert place == clip.record_in
        assert clip.source.start <= clip.marker < clip.source_in + clip.n_source_frames
        assert clip.source_in + clip.n_source_frames <= clip.source.start + N_FRAMES
        place += clip.n_frames
    for ending, write in WRITERS.items():
        compare_timeline(plan, write(plan), Path(f"x{ending}"))


@pytest.mark.parametrize("ending", WRITERS)
def test_what_people_wrote_is_in_every_timeline(ending: str) -> None:
    """Note and decision stand beside the clip; a clip that was not searched for has no score to tell."""
    noted = replace(clip_of(10, 60), note="the best & last", state="accepted by Anna")
    unasked = replace(noted, hits=tuple(replace(hit, score=0.0) for hit in noted.hits))
    plan = plan_of(unasked)
    text = WRITERS[ending](plan)
    compare_timeline(plan, text, Path(f"a{ending}"))
    assert "accepted by Anna: the best &" in text.replace("&amp;", "&")
    assert "score 0" not in text
    if ending == ".edl":
        assert "* COMMENT: accepted by Anna: the best & last" in text.splitlines()


@pytest.mark.parametrize(
    ("ending", "sign"), [(".edl", "* LOC:"), (".xml", "<marker>"), (".fcpxml", "<marker "), (".otio", '"Marker.')]
)
def test_only_a_clip_with_a_note_has_a_marker(ending: str, sign: str) -> None:
    """A marker holds what people wrote; what was found, captioned or decided alone has none."""
    bare, decided = clip_of(10, 60, sound=False), replace(clip_of(70, 80, sound=False), state="accepted by Anna")
    noted = replace(clip_of(100, 131, sound=False), note="the wind is heard")
    plan = plan_timeline(CutList((bare, decided, noted)), "x", question="boat", captions={"shot10": "a boat"})
    text = WRITERS[ending](plan)
    assert 1 == text.count(sign)
    assert "the wind is heard" in text.partition(sign)[2]


def test_a_timeline_runs_at_the_rate_of_the_film() -> None:
    """The rate of most of the material, whichever comes first, as a supercut of the same clips has it."""
    clips = (clip_of(0, 50, rate=Fraction(24)), clip_of(0, 50, rate=NTSC, path="/media/b.mov"))
    rates = {plan_of(*order).rate for order in (clips, clips[::-1])}
    seconds = [clip.span.duration for clip in clips]
    assert {choose_profile([clip.facts for clip in clips], seconds).frame_rate} == rates == {Fraction(24)}


def test_remarks_of_a_kind_are_one_line() -> None:
    """Sources are counted and named, up to five of them; each once, however many clips it has."""
    lacking = (About.FRAMES, "source", "has no timecode", "have no timecode")
    assert ("3 sources have no timecode: a, b, c",) == remark_lines(Remark(*lacking, name) for name in "abcab")
    assert ("1 source has no timecode: a (counted)",) == remark_lines([Remark(*lacking, "a", "counted")])
    assert ("8 sources have no timecode: a, b, c, d, e and 3 others",) == remark_lines(
        Remark(*lacking, name) for name in "abcdefgh"
    )
    assert () == remark_lines([Remark(*lacking, "a")], [About.FILES])


def test_a_plan_says_everything_once() -> None:
    """Thirteen clips of four sources without timecode, of three rates and gone, give three remarks."""
    rates = (Fraction(24), Fraction(25), Fraction(30), Fraction(30))
    clips = [clip_of(n, n + 5, rate=rates[n % 4], path=f"/m/{n % 4}.mov") for n in range(13)]
    notes = plan_of(*clips).notes
    assert "4 sources have no timecode: 0.mov, 1.mov, 2.mov, 3.mov (frames counted from 00:00:00:00)" in notes
    assert "4 sources are not where they were: 0.mov, 1.mov, 2.mov, 3.mov" in notes
    assert 3 == len(notes)


def test_edges_have_the_names_that_a_timeline_gives_them() -> None:
    """In and out of the source, names dropped where its are; out is the frame behind the last."""
    clips = [
        clip_of(0, 4, rate=NTSC, start="00:59:59;28"),
        clip_of(10, 35, start="10:00:00:00", path="/media/b.mov"),
        clip_of(10, 35, path="/media/c.mov"),
    ]
    expected = [("00:59:59;28", "01:00:00;02"), ("10:00:00:10", "10:00:01:10"), ("00:00:00:10", "00:00:01:10")]
    assert expected == name_edges(clips)
    assert "00:59:59;28 01:00:00;02" in WRITERS[".edl"](plan_of(clips[0]))
    assert ("01:01:00;02", "01:01:00;03") == name_edges([clip_of(2, 3, rate=NTSC, start="01:00:59;28")])[0]
