"""What a supercut has beside its clips, as options of a command."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from typing import Any, Self

import click

from search_app.cutting.transitions import Transition
from search_app.errors import QueryError

_TRANSITION_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class FilmOptions:
    """What there is beside the clips; None stands for a default, or for nothing.

    Args:
        transition: what is seen between two clips.
        transition_seconds: how long it takes.

    Raises:
        QueryError: they contradict each other.
    """

    transition: Transition = Transition.CUT
    transition_seconds: float | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        object.__setattr__(self, "transition", Transition(self.transition))  # a plain word will do
        if self.transition is Transition.CUT and self.transition_seconds is not None:
            raise QueryError("--transition-seconds: only with --transition dissolve or dip")

    @classmethod
    def take_from(cls, options: dict[str, Any]) -> Self:
        """Those of a command's options; they are taken out."""
        return cls(**{field.name: options.pop(field.name) for field in fields(cls)})

    def provenance(self) -> dict[str, Any]:
        """What the ledger says about it: what `FilmOptions` takes."""
        return asdict(self)

    @property
    def exact_transition_seconds(self) -> Fraction:
        """How long a transition takes; what a person types as 0.1 is meant as a tenth."""
        return Fraction(str(_TRANSITION_SECONDS if self.transition_seconds is None else self.transition_seconds))


_OPTIONS = (
    click.option(
        "--transition",
        type=click.Choice([*map(str, Transition)]),
        default=str(Transition.CUT),
        show_default=True,
        help="Between two clips: a cut, a cross-dissolve of both, or a dip to black.",
    ),
    click.option(
        "--transition-seconds",
        type=click.FloatRange(0, 10, min_open=True),
        help=f"How long it takes.  [default: {_TRANSITION_SECONDS:g}]",
    ),
)


def add_film_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of `FilmOptions`; it gets them as one, named `film`."""

    @functools.wraps(command)
    def with_film(*arguments: Any, **options: Any) -> Any:
        return command(*arguments, film=FilmOptions.take_from(options), **options)

    for option in reversed(_OPTIONS):
        with_film = option(with_film)
    return with_film
