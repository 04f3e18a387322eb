"""`rushes ignore`: files that fail and are to be passed over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.commands.options import ARCHIVE
from store.wording import n_of, printable

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from store.records import Outcome


@click.command()
@ARCHIVE
@click.argument("files", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every file that failed.")
@click.option("--undo", is_flag=True, help="Try them again from now on.")
def ignore(archive: Path, files: tuple[str, ...], every: bool, undo: bool) -> None:
    """Pass over FILES that fail, as long as their content stays the same; `rushes status` lists them.

    FILES are paths, or ends of paths, of files that `rushes status` lists as failed. They no longer make a run
    exit with 1. A file that is mended or replaced is tried again by itself.
    """
    from indexer.errors import ScanError
    from indexer.library.file_locations import Places
    from store.archive import Archive
    from store.events import Ignored

    if bool(files) == every:
        raise click.UsageError("name FILES, or --all")
    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        failures = [one for one in snapshot.failures() if one.is_ignored == undo]
        chosen = failures if every else [_find(name, failures, undo=undo) for name in files]
        if not chosen:
            raise ScanError(f"no file {'is ignored' if undo else 'failed'} in {archive}")
        places = Places(snapshot.roots())
        located = [(one, places.locate(Path(one.path), Path(one.path).parent)) for one in chosen]
        opened.record(
            Ignored(place.root, place.relative_path, one.fingerprint, one.reason, not undo)
            for one, place in located
        )
        opened.publish()
    for one in chosen:
        click.echo(printable(f"{'tried again' if undo else 'ignored'}: {one.path}: {one.reason}"))
    click.echo(n_of(len(chosen), "file"), err=True)


def _find(name: str, failures: Sequence[Outcome], *, undo: bool) -> Outcome:
    """The file of that path, or the only one whose path ends so.

    Raises:
        UnknownIdError: there is none, or more than one.
    """
    from store.errors import UnknownIdError

    paths = {name, str(Path(name).absolute())}
    found = [one for one in failures if one.path in paths]
    found = found or [one for one in failures if one.path.endswith(f"/{name}")]
    if len(found) > 1:
        several = ", ".join(one.path for one in found)
        raise UnknownIdError(f"more than one file is called {name!r}: {several}; give more of the path")
    if not found:
        what = "is not ignored" if undo else "has not failed; `rushes forget` takes videos out"
        raise UnknownIdError(f"{name!r} {what}; `rushes status` lists the files")
    return found[0]
