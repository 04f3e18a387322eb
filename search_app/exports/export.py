"""Writes a cut list in any format of one table: into a temporary file, read back, compared, only then named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from search_app.cutting.cut_list import CutList
from search_app.errors import ExportError
from search_app.exports import chapters, contact_sheet, mlt, pdf_sheet, playlists, subtitles, tables
from search_app.exports.film import Film, Said, plan_film
from search_app.output_files import atomic_write, refuse_folder, refuse_taken

if TYPE_CHECKING:
    from search_app.timelines.relink import Relinker
    from store.records import TextHit


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write a film.

    Args:
        endings: of file names, by which it is chosen; the first is its usual one.
        about: what it is, for people.
        write: the film as text.
        read: what a text says of each clip, chapter or subtitle.
        expected: what it must say.
        notes: what is not as one might expect, for people.
        names_frames: whether it names frames of the sources.
        uses_texts: whether it is made of texts of the sources.
        encoding: how the text becomes bytes; of a file that is no text, each character is a byte.
    """

    endings: tuple[str, ...]
    about: str
    write: Callable[[Film], str]
    read: Callable[[str], list[Said]]
    expected: Callable[[Film], list[Said]]
    notes: Callable[[Film], list[str]] = lambda film: []  # noqa: ARG005 - most have nothing to say
    names_frames: bool = False
    uses_texts: bool = False
    encoding: str = "utf-8"


FORMATS: Mapping[str, Format] = {
    "csv": Format(
        (".csv",),
        "a table for spreadsheets",
        tables.csv_text,
        tables.read_csv,
        tables.csv_expected,
        names_frames=True,
    ),
    "json": Format(
        (".json",),
        "for programs",
        tables.json_text,
        tables.read_json,
        tables.json_expected,
        names_frames=True,
    ),
    "m3u": Format(
        (".m3u8", ".m3u"), "a playlist for VLC", playlists.m3u_text, playlists.read_m3u, playlists.m3u_expected
    ),
    "mpv-edl": Format(
        (".mpv.edl",), "plays in mpv as one film", playlists.mpv_text, playlists.read_mpv, playlists.mpv_expected
    ),
    "srt": Format(
        (".srt",),
        "subtitles",
        subtitles.srt_text,
        subtitles.read_srt,
        subtitles.subtitles_expected,
        subtitles.subtitle_notes,
        uses_texts=True,
    ),
    "vtt": Format(
        (".vtt",),
        "subtitles for the web",
        subtitles.vtt_text,
        subtitles.read_vtt,
        subtitles.subtitles_expected,
        subtitles.subtitle_notes,
        uses_texts=True,
    ),
    "youtube": Format(
        (".txt",),
        "chapters for a YouTube description",
        chapters.youtube_text,
        chapters.read_youtube,
        chapters.youtube_expected,
        chapters.youtube_notes,
    ),
    "ffmetadata": Format(
        (".ffmetadata", ".ffmeta"),
        "chapters for ffmpeg",
        chapters.ffmetadata_text,
        chapters.read_ffmetadata,
        chapters.ffmetadata_expected,
    ),
    "html": Format(
        (".html", ".htm"),
        "a contact sheet",
        contact_sheet.html_text,
        contact_sheet.read_html,
        contact_sheet.html_expected,
        names_frames=True,
    ),
    "pdf": Format(
        (".pdf",),
        "a contact sheet for paper",
        pdf_sheet.pdf_text,
        pdf_sheet.read_pdf,
        pdf_sheet.pdf_expected,
        pdf_sheet.pdf_notes,
        names_frames=True,
        encoding="latin-1",
    ),
    "mlt": Format(
        (".mlt",),
        "a project for Shotcut and Kdenlive",
        mlt.mlt_text,
        mlt.read_mlt,
        mlt.mlt_expected,
        names_frames=True,
    ),
}
"""Every format, by the name that `--format` takes."""


def export_cut_list(
    cut_list: CutList,
    output: Path,
    *,
    format_name: str | None = None,
    overwrite: bool = False,
    question: str = "",
    captions: Mapping[str, str] | None = None,
    relink: Relinker | None = None,
    rate: Fraction | None = None,
    texts: Mapping[str, Sequence[TextHit]] | None = None,
) -> Film:
    """Write a cut list as the format, or the ending of the file's name, says.

    Args:
        cut_list: the clips; their sources are never written over, whatever is asked for.
        output: the file to make.
        format_name: a key of `FORMATS`; by the ending if None.
        overwrite: replace `output` if it exists.
        question: as in `plan_film`, and so are all that follow.
        captions: what is written about shots, by shot id.
        relink: says where the sources lie for whom the list is for.
        rate: frames per second of the film.
        texts: texts of the sources, by video, for subtitles.

    Returns:
        What was written, with notes for people.

    Raises:
        ExportError: the target cannot be used, the format cannot hold the film, or what was written does not say
            what was planned. Nothing has the output's name then, and a file that had it is untouched.
    """
    output = output.absolute()
    form = FORMATS[format_name or format_of(output)]
    if not cut_list.clips:
        raise ExportError("there is nothing to write: the cut list has no clips")
    sources = {path for clip in cut_list.clips for path in clip.paths}
    check_export_target(output, sources, overwrite=overwrite)
    film = plan_film(
        cut_list,
        output.name.removesuffix(output.suffix),
        question=question,
        captions=captions,
        relink=relink,
        rate=rate,
        texts=texts,
    )
    text = form.write(film)
    with atomic_write(output) as temporary:
        # A name that is no Unicode comes out as the bytes that it is made of.
        temporary.write_bytes(text.encode(form.encoding, "surrogateescape"))
        compare_export(form, film, temporary.read_bytes().decode(form.encoding, "surrogateescape"), output)
        check_export_target(output, sources, overwrite=overwrite)
    return film


def format_of(output: Path) -> str:
    """The name of the format that the ending of a file's name says.

    Raises:
        ExportError: no format has it.
    """
    name = output.name.lower()
    for known, form in FORMATS.items():
        if name.endswith(form.endings):
            return known
    if name.endswith(".edl"):
        raise ExportError(
            f"{output.name!r}: which EDL? `rushes timeline` writes those of editing programs; .mpv.edl is mpv's"
        )
    endings = ", ".join(form.endings[0] for form in FORMATS.values())
    raise ExportError(f"cannot tell the format of {output.name!r}: give it one of the endings {endings}")


def compare_export(form: Format, film: Film, text: str, output: Path) -> None:
    """Read what was written, and compare all of it with the film.

    Raises:
        ExportError: names the first entry and field that differ.
    """
    expected = form.expected(film)
    try:
        said = form.read(text)
    except (ValueError, KeyError, IndexError, ParseError) as error:
        raise ExportError(f"{output.name} was not written: it cannot be read back ({error})") from error
    if len(said) != len(expected):
        raise ExportError(f"{output.name} was not written: {len(said)} of {len(expected)} entries are in it")
    for number, (wanted, found) in enumerate(zip(expected, said, strict=True), start=1):
        for field in {**wanted, **found}:
            if wanted.get(field) != found.get(field):
                raise ExportError(
                    f"{output.name} was not written: entry {number} would have {field} {found.get(field)!r} "
                    f"instead of {wanted.get(field)!r}"
                )


def check_export_target(output: Path, sources: Iterable[str], *, overwrite: bool) -> None:
    """Refuse a target that cannot be written or must not be.

    Raises:
        ExportError: it has no folder, is a folder, is a source, or exists.
    """
    refuse_folder(output)
    refuse_taken(output, sources, overwrite=overwrite)
