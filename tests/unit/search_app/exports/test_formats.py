"""Every format says exactly what the film is, whatever names and texts hold."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_app.cutting.cut_list import CutList
from search_app.errors import ExportError
from search_app.exports import chapters, mlt, playlists, subtitles, tables
from search_app.exports.contact_sheet import html_text, read_html
from search_app.exports.export import FORMATS, Format, compare_export, export_cut_list, format_of
from search_app.timelines.timecode import format_timecode
from tests.unit.search_app.exports.samples import HOSTILE, NTSC, PAL, clip_of, film_of, said_at

CLIPS = (
    clip_of(500, 800, path=f"/media/{HOSTILE}.mov"),
    clip_of(1000, 1300),
    clip_of(2000, 2300, rate=NTSC, path="/m/b.mov"),
)
WORDS = (said_at(20.5, 22, HOSTILE), said_at(0, 1, "elsewhere"), said_at(40, 41, "two"), said_at(68, 70, "three"))


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_texts_come_back_as_they_were(name: str) -> None:
    """What is written of hostile names, captions and questions is read back equal, in every format."""
    film = film_of(*CLIPS, question=HOSTILE, caption=HOSTILE, texts=WORDS)
    form = FORMATS[name]
    text = form.write(film)
    compare_export(form, film, text, Path("x"))
    assert len(form.read(text)) == 3


@pytest.mark.parametrize("name", FORMATS)
def test_a_changed_file_is_noticed(name: str) -> None:
    """Of a file whose every digit was changed no clip passes."""
    film = film_of(*CLIPS, texts=WORDS)
    text = re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), FORMATS[name].write(film))
    with pytest.raises(ExportError, match="was not written"):
        compare_export(FORMATS[name], film, text, Path("x"))


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
@settings(max_examples=25, deadline=None)
def test_any_text_survives_any_format(text: str) -> None:
    """No caption, question or spoken text makes a file that cannot be read back."""
    film = film_of(*CLIPS, question=text, caption=text, texts=[*WORDS, said_at(45, 47, text)])
    for form in FORMATS.values():
        compare_export(form, film, form.write(film), Path("x"))


def test_a_table_is_safe_in_spreadsheets() -> None:
    """It has a byte order mark; no cell begins like a formula, and no date or number is made of a text."""
    text = tables.csv_text(film_of(*CLIPS, question="@SUM(1)", caption="-1+1"))
    assert "\ufeff" == text[0]
    rows = list(csv.DictReader(io.StringIO(text[1:], newline="")))
    assert ["'@SUM(1)"] * 3 == [row["query"] for row in rows]
    assert ["'-1+1"] * 3 == [row["caption"] for row in rows]
    assert rows[0]["source"].startswith("'=1+1")
    texts = [cell for row in rows for name, cell in row.items() if name != "score"]
    assert [] == [cell for cell in texts if cell.startswith(tuple("=+-@\t\r"))]
    assert ["-0.250000"] * 3 == [row["score"] for row in rows]
    assert ["20/1s", "40/1s", "1001/15s"] == [row["source_in_exact"] for row in rows]
    assert ["shot/0000000000000500", "shot/0000000000001000"] == [row["shots"] for row in rows[:2]]


def test_tables_name_the_frames_of_source_and_film() -> None:
    """Timecodes are those of the source's clock and of a film that begins at zero."""
    rows = json.loads(tables.json_text(film_of(*CLIPS)))["clips"]
    assert ["10:00:20:00", "10:00:40:00"] == [row["source_in"]["timecode"] for row in rows[:2]]
    assert ["10:00:32:00", "10:00:52:00"] == [row["source_out"]["timecode"] for row in rows[:2]]
    first = 10 * 3600 * 30 + 2000
    assert format_timecode(first, NTSC) == rows[2]["source_in"]["timecode"]
    assert ["00:00:00:00", "00:00:12:00", "00:00:24:00"] == [row["film_in"]["timecode"] for row in rows]
    assert [300, 300, 250] == [row["frames"] for row in rows]


def test_the_film_runs_as_a_supercut_does() -> None:
    """At the commonest rate; of equally common ones at the higher, as `choose_profile` says."""
    assert PAL == film_of(*CLIPS).rate
    film = film_of(clip_of(0, 25), clip_of(0, 30, rate=NTSC, path="/m/b.mov"))
    assert (NTSC, [30, 30]) == (film.rate, [clip.n_frames for clip in film.clips])
    assert [Fraction(0), 30 / NTSC] == [film.seconds(clip.first_frame) for clip in film.clips]


def test_mpv_counts_on_the_clock_of_the_source() -> None:
    """A source whose first time stamp is not zero starts there, as the demuxer of mpv takes `start`."""
    late = clip_of(25, 50, start_pts_offset=Fraction(512 * 35))
    (said,) = playlists.read_mpv(playlists.mpv_text(film_of(late)))
    assert ("2.400000", "1.000000") == (said["start"], said["length"])


