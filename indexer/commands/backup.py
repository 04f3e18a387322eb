"""`rushes backup` and `rushes restore`: the truth of an archive in another folder, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.commands.options import ARCHIVE, AS_JSON
from store.wording import n_of

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from store.backup_files import Progress

_TARGET = click.argument("target", type=click.Path(path_type=Path))


@click.command()
@ARCHIVE
@_TARGET
@click.option("--read-data", is_flag=True, help="Also read what TARGET has; what is damaged is copied again.")
@AS_JSON
@click.pass_context
def backup(context: click.Context, /, archive: Path, target: Path, read_data: bool, as_json: bool) -> None:
    """Copy ARCHIVE into the folder TARGET; again, only what is new.

    Shots, decisions and thumbnails are copied, each file verified. Videos are left out, and caches, which can be
    made again. Others may index and search meanwhile. A backup that is interrupted leaves the one before as it
    was. `rushes restore` makes an archive of it. Exit status 1 if something in ARCHIVE is damaged.
    """
    from dataclasses import asdict

    from indexer.commands.console import print_json
    from store.backup import back_up_archive
    from store.wording import printable

    with _progress("backing up") as show:
        report = back_up_archive(archive, target, read_data=read_data, on_progress=show)
    if as_json:
        print_json(asdict(report))
    else:
        parts = [
            f"copied {n_of(report.n_copied, 'file')}, {n_of(report.copied_bytes, 'byte')}",
            f"{target} holds {n_of(report.n_files, 'file')}, {n_of(report.size_bytes, 'byte')}",
        ]
        for number, what in (
            (report.n_retained, "kept that the archive no longer has"),
            (report.n_removed, "no longer needed and deleted"),
            (report.n_vanished, "deleted by others meanwhile"),
        ):
            parts += [f"{number:,} {what}"] if number else []
        click.echo(printable("; ".join(parts)))
    for path in report.passed_over:
        click.echo(printable(f"passed over, no file of an archive: {archive / path}"), err=True)
    for path in report.damaged:
        click.echo(printable(f"damaged, run `rushes repair {archive}`: {archive / path}"), err=True)
    if report.damaged:
        context.exit(1)


@click.command()
@_TARGET
@ARCHIVE
@click.option("--skip-damaged", is_flag=True, help="Leave out what is damaged in the backup.")
@AS_JSON
@click.pass_context
def restore(context: click.Context, /, target: Path, archive: Path, skip_damaged: bool, as_json: bool) -> None:
    """Make ARCHIVE, a new or empty folder, of the backup in TARGET.

    Every file is verified. ARCHIVE is there once all of it is: a restore that is interrupted leaves none, and goes
    on when it is run again. Then its caches are made. Exit status 1 if something was damaged and left out.
    """
    from dataclasses import asdict

    from indexer.commands.console import print_json
    from indexer.library.roots import list_roots
    from store.archive import Archive
    from store.restore import restore_archive
    from store.wording import printable

    with _progress("restoring") as show:
        report = restore_archive(target, archive, skip_damaged=skip_damaged, on_progress=show)
    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        counts = snapshot.counts()
        n_away = sum(not root.is_reachable for root in list_roots(snapshot))
    if as_json:
        print_json({**asdict(report), "videos": counts.videos, "shots": counts.shots})
    else:
        copied = f"{n_of(report.n_files - len(report.damaged), 'file')}, {n_of(report.size_bytes, 'byte')}"
        click.echo(printable(f"restored {copied}: {n_of(counts.videos, 'video')}, {n_of(counts.shots, 'shot')}"))
    for path in report.damaged:
        click.echo(printable(f"damaged in the backup: {path}; run `rushes index {archive}` again"), err=True)
    if n_away:
        told = f"{n_of(n_away, 'library root')} not there: see `rushes roots {archive}` and `rushes roots move`"
        click.echo(printable(told), err=True)
    if report.damaged:
        context.exit(1)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[Progress], None]]:
    """Show how far it is, on a terminal."""
    from indexer.commands.console import progress_bar

    with progress_bar() as bar:
        task = bar.add_task(what, total=None, detail="")

        def show(progress: Progress) -> None:
            detail = f"{progress.n_done:,}/{progress.n_files:,}"
            bar.update(task, total=progress.n_files, completed=progress.n_done, detail=detail)

        yield show
