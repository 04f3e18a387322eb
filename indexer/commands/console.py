"""Output of commands: one-line texts, tables, JSON, progress. Only command lines import this."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from store.wording import printable

if TYPE_CHECKING:
    from rich.progress import Progress

    from indexer.library.presence import Presence


def say(text: str) -> None:
    """Lines for people, on stdout, with control characters of each written as escapes."""
    for line in text.split("\n"):
        click.echo(printable(line))


def print_json(result: Any) -> None:
    """A result for programs, on stdout; names that are not valid Unicode are escaped."""
    click.echo(json.dumps(result, ensure_ascii=True, indent=2))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    """A result for people, on stdout, never cut to the width of a terminal.

    Args:
        headings: one for each column.
        rows: the cells; control characters in them are escaped.
        right: the columns set to the right, such as numbers.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number in right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console(width=10_000, highlight=False, soft_wrap=True)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def with_presence(
    headings: Sequence[str], rows: Sequence[Sequence[str]], presences: Sequence[Presence]
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """A table with a column for what is wrong with files, and one for their copies, if there is any of it."""
    heads, cells = tuple(headings), [tuple(row) for row in rows]
    for heading, texts in (
        ("file", [one.mark for one in presences]),
        ("also at", [", ".join(one.also_at) for one in presences]),
    ):
        if any(texts):
            heads, cells = (*heads, heading), [(*row, text) for row, text in zip(cells, texts, strict=True)]
    return heads, cells


def progress_bar(visible: bool = True) -> Progress:
    """A progress bar on stderr with the time left, shown only on a terminal; use it as a context."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
        console=console,
        transient=True,
        disable=not (visible and console.is_terminal),
    )
