"""The provenance of a supercut: everything that is needed to render it again, and to prove that it is the same.

A render leaves a ledger beside its film. Sealing adds to it where the cut list came from, the cut list itself with
all that is known of its sources, the options of the render, versions, and checksums of the film as it decodes; and
a digest over all of it, so that a change is noticed. It is no signature: a forger can make a new digest. So what
is read from it is a closed list (`manifest_fields.py`), and no file that it names is opened without being asked
for (`manifest_sources.py`).
"""

from __future__ import annotations

import getpass
import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.media.ffmpeg import thread_count
from search_app.conforming.source_frames import tick_span
from search_app.cutting.cut_list import CutList
from search_app.errors import RenderError
from search_app.exports.checksums import FilmChecksums, film_checksums
from search_app.exports.film import FilmClip, plan_film
from search_app.exports.manifest_fields import (
    OPTIONS,
    read_carried,
    read_checksums,
    read_clips,
    read_options,
    read_versions,
)
from search_app.exports.serialization import to_plain
from search_app.output_files import atomic_write
from search_app.rendering.ledger import FORMAT, read_ledger
from search_app.rendering.outcomes import ClipOutcome, ClipStatus, SupercutReport
from store.errors import ArchiveError
from store.limited import read_limited_json

if TYPE_CHECKING:
    from indexer.media.ffmpeg import Ffmpeg
    from store.snapshot import Snapshot

VERSION = 1

_PACKAGES = ("rushes", "av", "faiss-cpu", "ffmpeg-python", "imageio-ffmpeg", "numpy", "open_clip_torch", "torch")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that was read, and is as it was written.

    Args:
        path: the file.
        cut_list: the clips that are in the film.
        options: for `render_supercut`.
        checksums: of the film.
        versions: what it was made with.
        digest: of all of it.
        carried: what else the manifest of the same film has, as plain data.
    """

    path: Path
    cut_list: CutList
    options: Mapping[str, Any]
    checksums: FilmChecksums
    versions: Mapping[str, str]
    digest: str
    carried: Mapping[str, Any]


def seal_manifest(
    report: SupercutReport,
    *,
    options: Mapping[str, Any],
    snapshot: Snapshot | None = None,
    program: Ffmpeg | None = None,
    cancel: threading.Event | None = None,
) -> None:
    """Make the ledger of a finished supercut its manifest.

    Args:
        report: the supercut.
        options: that `render_supercut` was given, without those that say nothing about the film.
        snapshot: the archive that its clips come from, if it is at hand.
        program: ffmpeg; the one that came with the installation if None.
        cancel: stops it when set.

    Raises:
        ExportError: it cannot be written; the ledger is as it was.
        FfmpegError: the film does not decode, or it was cancelled.
    """
    entries = read_ledger(report.ledger)
    places = [(clip.first_frame or 0, clip.n_frames) for clip in report.done]
    film = plan_film(CutList(tuple(outcome.clip for outcome in report.clips)), report.output.stem)
    entries["clips"] = [
        entry | _exact_places(outcome, planned)
        for entry, outcome, planned in zip(entries["clips"], report.clips, film.clips, strict=True)
    ]
    if texts := options.get("texts"):  # of each clip, as it was asked for
        is_there = (outcome.status is ClipStatus.DONE for outcome in report.clips)
        options = {**options, "texts": [*compress(texts, is_there)]}
    entries |= {
        "manifest": VERSION,
        "rendered_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "rendered_by": _user(),
        **({} if snapshot is None else _archive_entries(snapshot, str(entries.get("query", "")))),
        "versions": {"ffmpeg": entries["tools"]["ffmpeg"], **{name: version(name) for name in _PACKAGES}},
        "threads": thread_count(),
        "render_options": to_plain({**_of_the_film(options), "profile": report.profile}),
        "cut_list": [to_plain(outcome.clip) for outcome in report.done],
        "checksums": to_plain(film_checksums(report.output, places, program, cancel)),
    }
    entries["digest"] = _digest(entries)
    with atomic_write(report.ledger) as temporary:
        text = json.dumps(entries, indent=2, ensure_ascii=True, allow_nan=False) + "\n"
        temporary.write_text(text, encoding="utf-8")


def _of_the_film(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name in OPTIONS}


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run under a number that has no name
        return ""


def _exact_places(outcome: ClipOutcome, planned: FilmClip) -> dict[str, Any]:
    """Position of a clip in its source, on the source's own clocks."""
    clip, out = outcome.clip, planned.source_in + planned.n_source_frames
    first, end = tick_span(clip.span, clip.facts)
    is_there = outcome.status is ClipStatus.DONE
    return {
        "pts": {"in": first, "out": end, "time_base": to_plain(clip.facts.time_base)},
        "timecode": {"in": planned.source_name(planned.source_in), "out": planned.source_name(out)},
        "source_size_bytes": outcome.source.stat().st_size if is_there else None,
    }


def _archive_entries(snapshot: Snapshot, query: str) -> dict[str, Any]:
    """Archive, embedding space, and people's judgements of the answers to the question."""
    judged = snapshot.judgements(query) if query else []
    archive = {"folder": str(snapshot.folder), "id": snapshot.manifest.archive_id}
    return {"archive": archive, "space": to_plain(snapshot.space), "judgements": to_plain(judged)}


def _digest(entries: Mapping[str, Any]) -> str:
    """Of everything but itself; how the file is laid out does not matter."""
    rest = {name: value for name, value in entries.items() if name != "digest"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


def read_manifest(path: Path) -> Manifest:
    """Content of a manifest.

    Raises:
        RenderError: it cannot be read, is none, was written by a newer Rushes, was changed, or says what no
            manifest may say.
    """
    try:
        entries = read_limited_json(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise RenderError(f"cannot read the manifest {path}: {reason}") from error
    if not isinstance(entries, dict) or entries.get("format") != FORMAT:
        raise RenderError(f"{path} is no manifest: give the .json beside a supercut")
    if "digest" not in entries:
        raise RenderError(f"{path} is a ledger without a seal: its render was stopped, or by an older Rushes")
    number = entries.get("manifest")
    if type(number) is not int or not 1 <= number <= VERSION:
        raise RenderError(f"{path} was written by a newer Rushes (manifest {str(number)[:40]}): update this one")
    if entries["digest"] != _digest(entries):
        raise RenderError(f"{path} was changed after it was written (its digest does not fit): use the original")
    try:
        clips = read_clips(entries["cut_list"])
        return Manifest(
            path,
            CutList(clips),
            read_options(entries["render_options"], len(clips)),
            read_checksums(entries["checksums"]),
            read_versions(entries),
            entries["digest"],
            read_carried(entries),
        )
    except KeyError as error:
        raise RenderError(f"{path} cannot be used: it has no {error.args[0]}") from error
    except (ValueError, ArchiveError) as error:
        raise RenderError(f"{path} cannot be used: {error}") from error


def difference_between(one: Manifest, other: Manifest) -> str:
    """Difference of another manifest's film, for people; empty if it decodes to the same bits."""
    difference = one.checksums.difference(other.checksums)
    then, now = one.versions, other.versions
    changed = [f"{name} {then.get(name)}, now {now[name]}" for name in now if then.get(name) != now[name]]
    return f"{difference}; then {'; '.join(changed)}" if difference and changed else difference
