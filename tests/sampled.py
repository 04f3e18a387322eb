"""Large matrices of cases: `make test` takes a part of each, always the same, and `make soak` the rest."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any

import pytest


def sampled(values: Iterable[Any], every: int) -> list[Any]:
    """Parameters for `pytest.mark.parametrize`, of which each `every`-th belongs to `make test`.

    Args:
        values: the parameters; tuples for several names.
        every: 2 for a half, 3 for a third, ...
    """
    return [
        value if number % every == 0 else pytest.param(*_as_tuple(value), marks=pytest.mark.optin)
        for number, value in enumerate(values)
    ]


def sampled_product(*axes: Iterable[Any], every: int) -> list[Any]:
    """The same for every combination of several parameters.

    Args:
        axes: values of each parameter. `every` should have no factor in common with the number of the last ones,
            so that each of them is met.
        every: as for `sampled`.
    """
    return sampled(product(*axes), every)


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
