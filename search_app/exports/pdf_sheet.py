"""A contact sheet as PDF, for paper and archives: the cards of the HTML sheet as it prints them; and read back.

Texts are texts, to be found and copied, in fonts of the machine that go into the file. The clips are also its
outline, by which it is read back: a title for each, its timecodes on the page, and all letters of the whole. Their
order is not looked at: what is written from the right is read in another order by every reader.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_app.exports.clip_picture import clip_picture
from search_app.exports.contact_sheet import card_texts, summary
from search_app.exports.film import Film, FilmClip
from search_app.rendering.fonts import find_faces, is_invisible
from search_app.timelines.sources import one_line

if TYPE_CHECKING:
    from fpdf import FPDF

    from search_app.exports.film import Said

_MARGIN_MM, _PICTURE_MM, _GAP_MM, _PADDING_MM = 12.0, (48.0, 27.0), 4.0, 2.0
_COLUMNS = 3
_FOOTER_MM = 16.0
_LINE = 1.28
_MM_PER_POINT = 25.4 / 72
_INK, _SOFT, _LINE_GREY = (25, 27, 32), (93, 100, 112), (205, 208, 214)
_STYLES = {"number": (9.5, _INK), "caption": (9, _INK), "source": (8, _INK)}
_PLAIN = (7.5, _SOFT)
_ORDER = ("number", "caption", "source", "cut", "why", "remark")
_BOX, _PLAIN_BOX = "□", "?"
_CORE_FONT, _CORE_ENCODING = "helvetica", "latin-1"
_PLAINER = {"–": "-", "—": "-", "…": "...", "‘": "'", "’": "'", "“": '"', "”": '"'}  # noqa: RUF001 - replaced
_FROM_THE_RIGHT = {"R", "AL", "AN"}
_NO_PICTURE = "-"
_TIMECODE = re.compile(r"\d\d:\d\d:\d\d[:;]\d\d+")


def pdf_text(film: Film) -> str:
    """The sheet, its bytes as the characters of the same numbers."""
    pdf = _new_pdf(film)
    pdf.add_page()
    _write(pdf, film.question or film.name, 17, _INK)
    _write(pdf, summary(film), 9.5, _SOFT)
    pdf.ln(_GAP_MM)
    _grid(pdf, film)
    return bytes(pdf.output()).decode("latin-1")


def _new_pdf(film: Film) -> FPDF:
    from fpdf import FPDF

    class Sheet(FPDF):
        def footer(self) -> None:
            """The page's number, below each."""
            self.set_y(-_FOOTER_MM + 4)
            self.set_font(self.font_family, size=8)
            self.set_text_color(*_SOFT)
            self.cell(0, 4, str(self.page_no()), align="R")

    pdf = Sheet(format="A4")
    pdf.alias_nb_pages("")  # a text may hold what would be replaced by a number
    pdf.set_margin(_MARGIN_MM)
    pdf.c_margin = 0
    pdf.set_auto_page_break(True, _FOOTER_MM)
    pdf.set_title(film.question or film.name)
    pdf.set_creator("Rushes")
    pdf.set_image_filter("DCTDecode")
    families = []
    for number, path in enumerate(_font_files(_all_texts(film))):
        families.append(f"face{number}")
        pdf.add_font(families[-1], fname=path)
    pdf.set_font(families[0] if families else _CORE_FONT, size=10)
    pdf.set_fallback_fonts(families[1:], exact_match=False)
    return pdf


_Line = tuple[str, float, tuple[int, int, int]]
"""Text, size in points, colour."""


def _card_lines(pdf: FPDF, film: Film, clip: FilmClip, width_mm: float) -> list[_Line]:
    texts = card_texts(film, clip)
    texts["number"] = f"{texts['number']}  {texts.pop('film')}"
    return [
        (line, *_STYLES.get(name, _PLAIN))
        for name in _ORDER
        if texts[name]
        for line in _lines(pdf, texts[name], _STYLES.get(name, _PLAIN)[0], width_mm)
    ]


def _height_mm(lines: Iterable[_Line]) -> float:
    return sum(_line_mm(size) for _, size, _ in lines)


