"""What the `rushes` command says of wrong usage."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from search_app.cli import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--nope"], "rushes: No such option '--nope' (see rushes --help)"),
        (["nope"], "rushes: No such command 'nope' (see rushes --help)"),
        (
            ["cut", "trim", "a", "b", "1", "--x"],
            "rushes cut trim: No such option '--x' (see rushes cut trim --help)",
        ),
        (["cut", "trimm"], "rushes cut: No such command 'trimm'. Did you mean 'trim'? (see rushes cut --help)"),
        (["cut", "show"], "rushes cut show: Missing argument 'ARCHIVE' (see rushes cut show --help)"),
        (["cut", "show", "a", "b", "c\x1b\nd"], "rushes cut show: Got unexpected extra argument (c\\x1b d)"),
        (["cut", "order", "a", "b"], "rushes cut order: Missing argument 'ORDER'. Choose from: story, relevance,"),
        (
            ["search", "a", "b", "--limit", "x"],
            "rushes search: Invalid value for '--limit': 'x' is not a valid int",
        ),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], said: str) -> None:
    """It names the command, says what is wrong and where to look, and leaves with 2."""
    ran = CliRunner().invoke(main, arguments)
    (line,) = ran.stderr.splitlines()
    assert line.startswith(said)
    assert (2, "") == (ran.exit_code, ran.stdout)


def test_a_group_without_a_command_shows_its_help() -> None:
    """As click does."""
    ran = CliRunner().invoke(main, ["cut"])
    assert "Commands:" in ran.output
    assert "--help)" not in ran.output


def test_who_calls_it_from_python_gets_the_error() -> None:
    """Without standalone mode nothing is printed and nobody leaves."""
    with pytest.raises(click.ClickException, match="No such command 'nope'"):
        main(["nope"], standalone_mode=False)
