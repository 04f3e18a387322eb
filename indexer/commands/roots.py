"""`rushes roots`: the folders that videos lie in, and moving one to where it lies now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.commands.options import ARCHIVE, AS_JSON

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from indexer.library.roots import RootComparison

_MOST_FILES_TOLD = 20


class _ListsByDefault(click.Group):
    """A group whose first argument is an archive unless it is a command: `rushes roots ARCHIVE` lists."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group("roots", cls=_ListsByDefault, options_metavar="", subcommand_metavar="ARCHIVE | move ARCHIVE OLD NEW")
def roots() -> None:
    """List the library roots of ARCHIVE: name, folder, id, videos, and whether the folder is there.

    A library root is a folder that was indexed. `rushes roots move` says where it lies now. With --json the list
    is printed as JSON.
    """


@roots.command("list", hidden=True)
@ARCHIVE
@AS_JSON
def list_(archive: Path, as_json: bool) -> None:
    """List the library roots of ARCHIVE."""
    from dataclasses import asdict

    from indexer.commands.console import print_json, print_table
    from indexer.library.roots import list_roots
    from store.archive import Archive

    with Archive.open(archive) as opened:
        found = list_roots(opened.snapshot())
    if as_json:
        print_json([asdict(root) for root in found])
        return
    if not found:
        click.echo("the archive has no library roots yet; fill it with: rushes index ARCHIVE FOLDER", err=True)
        return
    rows = [
        (root.name, root.folder, root.root_id, f"{root.n_videos:,}", "yes" if root.is_reachable else "no")
        for root in found
    ]
    print_table(("name", "folder", "id", "videos", "there"), rows, right=(3,))


@roots.command()
@ARCHIVE
@click.argument("old")
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only compare the files.")
@AS_JSON
@click.pass_context
def move(context: click.Context, /, archive: Path, old: str, new: Path, dry_run: bool, as_json: bool) -> None:
    """Say that the library root OLD (an id, name or folder) lies in the folder NEW now.

    For a library that was moved, or is mounted elsewhere on this machine. No file is touched. Every known file is
    looked for in NEW by its content: a file of other content under the same name does not go along, and is indexed
    as a new video by the next `rushes index`. NEW must hold at least one file of OLD. The move holds for everybody
    who uses the archive.
    """
    from indexer.commands.console import print_json
    from indexer.library.roots import Verdict, compare_root, find_root, move_root
    from store.archive import Archive
    from store.wording import printable

    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        found = compare_root(snapshot, find_root(snapshot, old), new)
        counts = {one.value: len(found.with_verdict(one)) for one in Verdict}
        if not dry_run:
            move_root(opened, found)
    if as_json:
        print_json(_entries(found, counts, is_moved=not dry_run))
    else:
        for line in _told(found):
            click.echo(printable(line))
        said = ", ".join(f"{number:,} {verdict}" for verdict, number in counts.items())
        done = "compared" if dry_run else "moved"
        click.echo(printable(f"{done}: {found.root.name}: {found.root.folder} -> {found.new_folder}: {said}"))
    if dry_run and found.files and not counts[Verdict.SAME.value]:
        context.exit(1)


def _told(comparison: RootComparison) -> Iterator[str]:
    """A line for each file that is not the same, up to a number."""
    from indexer.library.roots import Verdict

    others = [file for file in comparison.files if file.verdict is not Verdict.SAME]
    for file in others[:_MOST_FILES_TOLD]:
        stays = f"; stays at {file.known.path}" if file.is_left_behind else ""
        yield f"{file.verdict.value}: {comparison.new_folder / file.known.relative_path}{stays}"
    if (rest := len(others) - _MOST_FILES_TOLD) > 0:
        yield f"and {rest:,} more files; --json lists all"


def _entries(comparison: RootComparison, counts: dict[str, int], *, is_moved: bool) -> dict[str, Any]:
    return {
        "root_id": comparison.root.root_id,
        "old": comparison.root.folder,
        "new": str(comparison.new_folder),
        "is_moved": is_moved,
        "counts": counts,
        "files": [
            {
                "relative_path": file.known.relative_path,
                "verdict": file.verdict.value,
                "stays": file.known.path if file.is_left_behind else None,
            }
            for file in comparison.files
        ],
    }
