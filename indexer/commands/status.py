"""`rushes status`: what an archive holds, its size, how the last run ended, and what needs a person's eye."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.commands.options import ARCHIVE, AS_JSON

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from indexer.library.presence import Presence
    from store.archive import Archive
    from store.snapshot import Snapshot

_KINDS = {
    "segments": "segments",
    "edits": "edits",
    "edits-copy": "edits",
    "thumbs": "thumbnails",
    "catalog": "catalog",
    "vectors": "vectors",
    "text": "words",
    "quarantine": "quarantine",
}


@click.command()
@ARCHIVE
@AS_JSON
def status(archive: Path, as_json: bool) -> None:
    """Say what ARCHIVE holds, how large it is, how the last run ended, and which files failed or are missing."""
    from dataclasses import asdict

    from indexer.commands.console import print_json
    from indexer.library.presence import look_for_files
    from store.archive import Archive
    from store.wording import printable

    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        found = look_for_files(snapshot, (video.video_id for video in snapshot.videos()))
        days = sorted(snapshot.dates().values())
        facts = {
            "archive": str(opened.folder),
            "generation": snapshot.generation,
            "model": snapshot.space.name if snapshot.space else None,
            "space": snapshot.space.space_id if snapshot.space else None,
            **asdict(snapshot.counts()),
            "missing": sum(not one.is_there for one in found.values()),
            "recorded": [days[0], days[-1]] if days else None,
            "size_bytes": measure_folder(opened.folder),
            "last_run": _run_entries(opened),
            "roots": snapshot.roots(in_use=True),
            "stages": _stage_entries(snapshot),
            "not_understood": _count_unknown(snapshot),
        }
        problems = _problems(snapshot, found)
    if as_json:
        print_json({**facts, "problems": problems})
        return
    for name, value in _readable(facts).items():
        click.echo(f"{name}: {printable(value)}")
    for problem in problems:
        click.echo(printable(f"{problem['status']}: {problem['video']}: {problem['reason']}"))


def _stage_entries(snapshot: Snapshot) -> dict[str, dict[str, int]]:
    """For each stage with texts how many videos its chosen run, or its latest, has done, failed and missed."""
    from store.stages import VISUAL

    entries: dict[str, dict[str, int]] = {}
    for row in snapshot.runs():
        if row.run.stage != VISUAL:
            counts = {
                "done": row.n_done,
                "partial": row.n_partial,
                "failed": row.n_failed,
                "missing": row.n_missing,
            }
            entries.setdefault(row.run.stage, counts)
    return entries


def _count_unknown(snapshot: Snapshot) -> dict[str, int]:
    """Segments that are passed over, because only a later version understands them: their number, and why."""
    passed = snapshot.passed_segments()
    counts = {
        "segments of unknown stages": sum(not one.format for one in passed),
        "segments of a later format": sum(one.format > 0 for one in passed),
        "segments with unknown fields": sum(bool(fields) for _, fields in snapshot.doubtful_segments().values()),
        "segments with impossible rows": sum(bool(rows) for rows, _ in snapshot.doubtful_segments().values()),
    }
    return {what: n for what, n in counts.items() if n}


def measure_folder(folder: Path) -> dict[str, int]:
    """Bytes of each kind of file in an archive's folder, and of all together; links count once."""
    sizes: Counter[str] = Counter()
    seen: set[tuple[int, int]] = set()
    for kind, path in _kinds_in(folder):
        for file in _files_below(path):
            try:
                facts = os.lstat(file)
            except OSError:
                continue  # collected meanwhile
            if (facts.st_dev, facts.st_ino) not in seen:
                seen.add((facts.st_dev, facts.st_ino))
                sizes[kind] += facts.st_size
    return {**sizes, "total": sizes.total()}


def _kinds_in(folder: Path) -> Iterable[tuple[str, str]]:
    with os.scandir(folder) as entries:
        return sorted((_KINDS.get(entry.name, "other"), entry.path) for entry in entries)


