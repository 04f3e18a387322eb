"""Numbers of options: infinity is none, and neither is what is not a number."""

from __future__ import annotations

import math

import click


class Finite(click.FloatRange):
    """A number in a range; `nan` lies in every range of click's own, since it compares with nothing."""

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or a usage error."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number that can be used.", param, ctx)
        return number
