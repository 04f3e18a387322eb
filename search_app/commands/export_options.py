"""Clips of an export, and the paths by which it names their sources, as options of a command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import click

from search_app.commands.as_one import as_one, given_options
from search_app.commands.cut_options import add_cut_options
from search_app.commands.question_options import add_question_options
from search_app.cutting.cut_options import CutOptions, flag_of
from search_app.errors import QueryError
from search_app.use_cases.options import QuestionOptions, RelinkOptions

SKIP_BLOCKED = click.option(
    "--skip-blocked", is_flag=True, help="Leave out what must not be exported, instead of refusing all."
)
SKIP_MISSING = click.option(
    "--skip-missing", is_flag=True, help="Go on without clips whose video the archive does not have any more."
)
INCLUDE_MISSING = click.option(
    "--include-missing", is_flag=True, help="Also clips whose file is missing now: they are named all the same."
)
_RELINK_OPTIONS = (
    click.option(
        "--path-map",
        multiple=True,
        metavar="FROM=TO",
        help="Sources below FROM here lie below TO where it is opened; may be repeated, the longest FROM holds.",
    ),
    click.option(
        "--relative",
        is_flag=True,
        help="Name the sources by paths from the output's folder, but for those that a --path-map holds for.",
    ),
)
OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace the output if it exists.")
ANSWER_OPTIONS = frozenset(
    {"query", "device", *(field.name for kind in (QuestionOptions, CutOptions) for field in fields(kind))}
    - {"typed"}
)
"""Names of the options that only an answer has: a stored cut list was chosen and ordered before."""

add_relink_options = as_one(RelinkOptions, "relink", _RELINK_OPTIONS)
"""Gives a command the options of `RelinkOptions`; it gets them as one, named `relink`."""


def add_choice_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that ask, choose and order clips, as `asked` and `choice`."""
    return add_cut_options(add_question_options(command))


def add_answer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that ask, choose and order clips, and `skip_blocked`."""
    return add_choice_options(SKIP_BLOCKED(command))


def refuse_given(why: str, names: frozenset[str] | set[str]) -> None:
    """Refuse options that a person gave and that have no effect.

    Raises:
        QueryError: names them.
    """
    if idle := sorted(given_options() & names):
        raise QueryError(f"{', '.join(map(flag_of, idle))}: {why}")