def _grid(pdf: FPDF, film: Film) -> None:
    """Cards side by side, row by row; one that is higher than half a page has the width of the page."""
    width = (pdf.w - 2 * _MARGIN_MM - (_COLUMNS - 1) * _GAP_MM) / _COLUMNS
    row: list[tuple[FilmClip, list[_Line]]] = []
    for clip in film.clips:
        lines = _card_lines(pdf, film, clip, width - 2 * _PADDING_MM)
        if _height_mm(lines) > pdf.h / 2:
            _row(pdf, film, row, width)
            row = []
            _wide_card(pdf, film, clip)
            continue
        row.append((clip, lines))
        if len(row) == _COLUMNS:
            _row(pdf, film, row, width)
            row = []
    _row(pdf, film, row, width)


def _row(pdf: FPDF, film: Film, cards: Sequence[tuple[FilmClip, list[_Line]]], width: float) -> None:
    """Cards of one height beside each other, on one page."""
    if not cards:
        return
    picture_mm = width * _PICTURE_MM[1] / _PICTURE_MM[0]
    height = picture_mm + max(_height_mm(lines) for _, lines in cards) + 2 * _PADDING_MM
    if pdf.get_y() + height > pdf.h - _FOOTER_MM:
        pdf.add_page()
    top = pdf.get_y()
    for place, (clip, lines) in enumerate(cards):
        left = _MARGIN_MM + place * (width + _GAP_MM)
        pdf.set_y(top)
        pdf.start_section(_title(film, clip))
        _picture(pdf, clip, left, top, (width, picture_mm))
        pdf.set_draw_color(*_LINE_GREY)
        pdf.rect(left, top, width, height)
        pdf.set_y(top + picture_mm + _PADDING_MM)
        for line, size, colour in lines:
            pdf.set_x(left + _PADDING_MM)
            _put(pdf, line, size, colour)
    pdf.set_y(top + height + _GAP_MM)


def _wide_card(pdf: FPDF, film: Film, clip: FilmClip) -> None:
    """Picture at the left, texts at the right; what is longer than a page goes on on the next."""
    left = _MARGIN_MM + _PICTURE_MM[0] + _GAP_MM
    lines = _card_lines(pdf, film, clip, pdf.w - _MARGIN_MM - left)
    height = max(_PICTURE_MM[1], _height_mm(lines))
    if pdf.get_y() + height > pdf.h - _FOOTER_MM and height < pdf.h - _MARGIN_MM - _FOOTER_MM:
        pdf.add_page()
    top, page = pdf.get_y(), pdf.page_no()
    pdf.start_section(_title(film, clip))
    _picture(pdf, clip, _MARGIN_MM, top, _PICTURE_MM)
    pdf.set_y(top)
    for line, size, colour in lines:
        pdf.set_x(left)
        _put(pdf, line, size, colour)
    bottom = max(pdf.get_y(), top + _PICTURE_MM[1] if pdf.page_no() == page else 0)
    pdf.set_draw_color(*_LINE_GREY)
    pdf.line(_MARGIN_MM, bottom + _GAP_MM / 2, pdf.w - _MARGIN_MM, bottom + _GAP_MM / 2)
    pdf.set_y(bottom + _GAP_MM)


def _picture(pdf: FPDF, clip: FilmClip, left_mm: float, top_mm: float, size_mm: tuple[float, float]) -> None:
    from PIL import Image

    width, height = size_mm
    pdf.set_fill_color(0, 0, 0)
    pdf.rect(left_mm, top_mm, width, height, style="F")
    picture = clip_picture(clip)
    if picture is None:
        pdf.set_xy(left_mm, top_mm + height / 2 - 2)
        pdf.set_font_size(8.5)
        pdf.set_text_color(170, 170, 170)
        pdf.cell(width, 4, _NO_PICTURE, align="C")
        return
    pdf.image(Image.fromarray(picture), left_mm, top_mm, width, height, keep_aspect_ratio=True)


def _write(pdf: FPDF, text: str, size: float, colour: tuple[int, int, int]) -> None:
    for line in _lines(pdf, text, size, pdf.w - 2 * _MARGIN_MM):
        _put(pdf, line, size, colour)


def _lines(pdf: FPDF, text: str, size: float, width_mm: float) -> list[str]:
    """Text broken into lines, each in the order in which its characters are read from the left."""
    from fpdf.enums import MethodReturnValue

    pdf.set_font_size(size)
    text = _drawable(text)
    lines: Any = pdf.multi_cell(width_mm, text=text, dry_run=True, output=MethodReturnValue.LINES)
    return [_as_seen(line) for line in lines]


