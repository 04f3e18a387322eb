"""Size, framing and coding of a supercut."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from search_app.conforming.picture_names import Encoder, Framing, Preset
from search_app.errors import QueryError

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from indexer.media.ffmpeg import Ffmpeg
    from search_app.conforming.target_profile import Profile
    from store.records import VideoFacts

_NO_H264 = {Preset.PRORES, Preset.DNXHR, Preset.AUDIO_ONLY, Preset.GIF}
_HUNDREDTHS = 100
_LEAST_DNXHR = (256, 120)
_MOST_RATE = 120


@dataclass(frozen=True, slots=True)
class PictureOptions:
    """Look of a supercut; None leaves it to the preset, and without one to the sources.

    Args:
        preset: a ready-made profile.
        framing: what becomes of pictures of another shape; whole inside bars if None.
        size: width and height, `1280x720`.
        rate: frames per second, `25`, `29.97` or `30000/1001`.
        crf: constant quality of H.264, lower is better.
        encoder: who encodes H.264; the software if None.
        audio_track: which sound track of each source is heard, from 1; the default one if None.

    Raises:
        QueryError: they contradict each other, or cannot be read.
    """

    preset: Preset | None = None
    framing: Framing | None = None
    size: str | None = None
    rate: str | None = None
    crf: int | None = None
    encoder: Encoder | None = None
    audio_track: int | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself or has no effect."""
        for name, kind in (("preset", Preset), ("framing", Framing), ("encoder", Encoder)):
            if (word := getattr(self, name)) is not None:
                object.__setattr__(self, name, kind(word))  # a plain word will do
        size, rate = self.width_and_height, self.frame_rate
        if self.preset in _NO_H264:
            self._refuse(f"not with --preset {self.preset}, which is not H.264", "crf", "encoder")
        if self.preset is Preset.AUDIO_ONLY:
            self._refuse("not with --preset audio-only, which has no pictures", "framing", "size", "rate")
        if self.preset is Preset.GIF:
            self._refuse("not with --preset gif, which has no sound", "audio_track")
            if rate and (_HUNDREDTHS / rate).denominator != 1:
                raise QueryError("--rate: a GIF counts hundredths of a second; take 10, 12.5, 20, 25 or 50")
        if self.preset is Preset.DNXHR and size:
            _refuse_small(*size)

    def _refuse(self, why: str, *names: str) -> None:
        given = [f"--{name.replace('_', '-')}" for name in names if getattr(self, name) is not None]
        if given:
            raise QueryError(f"{', '.join(given)}: {why}")

    @property
    def width_and_height(self) -> tuple[int, int] | None:
        """The size in pixels.

        Raises:
            QueryError: it is none, or odd.
        """
        if self.size is None:
            return None
        found = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", self.size)
        width, height = (int(found[1]), int(found[2])) if found else (0, 0)
        if not (16 <= width <= 8192 and 16 <= height <= 8192) or width % 2 or height % 2:
            raise QueryError(f"--size {self.size}: two even numbers of pixels from 16 to 8192, such as 1280x720")
        return width, height

    def rate_of(self, sources: Sequence[VideoFacts], seconds: Sequence[Fraction] = ()) -> Fraction:
        """The frame rate that a film of these sources has, one for each clip, that last so long."""
        from search_app.conforming.presets import preset_profile

        return self.frame_rate or preset_profile(sources, self.preset, seconds).frame_rate

    @property
    def frame_rate(self) -> Fraction | None:
        """Frames per second, exact: 29.97 means 30000/1001.

        Raises:
            QueryError: it is none.
        """
        if self.rate is None:
            return None
        try:
            rate = Fraction(self.rate)
        except (ValueError, ZeroDivisionError):
            rate = Fraction(0)
        if not 1 <= rate <= _MOST_RATE:
            raise QueryError(f"--rate {self.rate}: frames per second from 1 to {_MOST_RATE}, such as 25 or 29.97")
        ntsc = Fraction(round(rate * Fraction(1001, 1000)) * 1000, 1001)
        return ntsc if rate.denominator != 1 and abs(ntsc - rate) < Fraction(1, 100) else rate

    def profile(self, sources: Sequence[VideoFacts], program: Ffmpeg, seconds: Sequence[Fraction] = ()) -> Profile:
        """The profile for clips of these sources, one for each clip, that last so long.

        Raises:
            QueryError: the codec cannot hold pictures of that size.
            RenderError: the encoder that was asked for does not work here.
        """
        from dataclasses import replace

        from search_app.conforming.hardware import choose_encoder
        from search_app.conforming.presets import preset_profile

        profile = preset_profile(sources, self.preset, seconds)
        width, height = self.width_and_height or (profile.width_px, profile.height_px)
        if self.preset is Preset.DNXHR:
            _refuse_small(width, height)
        return replace(
            profile,
            width_px=width,
            height_px=height,
            frame_rate=self.frame_rate or profile.frame_rate,
            framing=self.framing or profile.framing,
            crf=profile.crf if self.crf is None else self.crf,
            encoder=choose_encoder(program, self.encoder) if self.encoder else profile.encoder,
            audio_track=self.audio_track,
        )


def _refuse_small(width: int, height: int) -> None:
    least = _LEAST_DNXHR
    if width < least[0] or height < least[1]:
        smallest, size = f"{least[0]}x{least[1]}", f"{width}x{height}"
        raise QueryError(f"DNxHR needs {smallest} pixels at least, not {size}: give it --size")
