"""The question beside QUERY, and the ranking of answers, as options of a command."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from search_app.commands.as_one import as_one, given_options
from search_app.commands.number_types import Finite
from search_app.use_cases.options import QuestionOptions

LIKE = click.option(
    "--like", type=click.Path(path_type=Path), help="A picture to search by, beside or instead of QUERY."
)
CONFIG = click.option(
    "--config", type=click.Path(path_type=Path), help="Settings over those of configs/search.toml."
)
JUDGED = click.option("--judged", is_flag=True, help="Use what was kept and rejected for this query before.")
_OPTIONS = (
    click.option(
        "--sort",
        type=click.Choice(["relevance", "date", "duration", "file"]),
        default="relevance",
        show_default=True,
        help="Order of the shots; any but relevance takes only what surely matches.",
    ),
    click.option(
        "--variety",
        type=Finite(0, 1),
        default=0.0,
        show_default=True,
        help="Of what surely matches: 0: the best first; 1: the most unlike.",
    ),
    click.option("--merge/--no-merge", help="Merge neighbouring shots that answer together into one moment."),
    click.option(
        "--stack/--no-stack", default=True, help="Take the best of the same picture, or every copy of it."
    ),
    JUDGED,
    click.option("--saved", metavar="NAME", help="Ask what was saved under that name; QUERY narrows it."),
    LIKE,
    CONFIG,
)


def add_question_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of `QuestionOptions`; it gets them as one, named `asked`."""
    with_question = as_one(QuestionOptions, "asked", _OPTIONS)(command)

    @functools.wraps(with_question)
    def with_typed(*arguments: Any, **given: Any) -> Any:
        return with_question(*arguments, typed=frozenset(given_options()), **given)

    return with_typed