def test_mpv_names_are_counted_in_bytes() -> None:
    """As the published grammar wants: `%` length `%` value."""
    lines = playlists.mpv_text(film_of(clip_of(0, 25, path="/m/ä;.mov"))).split("\n")
    assert ["# mpv EDL v0", "%10%/m/ä;.mov,start=0.000000,length=1.000000,title=%10%a red boat", ""] == lines


def test_vlc_gets_addresses_and_times() -> None:
    """Names are percent-encoded, so that none is a comment; edges are rounded down to the microsecond."""
    text = playlists.m3u_text(film_of(clip_of(1, 26, rate=NTSC, path="/m/#a\nb.mov")))
    assert "#EXTVLCOPT:start-time=0.033366\n#EXTVLCOPT:stop-time=0.867533\nfile:///m/%23a%0Ab.mov\n" in text


def test_youtube_gets_chapters_of_ten_seconds() -> None:
    """Short clips share a chapter with the next, the last with the one before, and that is said."""
    lengths = (6, 6, 12, 10, 4)
    clips = [clip_of(25 * 20 * n, 25 * (20 * n + length)) for n, length in enumerate(lengths)]
    film = film_of(*clips, caption="<b>x</b>")
    assert "0:00 ‹b›x‹/b›\n0:12 ‹b›x‹/b›\n0:24 ‹b›x‹/b›\n" == chapters.youtube_text(film)  # noqa: RUF001
    assert [
        "clips 1 to 2 share the chapter at 0:00: YouTube wants 10 s",
        "clips 4 to 5 share the chapter at 0:24: YouTube wants 10 s",
    ] == chapters.youtube_notes(film)
    with pytest.raises(ExportError, match=r"these 2 clips of 12\.0 s make 1"):
        chapters.youtube_text(film_of(*clips[:2]))


def test_subtitles_lie_where_their_clips_lie() -> None:
    """Words before, between and after the clips go; cut-off ones end at the edge, or go where nothing is left."""
    clips = (clip_of(250, 500), clip_of(1000, 1250))
    words = [
        said_at(5, 9, "before"),
        said_at(9, 12, "cut off"),
        said_at(15, 16.5, "inside"),
        said_at(19.9, 25, "only a breath"),
        said_at(45.1234, 47, "second"),
    ]
    film = film_of(*clips, texts=words)
    lost = "1 texts are left out: the edge of a clip cuts off nearly all of them"
    assert (
        "1\n00:00:00,000 --> 00:00:02,000\ncut off\n\n"
        "2\n00:00:05,000 --> 00:00:06,500\ninside\n\n"
        "3\n00:00:15,123 --> 00:00:17,000\nsecond\n"
    ) == subtitles.srt_text(film)
    assert [lost] == subtitles.subtitle_notes(film)
    with pytest.raises(ExportError, match="no such text"):
        subtitles.srt_text(film_of(*clips))


def test_no_text_is_markup_in_subtitles() -> None:
    """WebVTT escapes tags; in SRT nothing looks like a tag or an arrow any more."""
    film = film_of(clip_of(0, 250), texts=[said_at(1, 2, "<i>x</i> {\\an8} a-->b")])
    assert "\n&lt;i&gt;x&lt;/i&gt; {\\an8} a--&gt;b\n" in subtitles.vtt_text(film)
    assert [] == re.findall(r"<[/i]|\{\\|\w-->", subtitles.srt_text(film))


def test_ffmetadata_chapters_are_whole_frames() -> None:
    """The time base is the frame of the film, so that a chapter begins on its clip's first frame exactly."""
    text = chapters.ffmetadata_text(
        film_of(clip_of(0, 30, rate=NTSC), clip_of(60, 90, rate=NTSC), caption="a=b;#")
    )
    assert text.endswith("[CHAPTER]\nTIMEBASE=1001/30000\nSTART=30\nEND=60\ntitle=a\\=b\\;\\#\n")


def test_a_project_counts_frames_of_the_film() -> None:
    """`out` is the last frame; a source of another rate is counted at the film's; the track is the film."""
    film = film_of(clip_of(500, 800), clip_of(300, 600, rate=NTSC, path="/m/b.mov"), clip_of(0, 25, timecode=None))
    said = mlt.read_mlt(mlt.mlt_text(film))
    assert [(500, 799), (250, 499), (0, 24)] == [(entry["in"], entry["out"]) for entry in said]
    assert {(575, "25/1")} == {(entry["film"], entry["rate"]) for entry in said}


