"""`rushes data` and `rushes sql`: an archive as data, a shot an object, and questions in SQL."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import click

from indexer.commands.options import ARCHIVE, AS_JSON
from search_app.commands.export_options import OVERWRITE
from store.wording import n_of

DATA_FORMATS: Final = ("json", "jsonl", "csv", "parquet")
"""Those of `search_app.exports.archive_data`, which is heavy."""


@click.command()
@ARCHIVE
@click.argument("videos", nargs=-1)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The file to write.")
@click.option(
    "--format", "format_name", type=click.Choice(DATA_FORMATS), help="File format.  [default: as the ending says]"
)
@OVERWRITE
def data(archive: Path, videos: tuple[str, ...], output: Path, format_name: str | None, overwrite: bool) -> None:
    """Write all that is known of the shots of ARCHIVE, one object for each shot: times, labels, captions, texts.

    OUTPUT ends in .json, .jsonl, .csv or .parquet. VIDEOS are paths, ends of paths, or fingerprints; none: all.
    """
    tell_data(archive, output, format_name, videos, overwrite=overwrite)


def tell_data(
    archive: Path, output: Path, format_name: str | None, videos: tuple[str, ...] = (), *, overwrite: bool
) -> None:
    """Write the data and say how many shots there are in it."""
    from search_app.use_cases.export_data import write_data
    from store.archive import Archive

    with Archive.open(archive) as opened:
        n_shots = write_data(opened, output, format_name, videos, overwrite=overwrite)
    click.echo(f"{output}: {n_of(n_shots, 'shot')}", err=True)


@click.command()
@ARCHIVE
@click.argument("statement")
@click.option(
    "--limit", type=click.IntRange(1), default=10_000, show_default=True, help="Most rows that are printed."
)
@AS_JSON
def sql(archive: Path, statement: str, limit: int, as_json: bool) -> None:
    """Answer STATEMENT, such as "select text, count(*) from label group by text", from the catalog of ARCHIVE.

    The catalog is only read. Views: caption, label, object, transcript, screen_text, sound, face, cue, summary and
    chapter, each with video, text, score, start_seconds, end_seconds, language, payload, ...; tables: video, shot,
    frame, and all others that `show tables` names.
    """
    from indexer.commands.console import print_json, print_table
    from store.archive import Archive

    with Archive.open(archive) as opened:
        names, rows = opened.snapshot().answer_sql(statement, limit + 1)
    if as_json:
        columns = [name if names.index(name) == n else f"{name}_{n + 1}" for n, name in enumerate(names)]
        print_json([dict(zip(columns, map(_plain, row), strict=True)) for row in rows[:limit]])
    else:
        print_table(names, [["" if cell is None else str(cell) for cell in row] for row in rows[:limit]])
    if len(rows) > limit:
        click.echo(f"the first {limit:,} rows; more with --limit", err=True)


def _plain(cell: object) -> object:
    """A value of SQL as JSON has it: dates and decimals as text, and no number that is none."""
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    if isinstance(cell, list | tuple):
        return [_plain(one) for one in cell]
    if isinstance(cell, dict):
        return {str(name): _plain(one) for name, one in cell.items()}
    return cell if cell is None or isinstance(cell, bool | int | float | str) else str(cell)