def _files_below(path: str) -> Iterable[str]:
    if not os.path.isdir(path):  # noqa: PTH112 - no Path for each of a million thumbnails
        yield path
        return
    for folder, _, names in os.walk(path):
        for name in names:
            yield f"{folder}{os.sep}{name}"


def _run_entries(archive: Archive) -> dict[str, Any] | None:
    run = archive.last_run()
    if run is None:
        return None
    return {
        "began": _moment(run.began_ns),
        "ended": None if run.ended_ns is None else _moment(run.ended_ns),
        "how": run.ended or "unfinished",
        "reason": run.reason,
        "files": dict(run.counts),
        "paths": list(run.paths),
    }


def _moment(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 1_000_000_000).astimezone().isoformat(sep=" ")


def _readable(facts: dict[str, Any]) -> dict[str, str]:
    """Summary of an archive, for people."""
    roots = [f"{path} ({name})" for name, path in facts["roots"].items()]
    shown = {
        **facts,
        "hours": f"{facts['hours']:,.2f}",
        "recorded": " to ".join(dict.fromkeys(facts["recorded"] or ())),
        "last_run": _run_text(facts["last_run"]),
        "size_bytes": _size_text(facts["size_bytes"]),
        "roots": ", ".join(roots),
        "stages": ", ".join(f"{name} {_stage_text(counts)}" for name, counts in facts["stages"].items())
        or "shots alone",
        "not_understood": ", ".join(f"{n} {what}" for what, n in facts["not_understood"].items()),
    }
    if not shown["not_understood"]:
        del shown["not_understood"]
    shown = {name: "none yet" if value in (None, "") else value for name, value in shown.items()}
    names = {"size_bytes": "size", "last_run": "last run", "not_understood": "passed over"}
    return {
        names.get(name, name): f"{value:,}" if isinstance(value, int) else str(value)
        for name, value in shown.items()
    }


def _stage_text(counts: dict[str, int]) -> str:
    rest = ", ".join(f"{n:,} {state}" for state, n in counts.items() if n and state != "done")
    return f"{counts['done']:,} of {sum(counts.values()):,}{f' ({rest})' if rest else ''}"


def _run_text(run: dict[str, Any] | None) -> str:
    if run is None:
        return ""
    if run["ended"] is None:
        return f"{run['began']}, still at work or killed"
    files = ", ".join(f"{n} {status}" for status, n in sorted(run["files"].items())) or "no files"
    how = "" if run["how"] == "done" else f"{run['how']}{': ' if run['reason'] else ''}{run['reason']}; "
    return f"{run['ended']}, {how}{files}"


def _size_text(sizes: dict[str, int]) -> str:
    parts = sorted(((n, kind) for kind, n in sizes.items() if kind != "total" and n), reverse=True)
    return f"{_bytes(sizes['total'])} ({', '.join(f'{kind} {_bytes(n)}' for n, kind in parts)})"


def _bytes(n: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if n < 1000:
            return f"{n:.0f} {unit}" if unit == "bytes" or n >= 10 else f"{n:.1f} {unit}"
        n /= 1000
    return f"{n:,.1f} TB"


def _problems(snapshot: Snapshot, found: dict[str, Presence]) -> list[dict[str, str]]:
    """Every file that a person may want to look at."""
    problems = [
        ("ignored" if outcome.is_ignored else "failed", outcome.path, outcome.reason)
        for outcome in snapshot.failures()
    ]
    for video in snapshot.videos():
        presence = found[video.video_id]
        if video.facts.warnings:
            kind = "partial" if video.facts.partial else "notice"
            problems.append((kind, presence.path, "; ".join(video.facts.warnings)))
        if not presence.is_there:
            problems.append((presence.state.value, presence.path, f"its file is {presence.mark}"))
    return [{"status": status, "video": path, "reason": reason} for status, path, reason in problems]
