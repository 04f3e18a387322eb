"""The contact sheet as PDF: what it says, on which page, in which letters."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pypdf import PdfReader

from indexer.media.pictures import encode_thumbnail
from search_app.errors import ExportError
from search_app.exports import pdf_sheet
from search_app.exports.export import FORMATS, compare_export
from search_app.exports.film import Film
from search_app.exports.pdf_sheet import pdf_notes, pdf_text
from search_app.rendering.fonts import Face, missing_characters
from tests.unit.search_app.exports.samples import NTSC, clip_of, film_of

FORM = FORMATS["pdf"]


def pages_of(film: Film) -> list[str]:
    """The text of every page."""
    reader = PdfReader(io.BytesIO(pdf_text(film).encode("latin-1")))
    return [page.extract_text() for page in reader.pages]


@pytest.fixture
def _without_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A bare machine."""

    def forget() -> None:
        for remembered in (pdf_sheet._ttf_faces, pdf_sheet._drawn):
            remembered.cache_clear()

    monkeypatch.setattr(pdf_sheet, "find_faces", lambda: (Face(None),))
    forget()
    yield
    forget()


def test_it_says_of_each_clip_what_the_page_for_browsers_says(tmp_path: Path) -> None:
    """Times, source, caption and reason of each clip, and its picture, on as many pages as it takes."""
    for n in range(9):
        (tmp_path / f"{n}.webp").write_bytes(encode_thumbnail(np.full((90, 160, 3), 20 * n, np.uint8)))
    clips = [clip_of(25 * n, 25 * n + 50, thumbnail=str(tmp_path / f"{n % 9}.webp")) for n in range(13)]
    film = film_of(*clips, caption="a boat {nb} **at** dusk")
    first, second = pages_of(film)
    assert ["a red boat", "13 clips, 26.0 s at 25 frames per second"] == first.split("\n")[:2]
    card = ["2  at 00:00:02:00, 2.0 s", "a boat {nb} **at** dusk", "a.mov", "10:00:01:00 \u2013 10:00:03:00"]
    said = " ".join([*card, "88 % sure, high, rank 3, caption words 2: red boat"])
    assert " ".join(said.split()) in " ".join(first.split())
    assert "13  at 00:00:24:00, 2.0 s" in second
    reader = PdfReader(io.BytesIO(pdf_text(film).encode("latin-1")))
    assert [9, 1] == [len(page.images) for page in reader.pages]


def test_cards_stand_in_a_grid_of_three() -> None:
    """Three beside each other, four rows on a page, as the print of the page for browsers has them."""
    places: list[tuple[int, int]] = []

    def note(text: str, _: object, place: list[float], *__: object) -> None:
        if re.match(r"\d+  at ", text):
            places.append((round(place[4]), round(place[5])))

    film = film_of(*(clip_of(25 * n, 25 * n + 50) for n in range(12)))
    (page,) = PdfReader(io.BytesIO(pdf_text(film).encode("latin-1"))).pages
    page.extract_text(visitor_text=note)
    assert (12, 3, 4) == (len(places), len({left for left, _ in places}), len({top for _, top in places}))


@pytest.mark.parametrize("name", ["pdf", "html", "csv"])
def test_a_clients_sheet_holds_no_remark(name: str) -> None:
    """What a timeline cannot say as it is, is said to whom makes the sheet."""
    film = film_of(clip_of(0, 50, timecode=None), clip_of(0, 30, rate=NTSC, path="/media/b.mov", timecode=None))
    assert any("have no timecode" in note for note in film.notes)
    text = "".join(pages_of(film)) if name == "pdf" else FORMATS[name].write(film)
    for word in ("timecode", "not where", "own speed"):
        assert word not in text.replace("film_in", "")


def test_text_of_any_length_stays_on_its_pages() -> None:
    """A note longer than a page goes on on the next, and nothing of it is lost."""
    film = film_of(clip_of(0, 50), clip_of(100, 150), caption="word " * 1000)
    compare_export(FORM, film, pdf_text(film), Path("x.pdf"))
    assert 2000 == " ".join(pages_of(film)).split().count("word")


def test_what_is_written_from_the_right_is_read_from_the_right() -> None:
    """Hebrew stands in its own order between words of English, brackets turned."""
    assert "cut (םולש) 12 cut" == pdf_sheet._as_seen("cut (שלום) 12 cut")


def test_what_no_font_has_is_a_box_and_said() -> None:
    """Also a sign that would be drawn as several boxes, being made of parts that no font has."""
    unknown = [sign for sign in ("\u0e33", "\U0001f3ac") if missing_characters(sign)]
    film = film_of(clip_of(0, 50), caption=f"a {''.join(unknown)} b")
    assert f"a {'□' * len(unknown)} b" in pages_of(film)[0]
    named = ", ".join(f"U+{ord(sign):04X}" for sign in unknown)
    assert [f"no font on this machine can draw {named}: a box stands for it"] == pdf_notes(film)


@pytest.mark.usefixtures("_without_fonts")
def test_a_bare_machine_writes_western_letters() -> None:
    """The fonts that every reader has are used, and question marks for what they lack."""
    film = film_of(clip_of(0, 50), caption="Käse \u2013 straße Ж")
    assert "Käse - straße ?" in pages_of(film)[0]
    compare_export(FORM, film, pdf_text(film), Path("x.pdf"))
    assert ["no font on this machine can draw U+0416: a question mark stands for it"] == pdf_notes(film)


def test_a_lost_letter_or_clip_is_noticed() -> None:
    """A sheet that lacks a letter, or a clip, of its film is not given out."""
    clips = (clip_of(0, 50), clip_of(100, 150))
    text = pdf_text(film_of(*clips, caption="a boat"))
    with pytest.raises(ExportError, match="would have letters"):
        compare_export(FORM, film_of(*clips, caption="a boats"), text, Path("x.pdf"))
    with pytest.raises(ExportError, match="2 of 3 entries"):
        compare_export(FORM, film_of(*clips, clip_of(200, 250), caption="a boat"), text, Path("x.pdf"))
    with pytest.raises(ExportError, match="cannot be read back"):
        compare_export(FORM, film_of(*clips), text[: len(text) // 2], Path("x.pdf"))
