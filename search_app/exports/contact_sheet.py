"""A contact sheet as one HTML file: pictures inside, no network, no scripts; and read back.

For people who decide without an editing program: picture, timecode, caption and reason of each clip, on screen in
light or dark, and printed.
"""

from __future__ import annotations

import base64
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from indexer.media.pictures import encode_thumbnail
from search_app.exports.clip_picture import clip_picture
from search_app.exports.film import Film, FilmClip
from search_app.timelines.sources import one_line
from store.wording import n_of, printable

if TYPE_CHECKING:
    from search_app.exports.film import Said

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark;
  --ink: #1b1d21; --soft: #5d6470; --line: #d9dce1; --paper: #fff; --back: #f4f5f7; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaee; --soft: #9aa2ae; --line: #363b44; --paper: #202329; --back: #16181c; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 84rem; background: var(--back); color: var(--ink);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { margin: 0; font-size: 1.5rem; overflow-wrap: anywhere; }
.summary { margin: .25rem 0 0; color: var(--soft); overflow-wrap: anywhere; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1rem;
  margin-top: 1.25rem; }
article { background: var(--paper); border: 1px solid var(--line); border-radius: .5rem; overflow: hidden; }
.picture { aspect-ratio: 16 / 9; background: #000; display: flex; align-items: center; justify-content: center;
  color: #aaa; }
.picture img { width: 100%; height: 100%; object-fit: contain; display: block; }
.text { padding: .6rem .75rem .75rem; overflow-wrap: anywhere; }
.place { display: flex; justify-content: space-between; gap: .5rem; }
.number { font-weight: 700; }
.film, .cut { font-variant-numeric: tabular-nums; }
.caption { margin: .35rem 0; }
.source { font-weight: 600; }
.source, .cut, .why, .remark { margin: 0; font-size: .87em; }
.cut, .why, .film { color: var(--soft); }
@page { margin: 12mm; }
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --back: #fff; }
  body { padding: 0; max-width: none; font-size: 9.5pt; }
  main { grid-template-columns: repeat(3, 1fr); gap: 4mm; }
  article { break-inside: avoid; border-radius: 0; }
  .picture { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""


def html_text(film: Film) -> str:
    """The sheet."""
    page = Element("html", lang="en")
    head = SubElement(page, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY})
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    SubElement(head, "title").text = film.name
    SubElement(head, "style").text = _STYLE
    body = SubElement(page, "body")
    SubElement(body, "h1", dir="auto").text = film.question or film.name
    SubElement(body, "p", {"class": "summary"}).text = summary(film)
    main = SubElement(body, "main")
    for clip in film.clips:
        _card(main, film, clip)
    return "<!DOCTYPE html>\n" + ElementTree.tostring(page, encoding="unicode", method="html") + "\n"


def summary(film: Film) -> str:
    """Summary in one line."""
    seconds = float(film.seconds(film.n_frames))
    return f"{n_of(len(film.clips), 'clip')}, {seconds:.1f} s at {float(film.rate):.5g} frames per second"


def card_texts(film: Film, clip: FilmClip) -> dict[str, str]:
    """Texts of a card, by the class of their element; of these, caption, why and remark may be empty."""
    seconds = float(film.seconds(clip.n_frames))
    ends = clip.source_in + clip.n_source_frames
    return {
        "number": str(clip.number),
        "film": f"at {film.timecode(clip.first_frame)}, {seconds:.1f} s",
        "caption": clip.caption,
        "source": printable(clip.shown_name),
        "cut": f"{clip.source_name(clip.source_in)} – {clip.source_name(ends)}",  # noqa: RUF001 - between times
        "why": clip.why,
        "remark": one_line(clip.clip.remark),
    }


def _card(main: Element, film: Film, clip: FilmClip) -> None:
    texts = card_texts(film, clip)
    card = SubElement(main, "article", _facts(clip))
    picture = SubElement(card, "div", {"class": "picture"})
    address = _picture_address(clip)
    if address:
        SubElement(picture, "img", src=address, alt=f"clip {clip.number}")
    else:
        picture.text = "no picture"
    text = SubElement(card, "div", {"class": "text"})
    place = SubElement(text, "div", {"class": "place"})
    for name in ("number", "film"):
        SubElement(place, "span", {"class": name}).text = texts[name]
    for name in ("caption", "source", "cut", "why", "remark"):
        if texts[name]:
            SubElement(text, "p", {"class": name, "dir": "auto"}).text = texts[name]


def _facts(clip: FilmClip) -> dict[str, str]:
    """Exact numbers for programs, as attributes of a card."""
    span = clip.clip.span
    return {
        "data-in": str(span.start),
        "data-out": str(span.end),
        "data-first-frame": str(clip.first_frame),
        "data-frames": str(clip.n_frames),
        "data-fingerprint": clip.clip.video_id,
    }


def _picture_address(clip: FilmClip) -> str | None:
    """A picture of the clip as part of the page; None where there is none."""
    # Read and written again: whatever lies there, a picture of its size is what goes into the page.
    picture = clip_picture(clip)
    if picture is None:
        return None
    return "data:image/webp;base64," + base64.b64encode(encode_thumbnail(picture)).decode()


class _SheetReader(HTMLParser):
    """Gathers what each card says."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.cards: list[dict[str, str]] = []
        self._field = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A card begins, or a field of it."""
        named = {name: value or "" for name, value in attrs}
        if tag == "article":
            self.cards.append({name: value for name, value in named.items() if name.startswith("data-")})
        elif self.cards and tag in ("span", "p"):
            self._field = named.get("class", "")

    def handle_endtag(self, tag: str) -> None:
        """A field ends."""
        del tag
        self._field = ""

    def handle_data(self, data: str) -> None:
        """The text of a field."""
        if self._field:
            self.cards[-1][self._field] = self.cards[-1].get(self._field, "") + data


def read_html(text: str) -> list[Said]:
    """Content of a sheet for each clip."""
    reader = _SheetReader()
    reader.feed(text)
    reader.close()
    return [*reader.cards]


def html_expected(film: Film) -> list[Said]:
    """Its expected content."""
    return [
        {**_facts(clip), **{name: text for name, text in card_texts(film, clip).items() if text}}
        for clip in film.clips
    ]
