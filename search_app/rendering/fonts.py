"""Fonts for text in pictures: those of the machine, best first, and one that Pillow brings for a bare machine."""

from __future__ import annotations

import struct
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from PIL import ImageFont

FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path.home() / ".local/share/fonts",
    Path.home() / ".fonts",
    Path("/System/Library/Fonts"),
    Path("/Library/Fonts"),
    Path("C:/Windows/Fonts"),
)
PREFERRED = ("NotoSans-Regular", "DejaVuSans", "LiberationSans-Regular", "Arial", "Helvetica", "segoeui")
_ENDINGS = {".ttf", ".otf", ".ttc"}
_MOST_FONTS = 300
_PROBE_PX = 24
_NOBODYS = "\U0010fffe"  # no font has a glyph for it, so each draws what it draws for what it lacks
_INVISIBLE = {"Cf", "Mn", "Me", "Zs"}

Font = ImageFont.FreeTypeFont


@dataclass(frozen=True)
class Face:
    """A font file; None is the font that Pillow brings, which has Latin letters only."""

    path: Path | None

    def at(self, size_px: int) -> Font:
        """The font in a size."""
        return _load(self.path, size_px)

    def has(self, character: str) -> bool:
        """Whether it can draw a character."""
        return _has(self.path, character)


@cache
def find_faces() -> tuple[Face, ...]:
    """Every usable font, in the order in which they are tried."""
    files = [path for folder in FOLDERS if folder.is_dir() for path in sorted(folder.rglob("*"))]
    files = [path for path in files if path.suffix.lower() in _ENDINGS]
    files.sort(key=lambda path: (_rank(path), path.name))
    return (*(Face(path) for path in files[:_MOST_FONTS] if _loads(path)), Face(None))


def _rank(path: Path) -> int:
    if path.stem in PREFERRED:
        return PREFERRED.index(path.stem)
    is_plain = not any(word in path.stem for word in ("Bold", "Italic", "Oblique", "Mono", "Condensed", "Light"))
    return len(PREFERRED) + (not is_plain)


def missing_characters(text: str) -> list[str]:
    """The characters that no font here can draw, each once, in order."""
    return [char for char in dict.fromkeys(text) if not is_invisible(char) and face_for(char) is None]


def is_invisible(character: str) -> bool:
    """Whether it leaves no mark of its own: spaces, joiners, marks on other characters."""
    return character == "\n" or unicodedata.category(character) in _INVISIBLE


@lru_cache(4096)
def face_for(character: str) -> Face | None:
    """The best font that has a character."""
    if unicodedata.category(character) in {"Cc", "Cs"}:
        return None
    return next((face for face in find_faces() if face.has(character)), None)


def runs_of(line: str) -> list[tuple[Face, str]]:
    """A line in stretches of one font each, left to right as they are seen; one font for all of it if possible."""
    marks = [char for char in line if not is_invisible(char)]
    for face in find_faces():
        if all(face.has(char) for char in marks):
            return [(face, line)]
    runs: list[tuple[Face, str]] = []
    for char in line:
        face = runs[-1][0] if is_invisible(char) and runs else (face_for(char) or find_faces()[0])
        if runs and runs[-1][0] == face:
            runs[-1] = (face, runs[-1][1] + char)
        else:
            runs.append((face, char))
    first = next((unicodedata.bidirectional(char) for char in line if char.isalpha()), "L")
    return runs[::-1] if first in {"R", "AL"} else runs


@lru_cache(64)
def _load(path: Path | None, size_px: int) -> Font:
    if path is None:
        font = ImageFont.load_default(size_px)
        if not isinstance(font, ImageFont.FreeTypeFont):
            raise TypeError("Pillow was built without FreeType")
        return font
    return ImageFont.truetype(str(path), size_px)


def _loads(path: Path) -> bool:
    try:
        _load(path, _PROBE_PX)
    except OSError:  # bitmap fonts of one size, or no font at all
        return False
    return True


@lru_cache(8192)
def _has(path: Path | None, character: str) -> bool:
    if path is not None:
        return ord(character) in _characters_of(path)
    font = _load(path, _PROBE_PX)
    return _drawn(font, character) != _drawn(font, _NOBODYS)


@cache
def _characters_of(path: Path) -> frozenset[int]:
    """The characters that have a glyph; drawing would not tell, as some are drawn as several boxes."""
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(path, fontNumber=0, lazy=True) as font:
            return frozenset(font.getBestCmap() or ())
    except (TTLibError, OSError, ValueError, LookupError, AssertionError, struct.error):
        return frozenset()  # what FreeType still makes of it cannot be told


def _drawn(font: Font, character: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(character)
    return mask.size, bytes(mask)
