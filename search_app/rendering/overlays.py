"""Cards, lower thirds, watermarks and burnt-in subtitles of a supercut, drawn as pictures of the profile's size.

Sizes are shares of the picture's shorter side and everything lies inside the safe margins, so that it reads alike
in every shape.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from PIL import Image

from search_app.conforming.coding import CODINGS
from search_app.conforming.overlays_and_fades import Layer
from search_app.conforming.picture_names import Codec
from search_app.conforming.target_profile import Profile
from search_app.cutting.clip_texts import ClipText
from search_app.errors import RenderError
from search_app.query.picture import DAMAGE
from search_app.rendering.film_options import FilmOptions, LowerThird
from search_app.rendering.fonts import missing_characters
from search_app.rendering.lettering import Style, check_text, draw_text
from search_app.rendering.preflight import Sighted
from search_app.rendering.running_timecode import draw_timecodes, shown_timecodes
from store.limited import open_regular

SAFE = 0.05
"""Part of the width and height that is left free at each edge."""

CARD_SIZE, CARD_SMALLEST, CARD_LINES = 0.11, 0.045, 12
THIRD_SIZE, SUBTITLE_SIZE, MARK_SIZE = 0.05, 0.055, 0.04
MOST_LINES = 40
"""Lines of speech burnt into one clip: each is a file that ffmpeg holds open."""

_LEAST_PX = 8
_BOX, _MARK_OPACITY, _SOLID_OPACITY = 150, 160, 255
_PICTURE_FORMATS = ("PNG", "JPEG", "WEBP")
_PICTURE_ENDINGS = {".png", ".jpg", ".jpeg", ".webp"}
_MOST_PIXELS = 40_000_000


@dataclass
class Overlays:
    """Drawings for one film.

    Args:
        profile: its shape.
        film: what is asked for.
        folder: where pictures are kept while it is made; each look once.
        names: what its sources are called that share their file names with others, by path.
    """

    profile: Profile
    film: FilmOptions
    folder: Path
    names: Mapping[str, str] = field(default_factory=dict)
    _kept: dict[str, Path] = field(default_factory=dict)

    @property
    def short_px(self) -> int:
        """The shorter side."""
        return min(self.profile.width_px, self.profile.height_px)

    def card(self, text: str) -> tuple[Path, str]:
        """A black picture with text in its middle, and what names its look."""
        width, height = self.profile.width_px, self.profile.height_px
        n_lines = min(CARD_LINES, max(1, int(height * 0.8 / (self._px(CARD_SMALLEST) * 1.3))))
        style = Style(self._px(CARD_SIZE), self._px(CARD_SMALLEST), round(width * 0.8), n_lines, is_centred=True)
        drawn, is_whole = draw_text(text, style)
        if not is_whole or drawn.height > height or drawn.width > width:
            raise RenderError(f"the text of a card has {len(text)} characters and does not fit: shorten it")
        card = Image.new("RGBA", (width, height), (0, 0, 0, 255))
        card.alpha_composite(drawn, ((width - drawn.width) // 2, (height - drawn.height) // 2))
        return self._keep(card)

    def layers(self, seen: Sighted, text: ClipText) -> tuple[list[Layer], tuple[str, ...]]:
        """Layers over a clip, the lowest first, and warnings for people."""
        layers: list[Layer] = []
        warnings: list[str] = []
        raised = 3 * self._px(SUBTITLE_SIZE) if self.film.burns_subtitles else 0
        if self.film.lower_third is LowerThird.TIMECODE:
            layers.append(self._timecode(seen, raised, warnings))
        if third := self._lower_third(seen, text):
            style = Style(
                self._px(THIRD_SIZE), self._px(THIRD_SIZE) * 3 // 4, self._wide(0.7), 2, box_opacity=_BOX
            )
            layers.append(self._at(self._drawn(third, style, warnings), "left", "bottom", raised))
        speech = text.speech if self.film.burns_subtitles else ()
        if len(speech) > MOST_LINES:
            warnings.append(f"only the first {MOST_LINES} of {len(speech)} lines that are said are burnt in")
        for line in speech[:MOST_LINES]:
            style = Style(
                self._px(SUBTITLE_SIZE), self._px(SUBTITLE_SIZE) * 3 // 4, self._wide(0.8), 2, is_centred=True
            )
            first, end = (round(time * self.profile.frame_rate) for time in (line.start, line.end))
            picture = self._drawn(line.text, style, warnings)
            layers.append(self._at(picture, "centre", "bottom", 0, first, end))
        if self.film.watermark:
            mark = self.film.watermark
            picture = self._picture(Path(mark)) if is_picture_name(mark) else self._mark(mark, warnings)
            layers.append(self._at(picture, "right", "top"))
        if text.mark:  # of rights: what it says is drawn, whatever it ends like
            layers.append(self._at(self._mark(text.mark, warnings), "right", "middle"))
        return layers, tuple(dict.fromkeys(warnings))

    def _lower_third(self, seen: Sighted, text: ClipText) -> str:
        match self.film.lower_third:
            case LowerThird.CAPTION:
                return text.caption
            case LowerThird.FILE:
                return self.names.get(str(seen.source), seen.source.name)
            case LowerThird.DATE:
                return (seen.clip.facts.recorded_at or "")[:10]
            case _:
                return ""

    def _timecode(self, seen: Sighted, raised_px: int, warnings: list[str]) -> Layer:
        """The running timecode of the source."""
        names, notes = shown_timecodes(seen.clip, self.profile)
        warnings.extend(notes)
        size_px = min(self._px(THIRD_SIZE), self._wide(0.9) // (len(names[0]) - 3))
        path, size, digest = draw_timecodes(names, size_px, _BOX, self.folder)
        left, top = self._corner(size, "left", "bottom", raised_px)
        return Layer(path, left, top, *size, digest=digest, frame_rate=self.profile.frame_rate)

    def _mark(self, mark: str, warnings: list[str]) -> Image.Image:
        style = Style(self._px(MARK_SIZE), self._px(MARK_SIZE) * 3 // 4, self._wide(0.6), 2, opacity=_MARK_OPACITY)
        return self._drawn(mark, style, warnings)

    def _picture(self, path: Path) -> Image.Image:
        picture = read_watermark(path)
        most = (self.profile.width_px // 4, self.short_px // 8)
        scale = min(most[0] / picture.width, most[1] / picture.height)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        return picture.resize(size, Image.Resampling.LANCZOS)

    def _drawn(self, text: str, style: Style, warnings: list[str]) -> Image.Image:
        text = " ".join(text.split())  # how the archive's texts are broken into lines is for the picture to say
        drawn, is_whole = draw_text(text, style)
        if not is_whole:
            warnings.append(f"its text of {len(text)} characters is cut short")
        if missing := missing_characters(text):
            named = ", ".join(f"U+{ord(char):04X}" for char in missing[:8])
            warnings.append(f"no font on this machine can draw {named}: a box stands for it")
        return drawn

    def _at(
        self,
        picture: Image.Image,
        across: str,
        down: str,
        raised_px: int = 0,
        first_frame: int = 0,
        end_frame: int | None = None,
    ) -> Layer:
        left, top = self._corner(picture.size, across, down, raised_px)
        path, digest = self._keep(picture)
        return Layer(path, left, top, picture.width, picture.height, first_frame, end_frame, digest)

    def _corner(self, size: tuple[int, int], across: str, down: str, raised_px: int) -> tuple[int, int]:
        """Left and top of something of that size inside the safe margins."""
        width, height = self.profile.width_px, self.profile.height_px
        margin_x, margin_y = round(width * SAFE), round(height * SAFE)
        spare_x, spare_y = width - size[0], height - size[1]
        left = {"left": margin_x, "centre": spare_x // 2, "right": spare_x - margin_x}[across]
        top = {"top": margin_y, "middle": spare_y // 2, "bottom": spare_y - margin_y - raised_px}[down]
        return left, top

    def _keep(self, picture: Image.Image) -> tuple[Path, str]:
        seen = f"{picture.size}".encode() + picture.tobytes()
        digest = blake2b(seen, digest_size=16).hexdigest()
        if digest not in self._kept:
            self._kept[digest] = self.folder / f"layer-{digest}.png"
            picture.save(self._kept[digest], format="PNG")
        return self._kept[digest], digest

    def _px(self, share: float) -> int:
        return max(_LEAST_PX, round(self.short_px * share))

    def _wide(self, share: float) -> int:
        return round(self.profile.width_px * share)


def check_overlays(film: FilmOptions, texts: Sequence[ClipText], profile: Profile) -> None:
    """Refuse what cannot be drawn as it is asked for, before anything is encoded.

    Raises:
        RenderError: the archive has no text for it, no font has some of its characters, the watermark's picture
            cannot be read, or there are no pictures to draw on.
    """
    asked = [flag for flag, value in _drawn_options(film).items() if value]
    if any(text.mark for text in texts):
        asked.append("the mark that rights ask for")
    if asked and not CODINGS[profile.codec].shows_pictures:
        raise RenderError(f"{', '.join(asked)}: a file of sound alone has no pictures for it; leave it out")
    heard = [flag for flag, value in (("--loudness", film.loudness), ("--music", film.music)) if value is not None]
    if heard and not CODINGS[profile.codec].sound:
        raise RenderError(f"{', '.join(heard)}: a file of pictures alone has no sound; leave it out")
    if film.subtitles is not None and not any(text.speech for text in texts):
        raise RenderError("--subtitles: the archive has no transcript of any of these clips; leave it out")
    if film.lower_third is LowerThird.CAPTION and not any(text.caption for text in texts):
        raise RenderError("--lower-third caption: the archive has no caption of any of these clips; take another")
    if film.chapters and profile.codec is Codec.GIF:
        raise RenderError("--chapters: a GIF has none; leave it out, or render a video")
    if film.title is not None:
        check_text(film.title, "--title")
    if film.end_card is not None:
        check_text(film.end_card, "--end-card")
    if film.watermark is not None:
        if is_picture_name(film.watermark):
            read_watermark(Path(film.watermark))
        else:
            check_text(film.watermark, "--watermark")
    for mark in dict.fromkeys(text.mark for text in texts if text.mark):
        check_text(mark, "the mark of a clip")


def _drawn_options(film: FilmOptions) -> dict[str, object]:
    return {
        "--title": film.title is not None,
        "--end-card": film.end_card is not None,
        "--lower-third": film.lower_third,
        "--watermark": film.watermark,
        "--subtitles burn": film.burns_subtitles,
    }


def is_picture_name(mark: str) -> bool:
    """Whether a watermark names a picture rather than being the text itself."""
    return "\n" not in mark and Path(mark).suffix.lower() in _PICTURE_ENDINGS


def read_watermark(path: Path) -> Image.Image:
    """A picture with its transparency.

    Raises:
        RenderError: it is not there, no picture, or too large.
    """
    try:
        with os.fdopen(open_regular(path), "rb") as file, Image.open(file, formats=_PICTURE_FORMATS) as picture:
            width, height = picture.size
            if width * height > _MOST_PIXELS:
                raise RenderError(f"the watermark {path} has {width}x{height} pixels: make it smaller")
            converted: Image.Image = picture.convert("RGBA")
            return converted
    except (*DAMAGE, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise RenderError(
            f"cannot read the watermark {path}: give a PNG, JPEG or WebP, or a text with another ending"
        ) from error
