"""Text drawn into transparent pictures: what it says is only ever drawn, never read as a filter or an option."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image, ImageDraw

from search_app.errors import RenderError
from search_app.rendering.fonts import face_for, find_faces, missing_characters, runs_of

_WHITE = (255, 255, 255, 255)
_BLACK = (0, 0, 0, 255)
_LINE_HEIGHT = 1.3
_ELLIPSIS = "…"
_STEP = 0.9
_MOST_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Style:
    """Look of a block of text.

    Args:
        size_px: height of the letters' line.
        smallest_px: how small they may become before text is shortened or refused.
        width_px: longest line.
        n_lines: most lines.
        is_centred: else it begins at the left.
        box_opacity: of the dark box behind it, 0 to 255; 0 for a dark edge around the letters instead.
        opacity: of the letters.
    """

    size_px: int
    smallest_px: int
    width_px: int
    n_lines: int
    is_centred: bool = False
    box_opacity: int = 0
    opacity: int = 255


def check_text(text: str, option: str) -> None:
    """Refuse text of an option that cannot be drawn as it is written.

    Raises:
        RenderError: it is empty, or no font has some of its characters.
    """
    if not text.strip():
        raise RenderError(f"{option} is empty: write something, or leave it out")
    if missing := missing_characters(text):
        named = ", ".join(f"{char if char.isprintable() else '?'} (U+{ord(char):04X})" for char in missing[:8])
        raise RenderError(f"no font on this machine can draw what {option} says: {named}; install one that can")


def draw_text(text: str, style: Style) -> tuple[Image.Image, bool]:
    """Text as a transparent picture, just large enough, and whether all of it is there.

    Lines are broken between words, letters made smaller down to the smallest, and then the text is cut short.
    """
    shortened = text[:_MOST_CHARACTERS]
    lines, size_px = _fit(shortened, style)
    is_whole = len(lines) <= style.n_lines and shortened == text
    if not is_whole:
        lines = lines[: style.n_lines]
        last = lines[-1]
        while last and _width(last + _ELLIPSIS, size_px) > style.width_px:
            last = last[:-1]
        lines[-1] = last.rstrip() + _ELLIPSIS
    return _draw(lines, size_px, style), is_whole


def draw_cells(signs: str, size_px: int) -> dict[str, Image.Image]:
    """Each sign in the middle of a transparent picture; all pictures have one size."""
    fonts = {sign: (face_for(sign) or find_faces()[0]).at(size_px) for sign in signs}
    size = (math.ceil(max(fonts[sign].getlength(sign) for sign in signs)), round(size_px * _LINE_HEIGHT))
    cells = {}
    for sign, font in fonts.items():
        cells[sign] = Image.new("RGBA", size, (0, 0, 0, 0))
        ImageDraw.Draw(cells[sign]).text((size[0] / 2, size[1] / 2), sign, _WHITE, font, "mm")
    return cells


def _fit(text: str, style: Style) -> tuple[list[str], int]:
    size_px = style.size_px
    while True:
        lines = _wrap(text, size_px, style.width_px)
        smaller = max(style.smallest_px, int(size_px * _STEP))
        if len(lines) <= style.n_lines or smaller == size_px:
            return lines, size_px
        size_px = smaller


def _wrap(text: str, size_px: int, width_px: int) -> list[str]:
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.replace("\t", " ").split(" "):
            joined = f"{line} {word}" if line else word
            if _width(joined, size_px) <= width_px:
                line = joined
                continue
            if line:
                lines.append(line)
            line = word
            while _width(line, size_px) > width_px and len(line) > 1:  # one word longer than a line
                n_fit = _n_fitting(line, size_px, width_px)
                lines.append(line[:n_fit])
                line = line[n_fit:]
        lines.append(line)
    return lines


def _n_fitting(word: str, size_px: int, width_px: int) -> int:
    low, high = 1, len(word)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _width(word[:middle], size_px) <= width_px else (low, middle - 1)
    return low


def _width(line: str, size_px: int) -> float:
    return sum(face.at(size_px).getlength(run) for face, run in runs_of(line))


def _draw(lines: list[str], size_px: int, style: Style) -> Image.Image:
    edge = max(1, size_px // 11)
    margin = size_px // 2 if style.box_opacity else 2 * edge
    line_px = round(size_px * _LINE_HEIGHT)
    widths = [round(_width(line, size_px)) for line in lines]
    size = (max(widths) + 2 * margin, len(lines) * line_px + (margin if style.box_opacity else 2 * margin))
    picture = Image.new("RGBA", size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    if style.box_opacity:
        draw.rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), size_px // 4, (0, 0, 0, style.box_opacity))
    for number, (line, width) in enumerate(zip(lines, widths, strict=True)):
        across = margin + ((max(widths) - width) / 2 if style.is_centred else 0)
        down = size[1] / 2 + (number - (len(lines) - 1) / 2) * line_px
        for face, run in runs_of(line):
            font = face.at(size_px)
            stroke = 0 if style.box_opacity else edge
            draw.text((across, down), run, _WHITE, font, "lm", stroke_width=stroke, stroke_fill=_BLACK)
            across += font.getlength(run)
    if style.opacity < 255:
        picture.putalpha(picture.getchannel("A").point([value * style.opacity // 255 for value in range(256)]))
    return picture
