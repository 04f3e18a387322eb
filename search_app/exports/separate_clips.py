"""Each clip of a cut list as a file of its own, with a ledger for the folder."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search_app.conforming.coding import CODINGS, container_of
from search_app.conforming.picture_names import Codec
from search_app.cutting.cut_list import CutList
from search_app.errors import ExportError
from search_app.exports.film import Film, FilmClip
from search_app.output_files import atomic_write
from search_app.rendering.outcomes import SupercutReport
from store.errors import ArchiveError

TEMPLATE = "{place}_{source}_{timecode}"
LEDGER = "clips.json"
FORMAT = "rushes-clips"
VERSION = 1

MAX_NAME_BYTES = 200
"""File systems take 255 bytes; beside a clip lies its ledger, and a temporary name may be longer."""

_FIELDS = ("place", "source", "timecode", "caption", "shot")
_FIELD = re.compile(r"\{([^{}]*)\}")
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]+')  # by Windows; others forbid less
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)  # devices of Windows


@dataclass(frozen=True, slots=True)
class ClipFile:
    """Outcome of one clip.

    Args:
        planned: the clip.
        path: its file.
        report: of its render; None if there is none.
        reason: why there is none.
    """

    planned: FilmClip
    path: Path
    report: SupercutReport | None
    reason: str = ""


def clip_paths(film: Film, output: Path, ending: str = ".mp4") -> list[Path]:
    """Target of each clip: in the folder `output`, or by its name if that has fields such as `{place}`.

    Args:
        film: the clips at their places.
        output: the folder, or a name with fields in one.
        ending: of the files in the folder; a name with fields brings its own.

    Raises:
        ExportError: there is no such field, or two clips would have one name.
    """
    folder, template = (output.parent, output.name) if "{" in output.name else (output, TEMPLATE + ending)
    if unknown := [name for name in _FIELD.findall(template) if name not in _FIELDS]:
        known = ", ".join(f"{{{name}}}" for name in _FIELDS)
        raise ExportError(f"there is no {{{unknown[0]}}} for names of clips: use {known}")
    paths = [folder / _name(template, clip, len(film.clips)) for clip in film.clips]
    names = [path.name.casefold() for path in paths]
    if double := [path.name for path in paths if names.count(path.name.casefold()) > 1]:
        raise ExportError(f"several clips would be called {double[0]}: put {{place}} into the name")
    return paths


def _name(template: str, clip: FilmClip, n_clips: int) -> str:
    stem, dot, ending = template.rpartition(".")
    values = {
        "place": str(clip.number).zfill(max(3, len(str(n_clips)))),
        "source": Path(clip.source.name).stem,
        "timecode": clip.source_name(clip.source_in).replace(":", "-").replace(";", "-"),
        "caption": clip.caption,
        "shot": " ".join(clip.clip.shot_ids),
    }
    filled = _FIELD.sub(lambda field: values[field[1]], stem if dot else template)
    return safe_name(filled) + (f".{ending}" if dot else "")


def safe_name(text: str) -> str:
    """A name that every file system takes, made of any text: no signs that one forbids, no invisible ones."""
    composed = unicodedata.normalize("NFC", text)
    shown = "".join(char if char.isprintable() else "_" for char in composed)  # line ends, turns of direction
    name = _FORBIDDEN.sub("_", shown).strip(" .")
    name = name.encode("utf-8")[:MAX_NAME_BYTES].decode("utf-8", "ignore").rstrip(" .")
    # A name must not be an option, hidden, or a device.
    return f"_{name}" if not name or name.startswith("-") or _RESERVED.match(name) else name


def render_each(
    film: Film,
    cut_list: CutList,
    output: Path,
    render: Callable[[CutList, Path], SupercutReport],
    *,
    overwrite: bool,
    codec: Codec = Codec.H264,
) -> list[ClipFile]:
    """Render every clip into a file of its own; one that fails does not stop the others.

    Args:
        film: the clips at their places, for names and the ledger.
        cut_list: the same clips.
        output: a folder, made if it is not there, or a name with fields in one.
        render: makes a file of a cut list, whole or not at all.
        overwrite: replace files that exist.
        codec: what `render` makes; gives the ending of the files in a folder.

    Raises:
        ExportError: a file exists, or names cannot be made; nothing has been rendered then.
        RenderError: files of this codec have other endings.
    """
    paths = clip_paths(film, output.absolute(), next(iter(CODINGS[codec].containers)))
    container_of(paths[0], codec)  # all have the same ending
    folder = paths[0].parent
    _check(folder, [*paths, folder / LEDGER], overwrite=overwrite)
    files: list[ClipFile] = []
    try:
        for clip, planned, path in zip(cut_list.clips, film.clips, paths, strict=True):
            try:
                files.append(ClipFile(planned, path, render(CutList((clip,)), path)))
            except ArchiveError as error:
                files.append(ClipFile(planned, path, None, str(error)))
    finally:
        # Also of a run that was stopped: what is there is whole, and the rest is said to be missing.
        rest = zip(film.clips[len(files) :], paths[len(files) :], strict=True)
        stopped = [ClipFile(planned, path, None, "the run was stopped before it") for planned, path in rest]
        with atomic_write(folder / LEDGER) as temporary:
            temporary.write_text(_ledger(film, [*files, *stopped]), encoding="utf-8")
    return files


def _check(folder: Path, targets: Sequence[Path], *, overwrite: bool) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise ExportError(f"cannot make the folder {folder}: {error.strerror or error}") from error
    found = [path.name for path in targets if path.exists() or path.is_symlink()]
    if found and not overwrite:
        raise ExportError(
            f"{found[0]} exists already in {folder}: name another folder, or allow files to be overwritten"
        )


def _ledger(film: Film, files: Sequence[ClipFile]) -> str:
    entries = {
        "format": FORMAT,
        "version": VERSION,
        "query": film.question,
        "clips": [_entry(one) for one in files],
    }
    return json.dumps(entries, indent=2, ensure_ascii=True) + "\n"


def _entry(one: ClipFile) -> dict[str, Any]:
    clip, report = one.planned.clip, one.report
    return {
        "place": one.planned.number,
        "file": (report.output if report else one.path).name,
        "outcome": "done" if report else "failed",
        "reason": one.reason,
        "source": one.planned.source.path,
        "fingerprint": clip.video_id,
        "in": str(clip.span.start),
        "out": str(clip.span.end),
        "timecode": one.planned.source_name(one.planned.source_in),
        "frames": report.n_frames if report else 0,
        "verification": report.verification_line() if report else "",
    }
