"""Chapters of one video as a file: YouTube text, ffmetadata or WebVTT, read back before it gets its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

from search_app.errors import ExportError
from search_app.exports.chapters import (
    ffmetadata_expected,
    ffmetadata_text,
    read_ffmetadata,
    read_youtube,
    youtube_expected,
    youtube_notes,
    youtube_text,
)
from search_app.exports.subtitles import Subtitle, read_vtt, write_vtt
from search_app.output_files import atomic_write, refuse_folder, refuse_taken
from search_app.timelines.sources import one_line

if TYPE_CHECKING:
    from search_app.exports.film import Said
    from store.timespan import TimeSpan

_RATE: Final = Fraction(1000)


@dataclass(frozen=True, slots=True)
class VideoChapter:
    """A chapter; times in milliseconds from the beginning of the video."""

    number: int
    first_frame: int
    end_frame: int
    title: str


@dataclass(frozen=True, slots=True)
class VideoChapters:
    """All chapters of a video, as `Chaptered` has them.

    Args:
        name: of the video.
        question: a line about it, such as its abstract; may be empty.
        clips: the chapters, in order.
    """

    name: str
    question: str
    clips: tuple[VideoChapter, ...]
    rate: Fraction = _RATE

    @property
    def n_frames(self) -> int:
        """End of the last one, in milliseconds."""
        return self.clips[-1].end_frame if self.clips else 0

    def seconds(self, frame: int) -> Fraction:
        """Seconds of so many milliseconds."""
        return frame / self.rate


def plan_chapters(
    name: str, chapters: Sequence[tuple[TimeSpan, str]], *, begin: Fraction, about: str = ""
) -> VideoChapters:
    """Chapters of a video as files have them: from 0 on, to the millisecond, titles on one line.

    Args:
        name: of the video.
        chapters: stretches of the video that touch, with their titles, in order.
        begin: when the video begins, which players call 0.
        about: a line about it.
    """
    made = [
        VideoChapter(
            number,
            round((span.start - begin) * 1000),
            round((span.end - begin) * 1000),
            " ".join(one_line(title).split()),
        )
        for number, (span, title) in enumerate(chapters, start=1)
    ]
    return VideoChapters(one_line(name), one_line(about), tuple(made))


def chapters_vtt(film: VideoChapters) -> str:
    """WebVTT: a cue for each chapter, for `<track kind="chapters">`."""
    return write_vtt(Subtitle(one.first_frame, one.end_frame, one.title) for one in film.clips)


def _vtt_expected(film: VideoChapters) -> list[Said]:
    return [{"start": one.first_frame, "end": one.end_frame, "text": one.title} for one in film.clips]


@dataclass(frozen=True, slots=True)
class _Form:
    write: Callable[[VideoChapters], str]
    read: Callable[[str], list[Said]]
    expected: Callable[[VideoChapters], list[Said]]
    notes: Callable[[VideoChapters], list[str]] = lambda film: []  # noqa: ARG005 - most have nothing to say


FORMS: Final[Mapping[str, _Form]] = {
    "youtube": _Form(youtube_text, read_youtube, youtube_expected, youtube_notes),
    "ffmetadata": _Form(ffmetadata_text, read_ffmetadata, ffmetadata_expected),
    "vtt": _Form(chapters_vtt, read_vtt, _vtt_expected),
}
ENDINGS: Final[Mapping[str, str]] = {
    ".txt": "youtube",
    ".ffmetadata": "ffmetadata",
    ".ffmeta": "ffmetadata",
    ".vtt": "vtt",
}


def write_chapters(
    film: VideoChapters, output: Path, format_name: str | None = None, *, overwrite: bool = False
) -> list[str]:
    """Write the chapters of a video, and read them back.

    Args:
        film: the chapters.
        output: the file to make.
        format_name: a key of `FORMS`; as the ending says if None.
        overwrite: replace what has the output's name.

    Returns:
        What is not as one might expect, for people.

    Raises:
        ExportError: the target or the format cannot be used, or what was written says something else.
    """
    chosen = format_name or ENDINGS.get(output.suffix.lower(), "")
    if chosen not in FORMS:
        raise ExportError(
            f"{output}: chapters are written as {', '.join(ENDINGS)}; name such a file, or give --format"
        )
    form = FORMS[chosen]
    refuse_folder(output)
    refuse_taken(output, (), overwrite=overwrite)
    text = form.write(film)
    with atomic_write(output) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        if form.read(temporary.read_text(encoding="utf-8")) != form.expected(film):
            raise ExportError(f"{output} would not say what the chapters are; nothing was written")
    return form.notes(film)