def _as_seen(line: str) -> str:
    from fpdf.bidi import BidiParagraph

    if not any(unicodedata.bidirectional(sign) in _FROM_THE_RIGHT for sign in line):
        return line
    return str(BidiParagraph(line).get_reordered_string())


def _put(pdf: FPDF, line: str, size: float, colour: tuple[int, int, int]) -> None:
    pdf.set_font_size(size)
    pdf.set_text_color(*colour)
    pdf.cell(0, _line_mm(size), line, new_x="LMARGIN", new_y="NEXT")


def _line_mm(size: float) -> float:
    return size * _LINE * _MM_PER_POINT


def _title(film: Film, clip: FilmClip) -> str:
    texts = card_texts(film, clip)
    return f"{texts['number']}  {texts['cut']}  {texts['source']}"


def _all_texts(film: Film) -> list[str]:
    """Everything that is written onto the pages."""
    cards = [text for clip in film.clips for text in card_texts(film, clip).values()]
    return [film.question or film.name, summary(film), *cards]


@cache
def _ttf_faces() -> tuple[Path, ...]:
    return tuple(face.path for face in find_faces() if face.path and face.path.suffix.lower() == ".ttf")


def _face_of(character: str) -> Path | None:
    """The best font file that has a character."""
    return next((face.path for face in find_faces() if face.path in _ttf_faces() and face.has(character)), None)


def _font_files(texts: Iterable[str]) -> list[Path]:
    """The font files that some texts need, the best first."""
    signs = {*"".join(map(_drawable, texts)), *_BOX, *_NO_PICTURE, "0"} - {" "}
    needed = {_face_of(sign) for sign in signs}
    return [path for path in _ttf_faces() if path in needed]


def _drawable(text: str) -> str:
    """The text with a box for what no font here has, and without signs that leave no mark."""
    return "".join(map(_drawn, one_line(text))).strip()


@cache
def _drawn(character: str) -> str:
    if character.isspace():
        return " "
    if not _ttf_faces():
        shown = _PLAINER.get(character, character).encode(_CORE_ENCODING, "ignore").decode(_CORE_ENCODING)
        return shown or ("" if is_invisible(character) else _PLAIN_BOX)
    if is_invisible(character):
        return ""
    return character if _face_of(character) else _BOX


def pdf_notes(film: Film) -> list[str]:
    """Differences of the sheet from its film."""
    texts = "".join(map(one_line, _all_texts(film)))
    lost = [sign for sign in dict.fromkeys(texts) if _drawn(sign) != sign and _drawn(sign) in (_BOX, _PLAIN_BOX)]
    named = ", ".join(f"U+{ord(sign):04X}" for sign in lost[:8])
    stands = "a box stands" if _ttf_faces() else "a question mark stands"
    return [f"no font on this machine can draw {named}: {stands} for it"] if lost else []


def read_pdf(text: str) -> list[Said]:
    """Content of a sheet for each clip: its title, whether its page has its times; with the first, all letters."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError
    from pypdf.generic import Destination

    try:
        reader = PdfReader(io.BytesIO(text.encode("latin-1")))
        pages = ["".join(page.extract_text().split()) for page in reader.pages]
        entries = [entry for entry in reader.outline if isinstance(entry, Destination)]
        places = [reader.get_destination_page_number(entry) or 0 for entry in entries]
    except (PyPdfError, LookupError, AttributeError, TypeError, RecursionError) as error:
        raise ValueError(f"it is no PDF that can be read: {error}") from error
    said: list[Said] = []
    for entry, place, following in zip(entries, places, [*places[1:], len(pages)], strict=True):
        written = "".join(pages[place : following + 1])  # a long card goes on on the next page
        is_there = all(time in written for time in _TIMECODE.findall(str(entry.title)))
        first = {} if said else {"letters": _letters(pages)}
        said.append({"title": str(entry.title), "is_on_page": is_there, **first})
    return said


def pdf_expected(film: Film) -> list[Said]:
    """Its expected content."""
    said = [{"title": _title(film, clip), "is_on_page": True} for clip in film.clips]
    return [{**said[0], "letters": _letters(map(_drawable, _all_texts(film)))}, *said[1:]]


def _letters(texts: Iterable[str]) -> str:
    """Names all letters of some texts, in any order, by number and a checksum."""
    letters = sorted(sign for sign in unicodedata.normalize("NFKC", "".join(texts)) if sign.isalpha())
    digest = blake2b("".join(letters).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{len(letters)}, {digest}"
