"""Options of a command that reach it as one frozen dataclass, and which of them a person gave."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import click
from click.core import ParameterSource

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def as_one(kind: type[Any], name: str, options: Sequence[Decorator] = ()) -> Decorator:
    """A decorator that gives a command options, which reach it as one argument.

    Args:
        kind: a dataclass whose fields are called like the options.
        name: of the argument.
        options: the options, in the order of `--help`; those of decorators above count, too. What is no field of
            `kind` stays as it is.
    """
    names = {field.name for field in fields(kind)}

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def with_one(*arguments: Any, **given: Any) -> Any:
            one = kind(**{option: value for option, value in given.items() if option in names})
            others = {option: value for option, value in given.items() if option not in names}
            return command(*arguments, **{name: one}, **others)

        decorated: Callable[..., Any] = with_one
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


def given_options() -> set[str]:
    """Names of the options that the command was given, rather than left at their defaults."""
    context = click.get_current_context()
    return {name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