def test_a_project_has_the_structure_of_its_dtd() -> None:
    """Only its elements, each where it may be, ids before their use; and what Shotcut wants."""
    children = {
        "mlt": {"profile", "producer", "playlist", "tractor"},
        "producer": {"property"},
        "playlist": {"entry", "property"},
        "tractor": {"multitrack", "property"},
        "multitrack": {"track"},
    }
    root = ElementTree.fromstring(mlt.mlt_text(film_of(*CLIPS, caption=HOSTILE)))  # noqa: S314 - our own text
    known: set[str] = set()
    for element in root.iter():
        assert {child.tag for child in element} <= children.get(element.tag, set())
        assert element.get("producer", "") in known | {""}
        known |= {element.get("id", "")}
    assert ["1"] == [one.text for one in root.findall("./tractor/property[@name='shotcut']")]
    assert {"width", "height", "progressive", "frame_rate_num", "frame_rate_den"} <= set(root[0].keys())


def test_a_name_that_xml_cannot_hold_is_refused() -> None:
    """A project that names another file is not given out."""
    film = film_of(clip_of(0, 25, path="/m/a\x01.mov"))
    with pytest.raises(ExportError, match="would have resource"):
        compare_export(FORMATS["mlt"], film, mlt.mlt_text(film), Path("x.mlt"))


def test_a_sheet_asks_nobody_for_anything() -> None:
    """No script, no address but those of pictures inside; a lost picture is said; markup in texts is text."""
    text = html_text(film_of(*CLIPS, question="<script>alert(1)</script>", caption="<img src=x>"))
    assert [] == re.findall(r"<script|https?://|<link|url\(", text)
    assert 3 == text.count(">no picture<")
    assert ["<img src=x>"] * 3 == [card["caption"] for card in read_html(text)]
    assert [str(clip.span.start) for clip in CLIPS] == [card["data-in"] for card in read_html(text)]


def test_the_ending_chooses_and_unknown_ones_are_refused() -> None:
    """The two meanings of `.edl` are told apart; every format has an ending of its own."""
    assert "mpv-edl" == format_of(Path("a.b.MPV.EDL"))
    assert [*FORMATS] == [format_of(Path(f"x{form.endings[0]}")) for form in FORMATS.values()]
    with pytest.raises(ExportError, match="which EDL"):
        format_of(Path("x.edl"))
    with pytest.raises(ExportError, match=r"one of the endings \.csv"):
        format_of(Path("x.docx"))


def test_a_format_that_says_less_is_not_given_out(tmp_path: Path) -> None:
    """Clips that are missing in what was written, and a text that cannot be read back, are refused."""
    film = film_of(*CLIPS)
    short = Format((".x",), "", lambda _: "", lambda _: [], tables.csv_expected)
    with pytest.raises(ExportError, match="0 of 3 entries"):
        compare_export(short, film, "", tmp_path / "x")
    with pytest.raises(ExportError, match="cannot be read back"):
        compare_export(FORMATS["json"], film, "{", tmp_path / "x")


def test_targets_that_must_not_be_written_are_refused(tmp_path: Path) -> None:
    """A folder, a source, an existing file, a folder that is not there: one line each, and nothing is left."""
    source = tmp_path / "source.csv"
    source.write_text("a source with a strange name")
    cut_list = CutList((clip_of(0, 25, path=str(source)),))
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "old.csv").write_text("old")
    for target, reason, overwrite in (
        (tmp_path / "nowhere/x.csv", "there is no folder", True),
        (tmp_path / "folder.csv", "is a folder", True),
        (source, "is one of the sources", True),
        (tmp_path / "old.csv", "exists already", False),
    ):
        with pytest.raises(ExportError, match=reason):
            export_cut_list(cut_list, target, overwrite=overwrite)
    with pytest.raises(ExportError, match="no clips"):
        export_cut_list(CutList(()), tmp_path / "x.csv")
    assert ["a source with a strange name", "old"] == [source.read_text(), (tmp_path / "old.csv").read_text()]
    export_cut_list(cut_list, tmp_path / "old.csv", overwrite=True)
    assert ["folder.csv", "old.csv", "source.csv"] == sorted(path.name for path in tmp_path.iterdir())


@pytest.mark.parametrize("name", ["csv", "json", "html"])
def test_what_people_wrote_is_in_tables_and_sheets(name: str) -> None:
    """Note and decision of a clip are read back; a clip that was not searched for has no score and no rank."""
    clip = clip_of(500, 800)
    hits = tuple(replace(hit, score=0.0) for hit in clip.hits)
    film = film_of(replace(clip, hits=hits, note=HOSTILE, state="accepted by Anna"))
    form = FORMATS[name]
    text = form.write(film)
    compare_export(form, film, text, Path("x"))
    (said,) = form.read(text)
    told = said["remark"] if name == "html" else f"{said['state']}: {said['note']}"
    assert f"accepted by Anna: {HOSTILE}".replace("\n", " ") == told.replace("\n", " ")
    assert {"", None} >= {said.get("rank"), said.get("score")}
    assert "rank" not in said["why"]
