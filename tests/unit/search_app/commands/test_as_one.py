"""Options of a command that reach it as one value."""

from __future__ import annotations

import click
from click.testing import CliRunner

from search_app.commands.as_one import given_options
from search_app.commands.cut_options import add_cut_options
from search_app.commands.question_options import add_question_options
from search_app.cutting.cut_options import CutOptions, Order
from search_app.query.options import Sort
from search_app.use_cases.options import QuestionOptions


def test_options_reach_a_command_as_one_value() -> None:
    """Fields of each value go into it, all else stays as it is, and help has them in their order."""
    seen: list[object] = []

    @click.command()
    @add_cut_options
    @add_question_options
    @click.option("--overwrite", is_flag=True)
    def work(choice: CutOptions, asked: QuestionOptions, overwrite: bool) -> None:
        seen.extend([choice, asked, overwrite, given_options()])

    ran = CliRunner().invoke(
        work, ["--order", "random", "--limit", "3", "--avoid-used", "--sort", "date", "--overwrite"]
    )
    assert 0 == ran.exit_code, ran.output
    typed = {"order", "limit", "avoid_used", "sort", "overwrite"}
    assert [CutOptions(limit=3, order=Order.RANDOM, avoid_used=True), True, typed] == [seen[0], *seen[2:]]
    asked = seen[1]
    assert isinstance(asked, QuestionOptions)
    assert (Sort.DATE, frozenset(typed)) == (asked.sort, asked.typed)
    names = [param.name for param in work.params]
    assert (["limit", "max_seconds"], ["sort", "variety"], "overwrite") == (names[:2], names[13:15], names[-1])
