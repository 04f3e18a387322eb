"""Subtitles of a film: texts of its sources, moved to where their clips lie in it; SRT and WebVTT, both read back.

Nothing in a text counts as markup: WebVTT has `&lt;` for that; SRT has none, so an invisible sign (word joiner) is
put behind what a player would take for the start of a tag.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from search_app.errors import ExportError
from search_app.exports.film import Film, FilmClip
from search_app.timelines.sources import one_line

if TYPE_CHECKING:
    from search_app.exports.film import Said
    from store.records import TextHit

LEAST_SECONDS = Fraction(1, 5)
"""Of a text that is cut off by the edge of its clip, this or half of it must be left to be shown."""

_JOINER = "\u2060"
_SRT_MARKUP = re.compile(r"([<{])(?=[/\\A-Za-z])")
_ARROW = " --> "


@dataclass(frozen=True, slots=True)
class Subtitle:
    """A text shown in the film.

    Args:
        start_ms: when it appears, in milliseconds of the film.
        end_ms: when it goes.
        text: what it says, on one line.
    """

    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Subtitles:
    """All of a film.

    Args:
        shown: in order of time.
        n_cut_off: texts of which too little was left.
    """

    shown: tuple[Subtitle, ...]
    n_cut_off: int = 0


def gather_subtitles(film: Film) -> Subtitles:
    """The texts that clips of a film hold, on the film's own clock, cut to their clips.

    Texts about one stretch, such as several labels, are one subtitle.
    """
    shown: list[Subtitle] = []
    n_cut_off = 0
    for clip in film.clips:
        for stretch, text in _by_stretch(film.texts.get(clip.clip.video_id, ())).items():
            overlap = _overlap(clip, *stretch)
            if overlap <= 0:
                continue
            if overlap < LEAST_SECONDS and 2 * overlap < stretch[1] - stretch[0]:
                n_cut_off += 1
                continue
            start, end = (_film_ms(film, clip, at) for at in stretch)
            if start < end:
                shown.append(Subtitle(start, end, text))
    return Subtitles(tuple(sorted(shown, key=lambda one: (one.start_ms, one.end_ms))), n_cut_off)


def _by_stretch(rows: Iterable[TextHit]) -> dict[tuple[Fraction, Fraction], str]:
    texts: dict[tuple[Fraction, Fraction], list[str]] = {}
    for row in rows:
        text = " ".join(one_line(row.text).split())
        if row.span is not None and text:
            texts.setdefault((row.span.start, row.span.end), []).append(text)
    return {stretch: ", ".join(dict.fromkeys(found)) for stretch, found in texts.items()}


def _overlap(clip: FilmClip, start: Fraction, end: Fraction) -> Fraction:
    span = clip.clip.span
    return min(end, span.end) - max(start, span.start)


def _film_ms(film: Film, clip: FilmClip, source_time: Fraction) -> int:
    """Time of an instant of a clip's source in the film, in milliseconds; the clip's edge if it is not shown."""
    begins, ends = film.seconds(clip.first_frame), film.seconds(clip.end_frame)
    return round(min(max(begins + source_time - clip.clip.span.start, begins), ends) * 1000)


def srt_text(film: Film) -> str:
    """Subtitles of a film as SubRip."""
    return write_srt(_some(film))


def vtt_text(film: Film) -> str:
    """Subtitles of a film as WebVTT."""
    return write_vtt(_some(film))


def write_srt(shown: Sequence[Subtitle]) -> str:
    """SubRip: numbered, commas before the milliseconds."""
    return "\n".join(
        f"{number}\n{_clock(one.start_ms, ',')}{_ARROW}{_clock(one.end_ms, ',')}\n{_srt_escaped(one.text)}\n"
        for number, one in enumerate(shown, start=1)
    )


def write_vtt(shown: Iterable[Subtitle]) -> str:
    """WebVTT of texts with their times: subtitles, or the titles of chapters."""
    cues = (
        f"{_clock(one.start_ms, '.')}{_ARROW}{_clock(one.end_ms, '.')}\n{html.escape(one.text, quote=False)}\n"
        for one in shown
    )
    return "\n".join(["WEBVTT\n", *cues])


def _some(film: Film) -> Sequence[Subtitle]:
    shown = gather_subtitles(film).shown
    if not shown:
        raise ExportError("no such text lies in these clips: no subtitles; --text takes another kind")
    return shown


def _srt_escaped(text: str) -> str:
    return _SRT_MARKUP.sub(rf"\1{_JOINER}", text).replace("-->", f"-{_JOINER}->")


def _clock(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{point}{rest:03d}"


def read_srt(text: str) -> list[Said]:
    """Content of a SubRip file."""
    return [_read_cue(block.split("\n")[1:]) for block in text.rstrip("\n").split("\n\n")]


def read_vtt(text: str) -> list[Said]:
    """Content of a WebVTT file."""
    header, *blocks = text.rstrip("\n").split("\n\n")
    if header != "WEBVTT":
        raise ValueError("the header is missing")
    return [_read_cue([html.unescape(line) for line in block.split("\n")]) for block in blocks]


def _read_cue(lines: Sequence[str]) -> Said:
    times, *text = lines
    start, end = (_milliseconds(clock) for clock in times.split(_ARROW))
    return {"start": start, "end": end, "text": "\n".join(text).replace(_JOINER, "")}


def _milliseconds(clock: str) -> int:
    hours, minutes, seconds = clock.replace(",", ".").split(":")
    whole, _, rest = seconds.partition(".")
    return ((int(hours) * 60 + int(minutes)) * 60 + int(whole)) * 1000 + int(rest)


def subtitles_expected(film: Film) -> list[Said]:
    """Expected content of either."""
    return cues_expected(gather_subtitles(film).shown)


def cues_expected(shown: Sequence[Subtitle]) -> list[Said]:
    """What reading subtitles back gives."""
    return [{"start": one.start_ms, "end": one.end_ms, "text": one.text.replace(_JOINER, "")} for one in shown]


def subtitle_notes(film: Film) -> list[str]:
    """Texts that are not shown."""
    n = gather_subtitles(film).n_cut_off
    return [f"{n} texts are left out: the edge of a clip cuts off nearly all of them"] if n else []
