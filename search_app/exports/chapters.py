"""Chapters of a film, or of a video: lines for a YouTube description, and ffmetadata, exact; both read back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

from search_app.errors import ExportError

if TYPE_CHECKING:
    from search_app.exports.film import Said


class Titled(Protocol):
    """A piece of a time line with a title, such as a clip of a film; times in units of the time line's rate."""

    @property
    def number(self) -> int:
        """Its place, from 1."""
        ...

    @property
    def first_frame(self) -> int:
        """Where it begins."""
        ...

    @property
    def end_frame(self) -> int:
        """Where it ends."""
        ...

    @property
    def title(self) -> str:
        """Its title."""
        ...


class Chaptered(Protocol):
    """What has chapters: a film whose clips they are, or a video."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def question(self) -> str:
        """What it answers, or is about; may be empty."""
        ...

    @property
    def rate(self) -> Fraction:
        """Units per second."""
        ...

    @property
    def clips(self) -> Sequence[Titled]:
        """The pieces, in order; they touch."""
        ...

    @property
    def n_frames(self) -> int:
        """Its length."""
        ...

    def seconds(self, frame: int) -> Fraction:
        """Time of a place on its time line."""
        ...


YOUTUBE_SECONDS = 10
"""Shortest chapter that YouTube takes; of a list with a shorter one it shows none."""

YOUTUBE_CHAPTERS = 3
"""Fewest chapters that it shows."""

_TITLE_LENGTH = 100
_METADATA_SIGNS = re.compile(r"([=;#\\\n])")
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class _Chapter:
    """Neighbouring clips under one title; `start` in whole seconds of the film."""

    start: int
    clips: tuple[Titled, ...]

    @property
    def title(self) -> str:
        titles = list(dict.fromkeys(clip.title for clip in self.clips))
        # A description with angle brackets is refused.
        title = ", ".join(titles).replace("<", "‹").replace(">", "›")  # noqa: RUF001 - look-alikes are meant
        return title if len(title) <= _TITLE_LENGTH else f"{title[: _TITLE_LENGTH - 1]}…"


def youtube_text(film: Chaptered) -> str:
    """Chapters for a YouTube description: the first at 0:00, each of ten seconds at least.

    Clips that are too short for a chapter of their own share one with those after them, at the end with those
    before.

    Raises:
        ExportError: there are fewer than three such chapters.
    """
    return "".join(f"{_clock(chapter.start)} {chapter.title}\n" for chapter in _chapters(film))


def youtube_notes(film: Chaptered) -> list[str]:
    """Clips that share a chapter."""
    return [
        f"clips {chapter.clips[0].number} to {chapter.clips[-1].number} share the chapter at "
        f"{_clock(chapter.start)}: YouTube wants {YOUTUBE_SECONDS} s"
        for chapter in _chapters(film)
        if len(chapter.clips) > 1
    ]


def _chapters(film: Chaptered) -> Sequence[_Chapter]:
    groups: list[list[Titled]] = []
    starts: list[int] = []
    for clip in film.clips:
        start = int(film.seconds(clip.first_frame))
        if not groups or start - starts[-1] >= YOUTUBE_SECONDS:
            groups.append([])
            starts.append(start)
        groups[-1].append(clip)
    if len(groups) > 1 and film.seconds(film.n_frames) - starts[-1] < YOUTUBE_SECONDS:
        last, _ = groups.pop(), starts.pop()
        groups[-1] += last
    if len(groups) < YOUTUBE_CHAPTERS:
        raise ExportError(
            f"no YouTube chapters: they must be {YOUTUBE_CHAPTERS} at least of {YOUTUBE_SECONDS} s at least, and "
            f"these {len(film.clips)} clips of {float(film.seconds(film.n_frames)):.1f} s make {len(groups)}; "
            "take more or longer clips, or write .ffmetadata"
        )
    return [_Chapter(start, tuple(clips)) for start, clips in zip(starts, groups, strict=True)]


def _clock(seconds: int) -> str:
    minutes, rest = divmod(seconds, _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def read_youtube(text: str) -> list[Said]:
    """Content of a list of chapters: begins and titles."""
    said: list[Said] = []
    for line in text.splitlines():
        clock, _, title = line.partition(" ")
        start = 0
        for part in clock.split(":"):
            start = start * _MINUTE + int(part)
        said.append({"start": start, "title": title})
    return said


def youtube_expected(film: Chaptered) -> list[Said]:
    """Its expected content."""
    return [{"start": chapter.start, "title": chapter.title} for chapter in _chapters(film)]


def ffmetadata_text(film: Chaptered) -> str:
    """A chapter for each clip, as ffmpeg reads them; its time base is the film's frame, so nothing is rounded."""
    base = 1 / film.rate
    lines = [";FFMETADATA1", f"title={_metadata(film.name)}", f"comment={_metadata(film.question)}"]
    for clip in film.clips:
        lines += [
            "[CHAPTER]",
            f"TIMEBASE={base.numerator}/{base.denominator}",
            f"START={clip.first_frame}",
            f"END={clip.end_frame}",
            f"title={_metadata(clip.title)}",
        ]
    return "\n".join(lines) + "\n"


def _metadata(text: str) -> str:
    return _METADATA_SIGNS.sub(r"\\\1", text)


def read_ffmetadata(text: str) -> list[Said]:
    """Content of ffmetadata for each chapter: begin and end in seconds, and title."""
    _, *sections = text.split("\n[CHAPTER]\n")
    said: list[Said] = []
    for section in sections:
        fields = dict(line.split("=", 1) for line in section.rstrip("\n").split("\n"))
        base = Fraction(fields["TIMEBASE"])
        title = re.sub(r"\\(.)", r"\1", fields["title"])
        said.append({"start": int(fields["START"]) * base, "end": int(fields["END"]) * base, "title": title})
    return said


def ffmetadata_expected(film: Chaptered) -> list[Said]:
    """Its expected content."""
    return [
        {"start": film.seconds(clip.first_frame), "end": film.seconds(clip.end_frame), "title": clip.title}
        for clip in film.clips
    ]
